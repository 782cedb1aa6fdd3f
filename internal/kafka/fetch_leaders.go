package kafka

import (
	"cmp"
	"slices"
	"time"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

// assign has a partition fetched from a broker. mu is held.
func (f *fetcher) assign(d *reader, broker int32) {
	r := f.routes[broker]
	if r == nil {
		if f.ctx.Err() != nil {
			return
		}
		r = &fetchRoute{f: f, broker: broker, wake: make(chan struct{}, 1)}
		f.routes[broker] = r
		f.work.Go(r.run)
	}
	d.leave()
	d.route = r
	r.readers = append(r.readers, d)
	r.nudge()
}

// leave takes a partition off its route. mu is held.
func (d *reader) leave() {
	if r := d.route; r != nil {
		r.readers = slices.DeleteFunc(r.readers, func(o *reader) bool { return o == d })
		d.route = nil
		r.nudge() // it may need no connection any more
	}
}

// lose has the leader of a partition looked for, at once where it is the first time.
// mu is held.
func (f *fetcher) lose(d *reader, why error) {
	if d.replica >= 0 {
		d.plain = time.Now().Add(f.conf.Metadata.RefreshFrequency)
	}
	f.home(d)
	if d.failures++; d.failures > 1 {
		d.again = d.again.Add(f.backoff.after(d.failures - 1))
		d.trouble.note("reading is interrupted", why)
	}
}

// home has the leader of a partition looked for. mu is held.
func (f *fetcher) home(d *reader) {
	d.leave()
	d.replica, d.again = -1, time.Now()
	f.search()
}

// search has leaders looked for. mu is held.
func (f *fetcher) search() {
	if !f.searching && f.ctx.Err() == nil {
		f.searching = true
		f.work.Go(f.find)
	}
}

// find looks for leaders, and for offsets that are there, until all are found; the
// end of the fetcher ends it.
func (f *fetcher) find() {
	for {
		lost, wait := f.lost()
		switch {
		case lost == nil && wait == 0:
			return
		case len(lost) == 0:
			pause(f.ctx, min(wait, glance))
			continue
		}
		f.lead(lost)
		f.restart(lost) // it may wait for a leader
	}
}

// glance is how long the search sleeps at most, for partitions lost meanwhile.
const glance = 50 * time.Millisecond

// lost gives the partitions whose leaders are to be looked for, or when some will
// be; neither ends the search.
func (f *fetcher) lost() (lost []*reader, wait time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	for _, d := range f.partitions {
		switch {
		case d.route != nil || d.ended || f.ctx.Err() != nil:
		case d.again.After(now):
			if w := d.again.Sub(now); wait == 0 || w < wait {
				wait = w
			}
		default:
			lost = append(lost, d)
		}
	}
	f.searching = len(lost) > 0 || wait > 0
	return lost, wait
}

// restart finds where those partitions go on whose offset is not there.
func (f *fetcher) restart(lost []*reader) {
	for _, d := range lost {
		f.mu.Lock()
		astray, was := d.astray, d.fetch
		f.mu.Unlock()
		if !astray {
			continue
		}
		offset, err := do(f.ctx, func() (int64, error) { return f.reset(d.TopicPartition) })
		f.mu.Lock()
		switch {
		case f.partitions[d.TopicPartition] != d || !d.astray || d.fetch != was: // it goes on elsewhere
		case connector.KindOf(err) == connector.KindFatal:
			d.ended = true
			f.push(&portion{reader: d, why: err})
		case err != nil:
			f.miss(d, err)
		default:
			d.trouble.log.Warn("offset is not there any more, starting anew", "was", was, "from", offset)
			d.astray, d.fetch = false, offset
			f.push(&portion{reader: d, fetched: fetched{next: offset}, moved: true})
		}
		f.mu.Unlock()
	}
}

// lead looks for the leaders of partitions.
func (f *fetcher) lead(lost []*reader) {
	var topics []string
	for _, d := range lost {
		topics = append(topics, d.Topic)
	}
	slices.Sort(topics)
	resp, err := f.client.metadata(f.ctx, slices.Compact(topics), false)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ctx.Err() != nil {
		return
	}
	found, refused := map[connector.TopicPartition]*sarama.PartitionMetadata{}, map[string]error{}
	if err == nil {
		for _, b := range resp.Brokers {
			f.addresses[b.ID()] = b.Addr()
		}
		found, refused = leaders(resp)
	}
	for _, d := range lost {
		p := found[d.TopicPartition]
		switch {
		case f.partitions[d.TopicPartition] != d || d.route != nil || d.astray || d.ended:
		case err != nil:
			f.miss(d, err)
		case p == nil:
			f.miss(d, cmp.Or(refused[d.Topic], error(sarama.ErrUnknownTopicOrPartition)))
		case p.Leader < 0:
			f.miss(d, sarama.ErrLeaderNotAvailable)
		default:
			d.epoch = p.LeaderEpoch
			f.assign(d, p.Leader)
		}
	}
}

// leaders gives what there is to know of partitions, and why topics have none.
func leaders(resp *sarama.MetadataResponse) (map[connector.TopicPartition]*sarama.PartitionMetadata, map[string]error) {
	found, refused := map[connector.TopicPartition]*sarama.PartitionMetadata{}, map[string]error{}
	for _, t := range resp.Topics {
		if t.Err != sarama.ErrNoError {
			refused[t.Name] = t.Err
		}
		for _, p := range t.Partitions {
			found[connector.TopicPartition{Topic: t.Name, Partition: p.ID}] = p
		}
	}
	return found, refused
}

// miss notes that a partition cannot be read on yet. mu is held.
func (f *fetcher) miss(d *reader, why error) {
	d.failures++
	d.again = time.Now().Add(f.backoff.after(d.failures))
	if d.failures > 1 {
		d.trouble.note("partition cannot be read", why)
	}
}
