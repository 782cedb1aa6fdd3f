package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
)

// particular is a source that looks at offsets, and a sink that does.
type particular struct {
	numbers
	collect
}

func (p *particular) Info() connector.Info { return connector.Info{Name: "particular", Version: "1"} }
func (p *particular) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef()
}
func (p *particular) Start(context.Context, connector.Context, connector.Config) error { return nil }
func (p *particular) Stop() error                                                      { return nil }

func (p *particular) AlterOffsets(_ context.Context, c connector.Context, _ connector.Config, offsets []connector.SourceOffset) error {
	if c.Task != -1 || c.Offsets == nil {
		return errors.New("the connector itself is asked")
	}
	for _, o := range offsets {
		if o.Offset["n"] == json.Number("13") {
			return errors.New("13 is refused")
		}
	}
	return nil
}

func (p *particular) AlterTopicOffsets(_ context.Context, _ connector.Context, _ connector.Config, offsets map[connector.TopicPartition]*int64) error {
	for _, at := range offsets {
		if at != nil && *at == 13 {
			return errors.New("13 is refused")
		}
	}
	return nil
}

func at(n string) map[string]any { return map[string]any{"n": json.Number(n)} }

// Clauses: A9, K8.
func TestOffsetsOfASource(t *testing.T) {
	w := testWorker(t)
	w.options.Plugins.Add(connector.SourceType, func() connector.Plugin { return new(particular) })
	one, two := map[string]any{"p": "one"}, map[string]any{"p": "two"}
	tests := []struct {
		name, class string
		offsets     []connector.SourceOffset // nil resets all
		all         bool
		err         string
		want        []connector.SourceOffset
	}{
		{"set", "numbers", []connector.SourceOffset{{Partition: one, Offset: at("5")}, {Partition: two, Offset: at("6")}}, false, "",
			[]connector.SourceOffset{{Partition: one, Offset: at("5")}, {Partition: two, Offset: at("6")}}},
		{"reset one", "particular", []connector.SourceOffset{{Partition: one}}, true, "", []connector.SourceOffset{{Partition: two, Offset: at("6")}}},
		{"refused", "particular", []connector.SourceOffset{{Partition: one, Offset: at("1")}, {Partition: two, Offset: at("13")}}, false, "13 is refused",
			[]connector.SourceOffset{{Partition: two, Offset: at("6")}}},
		{"reset all", "particular", nil, true, "", nil},
		{"reset nothing", "numbers", nil, false, "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			spec := TaskSpec{Connector: "s", Kind: KindSource, Props: connector.Props{"connector.class": tt.class, "topic": "t", "count": "1"}}
			alter := func() (bool, error) { return w.AlterOffsets(t.Context(), spec, tt.offsets) }
			if tt.offsets == nil {
				alter = func() (bool, error) { return w.ResetOffsets(t.Context(), spec) }
			}
			if all, err := alter(); all != tt.all || (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
				t.Errorf("all %v, error %v", all, err)
			}
			got, err := w.Offsets(t.Context(), spec)
			if d := cmp.Diff(tt.want, got); d != "" || err != nil {
				t.Error(d, err)
			}
		})
	}
}

func topicAt(topic string, partition, offset any) connector.SourceOffset {
	o := connector.SourceOffset{Partition: map[string]any{"kafka_topic": topic, "kafka_partition": partition}}
	if offset != nil {
		o.Offset = map[string]any{"kafka_offset": offset}
	}
	return o
}

