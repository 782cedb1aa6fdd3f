package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/internal/test/leak"
)

func TestMain(m *testing.M) { leak.Main(m.Run) }

// startSource starts a source behind an offset of task 1; "" for none.
func startSource(t *testing.T, s connector.Source, offset string, pairs ...string) {
	t.Helper()
	props := connector.Props{"topic": "t", "id": "1"}
	for i := 0; i < len(pairs); i += 2 {
		props[pairs[i]] = pairs[i+1]
	}
	c := connectortest.Context(t)
	c.Connector = "c"
	if offset != "" {
		c.Offsets = offsets(offset)
	}
	if err := s.Start(t.Context(), c, connectortest.Configure(t, s, props)); err != nil {
		t.Fatal(err)
	}
}

// offsets is what has been committed of task 1.
type offsets string

func (o offsets) Offset(_ context.Context, partition map[string]any) (at map[string]any, err error) {
	if partition["id"] != 1 {
		return nil, errors.New("asked for another partition")
	}
	d := json.NewDecoder(strings.NewReader(string(o)))
	d.UseNumber()
	return at, d.Decode(&at)
}

// lines gives what was printed, without the times, which are to be recent.
func lines(t *testing.T, out *bytes.Buffer) (list []map[string]any) {
	t.Helper()
	for text := range strings.Lines(out.String()) {
		var l map[string]any
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		at, _ := l["time_ms"].(float64)
		if since := time.Since(time.UnixMilli(int64(at))); since < 0 || since > time.Hour {
			t.Errorf("%s: time_ms is %v ago", text, since)
		}
		delete(l, "time_ms")
		list = append(list, l)
	}
	return list
}

// Clauses: M2.
func TestVerifiableSource(t *testing.T) {
	var out bytes.Buffer
	s := &VerifiableSource{out: &printer{to: &out}}
	startSource(t, s, `{"seqno":41}`, "throughput", "1000000")
	records, err := s.Poll(t.Context())
	if err != nil || len(records) == 0 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	first := records[0]
	if first.Key != int32(1) || first.Value != int64(42) || first.Topic != "t" {
		t.Errorf("%+v", first)
	}
	if diff := cmp.Diff(map[string]any{"seqno": int64(42)}, first.SourceOffset); diff != "" {
		t.Error(diff)
	}
	if err := s.CommitRecord(t.Context(), first, &connector.RecordMetadata{}); err != nil {
		t.Error(err)
	}
	if err := s.CommitRecord(t.Context(), first, nil); err != nil { // dropped
		t.Error(err)
	}
	printed := lines(t, &out)
	if len(printed) != len(records)+1 {
		t.Fatalf("%d lines of %d records", len(printed), len(records))
	}
	want := map[string]any{"name": "c", "task": 1.0, "topic": "t", "seqno": 42.0}
	if diff := cmp.Diff(want, printed[0]); diff != "" {
		t.Error(diff)
	}
	want["committed"] = true
	if diff := cmp.Diff(want, printed[len(records)]); diff != "" {
		t.Error(diff)
	}
}

