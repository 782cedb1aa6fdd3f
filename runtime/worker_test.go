package runtime

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/internal/offset"
)

// splitting is a source that splits its work.
type splitting struct{ numbers }

func (*splitting) Info() connector.Info { return connector.Info{Name: "splitting", Version: "1"} }
func (*splitting) TaskConfigs(_ context.Context, c connector.Context, conf connector.Config, maxTasks int) ([]connector.Props, error) {
	if c.Task != -1 || c.Offsets == nil {
		return nil, errors.New("the connector itself is asked")
	}
	var list []connector.Props
	for range conf.Int("count") {
		p := conf.Props().Clone()
		p["topic"] = "mine"
		list = append(list, p)
	}
	return list, nil
}

func testWorker(t *testing.T) *Worker {
	t.Helper()
	offsets, err := offset.OpenFile(filepath.Join(t.TempDir(), "offsets"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { offsets.Close() })
	r := plugins(&script{})
	r.Add(connector.SourceType, func() connector.Plugin { return &splitting{} })
	w, err := NewWorker(Options{Plugins: r, Offsets: offsets, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// Clauses: A3, A6.
func TestTaskConfigs(t *testing.T) {
	w := testWorker(t)
	tests := []struct {
		name  string
		kind  Kind
		props connector.Props
		want  int
		fails string
	}{
		{"source that does not split", KindSource, connector.Props{"connector.class": "numbers"}, 1, ""},
		{"sink", KindSink, connector.Props{"connector.class": "collect"}, 4, ""},
		{"stream", KindStream, connector.Props{"connector.class": "stream"}, 4, ""},
		{"source that splits", KindSource, connector.Props{"connector.class": "splitting", "topic": "t", "count": "3"}, 3, ""},
		{"too many", KindSource, connector.Props{"connector.class": "splitting", "topic": "t", "count": "5"}, 0,
			"c: the plugin made 5 tasks, more than tasks.max=4"},
		{"too many, not enforced", KindSource, connector.Props{"connector.class": "splitting", "topic": "t", "count": "5", "tasks.max.enforce": "False"}, 5, ""},
		{"wrong configuration", KindSource, connector.Props{"connector.class": "splitting", "topic": "t"}, 0, `Missing required configuration "count"`},
		{"unknown", KindSink, connector.Props{"connector.class": "nothing"}, 0, `sink "nothing" is not known, there are buffer, chooser, collect`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list, err := w.TaskConfigs(t.Context(), TaskSpec{Connector: "c", Kind: tt.kind, Props: tt.props}, 4)
			got := ""
			if err != nil {
				got = err.Error()
			}
			if len(list) != tt.want && err == nil || !strings.HasPrefix(got, tt.fails) || (got == "") != (tt.fails == "") {
				t.Errorf("%d tasks, %q; want %d, %q", len(list), got, tt.want, tt.fails)
			}
		})
	}
}

// hanging is a source that never says what its tasks are.
type hanging struct {
	splitting
	hung chan struct{}
}

func (*hanging) Info() connector.Info { return connector.Info{Name: "hanging", Version: "1"} }
func (p *hanging) TaskConfigs(context.Context, connector.Context, connector.Config, int) ([]connector.Props, error) {
	<-p.hung
	return nil, nil
}

func TestTaskConfigsIsBrokenOff(t *testing.T) {
	w := testWorker(t)
	hung := make(chan struct{})
	defer close(hung)
	w.options.Plugins.Add(connector.SourceType, func() connector.Plugin { return &hanging{hung: hung} })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := w.TaskConfigs(ctx, TaskSpec{Connector: "c", Kind: KindSource, Props: connector.Props{"connector.class": "hanging", "topic": "t", "count": "1"}}, 1)
	if !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "c: split into tasks: ") {
		t.Errorf("%v", err)
	}
}

// hourly is a source whose tasks follow something that changes.
type hourly struct{ splitting }

func (*hourly) Info() connector.Info                        { return connector.Info{Name: "hourly", Version: "1"} }
func (*hourly) ResplitEvery(connector.Config) time.Duration { return time.Hour }

func TestResplitEvery(t *testing.T) {
	w := testWorker(t)
	w.options.Plugins.Add(connector.SourceType, func() connector.Plugin { return &hourly{} })
	for class, c := range map[string]struct {
		kind Kind
		want time.Duration
	}{
		"hourly": {KindSource, time.Hour}, "splitting": {KindSource, 0}, "nothing": {KindSource, 0},
		"collect": {KindSink, 0}, "stream": {KindStream, 0},
	} {
		got := w.ResplitEvery(TaskSpec{Connector: "c", Kind: c.kind, Props: connector.Props{"connector.class": class, "topic": "t", "count": "1"}})
		if got != c.want {
			t.Errorf("%s is asked every %v, want %v", class, got, c.want)
		}
	}
	if got := w.ResplitEvery(TaskSpec{Connector: "c", Kind: KindSource, Props: connector.Props{"connector.class": "hourly"}}); got != 0 {
		t.Errorf("without its keys it is asked every %v", got)
	}
}

// monitoring is a source that watches something.
type monitoring struct {
	splitting
	watch func(ctx context.Context, c connector.Context, conf connector.Config, reconfigure func()) error
}

func (*monitoring) Info() connector.Info { return connector.Info{Name: "monitoring", Version: "1"} }
func (m *monitoring) Monitor(ctx context.Context, c connector.Context, conf connector.Config, reconfigure func()) error {
	return m.watch(ctx, c, conf, reconfigure)
}

// A plugin that watches gets the connector's context; what it gives, or panics
// with, is the connector's error.
//
// Clauses: A4, A5, A6.
func TestMonitor(t *testing.T) {
	w := testWorker(t)
	m := &monitoring{}
	w.options.Plugins.Add(connector.SourceType, func() connector.Plugin { return m })
	asked := 0
	monitor := func(class string, extra ...string) string {
		props := connector.Props{"connector.class": class, "topic": "t"}
		for _, key := range extra {
			props[key] = "3"
		}
		if err := w.Monitor(t.Context(), TaskSpec{Connector: "c", Kind: KindSource, Props: props}, func() { asked++ }); err != nil {
			return connector.KindOf(err).String() + ": " + err.Error()
		}
		return ""
	}
	watch := func(err error) func(context.Context, connector.Context, connector.Config, func()) error {
		return func(ctx context.Context, c connector.Context, conf connector.Config, reconfigure func()) error {
			if _, failed := c.Offsets.Offset(ctx, numbersPartition); failed != nil || c.Task != -1 || conf.Int("count") != 3 {
				t.Errorf("context is %+v, configuration %v, %v", c, conf.Props(), failed)
			}
			reconfigure()
			return err
		}
	}
	tests := []struct {
		name, class string
		keys        []string
		watch       func(context.Context, connector.Context, connector.Config, func()) error
		want        string // a prefix
		asked       int
	}{
		{"none", "splitting", []string{"count"}, nil, "", 0},
		{"done", "monitoring", []string{"count"}, watch(nil), "", 1},
		{"error", "monitoring", []string{"count"}, watch(connector.Retriable(errTest)), "retriable: c: monitor: " + errTest.Error(), 1},
		{"panic", "monitoring", []string{"count"}, func(context.Context, connector.Context, connector.Config, func()) error { panic("oops") }, "unmarked: c: monitor: the plugin panicked: oops", 0},
		{"wrong configuration", "monitoring", nil, nil, `fatal: c: monitor: Missing required configuration "count"`, 0},
		{"unknown", "nothing", nil, nil, `fatal: source "nothing" is not known`, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			asked, m.watch = 0, tt.watch
			got := monitor(tt.class, tt.keys...)
			if !strings.HasPrefix(got, tt.want) || (got == "") != (tt.want == "") || asked != tt.asked {
				t.Errorf("%q, asked %d times, want %q, %d", got, asked, tt.want, tt.asked)
			}
		})
	}
}

func TestForget(t *testing.T) {
	w := testWorker(t)
	w.tap("st").see(Tapped{Record: connector.Record{Topic: "t"}}, 1)
	if n := len(w.Tap("st")); n != 1 {
		t.Errorf("%d records", n)
	}
	w.Forget("st")
	if got := w.Tap("st"); got != nil {
		t.Errorf("it remembers %v", got)
	}
}

func TestStartTaskRefuses(t *testing.T) {
	w := testWorker(t)
	if _, err := w.StartTask(TaskSpec{Kind: KindSink}, nil); err == nil {
		t.Error("a task without connector was started")
	}
	if _, err := w.StartTask(TaskSpec{Connector: "c", Kind: "drain"}, nil); err == nil || err.Error() != `c/0: "drain" is no kind of connector` {
		t.Errorf("error is %v", err)
	}
	if _, err := NewWorker(Options{}); err == nil {
		t.Error("a worker without offsets was made")
	}
}

func settingsOf(t *testing.T, kind Kind, props, worker connector.Props) (*settings, error) {
	t.Helper()
	all := connector.Props{"name": "c", "connector.class": "x"}
	for k, v := range props {
		all[k] = v
	}
	return parseSettings(TaskSpec{Connector: "c", Kind: kind, Props: all, Worker: worker})
}

// Clauses: E5, E6, J3.
func TestSettings(t *testing.T) {
	worker := connector.Props{"bootstrap.servers": "a:1,b:2", "security.protocol": "SSL", "producer.linger.ms": "5",
		"consumer.fetch.min.bytes": "7", "admin.client.id": "me"}
	s, err := settingsOf(t, KindSink, connector.Props{"topics": "x", "producer.override.linger.ms": "9", "consumer.override.group.id": "g"}, worker)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ got, want map[string]string }{
		{s.producer, map[string]string{"security.protocol": "SSL", "linger.ms": "9"}},
		{s.consumer, map[string]string{"security.protocol": "SSL", "fetch.min.bytes": "7", "group.id": "g"}},
		{s.admin, map[string]string{"security.protocol": "SSL", "client.id": "me"}},
	} {
		if d := cmp.Diff(tt.want, tt.got); d != "" {
			t.Error(d)
		}
	}
	if s.group(TaskSpec{Connector: "c"}) != "g" || s.retryTimeout != -1 || s.all {
		t.Errorf("settings are %+v", s)
	}
	if d := cmp.Diff([]string{"a:1", "b:2"}, s.servers(s.producer)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"c:3", "d:4"}, s.servers(map[string]string{"bootstrap.servers": "c:3, d:4"})); d != "" {
		t.Error(d)
	}
	// What Kafka Connect has as its default is obeyed once it is written.
	if s, err = settingsOf(t, KindSink, connector.Props{"topics": "x", "errors.retry.timeout": "0"}, nil); err != nil || s.retryTimeout != 0 {
		t.Errorf("retry time-out is %v, %v", s.retryTimeout, err)
	}
	if s.group(TaskSpec{Connector: "c"}) != "connect-c" {
		t.Error("group is not connect-c")
	}
}

