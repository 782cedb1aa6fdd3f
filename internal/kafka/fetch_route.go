package kafka

import (
	"errors"
	"slices"
	"time"

	"github.com/IBM/sarama"
)

// fetchRoute fetches from one broker, all partitions at once that it is to be asked
// for. Its goroutine ends with the fetcher.
type fetchRoute struct {
	f      *fetcher
	broker int32
	wake   chan struct{}

	// The fetcher's mu guards these.
	readers []*reader
	link    *link // nil without a connection
	apart   bool  // the last request was for a partition in doubt
}

// asked is what a request asks of a partition.
type asked struct {
	*reader
	from int64
}

// nudge has a route, if there is one, look for something to do.
func (r *fetchRoute) nudge() {
	if r == nil {
		return
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// cut ends what the route waits for from its broker. mu is held.
func (r *fetchRoute) cut() {
	if r.link != nil {
		r.link.cut()
	}
	r.nudge()
}

func (r *fetchRoute) run() {
	defer r.hangUp()
	for r.f.ctx.Err() == nil {
		request, list := r.request()
		if len(list) > 0 {
			r.ask(request, list)
			continue
		}
		select {
		case <-r.wake:
		case <-r.f.ctx.Done():
		}
	}
}

// request gives what to ask the broker next; nothing while enough is held, or all
// its partitions are paused. A connection that is not needed any more is closed.
func (r *fetchRoute) request() (*sarama.FetchRequest, []asked) {
	f := r.f
	f.mu.Lock()
	defer f.mu.Unlock()
	conf := &f.conf.Consumer
	request := &sarama.FetchRequest{Version: fetchVersion, MaxWaitTime: int32(conf.MaxWaitTime.Milliseconds()), MinBytes: conf.Fetch.Min,
		MaxBytes: conf.Fetch.MaxBytes, Isolation: conf.IsolationLevel, SessionEpoch: -1, RackID: f.conf.RackID}
	if len(r.readers) == 0 && r.link != nil {
		l := r.link
		r.link = nil
		f.work.Go(l.close)
	}
	var list []asked
	for _, d := range r.readers {
		if f.bytes < f.most && !f.paused[d.TopicPartition] {
			list = append(list, asked{d, d.fetch})
		}
	}
	if len(list) > 0 {
		f.shed()
	}
	list, size := r.choose(list)
	if slices.ContainsFunc(list, func(a asked) bool { return time.Now().Before(a.plain) }) {
		request.RackID = ""
	}
	for _, a := range list {
		request.AddBlock(a.Topic, a.Partition, a.from, size, a.epoch)
	}
	return request, list
}

// ask sends a request and takes the answer.
func (r *fetchRoute) ask(request *sarama.FetchRequest, list []asked) {
	f := r.f
	l, err := r.connect()
	if err != nil {
		r.fail(err)
		return
	}
	began := time.Now()
	resp, err := l.Fetch(request)
	if err != nil {
		up, _ := l.Connected() // sarama hangs up where TLS has ended, which reads well below it
		whole := up && l.sound()
		r.hangUp()
		if whole {
			r.unreadable(list, err)
		} else {
			r.fail(err)
		}
		return
	}
	idle := r.answered(list, resp)
	// sarama waits for the end of a throttle as well, but cannot be interrupted then.
	wait := resp.ThrottleTime
	if idle && wait == 0 && time.Since(began) < emptyPause {
		wait = emptyPause
	}
	if wait > 0 {
		pause(f.ctx, wait)
	}
}

// emptyPause is how long a broker is not asked again that says at once that there is
// something to read and gives nothing.
const emptyPause = 100 * time.Millisecond

// connect gives the connection to the broker.
func (r *fetchRoute) connect() (*link, error) {
	f := r.f
	f.mu.Lock()
	l, address := r.link, f.addresses[r.broker]
	f.mu.Unlock()
	if l != nil {
		return l, nil
	}
	l, err := reach(f.ctx, f.conf, address)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ctx.Err() != nil {
		f.work.Go(l.close)
		return nil, f.ctx.Err()
	}
	r.link = l
	return l, nil
}

// hangUp closes the connection.
func (r *fetchRoute) hangUp() {
	r.f.mu.Lock()
	l := r.link
	r.link = nil
	r.f.mu.Unlock()
	l.close()
}

// fail has the leaders of all partitions looked for after something that concerns
// the whole broker.
func (r *fetchRoute) fail(err error) {
	r.hangUp()
	f := r.f
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ctx.Err() != nil {
		return
	}
	for _, d := range slices.Clone(r.readers) {
		f.lose(d, err)
	}
}

// answered takes an answer. It tells whether there was nothing in it although there
// is something to read.
func (r *fetchRoute) answered(list []asked, resp *sarama.FetchResponse) (idle bool) {
	portions := make([]*portion, len(list))
	nothing := resp.ThrottleTime == 0 // came, of any partition
	for i, a := range list {
		switch block := resp.GetBlock(a.Topic, a.Partition); {
		case block == nil:
		case block.Err != sarama.ErrNoError:
			nothing = false
		default:
			portions[i] = newPortion(a, block)
			nothing = nothing && portions[i].next == a.from && !portions[i].partial && block.PreferredReadReplica < 0
		}
	}
	f, now := r.f, time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, a := range list {
		block := resp.GetBlock(a.Topic, a.Partition)
		if block == nil || !r.current(a) {
			continue // the answer was full, or it is of no use any more
		}
		if p := portions[i]; p != nil {
			cut := p.partial && p.next == a.from
			switch {
			case cut && len(list) == 1:
				f.suspect(a, true, errCutOff)
				continue
			case cut:
				a.cutOff()
			default:
				a.clear(p.size)
			}
			a.took(f, p, block, now)
			if nothing && a.from < a.end {
				a.nothing, idle = a.end, true
			}
			continue
		}
		switch {
		case errors.Is(block.Err, sarama.ErrOffsetOutOfRange) && a.replica < 0:
			a.astray = true
			f.lose(a.reader, nil)
		default:
			f.lose(a.reader, block.Err)
		}
	}
	return idle
}

// current tells whether what was asked for is still what is to be fetched next. mu is held.
func (r *fetchRoute) current(a asked) bool {
	return r.f.partitions[a.TopicPartition] == a.reader && a.route == r && a.fetch == a.from
}

// took notes what came of a partition. mu is held.
func (d *reader) took(f *fetcher, p *portion, block *sarama.FetchResponseBlock, now time.Time) {
	if elsewhere := block.PreferredReadReplica >= 0 && block.PreferredReadReplica != d.replica; !elsewhere || p.next > d.fetch {
		d.failures = 0 // what is elsewhere may be out of reach
		d.trouble.over()
	}
	d.end, d.told = block.HighWaterMarkOffset, now
	if f.conf.Consumer.IsolationLevel == sarama.ReadCommitted {
		d.end = block.LastStableOffset
	}
	if p.next > d.fetch {
		d.fetch, d.nothing = p.next, 0
		f.push(p)
	}
	switch {
	case d.replica >= 0 && now.After(d.until):
		f.home(d)
	case block.PreferredReadReplica >= 0 && block.PreferredReadReplica != d.replica:
		d.replica, d.until = block.PreferredReadReplica, now.Add(f.conf.Metadata.RefreshFrequency)
		f.assign(d, d.replica)
	}
}

// newPortion makes a portion of what was asked for.
func newPortion(a asked, block *sarama.FetchResponseBlock) *portion {
	p := &portion{reader: a.reader, fetched: unpack(block, a.from)}
	for _, b := range p.batches {
		for _, record := range b.Records {
			if b.FirstOffset+record.OffsetDelta < a.from {
				continue
			}
			p.left++
			p.size += recordSize(record)
		}
	}
	return p
}

// recordSize is the size of the message that a record becomes.
func recordSize(r *sarama.Record) int64 {
	m := Message{Key: r.Key, Value: r.Value}
	n := m.size()
	for _, h := range r.Headers {
		n += int64(len(h.Key) + len(h.Value) + headerOverhead)
	}
	return n
}
