package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"log/slog"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	_ "github.com/axiom-data-science/hydraulics/connectors/datagen"
	_ "github.com/axiom-data-science/hydraulics/connectors/file"
	_ "github.com/axiom-data-science/hydraulics/converter/json"
	_ "github.com/axiom-data-science/hydraulics/converter/primitive"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	_ "github.com/axiom-data-science/hydraulics/transforms/smt"
)

// printed takes what a command prints, from any goroutine.
type printed struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *printed) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *printed) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// run runs a command line and gives what it printed.
func run(ctx context.Context, args ...string) (string, error) {
	out := new(printed)
	root := Root("hydraulics")
	root.SetOut(out)
	root.SetErr(out)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	return out.String(), err
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func get(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(res.Body)
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func start(t *testing.T, file string) *Worker {
	t.Helper()
	j, err := config.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	if problems := config.Lint(j, connector.Plugins, Defaults); len(problems) > 0 {
		t.Fatal(problems)
	}
	w, err := StartWorker(t.Context(), WorkerOptions{Setup: j, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func stop(t *testing.T, w *Worker) {
	t.Helper()
	ctx, cancel := wait.Context()
	defer cancel()
	if err := w.Close(ctx); err != nil {
		t.Error(err)
	}
}

// Clauses: K1, K2.
func TestWorkerMovesLines(t *testing.T) {
	dir := t.TempDir()
	file, in, out := filepath.Join(dir, "flow.yaml"), filepath.Join(dir, "in.txt"), filepath.Join(dir, "out.txt")
	for name, text := range map[string]string{in: "one\ntwo\n", file: `
worker:
  bootstrap.servers: ` + kafkatest.Start(t) + `
  listeners: http://127.0.0.1:0
  page.listener: http://127.0.0.1:0
  key.converter: string
  value.converter: string
  offset.flush.interval.ms: 100
  consumer.metadata.max.age.ms: 200
connectors:
  lines:  {connector.class: file-source, topic: lines, file: ` + in + `, topic.creation.default: {partitions: 1, replication.factor: -1}}
  sorted: {connector.class: file-sink, topics: lines, file: ` + out + `}
`} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w := start(t, file)
	holds := func(text string) func() bool {
		return func() bool { data, err := os.ReadFile(out); return err == nil && string(data) == text }
	}
	wait.Until(t, "the lines", holds("one\ntwo\n"))

	if j, err := config.Read(file); err != nil {
		t.Fatal(err)
	} else if _, err := StartWorker(t.Context(), WorkerOptions{Setup: j, Log: slog.New(slog.DiscardHandler)}); err == nil || !strings.Contains(err.Error(), "another worker is using it") {
		t.Errorf("a second worker on the same offsets: %v", err)
	}
	for path, want := range map[string]string{"/connectors": `["lines","sorted"]`, "/health": "healthy", "/": `"kafka_cluster_id":"hydraulics-embedded"`,
		"/metrics": `hydraulics_task_records_out_total{connector="lines",task="0"} 2`} {
		if got := get(t, w.RESTURL()+path); !strings.Contains(got, want) {
			t.Errorf("%s answers %s, want %s", path, got, want)
		}
	}
	if got := get(t, w.PageURL()); !strings.Contains(got, "<html") {
		t.Errorf("the page is %s", got)
	}
	body := `{"name":"more","config":{"connector.class":"file-source","topic":"lines","file":"` + filepath.ToSlash(in) + `2"}}`
	res, err := http.Post(w.RESTURL()+"/connectors", "application/json", strings.NewReader(body))
	if err != nil || res.StatusCode != http.StatusCreated {
		t.Fatal(res, err)
	}
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	stop(t, w)

	if err := os.WriteFile(in+"2", []byte("three\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w = start(t, file)
	wait.Until(t, "the connector made over REST", holds("one\ntwo\nthree\n"))
	stop(t, w)
}

func TestWorkerTellsWhatIsDoneAndWhatFailed(t *testing.T) {
	w := start(t, write(t, "flow.yaml", `
worker:
  bootstrap.servers: `+kafkatest.Start(t)+`
  listeners: http://127.0.0.1:0
  page.listener: ""
  key.converter: json
  value.converter: json
connectors:
  numbers: {connector.class: datagen, topic: numbers, records: 3, once: true}
  sink:    {connector.class: file-sink, topics: numbers, file: /dev/null/none, restart.policy: never}
`))
	defer stop(t, w)
	wait.Until(t, "the end of the source", func() bool {
		done, err := w.Done("numbers")
		return err == nil && done
	})
	wait.Until(t, "the failure of the sink", func() bool { return w.Failed() != nil })
	if err := w.Failed(); !strings.HasPrefix(err.Error(), "task sink/0 failed: ") || !strings.Contains(err.Error(), "/dev/null/none") {
		t.Errorf("it failed with %v", err)
	}
	if done, err := w.Done("sink"); done || err != nil {
		t.Errorf("a failed task is done: %v, %v", done, err)
	}
	if _, err := w.Done("none"); err == nil {
		t.Error("a connector that is not there is done")
	}
	if stats := w.Snapshots(); len(stats) != 2 || stats[0].Connector != "numbers" || stats[0].RecordsOut != 3 {
		t.Errorf("snapshots are %v", stats)
	}
}

// Clauses: B11, F4.
func TestCommandStopsWithItsContext(t *testing.T) {
	worker := write(t, "connect.properties", "bootstrap.servers="+kafkatest.Start(t)+"\nrest.host.name=localhost\nrest.port=0\nrest.advertised.port=8100\n"+
		"page.listener=\noffset.storage.file.filename="+filepath.Join(t.TempDir(), "offsets")+
		"\ninternal.key.converter=org.apache.kafka.connect.json.JsonConverter\nvalue.converter=org.apache.kafka.connect.storage.StringConverter\n")
	sink := write(t, "sink.properties", "name=sink\nconnector.class=FileStreamSink\ntopics=a\nfile="+filepath.Join(t.TempDir(), "out")+"\n")
	ctx, cancel := context.WithCancel(t.Context())
	out, done := new(printed), make(chan error, 1)
	root := Root("hydraulics")
	root.SetOut(out)
	root.SetErr(out)
	root.SetArgs([]string{"connect-standalone", worker, sink})
	go func() { done <- root.ExecuteContext(ctx) }()
	wait.Until(t, "the REST API", func() bool { return strings.Contains(out.String(), "REST API") })
	cancel()
	if err := <-done; err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if want := "connect.properties:7: internal.key.converter: has had no effect since Kafka Connect 2.0"; !strings.Contains(out.String(), want) {
		t.Errorf("does not say %s:\n%s", want, out)
	}
}

func TestCommands(t *testing.T) {
	bad := write(t, "flow.yaml", "connectors:\n  postgres-sink:\n    connector.class: file-sink\n    topics: a\n    fiel: x\n    tasks.max: none\n")
	good := write(t, "flow.yaml", "connectors:\n  sink:\n    connector.class: file-sink\n    topics: a\n")
	none := write(t, "none.yaml", "worker:\n  client.id: w\nconnectors: {}\n")
	unset := write(t, "unset.yaml", "connectors:\n  sink:\n    connector.class: file-sink\n    topics: ${env:HYDRAULICS_TEST_NOT_SET}\n")
	misspelt := write(t, "misspelt.yaml", "conectors:\n  sink:\n    connector.class: file-sink\n")
	empty := write(t, "empty.yaml", "# nothing yet\n")
	javaOffsets := write(t, "connect.offsets", "\xac\xed\x00\x05sr\x00\x11java.util.HashMap\x05\x07\xda\xc1\xc3\x16\x60\xd1\x03\x00\x02F\x00\x0aloadFactorI\x00\x09thresholdxp"+
		"\x3f\x40\x00\x00\x00\x00\x00\x0cw\x08\x00\x00\x00\x10\x00\x00\x00\x01ur\x00\x02[B\xac\xf3\x17\xf8\x06\x08T\xe0\x02\x00\x00xp"+
		"\x00\x00\x00\x0c[\"lines\",{}]uq\x00\x7e\x00\x02\x00\x00\x00\x0e{\"position\":3}x")
	insecure := write(t, "insecure.yaml", `worker:
  security.protocol: SASL_SSL
  sasl.mechanism: PLAIN
  sasl.jaas.config: PlainLoginModule required username=a password="hush";
  consumer.ssl.truststore.location: /none/trust.jks
  listeners: https://127.0.0.1:0
connectors:
  sink:
    connector.class: file-sink
    topics: a
    consumer.override.sasl.mechanism: MD5
`)
	tests := []struct {
		name string
		args []string
		fail bool
		want string
	}{
		{"lint says what is wrong", []string{"lint", bad}, true, "warning: " + bad + ":5: postgres-sink: fiel: unknown key, did you mean file?"},
		{"and all of it", []string{"lint", bad}, true, bad + ":6: postgres-sink: tasks.max: Invalid value none for configuration tasks.max: Not a number of type INT"},
		{"lint is content", []string{"lint", good}, false, ""},
		{"lint without connectors", []string{"lint", none}, true, none + ": there are no connectors"},
		{"lint of the worker's keys alone", []string{"lint", write(t, "w.properties", "client.id=w\n")}, false, ""},
		{"lint without a variable", []string{"lint", unset}, true, unset + ":4: sink: topics: ${env:HYDRAULICS_TEST_NOT_SET}: environment variable"},
		{"lint for another machine", []string{"lint", unset, "--elsewhere"}, false, "warning: " + unset + ":4: sink: topics: "},
		{"lint of a part that is misspelt", []string{"lint", misspelt}, true, misspelt + ":1: conectors: unknown part of a configuration, did you mean connectors?"},
		{"lint of what reaches Kafka", []string{"lint", insecure}, true, insecure + ":5: consumer.ssl.truststore.location: open /none/trust.jks: no such file or directory [H1006]\n"},
		{"lint of what a connector overrides", []string{"lint", insecure}, true, insecure + ":11: sink: consumer.override.sasl.mechanism: \"MD5\" is not PLAIN, "},
		{"lint of what reaches the worker", []string{"lint", insecure}, true, insecure + ": ssl.keystore.location: it is missing: a listener with TLS needs"},
		{"lint of connections elsewhere", []string{"lint", insecure, "--elsewhere"}, false, "warning: " + insecure + ":5: consumer.ssl.truststore.location"},
		{"lint of an empty file", []string{"lint", empty}, true, empty + ": holds nothing"},
		{"a worker does not start on an empty file", []string{"worker", "-f", empty}, true, ""},
		{"lint of no file", []string{"lint", "nothing.yaml"}, true, ""},
		{"a worker does not start on bad files", []string{"worker", "-f", bad}, true, "postgres-sink: tasks.max"},
		{"a worker without files", []string{"worker"}, true, ""},
		{"distributed", []string{"worker", "--distributed", "-f", good}, true, ""},
		{"version", []string{"version"}, false, "hydraulics " + config.Version},
		{"version as a flag", []string{"--version"}, false, "hydraulics " + config.Version},
		{"a command that is none", []string{"wrker"}, true, ""},
		{"a command of a group that is none", []string{"import", "seed"}, true, ""},
		{"a group alone shows its help", []string{"import"}, false, "seed-config"},
		{"offsets of a Java worker", []string{"import", "offsets", javaOffsets}, false, javaOffsets + ": offsets of lines: 1\n"},
		{"offsets that are imported already", []string{"import", "offsets", javaOffsets}, true, ""},
		{"plugins", []string{"plugins"}, false, "org.apache.kafka.connect.file.FileStreamSinkConnector"},
		{"keys of a plugin", []string{"plugins", "FileStreamSource"}, false, `batch.size (int, default "2000")`},
		{"keys of a stream", []string{"plugins", "stream"}, false, "input.value.converter (class, no default)"},
		{"keys of every stream", []string{"plugins", "Stream"}, false, "topic.creation.default.*"},
		{"keys of the worker", []string{"plugins", "worker"}, false, `offset.flush.interval.ms (long, default "60000")`},
		{"families of the worker", []string{"plugins", "worker"}, false, "producer.*"},
		{"keys of every source", []string{"plugins", "file-source"}, false, "keys of every source:\n  name (string, required)"},
		{"keys of every sink", []string{"plugins", "file-sink"}, false, "errors.deadletterqueue.topic.name (string"},
		{"what plugins are for", []string{"plugins"}, false, "Gives the lines of a file as records."},
		{"plugins for programs", []string{"plugins", "-o", "json"}, false, `"description": "Gives the lines of a file as records."`},
		{"keys for programs", []string{"plugins", "worker", "-o", "json"}, false, `"name": "bootstrap.servers",`},
		{"version for programs", []string{"version", "--output=json"}, false, `"version": "` + config.Version + `"`},
		{"lint for programs", []string{"lint", bad, "-o", "json"}, true, `"message": "unknown key, did you mean file?"`},
		{"lint for programs is content", []string{"lint", good, "-o", "json"}, false, "[]\n"},
		{"lint of a file that is not there, for programs", []string{"lint", "nothing.yaml", "-o", "json"}, true, `"message": "cannot be read: no such file or directory"`},
		{"a form that is none", []string{"version", "-o", "xml"}, true, ""},
		{"names for a shell", []string{"__complete", "plugins", "file-s"}, false, "file-sink\tAppends"},
		{"the worker for a shell", []string{"__complete", "plugins", "wo"}, false, "worker\tThe worker itself."},
		{"no such plugin", []string{"plugins", "nope"}, true, ""},
		{"a level that is none", []string{"version", "--log-level", "loud"}, true, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := run(t.Context(), tt.args...)
			if (err != nil) != tt.fail || !strings.Contains(out, tt.want) {
				t.Errorf("%v\n%s\nwant %s", err, out, tt.want)
			}
		})
	}
}

func TestImportSeedConfig(t *testing.T) {
	old := Defaults
	defer func() { Defaults = old }()
	Defaults = fstest.MapFS{"ifcb/classes.txt": {Data: []byte("# two\na\nb\n")}, "ifcb/diatoms.txt": {Data: []byte("a\n")}}
	conf := map[string]any{"app_name": "app", "broker": []string{"kafka://h"}, "schema.registry.url": "http://r:1", "topic_partitions": 3,
		"image_topic": "in", "stats_topic": "out", "tensorflow_url": "http://m/v1/models/x:predict", "class_names": []string{"a", "b"}, "diatoms": []string{"a"}}
	encode := func() string {
		data, err := json.Marshal(conf)
		if err != nil {
			t.Fatal(err)
		}
		return write(t, "config.json", string(data))
	}
	out, err := run(t.Context(), "import", "seed-config", encode())
	if err != nil {
		t.Fatal(err)
	}
	j := new(config.Setup)
	if err := j.Add("flow.yaml", []byte(out), config.AnyRole); err != nil || len(j.Problems) > 0 {
		t.Fatal(err, j.Problems)
	}
	props := j.Connectors[0].Entries.Props()
	got := map[string]any{"servers": j.Worker.Props()["bootstrap.servers"], "name": j.Connectors[0].Name}
	for _, k := range []string{"topics", "topic", "transforms.classify.model", "transforms.classify.labels", "transforms.carbon.diatoms", "topic.creation.default.partitions"} {
		got[k] = props[k]
	}
	want := map[string]any{"servers": "h:9092", "name": "app", "topics": "in", "topic": "out", "transforms.classify.model": "http://m/v1/models/x",
		"transforms.classify.labels": "ifcb/classes.txt", "transforms.carbon.diatoms": "ifcb/diatoms.txt", "topic.creation.default.partitions": "3"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}

	conf["hab_species"] = []string{"c"}
	if _, err := run(t.Context(), "import", "seed-config", encode()); err == nil || !strings.Contains(err.Error(), "--dir") {
		t.Errorf("a list of one's own: %v", err)
	}
	dir := filepath.Join(t.TempDir(), "new")
	if _, err := run(t.Context(), "import", "seed-config", encode(), "--dir", dir); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "hab.txt")); err != nil || string(data) != "c\n" {
		t.Errorf("%q %v", data, err)
	}
	if _, err := run(t.Context(), "import", "seed-config", encode(), "--dir", dir); err == nil || !strings.Contains(err.Error(), "not overwritten") {
		t.Errorf("a folder that has a flow: %v", err)
	}
	if _, err := run(t.Context(), "import", "seed-config", write(t, "config.json", `{"app_name":"app"} {"app_name":"other"}`)); err == nil || !strings.Contains(err.Error(), "more follows after the JSON value") {
		t.Errorf("two objects: %v", err)
	}
	conf["topic_partitions"] = "3"
	if _, err := run(t.Context(), "import", "seed-config", encode()); err == nil || !strings.Contains(err.Error(), "topic_partitions: a JSON string does not fit here") {
		t.Errorf("a text for a number: %v", err)
	}
	conf["topic_partitions"] = 3
	delete(conf, "image_topic")
	if _, err := run(t.Context(), "import", "seed-config", encode()); err == nil || !strings.Contains(err.Error(), "image_topic is missing") {
		t.Errorf("%v", err)
	}
}

func TestUnknownPluginsNameTheNearest(t *testing.T) {
	for name, want := range map[string]string{"file-snik": "did you mean file-sink?", "wrker": "did you mean worker?", "FileStreamSnk": "FileStreamSinkConnector?", "nope": `"hydraulics plugins" lists them`} {
		if _, err := run(t.Context(), "plugins", name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}

func TestAProgramSaysItsOwnName(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"worker", "--help"}, {"version"}, {"--version"}, {"plugins", "nope"}, {"nope"}, {"completion", "bash"}} {
		out := new(printed)
		root := Root("buoy-worker")
		root.SetOut(out)
		root.SetErr(out)
		root.SetArgs(args)
		err := root.ExecuteContext(t.Context())
		text := out.String()
		if err != nil {
			text += err.Error()
		}
		text = strings.ReplaceAll(text, "(hydraulics "+config.Version, "") // what it was made of
		if !strings.Contains(text, "buoy-worker") || strings.Contains(text, "hydraulics") {
			t.Errorf("%v: %s", args, text)
		}
	}
}

func TestTopicsThatAreMissingAreNamed(t *testing.T) {
	file := write(t, "flow.yaml", "worker: {bootstrap.servers: '"+kafkatest.Start(t)+"', listeners: 'http://127.0.0.1:0', page.listener: '', key.converter: string, value.converter: string}\n"+
		"connectors:\n  sink: {connector.class: file-sink, topics: 'tides,buoys', file: "+filepath.Join(t.TempDir(), "out")+"}\n")
	ctx, cancel := context.WithCancel(t.Context())
	out, done := new(printed), make(chan error, 1)
	root := Root("hydraulics")
	root.SetOut(out)
	root.SetErr(out)
	root.SetArgs([]string{"worker", "-f", file})
	go func() { done <- root.ExecuteContext(ctx) }()
	wait.Until(t, "the topics", func() bool { return strings.Contains(out.String(), "do not exist yet: buoys, tides") })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
