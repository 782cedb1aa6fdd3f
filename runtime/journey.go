package runtime

import (
	"context"
	"slices"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/internal/tracing"
)

// The three journeys. What comes before the first stage and after the last one
// (Poll, Put, produce, commit) is the business of the task files.

// chain are the stages of one task.
type chain struct {
	readKey, readValue, readHeaders    *stage // of sink and stream
	transforms                         []*stage
	writeHeaders, writeKey, writeValue *stage // of source and stream
}

// sourceStages: Poll, then these, then Kafka.
func (c *chain) sourceStages() []*stage {
	return slices.Concat(c.transforms, []*stage{c.writeHeaders, c.writeKey, c.writeValue})
}

// sinkStages: Kafka, then these, then Put.
func (c *chain) sinkStages() []*stage {
	return slices.Concat([]*stage{c.readKey, c.readValue, c.readHeaders}, c.transforms)
}

// streamStages: Kafka, then these, then the commit unit.
func (c *chain) streamStages() []*stage {
	return slices.Concat([]*stage{c.readKey, c.readValue, c.readHeaders}, c.transforms,
		[]*stage{c.writeHeaders, c.writeKey, c.writeValue})
}

// item is one record on its journey.
type item struct {
	record  connector.Record        // as the last stage left it
	read    *kafka.Message          // as it was read from Kafka, nil in a source journey
	headers connector.Headers       // what was read of its headers, before any transform
	polled  *connector.SourceRecord // as the source gave it, nil in the others
	out     kafka.Message           // what is to be written, of source and stream
	fate    fate
	failed  failure      // of a tolerated item
	writes  []storeWrite // what stateful transforms changed for it
}

// take begins the journey of a message that was read.
func (it *item) take(m *kafka.Message) {
	it.read = m
	it.record = connector.Record{Topic: m.Topic, Partition: m.Partition, Timestamp: m.Timestamp,
		TimestampType: m.TimestampType, Origin: connector.Origin{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset}}
}

// poll begins the journey of a record that a source gave.
func (it *item) poll(r *connector.SourceRecord) {
	r.Origin = connector.Origin{}
	it.polled, it.record = r, r.Record
}

// place names the record by where it came from.
func (it *item) place() string {
	switch {
	case it.read != nil:
		return placeOf(it.read.Topic, it.read.Partition, it.read.Offset)
	case it.polled != nil && (it.polled.SourcePartition != nil || it.polled.SourceOffset != nil):
		return jsonText(it.polled.SourcePartition) + "@" + jsonText(it.polled.SourceOffset)
	}
	return ""
}

// fate is what became of an item.
type fate uint8

const (
	alive     fate = iota
	dropped        // by a transform
	tolerated      // it failed, and its connector tolerates that
)

// failure is why and where an item failed.
type failure struct {
	stage *stage
	cause error // what the plugin said
	err   error // the same with its place
}

// tolerate leaves an item out that failed.
func (it *item) tolerate(t *tolerance, why failure) {
	it.fate, it.failed = tolerated, why
	t.note(why, it.which)
}

// which tells what record it is, for logs: of a source's record all that Kafka
// Connect shows, of one read from Kafka where it is.
func (it *item) which() []any {
	if it.read != nil {
		return []any{"topic", it.read.Topic, "partition", it.read.Partition, "offset", it.read.Offset, "timestamp", timestamp(it.read)}
	}
	m := it.original()
	which := []any{"topic", m.Topic, "partition", m.Partition, "timestamp", timestamp(&m), "key", string(m.Key), "value", string(m.Value)}
	for _, h := range m.Headers {
		which = append(which, "header."+h.Key, string(h.Value))
	}
	return append(which, "source_partition", jsonText(it.polled.SourcePartition), "source_offset", jsonText(it.polled.SourceOffset))
}

// timestamp gives a message's time for a log: -1, as in Kafka, for none.
func timestamp(m *kafka.Message) int64 { return max(-1, m.Timestamp) }

// batch is what a task works on at once. A failure that stops the task cuts
// it: what comes before the failed record still goes its way.
type batch struct {
	items []item
	stop  error

	// Of an intake's batch.
	whole []item // items before a cut
	size  int    // in memory, bytes
	span  tracing.Span
	began time.Time
}

