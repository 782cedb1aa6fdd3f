package runtime

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/internal/preview"
)

// PreviewOptions say which records a preview takes, and what it may ask.
type PreviewOptions struct {
	// Input are the records; nil are those that a source gives, or those of topics.
	Input []PreviewInput
	// Topics are read in place of the connector's own.
	Topics []string
	// Kept are topics that topics.regex does not stand for.
	Kept []string
	// Most is how many records are taken: the first that a source gives, the newest
	// of topics.
	Most int
	// Wait is how long a source is asked for that many.
	Wait time.Duration
	// Offline and Execute are those of [connector.Preview].
	Offline, Execute bool
	// Stages ends it before the sink, which is not asked.
	Stages bool
}

// previewing is a preview that is being made: a task's parts without its loop. It
// has no producer and joins no group; what it opens it closes.
type previewing struct {
	w       *Worker
	t       *Task
	set     *settings
	o       PreviewOptions
	parts   *parts
	context connector.Context
	clients *clients // nil where Kafka is not asked
	batch   *batch
	decoded map[*item]decoded // of records that were given
	result  *preview.Result

	mu     sync.Mutex
	places []int // what effects call the records 0, 1, ...; nil for their own numbers
}

// Preview takes some records through a connector's stages as a task does, and tells
// what each made of them, and what would be written. Nothing is: not to Kafka and its
// groups, the registry, the offsets, or the connector's system.
func (w *Worker) Preview(ctx context.Context, spec TaskSpec, o PreviewOptions) (_ *preview.Result, err error) {
	t := newTask(w.options, spec, nil)
	defer t.kill(errStopping)
	defer context.AfterFunc(ctx, func() { t.kill(context.Cause(ctx)) })()
	p := &previewing{w: w, t: t, o: o, decoded: map[*item]decoded{},
		result: &preview.Result{Connector: spec.Connector, Kind: string(spec.Kind), Records: []preview.Record{}, Effects: []connector.Effect{}}}
	if p.set, err = parseSettings(spec); err != nil {
		return nil, t.at.wrap("", "", err)
	}
	t.watch.limit(p.set.stalledAfter)
	// All is tolerated and nothing tried again, so that each record shows what it
	// comes to; what the connector makes of a failure is said of it.
	t.tolerance = &tolerance{all: true, log: slog.New(slog.DiscardHandler), stats: &t.errors}
	p.context = t.context()
	p.context.Preview = &connector.Preview{Offline: o.Offline, Execute: o.Execute, Would: p.would}
	defer p.close()
	if p.parts, err = build(t, p.set, p.context); err != nil {
		return nil, t.at.wrap("", "", err)
	}
	if err := p.read(ctx); err != nil {
		return nil, t.at.wrap("", "", err)
	}
	if err := p.run(ctx); err != nil {
		return nil, err
	}
	if err := p.deliver(ctx); err != nil {
		return nil, err
	}
	return p.result, context.Cause(ctx)
}

// close gives everything back.
func (p *previewing) close() { p.t.release(nil, p.parts, p.clients) }

// would takes what a plugin would do, from any goroutine.
func (p *previewing) would(e connector.Effect) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.places != nil {
		e.Records = slices.Clone(e.Records)
		for k, i := range e.Records {
			e.Records[k] = p.places[i]
		}
	}
	if !slices.ContainsFunc(p.result.Effects, func(o connector.Effect) bool {
		return o.Does == e.Does && o.Text == e.Text && slices.Equal(o.Records, e.Records)
	}) {
		p.result.Effects = append(p.result.Effects, e)
	}
}

func (p *previewing) note(format string, args ...any) {
	p.result.Notes = append(p.result.Notes, fmt.Sprintf(format, args...))
}

// stages gives the connector's journey.
func (p *previewing) stages() []*stage {
	switch p.t.spec.Kind {
	case KindSource:
		return p.parts.sourceStages()
	case KindSink:
		return p.parts.sinkStages()
	}
	return p.parts.streamStages()
}