// Clauses: B9, I4.
func TestWrongSettings(t *testing.T) {
	for want, tt := range map[string]struct {
		kind  Kind
		props connector.Props
	}{
		"a sink needs exactly one of topics and topics.regex":                                              {KindSink, nil},
		"a stream needs exactly one of topics and topics.regex":                                            {KindStream, connector.Props{"topic": "t", "topics": "a", "topics.regex": "b"}},
		`topics: "bad topic!" is not the name of a topic`:                                                  {KindSink, connector.Props{"topics": "a,bad topic!"}},
		`topics: ".." is not the name of a topic`:                                                          {KindStream, connector.Props{"topics": "..", "topic": "t"}},
		`topic: "a/b" is not the name of a topic`:                                                          {KindStream, connector.Props{"topics": "a", "topic": "a/b"}},
		`errors.deadletterqueue.topic.name: "é" is not the name of a topic`:                                {KindSource, connector.Props{"errors.deadletterqueue.topic.name": "é"}},
		"topic: x is one of the topics that are read":                                                      {KindStream, connector.Props{"topic": "x", "topics": "x,y"}},
		"errors.deadletterqueue.topic.name: dead is one of the topics that are read":                       {KindSink, connector.Props{"topics.regex": "d.*", "errors.deadletterqueue.topic.name": "dead"}},
		"Invalid value many for configuration topic.creation.default.partitions: Not a number of type INT": {KindStream, connector.Props{"topic": "t", "topics": "a", "topic.creation.default.partitions": "many"}},
		`Missing required configuration "topic.creation.default.replication.factor"`:                       {KindSource, connector.Props{"topic.creation.groups": "g"}},
	} {
		_, err := settingsOf(t, tt.kind, tt.props, nil)
		if err == nil || !strings.HasPrefix(err.Error(), want) || connector.KindOf(err) != connector.KindFatal {
			t.Errorf("error is %v, want %s", err, want)
		}
	}
}