// Clauses: A9, K8.
func TestOffsetsOfSinkAndStream(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 2)
	w, _ := f.worker(&script{})
	w.options.Plugins.Add(connector.SinkType, func() connector.Plugin { return new(particular) })
	for _, c := range []struct {
		name, class string
		kind        Kind
		all         bool // all that there is to it
	}{{"plain", "collect", KindSink, false}, {"asked", "particular", KindSink, true}, {"flow", "stream", KindStream, true}} {
		t.Run(c.name, func(t *testing.T) {
			spec := TaskSpec{Connector: c.name, Kind: c.kind, Worker: f.workerProps(),
				Props: connector.Props{"connector.class": c.class, "name": c.name, "topics": "in", "topic": "out"}}
			expect := func(want ...connector.SourceOffset) {
				t.Helper()
				got, err := w.Offsets(t.Context(), spec)
				if d := cmp.Diff(want, got); d != "" || err != nil {
					t.Error(d, err)
				}
			}
			alter := func(wrong string, offsets ...connector.SourceOffset) {
				t.Helper()
				all, err := w.AlterOffsets(t.Context(), spec, offsets)
				if wrong == "" && (err != nil || all != c.all) || wrong != "" && (err == nil || !strings.Contains(err.Error(), wrong)) {
					t.Errorf("all %v, error %v, want %s", all, err, wrong)
				}
			}
			expect()
			alter("", topicAt("in", "1", "7"), topicAt("in", json.Number("0"), json.Number("3")))
			expect(topicAt("in", int32(0), int64(3)), topicAt("in", int32(1), int64(7)))
			alter("", topicAt("in", 1, nil), topicAt("in", 0, 4))
			expect(topicAt("in", int32(0), int64(4)))
			if c.class == "particular" {
				alter("13 is refused", topicAt("in", 0, 13))
			}
			alter("topic none partition 0", topicAt("none", 0, 1))
			expect(topicAt("in", int32(0), int64(4)))
			if all, err := w.ResetOffsets(t.Context(), spec); all != c.all || err != nil {
				t.Errorf("reset: all %v, error %v", all, err)
			}
			expect()
		})
	}
}

// strict is a sink that notes which offsets it is asked about, and refuses when it is to.
type strict struct {
	collect
	asked  *[]offsets
	refuse *error
}

func (*strict) Info() connector.Info { return connector.Info{Name: "strict", Version: "1"} }
func (s *strict) AlterTopicOffsets(_ context.Context, _ connector.Context, _ connector.Config, next map[connector.TopicPartition]*int64) error {
	seen := offsets{}
	for tp, at := range next {
		seen[tp] = -1
		if at != nil {
			seen[tp] = *at
		}
	}
	*s.asked = append(*s.asked, seen)
	return *s.refuse
}

// A sink that keeps offsets is asked when Kafka has taken a change, also of partitions
// of which Kafka has none; what it refuses is put back there.
//
// Clauses: A9.
func TestOffsetsThatASinkKeeps(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 3)
	f.produce("in", numbered(0, 10)...)
	s := &script{}
	w, _ := f.worker(s)
	in2 := connector.TopicPartition{Topic: "in", Partition: 2}
	var asked []offsets
	var refuse error
	w.options.Plugins.Add(connector.SinkType, func() connector.Plugin { return &strict{collect{script: s}, &asked, &refuse} })
	props := connector.Props{"connector.class": "strict", "topics": "in"}
	task, _ := f.start(w, KindSink, "k", props)
	eventually(t, "commit", func() bool { return f.committed("connect-k", "in") == 10 })
	alter := func(list ...connector.SourceOffset) error {
		_, err := w.AlterOffsets(t.Context(), task.spec, list)
		return err
	}
	reset := func() error { _, err := w.ResetOffsets(t.Context(), task.spec); return err }
	if errs := []error{alter(topicAt("in", 0, 1)), reset()}; errs[0] == nil || errs[1] == nil || len(asked) > 0 {
		t.Errorf("while the task runs: %v, asked %v", errs, asked)
	}
	f.stop(task)
	tests := []struct {
		name   string
		refuse bool
		do     func() error
		want   offsets // that the sink is asked about
		left   []connector.SourceOffset
	}{
		{"set", false, func() error { return alter(topicAt("in", 0, 3), topicAt("in", 1, 4), topicAt("in", 2, nil)) }, offsets{in0: 3, in1: 4, in2: -1}, []connector.SourceOffset{topicAt("in", int32(0), int64(3)), topicAt("in", int32(1), int64(4))}},
		{"refused", true, func() error { return alter(topicAt("in", 0, nil), topicAt("in", 1, 5), topicAt("in", 2, 6)) }, offsets{in0: -1, in1: 5, in2: 6},
			[]connector.SourceOffset{topicAt("in", int32(0), int64(3)), topicAt("in", int32(1), int64(4))}},
		{"a reset that is refused", true, reset, offsets{}, []connector.SourceOffset{topicAt("in", int32(0), int64(3)), topicAt("in", int32(1), int64(4))}},
		{"reset", false, reset, offsets{}, nil},
		{"reset without a committed offset", false, reset, offsets{}, nil},
		{"a topic that is not there", false, func() error { return alter(topicAt("none", 0, 1)) }, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			asked, refuse = nil, nil
			if tt.refuse {
				refuse = errTest
			}
			if err := tt.do(); errors.Is(err, errTest) != tt.refuse || tt.want == nil && err == nil {
				t.Errorf("error %v", err)
			}
			if d := cmp.Diff(tt.want == nil, len(asked) == 0); d != "" || tt.want != nil && !cmp.Equal(asked[0], tt.want) {
				t.Errorf("asked %v, want %v", asked, tt.want)
			}
			got, err := w.Offsets(t.Context(), task.spec)
			if d := cmp.Diff(tt.left, got); d != "" || err != nil {
				t.Error(d, err)
			}
		})
	}
}

