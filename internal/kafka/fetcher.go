package kafka

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

// fetcher reads partitions for one owner: a route for each broker that leads some
// of them fetches for all of these at once (fetch_route.go), and goes on while the
// owner works off what came, until as much is read ahead as a Poll may give. Where a
// partition has no leader, or its offset is not there, is found out beside
// (fetch_leaders.go). What is fetched stays as sarama has decoded it until it is
// taken; the owner's methods never wait for Kafka.
type fetcher struct {
	client  *Client
	conf    sarama.Config // of its connections
	most    int64         // bytes that are held at once, beside the answers under way
	backoff backoff
	reset   func(tp connector.TopicPartition) (int64, error) // where to start whose offset is not there
	log     *slog.Logger
	ready   chan struct{} // something is there to take

	ctx    context.Context // ends with close, and the owner's
	cancel context.CancelFunc
	work   sync.WaitGroup // routes and the search for leaders

	mu         sync.Mutex // guards the following, readers and routes
	partitions map[connector.TopicPartition]*reader
	paused     map[connector.TopicPartition]bool
	queue      []*portion // in the order in which it came
	bytes      int64      // held of partitions that are not paused
	aside      int64      // held of those that are
	routes     map[int32]*fetchRoute
	addresses  map[int32]string // of brokers
	searching  bool
}

// reader is the reading of one partition. The fetcher's mu guards it.
type reader struct {
	connector.TopicPartition
	trouble trouble
	next    int64 // the offset to give next
	fetch   int64 // the offset to fetch next
	skipped bool  // next was moved behind what is never given

	end     int64     // of the partition, as its isolation sees it; 0 is unknown
	told    time.Time // when that was told
	nothing int64     // up to this offset there is nothing to give

	bytes int64 // held: read and not given, or given and perhaps not done with
	given int64 // those that were given
	large int64 // and of them those of large messages

	route    *fetchRoute // nil while a leader is looked for
	epoch    int32       // of the leader
	replica  int32       // the broker that the leader wants asked in its place, -1 is none
	until    time.Time   // when the leader is to be asked again
	plain    time.Time   // until then the leader itself is to give it: its replica could not be reached
	astray   bool        // its offset is not there
	ended    bool        // nothing comes any more
	doubt                // about what can be read of it
	failures int         // in a row
	again    time.Time   // when its leader is to be looked for
}

// portion is what one fetch gave of a partition, or that it goes on elsewhere.
type portion struct {
	fetched
	reader *reader
	size   int64 // of its messages, bytes
	left   int   // of its messages to give
	batch  int   // the next one of batches to give
	at     int   // and the record in it
	moved  bool  // the partition was reset to next
	why    error // the partition has ended
}

func newFetcher(ctx context.Context, c *Client, conf sarama.Config, o GroupOptions, b backoff, reset func(connector.TopicPartition) (int64, error)) *fetcher {
	f := &fetcher{client: c, conf: conf, most: o.MaxPollBytes, backoff: b, reset: reset, log: c.options.Log, ready: make(chan struct{}, 1),
		partitions: map[connector.TopicPartition]*reader{}, paused: map[connector.TopicPartition]bool{},
		routes: map[int32]*fetchRoute{}, addresses: map[int32]string{}}
	f.ctx, f.cancel = context.WithCancel(ctx)
	return f
}

// start starts reading partitions; stop or close end it.
func (f *fetcher) start(from map[connector.TopicPartition]int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for tp, offset := range from {
		f.drop(f.partitions[tp])
		r := &reader{TopicPartition: tp, next: offset, fetch: offset, replica: -1,
			trouble: trouble{log: f.log.With("topic", tp.Topic, "partition", tp.Partition), health: f.client.options.health}}
		f.partitions[tp] = r
	}
	f.search()
}

// stop ends the reading of all partitions, and their pauses.
func (f *fetcher) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.partitions {
		f.drop(r)
	}
	clear(f.paused)
}

// drop forgets a reader, if there is one. mu is held.
func (f *fetcher) drop(r *reader) {
	if r == nil {
		return
	}
	f.empty(r)
	r.leave()
	r.trouble.end()
	delete(f.partitions, r.TopicPartition)
}

// empty forgets what is held of a partition. mu is held.
func (f *fetcher) empty(r *reader) {
	f.queue = slices.DeleteFunc(f.queue, func(p *portion) bool { return p.reader == r })
	f.count(r, -r.bytes)
	r.given, r.large = 0, 0
}

// close ends all goroutines and connections, but for a dial that is under way.
func (f *fetcher) close() {
	f.cancel()
	f.stop()
	f.mu.Lock()
	for _, r := range f.routes {
		r.cut()
	}
	f.mu.Unlock()
	f.work.Wait()
}

// assigned gives the partitions that are read, sorted.
func (f *fetcher) assigned() []connector.TopicPartition {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.SortedFunc(maps.Keys(f.partitions), compareTP)
}

// seek goes on reading a partition at another offset. It tells whether it is read.
func (f *fetcher) seek(tp connector.TopicPartition, offset int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.partitions[tp]
	if r == nil {
		return false
	}
	f.empty(r)
	r.next, r.skipped = offset, false
	f.again(r)
	return true
}

// again has a partition of which nothing is to be given be fetched from its next
// offset on. mu is held.
func (f *fetcher) again(r *reader) {
	r.fetch = r.next
	r.astray, r.ended, r.nothing, r.doubt = false, false, 0, doubt{}
	if r.route == nil {
		f.search()
	}
	r.route.nudge()
}

