package runtime

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// rogue is what plugins do in one of their methods: panic, or not return until
// the channel is closed.
type rogue struct {
	method string
	hang   chan struct{} // nil for a panic
	once   sync.Once
	there  chan struct{} // closed when the method was called
}

func (r *rogue) call(method string) {
	if r.method != method {
		return
	}
	r.once.Do(func() { close(r.there) })
	if r.hang == nil {
		panic("gone rogue")
	}
	<-r.hang
}

type rogueSource struct {
	numbers
	rogue *rogue
}

func (*rogueSource) Info() connector.Info { return connector.Info{Name: "rogue-source", Version: "1"} }
func (s *rogueSource) Start(ctx context.Context, c connector.Context, conf connector.Config) error {
	s.rogue.call("source.Start")
	return s.numbers.Start(ctx, c, conf)
}

func (s *rogueSource) Poll(ctx context.Context) ([]connector.SourceRecord, error) {
	s.rogue.call("source.Poll")
	return s.numbers.Poll(ctx)
}

func (s *rogueSource) CommitRecord(ctx context.Context, r connector.SourceRecord, m *connector.RecordMetadata) error {
	s.rogue.call("source.CommitRecord")
	return s.numbers.CommitRecord(ctx, r, m)
}

func (s *rogueSource) Commit(ctx context.Context) error {
	s.rogue.call("source.Commit")
	return s.numbers.Commit(ctx)
}

func (s *rogueSource) Stop() error {
	s.rogue.call("source.Stop")
	return s.numbers.Stop()
}

type rogueSink struct {
	buffer
	rogue *rogue
}

func (*rogueSink) Info() connector.Info { return connector.Info{Name: "rogue-sink", Version: "1"} }
func (s *rogueSink) Start(ctx context.Context, c connector.Context, conf connector.Config) error {
	s.rogue.call("sink.Start")
	return s.buffer.Start(ctx, c, conf)
}

func (s *rogueSink) Open(tps []connector.TopicPartition) error {
	s.rogue.call("sink.Open")
	return s.buffer.Open(tps)
}

func (s *rogueSink) Put(ctx context.Context, rs []connector.Record) error {
	s.rogue.call("sink.Put")
	return s.buffer.Put(ctx, rs)
}

func (s *rogueSink) Flush(ctx context.Context) error {
	s.rogue.call("sink.Flush")
	return s.buffer.Flush(ctx)
}

func (s *rogueSink) Close(tps []connector.TopicPartition) error {
	s.rogue.call("sink.Close")
	return s.buffer.Close(tps)
}

func (s *rogueSink) Stop() error {
	s.rogue.call("sink.Stop")
	return s.buffer.Stop()
}

type rogueTransform struct{ rogue *rogue }

func (*rogueTransform) Info() connector.Info            { return connector.Info{Name: "rogue", Version: "1"} }
func (*rogueTransform) ConfigDef() *connector.ConfigDef { return connector.NewConfigDef() }
func (p *rogueTransform) Configure(connector.Context, connector.Config) error {
	p.rogue.call("transform.Configure")
	return nil
}

func (p *rogueTransform) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	p.rogue.call("transform.Apply")
	return r, true, nil
}

func (p *rogueTransform) Close() error {
	p.rogue.call("transform.Close")
	return nil
}

type roguePredicate struct{ rogueTransform }

func (*roguePredicate) Info() connector.Info {
	return connector.Info{Name: "rogue-predicate", Version: "1"}
}

func (p *roguePredicate) Configure(connector.Context, connector.Config) error {
	p.rogue.call("predicate.Configure")
	return nil
}

func (p *roguePredicate) Test(connector.Record) (bool, error) {
	p.rogue.call("predicate.Test")
	return true, nil
}
func (*roguePredicate) Close() error { return nil }

type rogueConverter struct {
	textConverter
	rogue *rogue
}

func (*rogueConverter) Info() connector.Info {
	return connector.Info{Name: "rogue-converter", Version: "1"}
}

func (p *rogueConverter) Configure(connector.Context, connector.Config, bool) error {
	p.rogue.call("converter.Configure")
	return nil
}

func (p *rogueConverter) FromConnect(ctx context.Context, topic string, s *connector.Schema, v any) ([]byte, error) {
	p.rogue.call("converter.FromConnect")
	return p.textConverter.FromConnect(ctx, topic, s, v)
}

func (p *rogueConverter) ToConnect(ctx context.Context, topic string, data []byte) (*connector.Schema, any, error) {
	p.rogue.call("converter.ToConnect")
	return p.textConverter.ToConnect(ctx, topic, data)
}