// run takes the batch through the stages, and notes what each makes of the records.
func (p *previewing) run(ctx context.Context) error {
	b := p.batch
	if p.t.spec.Kind == KindStream {
		if err := p.restore(ctx); err != nil {
			return err
		}
		p.set.outward(b)
	}
	whole := b.items
	p.result.Records = make([]preview.Record, len(whole))
	before := make([]connector.Record, len(whole))
	for i := range whole {
		r := &p.result.Records[i]
		r.Record, r.Fate = p.name(i), preview.Delivered
		if d := p.decoded[&whole[i]]; d.any() || whole[i].read == nil {
			r.Steps = append(r.Steps, preview.Step{Stage: p.origin(), Changes: preview.Diff(connector.NewRecord("", nil, nil, nil, nil), whole[i].record), Record: whole[i].record})
		}
		before[i] = whole[i].record
	}
	j := &journey{at: p.t.at, tolerance: p.t.tolerance, quit: p.t.quit.Done(), watch: p.t.watch}
	for _, s := range p.stages() {
		todo := b.alive()
		p.given(s).run(ctx, j, b)
		if err := context.Cause(ctx); err != nil {
			return p.t.at.wrap(s.place, "", err)
		}
		for _, i := range todo {
			p.see(s, i, &whole[i], before[i], i-len(b.items))
			before[i] = whole[i].record
		}
	}
	p.cut()
	return nil
}

// cut leaves out what comes behind a record that would end the task: its stages were
// shown, and no more would become of it.
func (p *previewing) cut() {
	first := slices.IndexFunc(p.result.Records, func(r preview.Record) bool { return r.Fate == preview.Stops })
	if first < 0 {
		return
	}
	for i := first + 1; i < len(p.result.Records); i++ {
		p.result.Records[i].Fate = preview.NotReached
		if i < len(p.batch.items) {
			p.batch.items[i].fate = dropped
		}
	}
}

// origin names what comes before the first stage.
func (p *previewing) origin() string {
	if p.o.Input == nil {
		return "source"
	}
	return "input"
}

// name gives what a record is called.
func (p *previewing) name(i int) string {
	if place := p.batch.items[i].place(); place != "" {
		return place
	}
	return fmt.Sprintf("record %d", i+1)
}

// see notes what a stage made of a record. behind is how far behind the cut it is, if
// it is there at all.
func (p *previewing) see(s *stage, i int, it *item, before connector.Record, behind int) {
	r := &p.result.Records[i]
	switch {
	case behind > 0:
		r.Fate = preview.NotReached
	case behind == 0:
		r.Fate, r.Stage, r.Reason = preview.Stops, s.place, p.batch.stop.Error()
		p.result.Stopped = r.Reason
	case it.fate == tolerated:
		p.failed(r, s, it.failed.cause, it.failed.err)
	case it.fate == dropped:
		r.Fate, r.Stage = preview.Dropped, s.place
	default:
		changes := preview.Diff(before, it.record)
		if len(changes) > 0 || slices.Contains(p.parts.transforms, s) {
			r.Steps = append(r.Steps, preview.Step{Stage: s.place, Changes: changes, Record: it.record})
		}
	}
}

// failed notes what the connector makes of a record that failed.
func (p *previewing) failed(r *preview.Record, s *stage, cause, err error) {
	r.Stage, r.Reason = s.place, cause.Error()
	switch {
	case connector.KindOf(cause) == connector.KindRetriable && !(s.tolerable && p.set.retryTimeout >= 0):
		r.Fate = preview.Retried
	case !p.set.all:
		r.Fate = preview.Stops
		if p.result.Stopped == "" {
			p.result.Stopped = err.Error()
		}
	case p.set.letters != "":
		r.Fate, r.Topic = preview.DeadLettered, p.set.letters
	default:
		r.Fate = preview.Skipped
	}
}