// pause keeps partitions from being given and fetched. What is held of them does
// not keep the others from being read: it is not counted among theirs until they are
// resumed, and given up where it is too much (shed).
func (f *fetcher) pause(tps []connector.TopicPartition) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, tp := range tps {
		if r := f.partitions[tp]; r != nil && !f.paused[tp] {
			f.add(-r.bytes)
			f.aside += r.bytes
			f.paused[tp] = true
		}
	}
}

// resume undoes pause.
func (f *fetcher) resume(tps []connector.TopicPartition) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, tp := range tps {
		if !f.paused[tp] {
			continue
		}
		delete(f.paused, tp)
		if r := f.partitions[tp]; r != nil {
			f.aside -= r.bytes
			f.add(r.bytes)
			r.route.nudge()
		}
	}
}

// count changes the bytes that are held of a partition. mu is held.
func (f *fetcher) count(r *reader, n int64) {
	r.bytes += n
	if f.paused[r.TopicPartition] {
		f.aside += n
	} else {
		f.add(n)
	}
}

// shed gives up what is read ahead of paused partitions, most first, until no more is
// held of them than a Poll may give; it is fetched again when they are resumed. It is
// for when more is to be fetched of others: what all pause for costs nothing. mu is held.
func (f *fetcher) shed() {
	for f.aside > f.most {
		var most *reader
		for tp := range f.paused {
			if r := f.partitions[tp]; r != nil && (most == nil || r.ahead() > most.ahead()) {
				most = r
			}
		}
		if most == nil || most.ahead() == 0 {
			return
		}
		first := true
		f.queue = slices.DeleteFunc(f.queue, func(p *portion) bool {
			if p.reader != most {
				return false
			}
			if first && p.moved {
				most.next = p.next // where it was reset to stays
			}
			first = false
			return true
		})
		f.count(most, -most.ahead())
		f.again(most)
	}
}

// ahead gives the bytes that are held of a partition and were not given. mu is held.
func (d *reader) ahead() int64 { return d.bytes - d.given }

// add changes the bytes that are held, and has all routes fetch once there is room.
// mu is held.
func (f *fetcher) add(n int64) {
	full := f.bytes >= f.most
	if f.bytes += n; full && f.bytes < f.most {
		for _, r := range f.routes {
			r.nudge()
		}
	}
}

// push puts something into the queue. mu is held.
func (f *fetcher) push(p *portion) {
	f.queue = append(f.queue, p)
	f.count(p.reader, p.size)
	select {
	case f.ready <- struct{}{}:
	default:
	}
}

// settle gives up what was given: the owner is done with it, unless it has paused
// the partition meanwhile. It gives the bytes of large messages among it.
func (f *fetcher) settle() (large int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for tp, r := range f.partitions {
		if r.given > 0 && !f.paused[tp] {
			large += r.large
			f.count(r, -r.given)
			r.given, r.large = 0, 0
		}
	}
	return large
}

// take gives the next messages, but those of paused partitions: at most so many,
// and so many bytes unless it is one message.
func (f *fetcher) take(records int, bytes int64) ([]Message, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	left := 0
	for _, p := range f.queue {
		if !f.paused[p.reader.TopicPartition] {
			left += p.left
		}
	}
	t := taking{most: records, bytes: bytes}
	if left > 0 {
		t.out = make([]Message, 0, min(left, records))
	}
	var why error
	f.queue = slices.DeleteFunc(f.queue, func(p *portion) bool {
		switch {
		case why != nil || t.full() || f.paused[p.reader.TopicPartition]:
			return false
		case p.why != nil && len(t.out) == 0:
			why = p.why
			return true
		}
		return p.why == nil && t.from(p)
	})
	return t.out, why
}

// taking is what one take gives.
type taking struct {
	most  int
	bytes int64
	out   []Message
	size  int64 // of out
}

func (t *taking) full() bool {
	return len(t.out) >= t.most || t.size >= t.bytes && len(t.out) > 0
}

// from takes messages of a portion. It tells whether there are no more.
func (t *taking) from(p *portion) bool {
	r := p.reader
	for ; p.batch < len(p.batches); p.batch, p.at = p.batch+1, 0 {
		b := p.batches[p.batch]
		for ; p.at < len(b.Records); p.at++ {
			if t.full() {
				return false
			}
			record := b.Records[p.at]
			if b.FirstOffset+record.OffsetDelta < r.next {
				continue // a batch is given whole, from before the offset asked for
			}
			t.out = append(t.out, Message{})
			m := &t.out[len(t.out)-1]
			m.fill(r.TopicPartition, b, record)
			n := m.size()
			t.size, r.given, r.large = t.size+n, r.given+n, r.large+large(m)
			r.next, p.left = m.Offset+1, p.left-1
		}
		p.batches[p.batch] = nil // the owner has what is in use of it
	}
	r.skipped = r.skipped || p.next > r.next && !p.moved
	r.next = p.next
	return true
}

// largeMessage is what a message is large from: its memory is collected by itself.
const largeMessage = 16 << 10

// large gives the bytes of a large message.
func large(m *Message) int64 {
	if n := len(m.Key) + len(m.Value); n >= largeMessage {
		return int64(n)
	}
	return 0
}