func TestVerifiableSourceWithAllData(t *testing.T) {
	s := &VerifiableSource{out: &printer{to: new(bytes.Buffer)}}
	startSource(t, s, "", "complete.record.data", "true")
	records, err := s.Poll(t.Context())
	if err != nil || len(records) != batch {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for i, r := range records {
		v, ok := r.Value.(*connector.Struct)
		if !ok || v.Validate() != nil || v.At(0) != "c" || v.At(4) != int64(i) {
			t.Errorf("record %d: %v", i, r.Value)
		}
	}
}

// A rate that allows a record an hour ends with the task.
func TestThrottledPollEnds(t *testing.T) {
	s := &VerifiableSource{out: &printer{to: new(bytes.Buffer)}}
	startSource(t, s, "", "throughput", "1")
	if records, err := s.Poll(t.Context()); err != nil || len(records) != 1 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if records, err := s.Poll(ctx); err != nil || len(records) != 0 {
		t.Errorf("%d records, %v", len(records), err)
	}
}

func TestOffsetThatIsNone(t *testing.T) {
	s := new(SchemaSource)
	c := connectortest.Context(t)
	c.Offsets = offsets(`{"seqno":"x"}`)
	err := s.Start(t.Context(), c, connectortest.Configure(t, s, connector.Props{"topic": "t", "num.messages": "1", "id": "1"}))
	if err == nil || !strings.Contains(err.Error(), "offset of task 1: seqno is no integer: x") {
		t.Errorf("%v", err)
	}
}

// TestVerifiableSink runs the suite on what is printed.
//
// Clauses: M2.
func TestVerifiableSink(t *testing.T) {
	var out *bytes.Buffer
	connectortest.Sink(t, connectortest.SinkCase{
		New: func() connector.Sink { return &VerifiableSink{out: &printer{to: out}} },
		System: func(t testing.TB) connectortest.SinkSystem {
			out = new(bytes.Buffer)
			here := out
			return connectortest.SinkSystem{Props: connector.Props{}, Held: func() (held []string) {
				for text := range strings.Lines(here.String()) {
					var l line
					if err := json.Unmarshal([]byte(text), &l); err != nil {
						t.Fatal(err)
					}
					if !l.Flushed {
						held = append(held, string(l.Seqno))
					}
				}
				return held
			}}
		},
		Record: func(n int) connector.Record {
			return connector.NewRecord("t", connector.Int32Schema, int32(0), connector.Int64Schema, int64(n))
		},
		Item: func(r connector.Record) string { b, _ := raw(r.ValueSchema, r.Value); return string(b) },
	})
}

func TestVerifiableSinkSaysWhatWasFlushed(t *testing.T) {
	var out bytes.Buffer
	s := &VerifiableSink{out: &printer{to: &out}}
	c := connectortest.Context(t)
	c.Connector = "c"
	if err := s.Start(t.Context(), c, connectortest.Configure(t, s, connector.Props{"id": "2"})); err != nil {
		t.Fatal(err)
	}
	r := connector.NewRecord("t", connector.Int32Schema, int32(1), connector.StringSchema, "x")
	r.Origin = connector.Origin{Topic: "t", Offset: 7}
	if err := errors.Join(s.Put(t.Context(), []connector.Record{r}), s.Flush(t.Context()), s.Flush(t.Context())); err != nil {
		t.Fatal(err)
	}
	came := map[string]any{"name": "c", "task": 1.0, "sinkTask": 2.0, "topic": "t", "seqno": "x", "offset": 7.0}
	flushed := map[string]any{"flushed": true}
	for k, v := range came {
		flushed[k] = v
	}
	if diff := cmp.Diff([]map[string]any{came, flushed}, lines(t, &out)); diff != "" {
		t.Error(diff)
	}
}

// Clauses: M2.
func TestSchemaSource(t *testing.T) {
	s := new(SchemaSource)
	startSource(t, s, `{"seqno":2}`, "num.messages", "4", "multiple.schema", "true", "partition.count", "2")
	records, err := s.Poll(t.Context())
	if err != nil || len(records) != 4 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for i, r := range records {
		v := r.Value.(*connector.Struct)
		if err := v.Validate(); err != nil {
			t.Error(err)
		}
		seqno, _ := v.Get("seqno")
		partitioning, _ := v.Get("partitioning")
		text, hasText := v.Get("string")
		if v.Schema().Version() != 1+i%2 || seqno != int64(3+i) || partitioning != int32((3+i)%2) || hasText != (i%2 == 1) || hasText && text != "def" ||
			r.Partition != 1 || r.Key != "key" {
			t.Errorf("record %d: %v, partition %d, key %v", i, v, r.Partition, r.Key)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if records, err := s.Poll(ctx); err != nil || len(records) != 0 {
		t.Errorf("after the last one: %d records, %v", len(records), err)
	}
}

func TestTasksAreNumbered(t *testing.T) {
	for _, p := range []connector.TaskSplitter{new(VerifiableSource), new(VerifiableSink), new(SchemaSource)} {
		plugin := p.(connector.Plugin)
		conf := connectortest.Configure(t, plugin, connector.Props{"topic": "t", "num.messages": "1"})
		tasks, err := p.TaskConfigs(t.Context(), connectortest.Context(t), conf, 2)
		if err != nil || len(tasks) != 2 || tasks[1]["id"] != "1" {
			t.Errorf("%s: %v, %v", plugin.Info().Name, tasks, err)
		}
	}
}

// Clauses: M2.
func TestMock(t *testing.T) {
	start := func(p connector.Plugin, start func(context.Context, connector.Context, connector.Config) error, mode string) connector.Config {
		conf := connectortest.Configure(t, p, connector.Props{"mock_mode": mode, "delay_ms": "0"})
		if err := start(t.Context(), connectortest.Context(t), conf); err != nil {
			t.Fatal(err)
		}
		return conf
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	source, sink := new(MockSource), new(MockSink)
	start(source, source.Start, taskFailure)
	start(sink, sink.Start, taskFailure)
	if _, err := source.Poll(t.Context()); !errors.Is(err, errMock) {
		t.Errorf("source: %v", err)
	}
	if err := sink.Put(t.Context(), nil); !errors.Is(err, errMock) {
		t.Errorf("sink: %v", err)
	}
	conf := start(source, source.Start, connectorFailure)
	if _, err := source.TaskConfigs(t.Context(), connectortest.Context(t), conf, 1); !errors.Is(err, errMock) {
		t.Errorf("connector: %v", err)
	}
	conf = start(source, source.Start, "")
	start(sink, sink.Start, "")
	if tasks, err := source.TaskConfigs(t.Context(), connectortest.Context(t), conf, 3); err != nil || len(tasks) != 1 {
		t.Errorf("%v, %v", tasks, err)
	}
	if records, err := source.Poll(ended); err != nil || len(records) != 0 {
		t.Errorf("%v, %v", records, err)
	}
	if err := sink.Put(t.Context(), nil); err != nil {
		t.Error(err)
	}
	for _, p := range []connector.Plugin{source, sink, new(VerifiableSource), new(SchemaSource)} {
		connectortest.Plugin(t, p)
	}
}