// Clauses: A20.
func TestMetrics(t *testing.T) {
	m := new(metrics)
	m.Counter("x_total", "x", "a", "1").Add(2)
	m.Counter("x_total", "x", "a", "1").Add(3)
	m.Counter("x_total", "x", "a", "1").Add(-7) // a counter only grows
	m.Counter("x_total", "x", "a", "2").Add(1)
	m.Gauge("g", "g").Set(4)
	h := m.Histogram("h_seconds", "h", []float64{1, 10})
	for _, v := range []float64{0.5, 1, 5, 100} {
		h.Observe(v)
	}
	want := []Sample{
		{Name: "g", Help: "g", Type: "gauge", Value: 4},
		{Name: "h_seconds", Help: "h", Type: "histogram", Value: 106.5, Buckets: []float64{1, 10}, Counts: []uint64{2, 1, 1}},
		{Name: "x_total", Help: "x", Type: "counter", Labels: []string{"a", "1"}, Value: 5},
		{Name: "x_total", Help: "x", Type: "counter", Labels: []string{"a", "2"}, Value: 1},
	}
	if d := cmp.Diff(want, m.samples()); d != "" {
		t.Error(d)
	}
}

func TestPlainBytes(t *testing.T) {
	s := connector.StructOf("roi", connector.F("name", connector.StringSchema), connector.F("image", connector.BytesSchema))
	v := connector.NewStruct(s).Set("name", "diatom").Set("image", []byte{1, 2})
	for want, v := range map[string]any{
		"text": "text", "\x00\x01": []byte{0, 1}, `{"name":"diatom","image":"AQI="}`: v, "{}": struct{}{},
	} {
		if got := string(plainBytes(nil, v)); got != want {
			t.Errorf("%v is %s, want %s", v, got, want)
		}
	}
	if plainBytes(nil, nil) != nil {
		t.Error("null is not null")
	}
}