func (p *rogueConverter) Close() error {
	p.rogue.call("converter.Close")
	return nil
}

// A plugin that panics or hangs in any of its methods is told by place, and can
// be stopped; another connector of the worker goes on, and once the plugin works
// all of its records are there.
func TestRoguePlugins(t *testing.T) {
	for method, ends := range map[string]bool{ // whether it is called at the task's end
		"source.Start": false, "source.Poll": false, "source.CommitRecord": false, "source.Commit": false, "source.Stop": true,
		"sink.Start": false, "sink.Open": false, "sink.Put": false, "sink.Flush": false, "sink.Close": true, "sink.Stop": true,
		"transform.Configure": false, "transform.Apply": false, "transform.Close": true, "predicate.Configure": false, "predicate.Test": false,
		"converter.Configure": false, "converter.FromConnect": false, "converter.ToConnect": false, "converter.Close": true,
	} {
		for _, how := range []string{"panics", "hangs"} {
			t.Run(method+" "+how, func(t *testing.T) {
				f := newFlow(t)
				f.topic("in", 1)
				f.topic("out", 1)
				f.topic("other", 1)
				r := &rogue{method: method, there: make(chan struct{})}
				if how == "hangs" {
					r.hang = make(chan struct{})
				}
				s, others := &script{}, &script{}
				log := new(logbook)
				w, _ := f.worker(s)
				w.options.Log = log.logger()
				for typ, make := range map[connector.PluginType]func() connector.Plugin{
					connector.SourceType: func() connector.Plugin { return &rogueSource{numbers{script: s}, r} },
					connector.SinkType: func() connector.Plugin {
						return &rogueSink{buffer{collect: collect{script: s}}, r}
					},
					connector.TransformType: func() connector.Plugin { return &rogueTransform{r} },
					connector.PredicateType: func() connector.Plugin { return &roguePredicate{rogueTransform{r}} },
					connector.ConverterType: func() connector.Plugin { return &rogueConverter{rogue: r} },
				} {
					w.options.Plugins.Add(typ, make)
				}
				w.options.Plugins.Add(connector.SinkType, func() connector.Plugin { return &named{collect{script: others}} })
				kind, props := KindSink, connector.Props{"connector.class": "rogue-sink", "topics": "in"}
				if strings.HasPrefix(method, "source") || method == "converter.FromConnect" {
					kind, props = KindSource, connector.Props{"connector.class": "rogue-source", "topic": "out", "count": "5"}
				}
				props["transforms"], props["transforms.t.type"], props["transforms.t.predicate"] = "t", "rogue", "p"
				props["predicates"], props["predicates.p.type"] = "p", "rogue-predicate"
				props["value.converter"] = "rogue-converter"
				f.produce("in", numbered(0, 5)...)
				task, see := f.startWith(w, kind, "r", props, connector.Props{"task.stalled.ms": "50"})
				f.start(w, KindSink, "healthy", connector.Props{"connector.class": "named", "topics": "other"})
				if ends && kind == KindSink {
					eventually(t, "a commit", func() bool { return task.Snapshot().Commits.Completed > 0 })
					task.stop(errStopping)
				}
				eventually(t, "the call", func() bool {
					select {
					case <-r.there:
						return true
					default:
						return false
					}
				})
				f.produce("other", numbered(0, 5)...)
				eventually(t, "the other connector's records", func() bool { return len(others.values()) == 5 })
				if how == "hangs" {
					eventually(t, "the log to say it", func() bool { return log.has("has not returned") })
					if err := task.Stop(canceled(t)); err == nil {
						t.Error("it stopped while it hangs")
					}
					close(r.hang)
					f.ended(task)
				} else {
					f.ended(task)
					said := strings.Join(log.lines(), "\n")
					if err := see.failure(); err != nil {
						said += "\n" + err.Error()
					}
					if !strings.Contains(said, "the plugin panicked: gone rogue") || ends == (see.last() == state.Failed) {
						t.Errorf("it is %v: %s", see.last(), said)
					}
					if err := see.failure(); err != nil && !strings.HasPrefix(err.Error(), "r/0: ") {
						t.Errorf("%v does not say where", err)
					}
				}
				r.method = ""
				_, again := f.start(w, kind, "r", props)
				eventually(t, "all records", func() bool {
					if kind == KindSource {
						return len(f.tally("out")) == 5
					}
					return len(count(s.values())) == 5
				})
				if err := again.failure(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// named is collect by another name.
type named struct{ collect }

func (*named) Info() connector.Info { return connector.Info{Name: "named", Version: "1"} }