// trace gives what an item's headers say of its trace.
func (b *batch) trace(i int) (parent, state string) {
	it := &b.items[i]
	if it.read == nil {
		return header(it.record.Headers, "traceparent"), header(it.record.Headers, "tracestate")
	}
	for _, h := range it.read.Headers {
		switch h.Key {
		case "traceparent":
			parent = string(h.Value)
		case "tracestate":
			state = string(h.Value)
		}
	}
	return parent, state
}

// header gives a header's text, empty where there is none.
func header(h connector.Headers, key string) string {
	v, _ := h.Last(key)
	text, _ := v.Value.(string)
	return text
}

func (b *batch) cut(i int, why error) { b.items, b.stop = b.items[:i], why }

func (b *batch) alive() []int {
	var list []int
	for i := range b.items {
		if b.items[i].fate == alive {
			list = append(list, i)
		}
	}
	return list
}

// stage is one step of a journey: a call of a plugin. It has one or many.
type stage struct {
	place string // as errors name it: "value converter (avro)"
	java  string // as Kafka Connect names it in dead letters
	class string // the plugin's class there
	rule
	long bool // watch does not see it: it may take long, or sees to that itself

	one  func(ctx context.Context, it *item) error
	many func(ctx context.Context, items []*item) []error
	tap  *tap // sees the records before the stage

	stats stageStats
}

// journey runs the stages of one task.
type journey struct {
	at        place
	stages    []*stage
	tolerance *tolerance
	quit      <-chan struct{} // closed when the task is to stop: it ends waits
	watch     *watch
	tracer    *tracing.Tracer
	live      *liveTaps // nil where nobody can look
	from, to  string    // who gives the records, of a source, and who takes them, of a sink
}

// span begins the span of a batch.
func (j *journey) span(ctx context.Context, b *batch) tracing.Span {
	if j.tracer == nil { // Batch would say so too, but b.trace is allocated for it
		return tracing.Span{}
	}
	return j.tracer.Batch(ctx, j.at.connector, j.at.task, len(b.items), b.trace)
}

// run takes a batch through all stages. It returns soon after ctx is cancelled;
// the batch is cut then where it was.
func (j *journey) run(ctx context.Context, b *batch) {
	taps := j.live.now()
	if taps == nil {
		for _, s := range j.stages {
			s.run(ctx, j, b)
		}
		return
	}
	seen := j.sample(ctx, b, taps)
	for _, s := range j.stages {
		s.run(ctx, j, b)
		seen.after(s)
	}
	seen.done()
}

// run takes a batch through one stage and adds to it place, time, tap and
// tolerance.
func (s *stage) run(ctx context.Context, j *journey, b *batch) {
	if len(b.items) == 0 {
		return
	}
	if s.tap != nil {
		s.show(j.at.task, b.items)
	}
	span, cut := j.tracer.Stage(ctx, s.place), b.stop != nil
	ctx = span.In(ctx)
	defer func() {
		if cut { // by a stage before it
			span.End(nil)
			return
		}
		span.End(b.stop)
	}()
	began, n := time.Now(), 0
	if s.many != nil {
		todo := b.alive()
		n = len(todo)
		if n > 0 {
			s.settle(ctx, j, b, todo, s.callMany(ctx, j, b, todo))
		}
	} else {
		under, look := j.watch.call(s.place), 0
		for i := 0; i < len(b.items); i++ { // a cut makes items shorter
			it := &b.items[i]
			if it.fate != alive {
				continue
			}
			if n++; n > look {
				look += under.alive()
			}
			if err := s.callOne(ctx, it); err != nil {
				under.end() // settle may wait
				s.settle(ctx, j, b, []int{i}, []error{err})
				under, look = j.watch.call(s.place), n
			}
		}
		under.end()
	}
	s.stats.observe(n, time.Since(began))
}

// show lets the tap see the last of these records.
func (s *stage) show(task int, items []item) {
	now := time.Now()
	for i := max(0, len(items)-tapSize); i < len(items); i++ {
		it := &items[i]
		if it.fate != alive {
			continue
		}
		size := 0
		if it.read != nil {
			size = len(it.read.Key) + len(it.read.Value)
		}
		s.tap.see(Tapped{Time: now, Task: task, Before: s.place, Record: it.record}, size)
	}
}

