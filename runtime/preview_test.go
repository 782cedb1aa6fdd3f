package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/output"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/runtime/internal/offset"
	"github.com/axiom-data-science/hydraulics/runtime/internal/preview"
)

// shows is collect that shows what it would write, and refuses what the script
// reports.
type shows struct{ collect }

func (*shows) Info() connector.Info { return connector.Info{Name: "shows", Version: "1"} }
func (s *shows) Preview(ctx context.Context, c connector.Context, _ connector.Config, records []connector.Record) error {
	if s.script.put != nil {
		if err := s.script.put(records); err != nil {
			return err
		}
	}
	var which []int
	for i, r := range records {
		if s.script.reported != nil {
			if why := s.script.reported(r); why != nil {
				if err := c.Reporter.Report(ctx, r, why); err != nil {
					return err
				}
				continue
			}
		}
		which = append(which, i)
	}
	c.Preview.Would(connector.Effect{Does: "keep", Records: which})
	return nil
}

// everything gives what is in Kafka and the offset file.
func (f *flow) everything(groups ...string) string {
	f.t.Helper()
	var b strings.Builder
	topics, err := f.client.DescribeTopics(f.t.Context(), nil)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, t := range topics {
		ends, err := f.client.EndOffsets(f.t.Context(), t.Name)
		if err != nil {
			f.t.Fatal(err)
		}
		fmt.Fprintln(&b, t.Name, len(t.Partitions), ends)
	}
	for _, g := range groups {
		offsets, err := f.client.CommittedOffsets(f.t.Context(), g)
		fmt.Fprintln(&b, g, offsets, err)
	}
	file, err := os.ReadFile(f.offsets)
	fmt.Fprintln(&b, string(file), err)
	return b.String()
}

// preview previews a connector, and checks that nothing is changed by that.
func (f *flow) preview(w *Worker, kind Kind, name string, props connector.Props, o PreviewOptions) (*preview.Result, error) {
	f.t.Helper()
	before := f.everything("connect-" + name)
	all := props.Clone()
	all["name"] = name
	o.Wait = time.Minute
	r, err := w.Preview(f.t.Context(), TaskSpec{Connector: name, Kind: kind, Props: all, Worker: f.workerProps()}, o)
	if d := cmp.Diff(before, f.everything("connect-"+name)); d != "" {
		f.t.Errorf("the preview has changed something:\n%s", d)
	}
	return r, err
}

// outcomes gives what becomes of each record, a line each.
func outcomes(r *preview.Result) []string {
	list := []string{}
	for _, x := range r.Records {
		line := x.Record
		for _, s := range x.Steps {
			for _, c := range s.Changes {
				line += " | " + c.String()
			}
		}
		line += " => " + string(x.Fate)
		for _, part := range []string{x.Topic, x.Stage, x.Reason} {
			if part != "" {
				line += " " + part
			}
		}
		list = append(list, line)
	}
	return list
}

func does(r *preview.Result) []string {
	list := []string{}
	for _, e := range r.Effects {
		list = append(list, fmt.Sprint(e.Does, e.Records))
	}
	return list
}

func TestPreviewOfAStream(t *testing.T) {
	change := func(v string) (string, bool, error) {
		switch v {
		case "1":
			return "", false, nil
		case "2":
			return "", false, errors.New("two is too much")
		case "3":
			return "", false, connector.Retriable(errors.New("the server is away"))
		}
		return "(" + v + ")", true, nil
	}
	tolerant := connector.Props{"errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dead"}
	tests := []struct {
		name    string
		props   connector.Props
		want    []string
		effects []string
		stopped string
	}{
		{"with dead letters", tolerant, []string{
			`in[0]@0 | + key = "0" | + value = "0" | ~ value: "0" -> "(0)" => delivered out`,
			`in[0]@1 | + key = "1" | + value = "1" => dropped transform c (change)`,
			`in[0]@2 | + key = "2" | + value = "2" => dead letter dead transform c (change) two is too much`,
			`in[0]@3 | + key = "3" | + value = "3" => retried transform c (change) the server is away`,
			`in[0]@4 | + key = "4" => dead letter dead value converter (text) "bad" is bad`,
		}, []string{"make topic dead[]", "make topic out[]"}, ""},
		{"without", connector.Props{"errors.tolerance": "all"}, []string{
			`in[0]@2 | + key = "2" | + value = "2" => skipped transform c (change) two is too much`,
		}, []string{"make topic out[]"}, ""},
		{"not tolerated", connector.Props{}, []string{
			`in[0]@2 | + key = "2" | + value = "2" => stops transform c (change) two is too much`,
		}, []string{"make topic out[]"}, `st/0: value converter (text): in[0]@4: "bad" is bad`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFlow(t)
			f.topic("in", 1)
			messages := numbered(0, 5)
			messages[4].Value = []byte("bad")
			f.produce("in", messages...)
			w, _ := f.worker(&script{change: change})
			props := tt.props.Clone()
			for k, v := range (connector.Props{"connector.class": "stream", "topics": "in", "topic": "out", "transforms": "c", "transforms.c.type": "change"}) {
				props[k] = v
			}
			r, err := f.preview(w, KindStream, "st", props, PreviewOptions{Most: 10})
			if err != nil {
				t.Fatal(err)
			}
			got := outcomes(r)
			if len(tt.want) == 1 {
				got = got[2:3]
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(tt.effects, does(r)); d != "" {
				t.Error(d)
			}
			if r.Stopped != tt.stopped {
				t.Errorf("stopped: %s", r.Stopped)
			}
			if r.Arrive() {
				t.Error("all arrive")
			}
		})
	}
}

