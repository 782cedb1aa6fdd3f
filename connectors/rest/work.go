package rest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/plainjson"
)

// work is one Put: its records, their bodies and what becomes of them.
type work struct {
	s        *Sink
	records  []connector.Record
	buffer   buffer
	messages []message
	fates    []fate         // of records
	latest   map[uint64]int // by key: its last request
	fresh    bool           // nothing of the batch was tried before
	begun    []int          // the messages that a request began with, or ended before
}

// message is a record as it is sent.
type message struct {
	record     int
	to         *destination
	from, till mark
	key        uint64 // of the record, 0 without one
	unique     string // what a request has once; empty is nothing
	alone      bool   // it is not known what of it a request may have once
	delete     bool
}

// fate is what became of a record.
type fate struct {
	known bool
	err   error // nil: it was taken, or left out
	reply reply
}

func (s *Sink) newWork(records []connector.Record) *work {
	w := &work{s: s, records: records, messages: slices.Grow(s.spare.messages, len(records)), fates: slices.Grow(s.spare.fates, len(records))[:len(records)],
		latest: s.spare.latest, fresh: len(s.begins) == 0}
	if w.latest == nil {
		w.latest = map[uint64]int{}
	}
	w.buffer.writer, w.buffer.joined = &s.writer, s.spare.joined
	w.buffer.flat = slices.Grow(s.spare.flat, min(len(records)*s.mean, mostAhead))
	s.spare = spare{}
	return w
}

// spare is room of a Put that is over, empty, for the next one.
type spare struct {
	messages []message
	fates    []fate
	latest   map[uint64]int
	flat     []byte
	joined   []byte
}

// leave gives the room to the next Put. The bodies' stays with requests that are still
// being sent, as those may be that were answered before.
func (w *work) leave() {
	if cap(w.messages) <= mostSpare {
		clear(w.messages)
		clear(w.fates)
		clear(w.latest)
		w.s.spare = spare{messages: w.messages[:0], fates: w.fates[:0], latest: w.latest}
	}
	if w.buffer.sending.Load() == 0 && cap(w.buffer.flat) <= mostAhead {
		w.s.spare.flat, w.s.spare.joined = w.buffer.flat[:0], w.buffer.joined[:0]
	}
}

// mostSpare is of how many records room is kept while none come.
const mostSpare = 10_000

// mostAhead bounds the room for bodies that is made before they are.
const mostAhead = 4 << 20

// fill makes the messages of the records that are still to be sent. Its error is
// about a record, where none is tolerated.
func (w *work) fill() error {
	var last *destination
	for i := range w.records {
		r := &w.records[i]
		if f, known := w.s.progress.fates[r.Origin]; known && !r.Origin.IsZero() {
			w.fates[i] = f
			continue
		}
		if r.Value == nil && w.s.nulls == nullIgnore {
			w.s.counters.ignored.Add(1)
			w.fates[i] = fate{known: true}
			continue
		}
		before := w.buffer.mark()
		m, err := w.message(i, r, last)
		if err != nil {
			w.buffer.cut(before)
			if err := w.refuse(i, err); err != nil {
				return err
			}
			continue
		}
		last = m.to
		w.messages = append(w.messages, m)
	}
	if n := len(w.messages); n > 0 {
		w.s.mean = (len(w.buffer.flat)*9/8 + n - 1) / n
	}
	return nil
}

// message makes a record's message.
func (w *work) message(i int, r *connector.Record, last *destination) (m message, err error) {
	p := &w.s.plan
	m.record = i
	if p.inFlight > 1 {
		m.key = keyHash(r)
	}
	switch {
	case r.Value == nil && p.nulls == nullBad:
		return m, fmt.Errorf("the value is null, and behavior.on.null.values=fail")
	case r.Value == nil && p.nulls == nullDelete:
		m.delete = true
		m.to, err = p.deletes(r)
		m.from = w.buffer.mark()
		m.till = m.from
		return m, err
	}
	if m.to, err = p.destination(r, last); err != nil {
		return m, err
	}
	if p.unique != nil {
		text, err := p.unique.append(nil, r, asIs)
		if err != nil && r.Key != nil && p.unique.byKey() { // it has several fields
			text, err = plainjson.Append(nil, r.KeySchema, r.Key)
		}
		m.unique, m.alone = string(text), err != nil
	}
	if len(w.messages) > 0 {
		w.buffer.text(p.separator)
	}
	m.from = w.buffer.mark()
	if err := p.add(&w.buffer, r); err != nil {
		return m, err
	}
	m.till = w.buffer.mark()
	return m, nil
}

// remember keeps for the batch that comes again what became of this one.
func (w *work) remember() {
	w.s.again++
	for i, f := range w.fates {
		if o := w.records[i].Origin; f.known && !o.IsZero() {
			w.s.progress.fates[o] = f
		}
	}
	for _, i := range w.begun {
		if i < len(w.messages) {
			if o := w.records[w.messages[i].record].Origin; !o.IsZero() {
				w.s.begins[o] = true
			}
		}
	}
}

// refuse notes that a record cannot be sent, or is not taken. Its error ends the
// Put, where nobody tolerates that.
func (w *work) refuse(record int, cause error) error {
	cause = at(&w.records[record], cause)
	if w.s.reporter == nil && !w.s.ignore {
		w.s.counters.refused.Add(1)
		return cause
	}
	w.fates[record] = fate{true, cause, replyOf(cause)}
	return nil
}

