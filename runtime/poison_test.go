package runtime

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/dlq"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// poison is a plugin that fails on what begins with "bad", by a panic where it
// is told so: a converter, of headers too, a transform, and a source.
type poison struct {
	textConverter
	panics bool
}

func (p poison) Info() connector.Info {
	if p.panics {
		return connector.Info{Name: "panics", Version: "1"}
	}
	return connector.Info{Name: "fails", Version: "1"}
}
func (poison) ConfigDef() *connector.ConfigDef                            { return connector.NewConfigDef() }
func (poison) ConfigureHeaders(connector.Context, connector.Config) error { return nil }
func (p poison) look(v any) error {
	text, _ := v.(string)
	switch {
	case !strings.HasPrefix(text, "bad"):
		return nil
	case p.panics:
		panic("poison")
	}
	return errors.New("poison")
}

func (p poison) FromConnect(_ context.Context, _ string, _ *connector.Schema, v any) ([]byte, error) {
	text, _ := v.(string)
	return []byte(text), p.look(v)
}

func (p poison) ToConnect(_ context.Context, _ string, data []byte) (*connector.Schema, any, error) {
	return connector.StringSchema, string(data), p.look(string(data))
}

func (p poison) FromConnectHeader(_, _ string, _ *connector.Schema, v any) ([]byte, error) {
	return p.FromConnect(context.Background(), "", nil, v)
}

func (p poison) ToConnectHeader(_, _ string, data []byte) (*connector.Schema, any, error) {
	return p.ToConnect(context.Background(), "", data)
}

// poisoned is the poison as a transform.
type poisoned struct{ poison }

func (*poisoned) Configure(connector.Context, connector.Config) error { return nil }
func (p *poisoned) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	return r, true, p.look(r.Value)
}

func (p *poisoned) ApplyBatch(ctx context.Context, rs []connector.Record) []connector.Result {
	list := make([]connector.Result, len(rs))
	for i, r := range rs {
		list[i].Record, list[i].Keep, list[i].Err = p.Apply(ctx, r)
	}
	return list
}

// few is a source of three records, of which the second one is bad.
type few struct {
	numbers
	bad connector.Record
}

func (*few) Info() connector.Info { return connector.Info{Name: "few", Version: "1"} }
func (f *few) Poll(context.Context) ([]connector.SourceRecord, error) {
	if f.next > 0 {
		return nil, connector.ErrDone
	}
	f.next = 1
	var list []connector.SourceRecord
	for i, v := range []string{"0", "", "2"} {
		r := connector.NewRecord("out", nil, "k", nil, v)
		if v == "" {
			r = f.bad
		}
		list = append(list, connector.SourceRecord{Record: r, SourcePartition: numbersPartition, SourceOffset: map[string]any{"n": i}})
	}
	return list, nil
}

// letter is a message with a header.
func letter(key, value, header string) kafka.Message {
	return kafka.Message{Key: []byte(key), Value: []byte(value), Headers: []kafka.Header{{Key: "h", Value: []byte(header)}}, Timestamp: connector.NoTimestamp}
}

var tooLarge = strings.Repeat("x", 5000)

// poisons are what may fail at each stage, by a plugin or by itself.
var poisons = []struct {
	name      string
	kind      Kind
	bad       kafka.Message
	keys      map[string]string // of the plugin that fails; PLUGIN stands for its name
	stage     string
	class     string
	exception string
}{
	{"source's transform", KindSource, letter("k", "bad", "h"), map[string]string{"transforms": "p", "transforms.p.type": "PLUGIN"}, "TRANSFORMATION", "PLUGIN", ""},
	{"source's header converter", KindSource, letter("k", "1", "bad"), map[string]string{"header.converter": "PLUGIN"}, "HEADER_CONVERTER", "PLUGIN", ""},
	{"source's key converter", KindSource, letter("bad", "1", "h"), map[string]string{"key.converter": "PLUGIN"}, "KEY_CONVERTER", "PLUGIN", ""},
	{"source's value converter", KindSource, letter("k", "bad", "h"), map[string]string{"value.converter": "PLUGIN"}, "VALUE_CONVERTER", "PLUGIN", ""},
	{"source's producer", KindSource, letter("k", tooLarge, "h"), map[string]string{"producer.override.max.request.size": "4000"}, "KAFKA_PRODUCE", "few",
		"org.apache.kafka.common.errors.RecordTooLargeException"},
	{"sink's key converter", KindSink, letter("bad", "1", "h"), map[string]string{"key.converter": "PLUGIN"}, "KEY_CONVERTER", "PLUGIN", ""},
	{"sink's value converter", KindSink, letter("k", "bad", "h"), map[string]string{"value.converter": "PLUGIN"}, "VALUE_CONVERTER", "PLUGIN", ""},
	{"sink's header converter", KindSink, letter("k", "1", "bad"), map[string]string{"header.converter": "PLUGIN"}, "HEADER_CONVERTER", "PLUGIN", ""},
	{"sink's transform", KindSink, letter("k", "bad", "h"), map[string]string{"transforms": "p", "transforms.p.type": "PLUGIN", "value.converter": "any"}, "TRANSFORMATION", "PLUGIN", ""},
	{"sink", KindSink, letter("k", "reported", "h"), nil, "TASK_PUT", "collect", ""},
	{"stream's input", KindStream, letter("k", "bad", "h"), map[string]string{"input.value.converter": "PLUGIN"}, "VALUE_CONVERTER", "PLUGIN", ""},
	{"stream's transform", KindStream, letter("k", "bad", "h"), map[string]string{"transforms": "p", "transforms.p.type": "PLUGIN", "value.converter": "any", "input.value.converter": "any"}, "TRANSFORMATION", "PLUGIN", ""},
	{"stream's output", KindStream, letter("k", "bad", "h"), map[string]string{"value.converter": "PLUGIN", "input.value.converter": "any"}, "VALUE_CONVERTER", "PLUGIN", ""},
	{"stream's producer", KindStream, letter("k", tooLarge, "h"), map[string]string{"producer.override.max.request.size": "4000"}, "KAFKA_PRODUCE", "stream",
		"org.apache.kafka.common.errors.RecordTooLargeException"},
}