func TestPreviewOfAStreamWithState(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 3)
	f.topic("out", 1)
	f.produce("in", numbered(0, 70)...)
	w, _ := f.worker(&script{})
	props := connector.Props{"connector.class": "stream", "topics": "in", "topic": "out", "transforms": "n", "transforms.n.type": "counting"}
	// Before it has ever run there is no changelog, and the count begins anew.
	r, err := f.preview(w, KindStream, "st", props, PreviewOptions{Most: 1})
	if err != nil {
		t.Fatal(err)
	}
	if got := outcomes(r)[0]; !strings.HasSuffix(got, `:1" => delivered out`) {
		t.Error(got)
	}
	if d := cmp.Diff([]string{"make topic connect-st-counts-changelog with 3 partitions[]", "keep state: 1 records in topic connect-st-counts-changelog[]"}, does(r)); d != "" {
		t.Error(d)
	}
	task, _ := f.start(w, KindStream, "st", props)
	eventually(t, "commit", func() bool { return f.committed("connect-st", "in") == 70 })
	f.stop(task)
	for range 2 { // the first one leaves the state as it was
		if r, err = f.preview(w, KindStream, "st", props, PreviewOptions{Most: 1}); err != nil {
			t.Fatal(err)
		}
		if got := outcomes(r)[0]; !strings.HasSuffix(got, `:11" => delivered out`) {
			t.Error(got)
		}
	}
}

