package kafka

import (
	"errors"
	"fmt"

	"github.com/axiom-data-science/hydraulics/connector"
)

// A broker's answer may have a batch in it that cannot be read: its bytes were damaged
// in the log, say. sarama refuses the whole answer then, and does not tell of which
// partition the batch is. So each partition of the answer is asked for alone; the one
// that cannot be read then is asked for a batch at a time, until nothing but the batch
// at the next offset can be to blame, and ends there. The others are read meanwhile.

// doubt is what was not to be read of a partition.
type doubt struct {
	cut    int   // how often in a row it was answered with less than a batch
	alone  bool  // it is to be asked for alone
	single int64 // so many bytes of it are to be asked for a batch at a time
	failed int   // how often in a row the next batch alone could not be read
}

// maxUnreadable is how often a batch is fetched that cannot be read, on connections of
// their own: it may be the network that damages it.
const maxUnreadable = 5

// maxCut is how often a partition may be answered with less than a batch for others to
// have been first.
const maxCut = 3

// oneBatch is the size to ask for that has Kafka give one batch, however large (KIP-74).
const oneBatch = 1

// errCutOff says that a partition that was asked for alone was answered with less than
// its first batch, which Kafka gives whole: the length that the batch has is not its own.
var errCutOff = errors.New("it ends behind what Kafka gives of it")

func (d *doubt) some() bool { return d.alone || d.single > 0 }

// cutOff notes an answer with less than a batch.
func (d *doubt) cutOff() {
	d.cut++
	d.alone = d.alone || d.cut >= maxCut
}

// clear notes that an answer was read, with so many bytes; nothing at the end of a log.
func (d *doubt) clear(bytes int64) {
	d.alone, d.failed, d.cut = false, 0, 0
	if d.single -= bytes; d.single < 0 || bytes == 0 {
		d.single = 0
	}
}

// choose gives what of a list to ask for in one request, and how large an answer may
// be: a partition in doubt is asked for alone, in turn with all others.
func (r *fetchRoute) choose(list []asked) ([]asked, int32) {
	conf := &r.f.conf.Consumer.Fetch
	var sure, unsure []asked
	for _, a := range list {
		if a.doubt.some() {
			unsure = append(unsure, a)
		} else {
			sure = append(sure, a)
		}
	}
	if r.apart = len(unsure) > 0 && (len(sure) == 0 || !r.apart); !r.apart {
		return sure, conf.Default
	}
	if unsure[0].single > 0 {
		return unsure[:1], oneBatch
	}
	return unsure[:1], conf.Default
}

// unreadable notes that an answer came and could not be read.
func (r *fetchRoute) unreadable(list []asked, why error) {
	f := r.f
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range list {
		if r.current(a) {
			f.suspect(a, len(list) == 1, why)
		}
	}
}

// suspect notes that what a partition was asked for, alone or with others, could not be
// read. mu is held.
func (f *fetcher) suspect(a asked, alone bool, why error) {
	switch d := &a.doubt; {
	case !alone:
		d.alone = true
	case d.single == 0:
		*d = doubt{single: int64(f.conf.Consumer.Fetch.Default)}
	default:
		d.failed++
	}
	if a.doubt.failed < maxUnreadable {
		f.lose(a.reader, why)
		return
	}
	a.leave()
	a.trouble.end()
	a.ended = true
	f.push(&portion{reader: a.reader, why: connector.Fatal(fmt.Errorf(
		"%s[%d]@%d: the batch of records there cannot be read: %w; what is behind it comes once the connector is stopped and its offset altered to one behind the batch (hydraulics offsets alter NAME --to %s/%d=OFFSET)",
		a.Topic, a.Partition, a.fetch, why, a.Topic, a.Partition))})
}