// group is messages of one request, from the first to before the last.
type group struct{ first, last int }

// groups parts the messages into requests: of one destination, in order.
func (w *work) groups() []group {
	var all []group
	p := &w.s.plan
	most := p.maxBytes
	if w.fresh && w.s.fits > 0 {
		most = min(most, w.s.fits)
	}
	seen := map[string]bool{}
	from := 0
	for i := range w.messages {
		m := &w.messages[i]
		if i > from && (i-from >= p.batch || m.to != w.messages[from].to || m.till.bytes-w.messages[from].from.bytes > most ||
			m.unique != "" && seen[m.unique] || m.alone || w.messages[from].alone || w.s.begins[w.records[m.record].Origin]) {
			all = append(all, group{from, i})
			from = i
			clear(seen)
		}
		if m.unique != "" {
			seen[m.unique] = true
		}
	}
	if from < len(w.messages) {
		all = append(all, group{from, len(w.messages)})
	}
	return all
}

// makeRoom makes room for the bodies that are put together, but for halves.
func (w *work) makeRoom(groups []group) {
	sum := 0
	for _, g := range groups {
		if size := len(w.s.prefix) + w.size(g) + len(w.s.suffix); size <= mostJoined {
			sum += size
		}
	}
	w.buffer.joined = slices.Grow(w.buffer.joined, min(sum, mostAhead))
}

// send sends all messages. Requests of one key wait for each other; of the others
// some are on their way at once. After an error no further one begins, and those
// that are on their way are waited for: what the service has taken is known.
func (w *work) send(ctx context.Context) error {
	groups := w.groups()
	ctx = w.buffer.watch(ctx)
	w.makeRoom(groups)
	if w.s.inFlight == 1 || len(groups) == 1 {
		for _, g := range groups {
			if err := w.deliver(ctx, g); err != nil {
				return err
			}
		}
		return nil
	}
	var (
		wg     sync.WaitGroup
		slots  = make(chan struct{}, w.s.inFlight)
		failed = newFirst(len(groups))
		ends   = make([]chan struct{}, len(groups)) // closed when a request is through
	)
	for i, g := range groups {
		slots <- struct{}{}
		if failed.any() {
			break
		}
		ends[i] = make(chan struct{})
		before := w.after(i, g, ends)
		wg.Go(func() {
			defer func() { close(ends[i]); <-slots }()
			for _, earlier := range before {
				<-earlier // it has a slot: it came first
			}
			if !failed.any() {
				failed.set(i, w.deliver(ctx, g))
			}
		})
	}
	wg.Wait()
	return failed.err()
}

// after gives the ends of the requests that the i-th one waits for, as they have keys of
// its, and has later ones wait for it.
func (w *work) after(i int, g group, ends []chan struct{}) []chan struct{} {
	var before []chan struct{}
	for _, m := range w.messages[g.first:g.last] {
		if m.key == 0 {
			continue
		}
		if earlier, known := w.latest[m.key]; known && earlier != i {
			before = append(before, ends[earlier])
		}
		w.latest[m.key] = i
	}
	return before
}

// first keeps the error of the first of several that work at once.
type first struct {
	mu    sync.Mutex
	where int
	what  error
}

func newFirst(n int) *first { return &first{where: n} }

func (f *first) set(where int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil && where < f.where {
		f.where, f.what = where, err
	}
}

func (f *first) err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.what
}

func (f *first) any() bool { return f.err() != nil }

// mostRefused is how many records may be refused in a row with one answer, and none
// taken, until the cause is looked for elsewhere than in them.
const mostRefused = 100

// run is refusals without a success between them.
type run struct {
	code, records int
}

// settle reports the records that were refused, in order, unless it is not they.
func (w *work) settle(ctx context.Context) error {
	if err := w.judgeRun(); err != nil {
		return err
	}
	ignored, taken := 0, 0
	var why error
	for i, f := range w.fates {
		switch {
		case f.err == nil:
			taken++
		case w.s.reporter == nil:
			ignored++
			if why == nil {
				why = f.err
			}
		default:
			w.s.counters.refused.Add(1)
			if err := w.s.reporter.Report(ctx, w.records[i], f.err); err != nil {
				return err
			}
		}
	}
	if ignored > 0 {
		w.s.counters.refused.Add(float64(ignored))
		w.s.counters.ignored.Add(float64(ignored))
		w.s.log.Warn("records were refused and left out, as behavior.on.error=ignore wants it", "records", ignored, "first", why)
	}
	w.s.counters.taken.Add(float64(taken))
	return w.publish(ctx)
}

// judgeRun says that so many records in a row are not all bad ones.
func (w *work) judgeRun() error {
	r := w.s.refused
	var last error
	for _, f := range w.fates {
		if f.err == nil {
			w.s.refused = run{}
			return nil
		}
		code := codeOf(f.err)
		if code == 0 || clearlyData(code) {
			continue
		}
		if code != r.code {
			r = run{code: code}
		}
		r.records++
		last = f.err
	}
	w.s.refused = r
	if last != nil && r.records >= mostRefused {
		return connector.Coded("H6010", connector.Fatal(fmt.Errorf("%d records in a row were answered with %d and none was taken, so the cause is the service, url, format or headers: %w", r.records, r.code, last)))
	}
	return nil
}