func TestPreviewAsksKafkaForNothingThatWrites(t *testing.T) {
	t.Parallel()
	b := kafkatest.New(t)
	f := &flow{t: t, broker: b.Addr(), offsets: t.TempDir() + "/offsets"}
	var err error
	if f.client, err = kafka.Open(t.Context(), kafka.Options{Bootstrap: []string{f.broker}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.client.Close)
	f.topic("in", 2)
	f.produce("in", numbered(0, 20)...)
	for _, request := range []int16{kafkatest.Produce, kafkatest.CreateTopics, kafkatest.InitProducerID, kafkatest.JoinGroup, kafkatest.OffsetCommit} {
		b.Fail(kafkatest.Fault{Request: request, Code: 29, Times: -1}) // not authorized
	}
	w, _ := f.worker(&script{})
	r, err := f.preview(w, KindStream, "st", connector.Props{"connector.class": "stream", "topics": "in", "topic": "out",
		"transforms": "n", "transforms.n.type": "counting", "errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dead"}, PreviewOptions{Most: 5})
	if err != nil || len(r.Records) != 5 || !r.Arrive() {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestPreviewOfASource(t *testing.T) {
	f := newFlow(t)
	s := &script{change: func(v string) (string, bool, error) { return v + "!", v != "1", nil }}
	w, _ := f.worker(s)
	props := connector.Props{"connector.class": "numbers", "topic": "out", "count": "5", "batch": "2", "transforms": "c", "transforms.c.type": "change"}
	r, err := f.preview(w, KindSource, "n", props, PreviewOptions{Most: 3})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`{"what":"numbers"}@{"n":0} | + topic = "out" | + key = "0" | + value = "0" | ~ value: "0" -> "0!" => delivered out`,
		`{"what":"numbers"}@{"n":1} | + topic = "out" | + key = "1" | + value = "1" => dropped transform c (change)`,
		`{"what":"numbers"}@{"n":2} | + topic = "out" | + key = "2" | + value = "2" | ~ value: "2" -> "2!" => delivered out`,
	}
	if d := cmp.Diff(want, outcomes(r)); d != "" {
		t.Error(d)
	}
	if len(s.passed) > 0 || s.commits > 0 {
		t.Error("the source was told that records are through")
	}
	s.start = func() error { return errors.New("the instrument is off") }
	if _, err = f.preview(w, KindSource, "n", props, PreviewOptions{Most: 3}); err == nil || err.Error() != "n/0: source (numbers): the instrument is off" {
		t.Errorf("error is %v", err)
	}
}

func TestPreviewOfASink(t *testing.T) {
	refuse := func(r connector.Record) error {
		if r.Value == "1" {
			return connector.Data(errors.New("one is refused"))
		}
		return nil
	}
	tests := []struct {
		name, class string
		script      *script
		props       connector.Props
		want        []string
		effects     []string
	}{
		{"shows", "shows", &script{reported: refuse}, connector.Props{"errors.tolerance": "all"}, []string{
			"in[0]@0 => delivered", "in[0]@1 => skipped sink (shows) one is refused", "in[0]@2 => delivered"}, []string{"keep[0 2]"}},
		{"shows nothing", "collect", &script{}, connector.Props{}, []string{
			"in[0]@0 => sink unknown", "in[0]@1 => sink unknown", "in[0]@2 => sink unknown"}, []string{}},
		{"the system is away", "shows", &script{put: func([]connector.Record) error { return connector.Retriable(errors.New("no answer")) }}, connector.Props{}, []string{
			"in[0]@0 => retried sink (shows) no answer", "in[0]@1 => retried sink (shows) no answer", "in[0]@2 => retried sink (shows) no answer"}, []string{}},
		{"nothing fits", "shows", &script{put: func([]connector.Record) error { return errors.New("no table") }}, connector.Props{"errors.tolerance": "all"}, []string{
			"in[0]@0 => stops sink (shows) no table", "in[0]@1 => stops sink (shows) no table", "in[0]@2 => stops sink (shows) no table"}, []string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFlow(t)
			f.topic("in", 1)
			f.produce("in", numbered(0, 3)...)
			s := tt.script
			w, _ := f.worker(s)
			w.options.Plugins.Add(connector.SinkType, func() connector.Plugin { return &shows{collect{script: s}} })
			props := tt.props.Clone()
			props["connector.class"], props["topics"] = tt.class, "in"
			r, err := f.preview(w, KindSink, "k", props, PreviewOptions{Most: 3})
			if err != nil {
				t.Fatal(err)
			}
			for i := range r.Records {
				r.Records[i].Steps = nil
			}
			if d := cmp.Diff(tt.want, outcomes(r)); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(tt.effects, does(r)); d != "" {
				t.Error(d)
			}
			if len(s.records) > 0 || s.instance > 0 {
				t.Error("the sink was started")
			}
		})
	}
}

func TestPreviewOfRecordsGiven(t *testing.T) {
	t.Parallel()
	s := &script{change: func(v string) (string, bool, error) { return "(" + v + ")", true, nil }}
	w, err := NewWorker(Options{Plugins: plugins(s), Offsets: noOffsets{}, Log: testLog()})
	if err != nil {
		t.Fatal(err)
	}
	text := func(s string) *output.Bytes { return &output.Bytes{Text: s} }
	spec := TaskSpec{Connector: "st", Kind: KindStream, Worker: connector.Props{"bootstrap.servers": "127.0.0.1:1", "key.converter": "text", "value.converter": "text"},
		Props: connector.Props{"name": "st", "connector.class": "stream", "topics": "in", "topic": "out", "transforms": "c,n", "transforms.c.type": "change", "transforms.n.type": "counting"}}
	r, err := w.Preview(t.Context(), spec, PreviewOptions{Input: []PreviewInput{
		{Key: json.RawMessage("a"), Value: json.RawMessage("decoded")},
		{KeyBytes: text("a"), ValueBytes: text("bytes"), Headers: []PreviewHeader{{"h", text("x")}}},
		{KeyBytes: text("a"), ValueBytes: text("bad bytes")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`in[0]@0 | + topic = "out" | + key = "a" | + value = "decoded" | ~ value: "decoded" -> "(decoded)" | ~ value: "(decoded)" -> "a:1" => delivered out`,
		`in[0]@1 | + key = "a" | + value = "bytes" | + header.h = "x" | ~ value: "bytes" -> "(bytes)" | ~ value: "(bytes)" -> "a:2" => delivered out`,
		`in[0]@2 | + key = "a" => stops value converter (text) "bad bytes" is bad`,
	}
	if d := cmp.Diff(want, outcomes(r)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"state begins empty, since the records were given"}, r.Notes); d != "" {
		t.Error(d)
	}
}

// noOffsets has no offsets.
type noOffsets struct{ offset.Store }

func (noOffsets) Offset(context.Context, string, map[string]any) (map[string]any, error) {
	return nil, nil
}
