package runtime

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// The worker's keys of a converter are for the worker's converter alone.
//
// Clauses: C9.
func TestConverterReplacesTheWorkers(t *testing.T) {
	worker := connector.Props{"value.converter": "json", "value.converter.schemas.enable": "false", "schema.registry.url": "http://r"}
	for name, tt := range map[string]struct {
		props, want connector.Props
	}{
		"the worker's": {nil, connector.Props{"schemas.enable": "false", "schema.registry.url": "http://r", "converter.type": "value"}},
		"the same class": {connector.Props{"value.converter": "json"},
			connector.Props{"schema.registry.url": "http://r", "converter.type": "value"}},
		"keys without a class": {connector.Props{"value.converter.schemas.enable": "true"},
			connector.Props{"schemas.enable": "false", "schema.registry.url": "http://r", "converter.type": "value"}},
		"a registry of its own": {connector.Props{"value.converter": "avro", "value.converter.schema.registry.url": "http://s"},
			connector.Props{"schema.registry.url": "http://s", "converter.type": "value"}},
	} {
		t.Run(name, func(t *testing.T) {
			tt.props = tt.props.Clone()
			set, err := settingsOf(t, KindSource, tt.props, worker)
			if err != nil {
				t.Fatal(err)
			}
			b := &builder{spec: TaskSpec{Props: tt.props, Worker: worker}, set: set}
			if _, got := b.choice("value", "value.converter", "value.converter"); !cmp.Equal(tt.want, got) {
				t.Error(cmp.Diff(tt.want, got))
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
		"transform c: Invalid value null for configuration transforms.c.type: Not a Transformation": {KindSink, connector.Props{"transforms": "c"}},
		`transform c: transformation "nothing" is not known`:                                        {KindSink, connector.Props{"transforms": "c", "transforms.c.type": "nothing"}},
		"predicate p: predicates does not name it":                                                  {KindSink, connector.Props{"transforms": "c", "transforms.c.type": "change", "transforms.c.predicate": "p"}},
		"predicate p: Invalid value null for configuration predicates.p.type: Not a Predicate":      {KindSink, connector.Props{"transforms": "c", "transforms.c.type": "change", "transforms.c.predicate": "p", "predicates": "p"}},
		`predicate p: predicate "x" is not known`:                                                   {KindSink, connector.Props{"transforms": "c", "transforms.c.type": "change", "transforms.c.predicate": "p", "predicates": "p", "predicates.p.type": "x"}},
		"transform c: Invalid value maybe for configuration":                                        {KindSink, connector.Props{"transforms": "c", "transforms.c.type": "change", "transforms.c.predicate": "p", "transforms.c.negate": "maybe"}},
		`header converter: header_converter "x" is not known`:                                       {KindStream, connector.Props{"topic": "out", "header.converter": "x"}},
		`consumer.override.max.poll.records: "few" is not an integer`:                               {KindSink, connector.Props{"consumer.override.max.poll.records": "few"}},
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

// A tolerated record is logged with stage and class, and with what tells which
// one it was if that is asked for.
//
// Clauses: J3.
func TestToleratedRecordsAreLogged(t *testing.T) {
	read := &item{record: connector.Record{Topic: "routed"}, read: &kafka.Message{Topic: "images", Partition: 2, Offset: 1840, Timestamp: 7, Value: []byte("secret")}}
	polled := connector.NewRecord("out", connector.StringSchema, "k", nil, map[string]any{"a": 1})
	polled.Headers = connector.Headers{{Key: "h", Value: "x"}}
	source := &item{polled: &connector.SourceRecord{Record: polled, SourcePartition: numbersPartition, SourceOffset: map[string]any{"n": 5}}}
	why := failure{stage: &stage{java: "VALUE_CONVERTER", class: "test.TextConverter"}, err: errTest}
	const said = `level=ERROR msg="record tolerated: field prob: expected float, got string" stage=VALUE_CONVERTER class=test.TextConverter`
	for name, c := range map[string]struct {
		it          *item
		log, record bool
		want        string
	}{
		"not asked for":                {read, false, true, ""},
		"error":                        {read, true, false, said},
		"record that was read":         {read, true, true, said + ` topic=images partition=2 offset=1840 timestamp=7`},
		"record of a source":           {source, true, true, said + ` topic=out partition=-1 timestamp=-1 key=k value="{\"a\":1}" header.h=x source_partition="{\"what\":\"numbers\"}" source_offset="{\"n\":5}"`},
		"record of a source, not told": {source, true, false, said},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			untimed := &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			}}
			stats := new(errorStats)
			c.it.tolerate(&tolerance{logErrors: c.log, logRecords: c.record, log: slog.New(slog.NewTextHandler(&out, untimed)), stats: stats}, why)
			if d := cmp.Diff(c.want, strings.TrimSpace(out.String())); d != "" {
				t.Error(d)
			}
			if stats.skipped.Load() != 1 || c.it.fate != tolerated {
				t.Error("it is not counted")
			}
		})
	}
}