// deliver shows what would become of the records that came through.
func (p *previewing) deliver(ctx context.Context) error {
	if p.t.spec.Kind == KindSink {
		if p.o.Stages {
			return nil
		}
		return p.put(ctx)
	}
	topics := map[string]bool{}
	for _, i := range p.batch.alive() {
		r, out := &p.result.Records[i], &p.batch.items[i].out
		r.Topic, r.KeySize, r.ValueSize = out.Topic, len(out.Key), len(out.Value)
		topics[out.Topic] = true
	}
	if p.set.letters != "" {
		topics[p.set.letters] = p.result.Count(preview.DeadLettered) > 0
	}
	changelogs := map[string]int{}
	for i := range p.batch.items {
		for _, w := range p.batch.items[i].writes {
			changelogs[w.stores.topic]++
		}
	}
	for _, topic := range slices.Sorted(maps.Keys(changelogs)) {
		p.would(connector.Effect{Does: fmt.Sprintf("keep state: %d records in topic %s", changelogs[topic], topic)})
	}
	for _, topic := range slices.Sorted(maps.Keys(topics)) {
		if err := p.missing(ctx, topic); err != nil {
			return p.t.at.wrap("output", "", err)
		}
	}
	return nil
}

// put has the sink show what it would write.
func (p *previewing) put(ctx context.Context) error {
	sink, conf, err := instance[connector.Sink](p.t, connector.SinkType, p.set.class)
	if err != nil {
		return p.t.at.wrap("", "", err)
	}
	s := newStage(sink, "sink", "TASK_PUT", connector.KindFatal)
	alive := p.batch.alive()
	shows, ok := sink.(connector.Previewer)
	if !ok {
		for _, i := range alive {
			p.result.Records[i].Fate = preview.Unknown
		}
		p.note("the %s does not show what it would write", s.place)
		return nil
	}
	if len(alive) == 0 {
		return nil
	}
	records := make([]connector.Record, len(alive))
	refused := &refusals{p: p, stage: s, of: map[connector.Origin]int{}}
	for k, i := range alive {
		records[k] = p.batch.items[i].record
		refused.of[records[k].Origin] = i
	}
	c := p.context
	c.Configs, c.Sink, c.Reporter = p.t.configs(sink), new(sinkContext), refused
	p.places = alive
	err = p.t.guarded(s.place, func() error { return shows.Preview(ctx, c, conf, records) })
	p.t.ended(p.t.guarded("stop of the sink", sink.Stop))
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		return p.t.at.wrap(s.place, "", cause)
	}
	for _, i := range alive {
		r := &p.result.Records[i]
		if r.Fate != preview.Delivered {
			continue
		}
		r.Fate, r.Stage, r.Reason = preview.Stops, s.place, err.Error()
		if connector.KindOf(err) == connector.KindRetriable {
			r.Fate = preview.Retried
		} else if p.result.Stopped == "" {
			p.result.Stopped = p.t.at.wrap(s.place, "", err).Error()
		}
	}
	return nil
}

// refusals take the records that a sink cannot write.
type refusals struct {
	p     *previewing
	stage *stage
	of    map[connector.Origin]int
}

var _ connector.ErrantReporter = (*refusals)(nil)

// Report notes what would become of a record.
func (r *refusals) Report(_ context.Context, rec connector.Record, cause error) error {
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	i, ok := r.of[rec.Origin]
	if !ok {
		return connector.Fatal(fmt.Errorf("record %s was reported, but it is not among those given", placeOf(rec.Origin.Topic, rec.Origin.Partition, rec.Origin.Offset)))
	}
	r.p.failed(&r.p.result.Records[i], r.stage, cause, r.p.t.at.wrap(r.stage.place, r.p.batch.items[i].place(), cause))
	return nil
}

// Wait has nothing to wait for.
func (*refusals) Wait(context.Context) error { return nil }
