package runtime

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/internal/dlq"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
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

// What is wrong with a chain is said before the first record.
func TestChainsThatCannotBeBuilt(t *testing.T) {
	f := newFlow(t)
	for want, c := range map[string]struct {
		kind  Kind
		props connector.Props
	}{
		"transform c: transforms.c.type is missing":             {KindSink, connector.Props{"transforms": "c"}},
		`transform c: transformation "nothing" is not known`:    {KindSink, connector.Props{"transforms": "c", "transforms.c.type": "nothing"}},
		"predicate p: predicates does not name it":              {KindSink, connector.Props{"transforms": "c", "transforms.c.type": "change", "transforms.c.predicate": "p"}},
		"predicate p: predicates.p.type is missing":             {KindSink, connector.Props{"transforms": "c", "transforms.c.type": "change", "transforms.c.predicate": "p", "predicates": "p"}},
		`predicate p: predicate "x" is not known`:               {KindSink, connector.Props{"transforms": "c", "transforms.c.type": "change", "transforms.c.predicate": "p", "predicates": "p", "predicates.p.type": "x"}},
		"transform c: Invalid value maybe for configuration":    {KindSink, connector.Props{"transforms": "c", "transforms.c.type": "change", "transforms.c.predicate": "p", "transforms.c.negate": "maybe"}},
		`header converter: header_converter "x" is not known`:   {KindStream, connector.Props{"topic": "out", "header.converter": "x"}},
		"Invalid value few for configuration consumer.max.poll": {KindSink, connector.Props{"consumer.override.max.poll.records": "few"}},
		"its store has the name of transform a (counting)'s, counts": {KindStream, connector.Props{"topic": "out", "transforms": "a,b",
			"transforms.a.type": "counting", "transforms.b.type": "counting"}},
	} {
		t.Run(want, func(t *testing.T) {
			w, closeOffsets := f.worker(&script{})
			defer closeOffsets()
			props := connector.Props{"topics": "in"}
			for k, v := range c.props {
				props[k] = v
			}
			task, see := f.start(w, c.kind, "k", props)
			f.ended(task)
			if err := see.failure(); see.last() != state.Failed || err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("state is %v, %v", see.last(), err)
			}
		})
	}
}

// short is a transform that loses a result.
type short struct{ batchChange }

func (*short) ApplyBatch(context.Context, []connector.Record) []connector.Result { return nil }

func TestBatchTransforms(t *testing.T) {
	odd := test(func(r connector.Record) (bool, error) {
		if r.Value == 3 {
			return false, errTest
		}
		return r.Value.(int)%2 == 1, nil
	})
	s := &script{change: func(v string) (string, bool, error) { return v + "!", true, nil }}
	text := func(b *batch) (items []*item) {
		for i := range b.items {
			items = append(items, &b.items[i])
		}
		return items
	}
	for name, c := range map[string]struct {
		transform connector.BatchTransform
		applies   test
		n         int
		want      []string
	}{
		"those that a predicate takes": {&asText{batchChange{change{script: s}}}, odd, 4, []string{"0", "1!", "2", "error"}},
		"none of them":                 {&short{}, odd, 1, []string{"0"}},
		"results are missing":          {&short{}, nil, 2, []string{"error", "error"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := testBatch(c.n)
			errs := batched(c.transform, c.applies)(t.Context(), text(b))
			got := make([]string, c.n)
			for i, err := range errs {
				if got[i] = fmt.Sprint(b.items[i].record.Value); err != nil {
					got[i] = "error"
				}
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// asText is batchChange for numbers.
type asText struct{ batchChange }

func (a *asText) ApplyBatch(ctx context.Context, rs []connector.Record) []connector.Result {
	for i := range rs {
		rs[i].Value = fmt.Sprint(rs[i].Value)
	}
	return a.batchChange.ApplyBatch(ctx, rs)
}

// A tolerated record is logged with what tells which one it was, if that is
// asked for.
func TestToleratedRecordsAreLogged(t *testing.T) {
	read := &item{record: connector.Record{Topic: "images", Timestamp: 7}, read: &kafka.Message{Topic: "images", Partition: 2, Offset: 1840}}
	polled := &item{record: connector.Record{Topic: "out"}, polled: &connector.SourceRecord{SourcePartition: numbersPartition, SourceOffset: map[string]any{"n": 5}}}
	if d := cmp.Diff([]any{"topic", "images", "timestamp", int64(7), "origin", "images[2]@1840"}, read.which()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]any{"topic", "out", "timestamp", int64(0), "source_partition", `{"what":"numbers"}`, "source_offset", `{"n":5}`}, polled.which()); d != "" {
		t.Error(d)
	}
}