// settle gives each of the records todo its fate, calling the stage again for
// those that may be retried. errs are the errors of the first call.
func (s *stage) settle(ctx context.Context, j *journey, b *batch, todo []int, errs []error) {
	began := time.Now()
	var trying *retried
	defer func() { trying.over(j, b.stop) }()
	for attempt := 0; ; attempt++ {
		var again []int
		var pause time.Duration
		var why error
	records:
		for k, i := range todo {
			if errs[k] == nil {
				continue
			}
			if ctx.Err() != nil {
				b.cut(i, context.Cause(ctx))
				break
			}
			it := &b.items[i]
			err := j.at.wrap(s.place, it.place(), errs[k])
			s.stats.errors.Add(1)
			switch v := j.tolerance.judge(s.rule, err, attempt, time.Since(began)); v.do {
			case retry:
				again, pause, why = append(again, i), max(pause, v.after), err
			case tolerate:
				it.tolerate(j.tolerance, failure{stage: s, cause: errs[k], err: err})
			case stop:
				b.cut(i, v.err)
				break records
			}
		}
		if len(again) == 0 {
			return
		}
		trying = trying.again(s, j)
		if !j.tolerance.wait(ctx, j.quit, pause, why) {
			b.cut(again[0], errStopping)
			return
		}
		if todo = again; s.many != nil {
			errs = s.callMany(ctx, j, b, todo)
		} else {
			under := j.watch.call(s.place)
			errs = []error{s.callOne(ctx, &b.items[todo[0]])}
			under.end()
		}
	}
}

// call runs an operation of the whole task, such as Poll or Put, as a stage. It
// is retried in place; the error it gives back stops the task.
func (s *stage) call(ctx context.Context, j *journey, records int, do func() error) (err error) {
	began := time.Now()
	span := j.tracer.Stage(ctx, s.place)
	var trying *retried
	defer func() { trying.over(j, err); span.End(err) }()
	for attempt := 0; ; attempt++ {
		tried := time.Now()
		err = s.guarded(j, do)
		if err == nil {
			s.stats.observe(records, time.Since(tried))
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		s.stats.errors.Add(1)
		err = j.at.wrap(s.place, "", err)
		v := j.tolerance.judge(s.rule, err, attempt, time.Since(began))
		if v.do != retry {
			return v.err
		}
		trying = trying.again(s, j)
		if !j.tolerance.wait(ctx, j.quit, v.after, err) {
			return errStopping
		}
	}
}

// retried is something that a stage tries again; nil before it does.
type retried struct {
	stage *stage
	since time.Time
}

func (r *retried) again(s *stage, j *journey) *retried {
	if r == nil {
		j.tolerance.stats.again(s.place)
		r = &retried{s, time.Now()}
	}
	return r
}

// over ends it; without an error it was cured.
func (r *retried) over(j *journey, err error) {
	if r == nil {
		return
	}
	j.tolerance.stats.over()
	if err == nil {
		j.tolerance.log.Info("it works again: "+r.stage.place, "after", time.Since(r.since).Round(time.Millisecond))
	}
}

// guarded calls something that is seen not to return.
func (s *stage) guarded(j *journey, do func() error) error {
	if !s.long {
		defer j.watch.call(s.place).end()
	}
	return guard(do)
}

// callOne calls the stage for one record; a panic of the plugin is an error.
func (s *stage) callOne(ctx context.Context, it *item) (err error) {
	defer catch(&err)
	return s.one(ctx, it)
}

// callMany calls the stage for several records. Where that panics each is tried
// alone, so that the record which is to blame takes no other with it.
func (s *stage) callMany(ctx context.Context, j *journey, b *batch, todo []int) []error {
	defer j.watch.call(s.place).end()
	items := make([]*item, len(todo))
	for k, i := range todo {
		items[k] = &b.items[i]
	}
	var errs []error
	err := guard(func() error { errs = s.many(ctx, items); return nil })
	if err == nil {
		return errs
	}
	if len(items) == 1 {
		return []error{err}
	}
	errs = make([]error, len(items))
	for k := range items {
		errs[k] = guard(func() error { return s.many(ctx, items[k:k+1])[0] })
	}
	return errs
}