// A poison record at any stage of any journey, an error or a panic, is
// dead-lettered with its place and in Java's words, and the records around it
// go their way; without tolerance it stops the task, behind what comes before.
func TestPoisonAtEachStage(t *testing.T) {
	for _, c := range poisons {
		for _, plugin := range []string{"fails", "panics"} {
			for _, tolerance := range []string{"all", "none"} {
				t.Run(c.name+" "+plugin+" "+tolerance, func(t *testing.T) {
					if plugin == "panics" && c.class != "PLUGIN" {
						t.Skip("no plugin is to blame")
					}
					f := newFlow(t)
					f.topic("in", 1)
					f.topic("out", 1)
					s := &script{reported: func(r connector.Record) error {
						if r.Value == "reported" {
							return errors.New("poison")
						}
						return nil
					}}
					w, _ := f.worker(s)
					bad := poison{panics: plugin == "panics"}
					for _, typ := range []connector.PluginType{connector.ConverterType, connector.HeaderConverterType} {
						w.options.Plugins.Add(typ, func() connector.Plugin { return bad })
					}
					w.options.Plugins.Add(connector.ConverterType, func() connector.Plugin { return anyConverter{} })
					w.options.Plugins.Add(connector.TransformType, func() connector.Plugin { return &poisoned{bad} })
					rec := connector.NewRecord("out", nil, string(c.bad.Key), nil, string(c.bad.Value))
					rec.Headers = connector.Headers{{Key: "h", Value: string(c.bad.Headers[0].Value)}}
					w.options.Plugins.Add(connector.SourceType, func() connector.Plugin { return &few{numbers: numbers{script: s}, bad: rec} })
					props := tolerant("topic", "out", "connector.class", map[Kind]string{KindSource: "few", KindSink: "collect", KindStream: "stream"}[c.kind])
					for k, v := range c.keys {
						props[k] = strings.ReplaceAll(v, "PLUGIN", plugin)
					}
					props["errors.tolerance"] = tolerance
					if c.kind != KindSource {
						props["topics"] = "in"
						f.produce("in", letter("k", "0", "h"), c.bad, letter("k", "2", "h"))
					} else {
						props["count"] = "3"
					}
					task, see := f.start(w, c.kind, "c", props)
					got := func() string {
						if c.kind == KindSink {
							return strings.Join(s.values(), " ")
						}
						var all []string
						for _, m := range f.read("out") {
							all = append(all, string(m.Value))
						}
						return strings.Join(all, " ")
					}
					if tolerance == "none" {
						f.ended(task)
						err := see.failure()
						if see.last() != state.Failed || err == nil || !strings.HasPrefix(err.Error(), "c/0: ") || connector.KindOf(err) == connector.KindRetriable {
							t.Errorf("it is %v: %v", see.last(), err)
						}
						if c.kind != KindSource && c.stage != "KAFKA_PRODUCE" && c.stage != "TASK_PUT" && got() != "0" {
							t.Errorf("before it came %q", got())
						}
						if dead := f.read("dead"); len(dead) > 0 {
							t.Errorf("%d dead letters", len(dead))
						}
						return
					}
					if c.kind == KindSource {
						f.ended(task)
					} else {
						eventually(t, "commit", func() bool { return f.committed("connect-c", "in") == 3 })
					}
					if err := see.failure(); err != nil {
						t.Fatal(err)
					}
					if g := got(); g != "0 2" {
						t.Errorf("the others are %q", g)
					}
					dead := f.read("dead")
					if len(dead) != 1 || string(dead[0].Key) != string(c.bad.Key) {
						t.Fatalf("dead letters are %v", dead)
					}
					h := dlq.Read(dead[0])
					exception := c.exception
					if exception == "" {
						exception = map[bool]string{true: "java.lang.RuntimeException", false: "org.apache.kafka.connect.errors.DataException"}[bad.panics]
					}
					want := map[string]string{dlq.Connector: "c", dlq.Task: "0", dlq.Stage: c.stage, dlq.Class: strings.ReplaceAll(c.class, "PLUGIN", plugin), dlq.Exception: exception}
					for k := range want {
						if d := cmp.Diff(want[k], h[k]); d != "" {
							t.Errorf("%s: %s", k, d)
						}
					}
					if !strings.HasPrefix(h[dlq.Stacktrace], "c/0: ") || bad.panics && !strings.Contains(h[dlq.Stacktrace], "poison_test.go") {
						t.Errorf("trace is %s", h[dlq.Stacktrace])
					}
				})
			}
		}
	}
}

// anyConverter takes every text.
type anyConverter struct{ textConverter }

func (anyConverter) Info() connector.Info { return connector.Info{Name: "any", Version: "1"} }
func (anyConverter) FromConnect(_ context.Context, _ string, _ *connector.Schema, v any) ([]byte, error) {
	text, _ := v.(string)
	return []byte(text), nil
}

func (anyConverter) ToConnect(_ context.Context, _ string, data []byte) (*connector.Schema, any, error) {
	return connector.StringSchema, string(data), nil
}
