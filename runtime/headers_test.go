package runtime

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/converter/primitive"
	"github.com/axiom-data-science/hydraulics/internal/dlq"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/transforms/smt"
)

// brackets is a header converter: bytes have brackets around the text.
type brackets struct{}

func (brackets) Info() connector.Info            { return connector.Info{Name: "brackets", Version: "1"} }
func (brackets) ConfigDef() *connector.ConfigDef { return connector.NewConfigDef() }
func (brackets) ConfigureHeaders(connector.Context, connector.Config) error {
	return nil
}

func (brackets) FromConnectHeader(_, _ string, _ *connector.Schema, v any) ([]byte, error) {
	return fmt.Appendf(nil, "[%v]", v), nil
}

func (brackets) ToConnectHeader(_, _ string, data []byte) (*connector.Schema, any, error) {
	text, ok := strings.CutPrefix(string(data), "[")
	if text, ok2 := strings.CutSuffix(text, "]"); ok && ok2 {
		return connector.StringSchema, text, nil
	}
	return nil, nil, errors.New("there are no brackets")
}

// Headers pass through the header converters; one that cannot be read is an
// error of its record, with its place.
//
// Clauses: C6.
func TestHeadersTravel(t *testing.T) {
	for name, c := range map[string]struct {
		props connector.Props
		dead  int
	}{
		"text":      {nil, 0},
		"converter": {connector.Props{"header.converter": "brackets", "input.header.converter": "brackets"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFlow(t)
			f.topic("in", 1)
			f.topic("out", 1)
			message := func(value, header string) kafka.Message {
				return kafka.Message{Value: []byte(value), Timestamp: connector.NoTimestamp, Headers: []kafka.Header{{Key: "h", Value: []byte(header)}}}
			}
			f.produce("in", message("0", "[a]"), message("1", "b"))
			w, _ := f.worker(&script{})
			w.options.Plugins.Add(connector.HeaderConverterType, func() connector.Plugin { return brackets{} })
			props := connector.Props{"topics": "in", "topic": "out", "errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dead",
				"errors.deadletterqueue.topic.replication.factor": "1", "errors.deadletterqueue.context.headers.enable": "true"}
			for k, v := range c.props {
				props[k] = v
			}
			f.start(w, KindStream, "st", props)
			eventually(t, "commit", func() bool { return f.committed("connect-st", "in") == 2 })
			want := []string{"0 h=[a]", "1 h=b"}[:2-c.dead]
			var got []string
			for _, m := range f.read("out") {
				got = append(got, fmt.Sprintf("%s %s=%s", m.Value, m.Headers[0].Key, m.Headers[0].Value))
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			dead := f.read("dead")
			if len(dead) != c.dead {
				t.Fatalf("%d dead letters", len(dead))
			}
			for _, m := range dead {
				if h := dlq.Read(m); h[dlq.Stage] != "HEADER_CONVERTER" || h[dlq.Message] != "header h: there are no brackets" {
					t.Errorf("headers of the letter are %v", h)
				}
			}
		})
	}
}

// odd are headers whose texts SimpleHeaderConverter does not give back.
var odd = []kafka.Header{{Key: "number", Value: []byte("12.0")}, {Key: "null"}, {Key: "empty", Value: []byte{}}, {Key: "gone", Value: []byte("1")},
	{Key: "bytes", Value: []byte{'a', 0xff}}, {Key: "list", Value: []byte("[1, 2 ]")}, {Key: "text", Value: []byte("plain")}, {Key: "number", Value: []byte("1e1")}}

// headerWorker is a worker with the transforms of headers.
func (f *flow) headerWorker(s *script) *Worker {
	w, _ := f.worker(s)
	w.options.Plugins.Add(connector.TransformType, func() connector.Plugin { return new(smt.InsertHeader) })
	w.options.Plugins.Add(connector.TransformType, func() connector.Plugin { return new(smt.DropHeaders) })
	w.options.Plugins.Add(connector.HeaderConverterType, func() connector.Plugin { return new(primitive.String) })
	return w
}

var headerTransforms = connector.Props{"transforms": "insert,drop", "transforms.insert.type": "InsertHeader", "transforms.insert.header": "new",
	"transforms.insert.value.literal": "1.50", "transforms.drop.type": "DropHeaders", "transforms.drop.headers": "gone"}

func headersText(headers []kafka.Header) string {
	var out []string
	for _, h := range headers {
		text := fmt.Sprintf("%s=%q", h.Key, h.Value)
		if h.Value == nil {
			text = h.Key + "=null"
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}

// A stream gives headers that no transform touched as they were, unless it is
// told to read them in one way and to write them in another.
func TestStreamsPassHeaders(t *testing.T) {
	for name, c := range map[string]struct {
		props connector.Props
		want  string
	}{
		"as they were": {nil, `number="12.0" null=null empty="" bytes="a\xff" list="[1, 2 ]" text="plain" number="1e1" new="1.5"`},
		"as text": {connector.Props{"header.converter": "string", "input.header.converter": "string"},
			`number="12.0" null=null empty="" bytes="a\xff" list="[1, 2 ]" text="plain" number="1e1" new="1.5"`},
		"converted": {connector.Props{"header.converter": "string"},
			`number="12" null=null empty="" bytes="a�" list="[1, 2]" text="plain" number="10" new="1.5"`},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFlow(t)
			f.topic("in", 1)
			f.topic("out", 1)
			f.produce("in", kafka.Message{Value: []byte("0"), Timestamp: connector.NoTimestamp, Headers: odd})
			props := connector.Props{"topics": "in", "topic": "out"}
			maps.Copy(props, headerTransforms)
			maps.Copy(props, c.props)
			f.start(f.headerWorker(&script{}), KindStream, "st", props)
			eventually(t, "commit", func() bool { return f.committed("connect-st", "in") == 1 })
			for _, m := range f.read("out") {
				if d := cmp.Diff(c.want, headersText(m.Headers)); d != "" {
					t.Error(d)
				}
			}
		})
	}
}

// A sink sees what Kafka Connect guesses; a dead letter has the headers as they
// were. A source writes headers as text.
func TestSinksSeeGuessedHeaders(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 1)
	f.produce("in", kafka.Message{Value: []byte("0"), Timestamp: connector.NoTimestamp, Headers: odd},
		kafka.Message{Value: []byte("bad"), Timestamp: connector.NoTimestamp, Headers: odd})
	s := &script{}
	props := connector.Props{"topics": "in", "errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dead", "errors.deadletterqueue.topic.replication.factor": "1"}
	maps.Copy(props, headerTransforms)
	f.start(f.headerWorker(s), KindSink, "si", props)
	eventually(t, "commit", func() bool { return f.committed("connect-si", "in") == 2 })
	s.mu.Lock()
	defer s.mu.Unlock()
	var got []string
	for _, h := range s.records[0].Headers {
		got = append(got, fmt.Sprintf("%s=%T %v", h.Key, h.Value, h.Value))
	}
	want := []string{"number=int8 12", "null=<nil> <nil>", "empty=string ", "bytes=string a\ufffd", "list=[]interface {} [1 2]", "text=string plain", "number=int8 10", "new=float32 1.5"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	dead := f.read("dead")
	if len(dead) != 1 || headersText(dead[0].Headers) != headersText(odd) {
		t.Errorf("the dead letters are %v", dead)
	}
}

func TestSourcesWriteHeadersAsText(t *testing.T) {
	f := newFlow(t)
	props := connector.Props{"topic": "out", "count": "1"}
	maps.Copy(props, headerTransforms)
	task, _ := f.start(f.headerWorker(&script{}), KindSource, "so", props)
	f.ended(task)
	if list := f.read("out"); len(list) != 1 || headersText(list[0].Headers) != `new="1.5"` {
		t.Errorf("the records are %v", list)
	}
}

func TestUntouched(t *testing.T) {
	list := []any{int8(1)}
	h := func(v any) connector.Header { return connector.Header{Key: "h", Value: v} }
	it := item{headers: connector.Headers{h(int8(1)), h(list), h(nil), h([]byte("x"))}}
	for name, c := range map[string]struct {
		header connector.Header
		from   int
		want   int
	}{
		"a number":           {h(int8(1)), 0, 0},
		"that was before":    {h(int8(1)), 1, -1},
		"of another type":    {h(int16(1)), 0, -1},
		"of another key":     {connector.Header{Key: "g", Value: int8(1)}, 0, -1},
		"of another schema":  {connector.Header{Key: "h", Schema: connector.Int8Schema, Value: int8(1)}, 0, -1},
		"a list":             {h(list), 0, 1},
		"another such list":  {h([]any{int8(1)}), 0, -1},
		"null":               {h(nil), 0, 2},
		"other bytes":        {h([]byte("x")), 0, -1},
		"a list, no map":     {h(map[string]any{}), 0, -1},
		"a part of the list": {h(list[:0]), 0, -1},
	} {
		t.Run(name, func(t *testing.T) {
			if got := it.untouched(c.header, c.from); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}