// A group that still has a member keeps its offsets.
func TestOffsetsOfARunningSink(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 1)
	f.produce("in", numbered(0, 10)...)
	w, _ := f.worker(&script{})
	task, _ := f.start(w, KindSink, "k", connector.Props{"topics": "in"})
	eventually(t, "commit", func() bool { return f.committed("connect-k", "in") == 10 })
	if d := cmp.Diff([]string{"in"}, w.ActiveTopics("k")); d != "" {
		t.Error(d)
	}
	_, err := w.ResetOffsets(t.Context(), task.spec)
	if err == nil || !strings.Contains(err.Error(), "k: the group still has members") && !strings.Contains(err.Error(), "its tasks have not left yet") {
		t.Errorf("reset: %v", err)
	}
	f.stop(task)
	if _, err := w.ResetOffsets(t.Context(), task.spec); err != nil {
		t.Error(err)
	}
	if got := f.committed("connect-k", "in"); got != 0 {
		t.Errorf("%d are committed", got)
	}
}

// Clauses: K8.
func TestTopicOffsets(t *testing.T) {
	tests := []struct {
		name string
		in   connector.SourceOffset
		want string
	}{
		{"no partition", connector.SourceOffset{}, "cannot be null or missing"},
		{"no topic", connector.SourceOffset{Partition: map[string]any{"kafka_partition": 1}}, "must contain the keys 'kafka_topic' and 'kafka_partition'"},
		{"a partition in words", topicAt("t", "one", 1), "Kafka partition value in the provided offsets: 'one'"},
		{"a partition that is null", topicAt("t", nil, 1), "value in the provided offsets: 'null'"},
		{"a partition below 0", topicAt("t", -1, 1), "value in the provided offsets: '-1'"},
		{"a partition with a fraction", topicAt("t", json.Number("1.0"), 1), "value in the provided offsets: '1.0'"},
		{"no offset in it", connector.SourceOffset{Partition: topicAt("t", 0, 0).Partition, Offset: map[string]any{}}, "either be null or contain the key 'kafka_offset'"},
		{"an offset in words", topicAt("t", 0, "end"), "Kafka offset value in the provided offsets: 'end'"},
		{"an offset below 0", topicAt("t", 0, -2), "Kafka offset value in the provided offsets: '-2'"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := topicOffsets([]connector.SourceOffset{tt.in})
			if err == nil || !strings.Contains(err.Error(), tt.want) || connector.KindOf(err) != connector.KindData {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

// Topics are those that records were read from and those that they arrived in.
//
// Clauses: K9.
func TestActiveTopics(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 1)
	f.produce("in", numbered(0, 5)...)
	w, _ := f.worker(&script{})
	source, _ := f.start(w, KindSource, "s", connector.Props{"topic": "made", "count": "10"})
	stream, _ := f.start(w, KindStream, "flow", connector.Props{"topics": "in", "topic": "out"})
	f.ended(source)
	eventually(t, "the stream writes", func() bool { return len(f.read("out")) == 5 })
	f.stop(stream)
	for name, want := range map[string][]string{"s": {"made"}, "flow": {"in", "out"}, "none": nil} {
		if d := cmp.Diff(want, w.ActiveTopics(name)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	w.ResetActiveTopics("flow")
	w.ResetActiveTopics("none")
	if got := w.ActiveTopics("flow"); len(got) != 0 {
		t.Errorf("after a reset: %q", got)
	}
	stream, _ = f.start(w, KindStream, "flow", connector.Props{"topics": "in", "topic": "out"})
	f.produce("in", numbered(5, 6)...)
	eventually(t, "topics come back", func() bool { return len(w.ActiveTopics("flow")) == 2 })
	f.stop(stream)
	w.Forget("flow")
	if got := w.ActiveTopics("flow"); len(got) != 0 {
		t.Errorf("of a deleted connector: %q", got)
	}
}
