package cli

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/herder/store"
	"github.com/axiom-data-science/hydraulics/runtime/internal/compacted"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
	"github.com/axiom-data-science/hydraulics/runtime/internal/steer"
)

// ownConnector is what a worker's file holds, beside which commands make others.
const ownConnector = "connectors:\n  own: {connector.class: datagen, topic: own, records: 3, once: true}\n"

// steered is a worker that commands ask, and what they say.
type steered struct {
	t *testing.T
	*Worker
	dir string
}

// steerWorker starts a worker, and has the commands of the test ask it.
func steerWorker(t *testing.T, keys string) *steered {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "worker.yaml")
	text := "worker:\n  bootstrap.servers: " + kafkatest.Start(t) + "\n  listeners: http://127.0.0.1:0\n  page.listener: ''\n  key.converter: json\n  value.converter: json\n" +
		"  offset.flush.interval.ms: 100\n" + keys
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w := start(t, file)
	t.Cleanup(func() { stop(t, w) })
	t.Setenv("HYDRAULICS_CONTEXTS", filepath.Join(dir, "contexts.yaml"))
	t.Setenv("HYDRAULICS_URL", w.RESTURL())
	return &steered{t, w, dir}
}

// says runs a command and gives what it printed. It ends with a number.
func (s *steered) says(code int, args ...string) string {
	s.t.Helper()
	out, err := run(s.t.Context(), args...)
	got := 0
	if err != nil {
		out += "error: " + err.Error()
		got = steer.ExitCode(err)
	}
	if got != code {
		s.t.Errorf("%v ends with %d, want %d:\n%s", args, got, code, out)
	}
	return out
}

// file writes a file of the test's folder and gives its path.
func (s *steered) file(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// state waits until a connector and its tasks are so, as list shows them.
func (s *steered) state(name, want string) {
	s.t.Helper()
	wait.Until(s.t, name+" is "+want, func() bool {
		for line := range strings.Lines(s.says(0, "connectors", "list")) {
			if f := strings.Fields(line); len(f) > 3 && f[0] == name {
				return strings.Contains(strings.Join(f, " "), want)
			}
		}
		return false
	})
}

func (s *steered) expect(out string, wants ...string) {
	s.t.Helper()
	for _, want := range wants {
		if !strings.Contains(out, want) {
			s.t.Errorf("want %q in:\n%s", want, out)
		}
	}
}

func TestConnectorsAreSteered(t *testing.T) {
	s := steerWorker(t, ownConnector)
	numbers := s.file("numbers.yaml", "connectors:\n  numbers:\n    connector.class: datagen\n    topic: numbers\n    records: 3\n    tasks.max: 2\n    producer.override.sasl.jaas.config: none password=hush\n")
	s.expect(s.says(0, "connectors", "create", "-f", numbers), "numbers: created\n")
	s.expect(s.says(1, "connectors", "create", "-f", numbers), "connector numbers: Connector numbers already exists")
	s.expect(s.says(0, "connectors", "pause", "numbers"), "numbers: paused\n")
	s.state("numbers", "source PAUSED")
	s.says(0, "connectors", "resume", "numbers")
	s.state("numbers", "source RUNNING")
	s.says(0, "connectors", "restart", "numbers", "--tasks")
	s.says(0, "connectors", "restart", "numbers", "--task", "0")
	s.says(0, "connectors", "stop", "numbers")
	s.state("numbers", "source STOPPED - ")

	var list []struct{ Name, Type, State, Class string }
	if err := json.Unmarshal([]byte(s.says(0, "connectors", "list", "-o", "json")), &list); err != nil || len(list) != 2 || list[0].Name != "numbers" || list[0].Class != "datagen" {
		t.Errorf("as JSON: %v, %v", list, err)
	}
	s.expect(s.says(0, "connectors", "list", "-o", "yaml"), "- name: numbers\n  type: source\n", "managed_by: "+filepath.Join(s.dir, "worker.yaml"))
	s.expect(s.says(0, "connectors", "list", "-o", "wide"), "MANAGED BY")
	for _, form := range []string{"table", "json", "yaml"} {
		out := s.says(0, "connectors", "show", "numbers", "-o", form)
		if strings.Contains(out, "hush") || !strings.Contains(out, "[hidden]") || !strings.Contains(out, "datagen") {
			t.Errorf("as %s: %s", form, out)
		}
	}
	s.expect(s.says(5, "connectors", "show", "none"), "connector none: Connector none not found")
	s.expect(s.says(1, "connectors", "delete", "own"), "is managed by the file")
	out := s.says(5, "connectors", "delete", "none", "numbers")
	s.expect(out, "numbers: deleted\n", "connector none: ")
	s.expect(s.says(4, "connectors", "list", "--url", "http://127.0.0.1:1"), "http://127.0.0.1:1: connectors: ", "is a worker running there? --url")
	s.expect(s.says(1, "connectors", "list", "--url", "ftp://u:hush@host"), "want http://host:port")
}

func TestOffsetsAreSteered(t *testing.T) {
	s := steerWorker(t, "  consumer.metadata.max.age.ms: 200\n"+ownConnector)
	out := filepath.Join(s.dir, "out.txt")
	s.says(0, "connectors", "create", "-f", s.file("flow.yaml", "connectors:\n"+
		"  lines: {connector.class: file-source, topic: lines, file: "+s.file("in.txt", "one\ntwo\nthree\n")+", topic.creation.default: {partitions: 1, replication.factor: -1}}\n"+
		"  sink:  {connector.class: file-sink, topics: lines, file: "+out+"}\n"))
	wait.Until(t, "committed offsets", func() bool { return strings.Contains(s.says(0, "offsets", "list", "sink"), `{"kafka_offset":3}`) })
	s.expect(s.says(0, "offsets", "list", "lines"), `"position":14}`)
	s.expect(s.says(1, "offsets", "reset", "sink"), "stop it first, with connectors stop")
	s.says(0, "connectors", "stop", "sink", "lines")
	s.state("sink", "STOPPED - ")
	s.state("lines", "STOPPED - ")
	s.expect(s.says(0, "offsets", "alter", "sink", "--to", "lines/0=1"), "sink: The offsets for this connector have been altered successfully")
	s.expect(s.says(0, "offsets", "list", "sink"), `{"kafka_offset":1}`)

	saved := s.file("offsets.yaml", strings.Replace(s.says(0, "offsets", "list", "lines", "-o", "yaml"), "position: 14", "position: 4", 1))
	s.expect(s.says(0, "offsets", "alter", "lines", "-f", saved), "lines: ")
	s.expect(s.says(0, "offsets", "list", "lines"), `"position":4}`)
	s.expect(s.says(0, "offsets", "reset", "lines"), "lines: ")
	if text := s.says(0, "offsets", "list", "lines", "-o", "json"); text != "{\n  \"offsets\": []\n}\n" {
		t.Errorf("there are still offsets: %s", text)
	}
	s.expect(s.says(1, "offsets", "alter", "sink", "--to", "lines=1"), "want TOPIC/PARTITION=OFFSET")
	s.expect(s.says(1, "offsets", "alter", "sink", "-f", s.file("none.json", "{}")), "there are none: want offsets")
	s.expect(s.says(1, "offsets", "alter", "lines", "-f", s.file("odd.yaml", "offsets: [{partition: {filename: in.txt}, ofset: {position: 4}}]\n")), `unknown field "ofset"`)
	s.expect(s.says(1, "offsets", "alter", "lines", "-f", s.file("half.yaml", "offsets: [{partition: {filename: in.txt}}]\n")), "number 1: want a partition and an offset")
	s.says(5, "offsets", "list", "none")
}

func TestApplyMakesConnectorsThoseOfTheFiles(t *testing.T) {
	s := steerWorker(t, ownConnector)
	folder := filepath.Join(s.dir, "connectors")
	s.file("connectors/numbers.yaml", "worker: {client.id: not looked at}\nconnectors:\n  numbers: {connector.class: datagen, topic: numbers, records: 3, once: true, producer.override.sasl.jaas.config: hush}\n")
	s.file("connectors/worker.properties", "bootstrap.servers=elsewhere:9092\n")
	s.file("connectors/more.properties", "name=more\nconnector.class=datagen\ntopic=more\nrecords=3\n")
	s.file("connectors/paused.json", `{"name": "paused", "config": {"connector.class": "datagen", "topic": "paused"}, "initial_state": "PAUSED"}`)
	s.says(0, "connectors", "create", "-f", s.file("other.yaml", "connectors:\n  other: {connector.class: datagen, topic: other}\n"))
	asked := []string{"-f", folder, "--set", "plankton"}
	on := func(command string, more ...string) []string {
		return append(append([]string{"connectors", command}, asked...), more...)
	}

	out := s.says(2, on("diff")...)
	s.expect(out, "+ numbers\n", "    + topic: numbers\n", "    + hydraulics.set: plankton\n", "    + producer.override.sasl.jaas.config: [hidden]\n", "3 to create, 0 to change, 0 to delete, 0 unchanged\n")
	if strings.Contains(out, "hush") || strings.Contains(out, "other") || strings.Contains(out, "client.id") {
		t.Errorf("the difference shows what it should not:\n%s", out)
	}
	s.says(0, on("apply", "--dry-run")...)
	if text := s.says(0, "connectors", "list"); strings.Contains(text, "numbers") {
		t.Errorf("--dry-run made connectors: %s", text)
	}
	s.expect(s.says(0, on("apply")...), "more: created\nnumbers: created\npaused: created\n")
	s.state("paused", "PAUSED")
	s.expect(s.says(0, on("diff")...), "0 to create, 0 to change, 0 to delete, 3 unchanged\n")
	if text := s.says(0, on("apply")...); text != "0 to create, 0 to change, 0 to delete, 3 unchanged\n" {
		t.Errorf("the second time: %s", text)
	}

	s.file("connectors/more.properties", "name=more\nconnector.class=datagen\ntopic=more\nrecords=5\n")
	if err := os.Remove(filepath.Join(folder, "paused.json")); err != nil {
		t.Fatal(err)
	}
	s.expect(s.says(2, on("diff")...), "~ more\n    - records: 3\n    + records: 5\n- paused\n0 to create, 1 to change, 1 to delete, 1 unchanged\n")
	s.expect(s.says(2, on("diff", "-o", "json")...), `"action": "deleted"`, `"old": "3"`)
	s.expect(s.says(0, on("apply", "-o", "yaml")...), "- name: paused\n  action: deleted\n")
	text := s.says(0, "connectors", "list", "-o", "wide")
	s.expect(text, "other", "plankton")
	if strings.Contains(text, "paused") {
		t.Errorf("what is gone from the files is still there:\n%s", text)
	}
}

func TestApplyRefuses(t *testing.T) {
	s := steerWorker(t, ownConnector)
	mine := s.file("mine.yaml", "connectors:\n  numbers: {connector.class: datagen, topic: numbers}\n")
	s.says(0, "connectors", "apply", "-f", mine, "--set", "mine")
	tests := []struct {
		name, text string
		args       []string
		want       string
	}{
		{"what the worker finds wrong, all of it", "connectors:\n  a: {connector.class: datagen, topic: a, records: many}\n  b: {connector.class: no-such}\n", nil,
			"flow.yaml:2: a: records: Invalid value many"},
		{"a class that the worker lacks", "connectors:\n  a: {connector.class: datagen, topic: a, records: many}\n  b: {connector.class: no-such}\n", nil, "connector b: "},
		{"no class", "connectors:\n  a: {topic: a}\n", nil, "a: connector.class: is missing"},
		{"another set's", "connectors:\n  numbers: {connector.class: datagen, topic: numbers}\n", []string{"--set", "theirs"}, "it belongs to the set mine"},
		{"a set's, without one", "connectors:\n  numbers: {connector.class: datagen, topic: numbers}\n", nil, "it belongs to the set mine"},
		{"a connector of the worker's files", "connectors:\n  own: {connector.class: datagen, topic: own, records: 4}\n", nil, "manages it: change it there"},
		{"the key of the set", "connectors:\n  a: {connector.class: datagen, topic: a, hydraulics.set: x}\n", nil, "hydraulics.set: leave it out"},
		{"nothing", "worker: {client.id: x}\n", []string{"--set", "mine"}, "it declares no connector"},
		{"what cannot be read", "connectors: [\n", nil, "flow.yaml:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &steered{t, s.Worker, s.dir}
			s.expect(s.says(1, append([]string{"connectors", "apply", "-f", s.file("flow.yaml", tt.text)}, tt.args...)...), tt.want)
			if text := s.says(0, "connectors", "list"); strings.Count(text, "\n") != 3 {
				t.Errorf("something was done:\n%s", text)
			}
		})
	}
	s.expect(s.says(0, "connectors", "apply", "-f", mine, "--set", "theirs", "--take-over"), "    - hydraulics.set: mine\n    + hydraulics.set: theirs\n", "numbers: changed")
}

func TestWorkersOfContexts(t *testing.T) {
	s := steerWorker(t, ownConnector)
	guarded := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "me" || password != "hush" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if _, err := w.Write([]byte("[]")); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(guarded.Close)
	t.Setenv("HYDRAULICS_TEST_PASSWORD", "hush")
	s.file("contexts.yaml", "current: lab # mine\ncontexts:\n  lab: {url: "+s.RESTURL()+"}\n"+
		"  sea: {url: '"+guarded.URL+"', username: me, password: '${env:HYDRAULICS_TEST_PASSWORD}'}\n  wrong: {url: http://h, pasword: hush}\n")
	t.Setenv("HYDRAULICS_URL", "")
	s.expect(s.says(0, "connectors", "list"), "NAME")
	s.expect(s.says(0, "__complete", "connectors", "show", ""), ":4\n")
	s.expect(s.says(0, "__complete", "connectors", "list", "--context", ""), "lab\nsea\nwrong\n")
	s.expect(s.says(1, "connectors", "list", "--context", "none"), "there are: lab, sea, wrong")
	if out := s.says(1, "connectors", "list", "--context", "wrong"); strings.Contains(out, "hush") || !strings.Contains(out, "pasword: unknown key") {
		t.Error(out)
	}
	s.expect(s.says(1, "connectors", "list", "--context", "sea", "--url", "http://h"), "give one of them")
	s.expect(s.says(0, "contexts", "list"), "*  lab    "+s.RESTURL()+"\n")
	s.expect(s.says(0, "contexts", "list", "-o", "yaml"), "- name: lab\n  url: "+s.RESTURL()+"\n  current: true\n")
	s.expect(s.says(1, "contexts", "use", "none"), "there are: lab, sea, wrong")
	s.expect(s.says(0, "__complete", "contexts", "use", "s"), "sea\n:4\n")
	s.says(0, "contexts", "use", "sea")
	s.expect(s.says(0, "contexts", "list"), "*  sea    "+guarded.URL+"\n")
	if text, err := os.ReadFile(filepath.Join(s.dir, "contexts.yaml")); err != nil || !strings.HasPrefix(string(text), "current: sea # mine\n") {
		t.Errorf("the file is %s, %v", text, err)
	}
	s.says(1, "connectors", "list", "--context", "sea") // the answer is a list, not an object by name
	s.expect(s.says(1, "offsets", "list", "x", "--url", guarded.URL), "give a login: HYDRAULICS_USERNAME")
	t.Setenv("HYDRAULICS_USERNAME", "me")
	t.Setenv("HYDRAULICS_PASSWORD", "hush")
	s.expect(s.says(1, "connectors", "list", "--url", guarded.URL), "the answer is not what Kafka Connect's REST API says")
	s.file("contexts.yaml", "# none yet\n")
	s.expect(s.says(0, "contexts", "list"), "NAME")
	s.file("contexts.yaml", "contexts: {lab: {url: 'operator:hush@lab:8083'}}\n")
	if out := s.says(0, "contexts", "list"); strings.Contains(out, "hush") || !strings.Contains(out, "http://lab:8083") {
		t.Error(out)
	}
	s.file("contexts.yaml", "current: lab\ncontexts: {lab: [hush]}\n")
	if out := s.says(1, "connectors", "list"); strings.Contains(out, "hush") || !strings.Contains(out, "want current: NAME") {
		t.Error(out)
	}
}

func TestNamesOfTheWorkerForAShell(t *testing.T) {
	s := steerWorker(t, "connectors:\n  numbers: {connector.class: datagen, topic: n, records: 1, once: true}\n  names: {connector.class: datagen, topic: m, records: 1, once: true}\n")
	s.expect(s.says(0, "__complete", "connectors", "pause", "nu"), "numbers\n:4\n")
	if out := s.says(0, "__complete", "connectors", "pause", "numbers", "n"); strings.Contains(out, "numbers\n") || !strings.Contains(out, "names\n") {
		t.Error(out)
	}
	s.expect(s.says(0, "__complete", "plugins", "describe", "data"), "datagen\n")
}

// What an older worker does not have is said, with the version that brought it.
func TestWorkersThatLackARequest(t *testing.T) {
	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		text := `{"error_code":404,"message":"HTTP 404 Not Found"}`
		if r.URL.Path == "/page" {
			text = "<html>"
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(old.Close)
	s := &steered{t: t}
	t.Setenv("HYDRAULICS_URL", old.URL)
	s.expect(s.says(3, "offsets", "list", "x"), "which came with Kafka Connect 3.5")
	s.expect(s.says(3, "offsets", "reset", "x"), "which came with Kafka Connect 3.6")
	s.expect(s.says(3, "connectors", "stop", "x"), "which came with Kafka Connect 3.5")
	s.expect(s.says(3, "tap", "x"), "which is one of hydraulics' own: Java's workers and older ones lack it")
}

func TestPluginsOfAWorker(t *testing.T) {
	t.Setenv("HYDRAULICS_CONTEXTS", filepath.Join(t.TempDir(), "none"))
	t.Setenv("HYDRAULICS_URL", "")
	own := &steered{t: t}
	here := own.says(0, "plugins", "list")
	own.expect(own.says(0, "plugins", "describe", "datagen"), "records ")
	own.expect(own.says(1, "plugins", "describe", "datagne"), "did you mean datagen?")
	s := steerWorker(t, ownConnector)
	there := s.says(0, "plugins", "list")
	for _, text := range []string{here, there} {
		s.expect(text, "source", "datagen", "org.apache.kafka.connect.file.FileStreamSinkConnector")
	}
	s.expect(s.says(0, "plugins", "describe", "datagen", "-o", "json"), `"name": "records"`)
	s.says(5, "plugins", "describe", "no-such")
	if d := cmp.Diff(strings.Fields(here)[:3], strings.Fields(there)[:3]); d != "" {
		t.Error(d)
	}
}

func TestMigrate(t *testing.T) {
	there := map[string]any{
		"lines": map[string]any{"info": map[string]any{"name": "lines", "type": "source", "config": map[string]string{"name": "lines", "hydraulics.set": "x",
			"connector.class": "FileStreamSource", "topic": "lines", "file": "in.txt", "tasks.max": "1", "some.password": "hush", "retries": "true",
			"transforms": "hoist", "transforms.hoist.type": "org.apache.kafka.connect.transforms.HoistField$Value", "transforms.hoist.field": "line"}},
			"status": map[string]any{"connector": map[string]string{"state": "PAUSED"}}},
		"other": map[string]any{"info": map[string]any{"name": "other", "type": "sink", "config": map[string]string{"name": "other",
			"connector.class": "org.example.OtherSink", "topics": "a", "connection.url": "jdbc:x://u:hush@h/db", "token.of.it": "hush", "key.of.it": "hush",
			"transforms": "a", "transforms.a.type": "org.example.A"}}},
	}
	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var v any = map[string]string{"version": "4.3.1"}
		switch {
		case r.URL.Path == "/connectors":
			v = there
		case r.Method == "PUT":
			v = map[string]any{"configs": []any{map[string]any{"definition": map[string]string{"name": "key.of.it", "type": "PASSWORD"}, "value": map[string]string{"name": "key.of.it"}}}}
		}
		if err := json.NewEncoder(w).Encode(v); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(old.Close)
	file, report := new(printed), new(printed)
	root := Root("hydraulics")
	root.SetOut(file)
	root.SetErr(report)
	root.SetArgs([]string{"migrate", "--from", old.URL})
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := `# The connectors of ` + old.URL + `, version 4.3.1.
# A worker's own keys, such as bootstrap.servers and its converters, are in its file:
# the REST API does not tell them.
connectors:
  lines:
    connector.class: FileStreamSource
    tasks.max: "1"
    topic: lines
    file: in.txt
    retries: "true"
    some.password: ${env:LINES_SOME_PASSWORD}
    transforms: hoist
    transforms.hoist.field: line
    transforms.hoist.type: org.apache.kafka.connect.transforms.HoistField$Value
  other:
    connector.class: org.example.OtherSink
    topics: a
    connection.url: ${env:OTHER_CONNECTION_URL}
    key.of.it: ${env:OTHER_KEY_OF_IT}
    token.of.it: ${env:OTHER_TOKEN_OF_IT}
    transforms: a
    transforms.a.type: org.example.A
`
	if d := cmp.Diff(want, file.String()); d != "" {
		t.Error(d)
	}
	want = `lines: connector: FileStreamSource is here, it is file-source
lines: transform hoist: org.apache.kafka.connect.transforms.HoistField$Value is here
lines: ignored: retries: unknown key
lines: ignored: some.password: unknown key
lines: state: it is PAUSED there, here it would run
lines: secret: some.password: set the variable LINES_SOME_PASSWORD where the worker runs
other: connector: org.example.OtherSink is not here
other: transform a: org.example.A is not here
other: secret: connection.url: set the variable OTHER_CONNECTION_URL where the worker runs
other: secret: key.of.it: set the variable OTHER_KEY_OF_IT where the worker runs
other: secret: token.of.it: set the variable OTHER_TOKEN_OF_IT where the worker runs
1 of 2 connectors can run here
`
	if d := cmp.Diff(want, report.String()); d != "" {
		t.Error(d)
	}
	setup := new(config.Setup)
	if err := setup.Add("flow.yaml", []byte(file.String()), config.AnyRole); err != nil || len(setup.Problems) > 0 || len(setup.Connectors) != 2 {
		t.Errorf("the file is not a worker's: %v, %v", err, setup.Problems)
	}
}

// A cluster of which no worker runs any more is read from its configuration topic.
func TestMigrateOfAClusterThatIsStopped(t *testing.T) {
	s := &steered{t: t, dir: t.TempDir()}
	broker := kafkatest.Start(t)
	c, err := kafka.Open(t.Context(), kafka.Options{Bootstrap: []string{broker}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	kept, err := store.OpenKafka(t.Context(), compacted.Options{Settings: compacted.Settings{Topic: "configs", Partitions: 1, Replication: 1},
		Client: c, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	props := connector.Props{"name": "lines", "connector.class": "FileStreamSource", "topic": "lines", "file": "in.txt"}
	if err := kept.Append(t.Context(), store.ConnectorConfig{Connector: "gone", Config: props}, store.ConnectorConfig{Connector: "gone"},
		store.ConnectorConfig{Connector: "lines", Config: props}, store.TargetState{Connector: "lines", Target: state.TargetStopped}); err != nil {
		t.Fatal(err)
	}
	file := s.file("connect-distributed.properties", "bootstrap.servers="+broker+"\nconfig.storage.topic=configs\ngroup.id=connect\n")
	out := s.says(0, "migrate", "--from", file)
	s.expect(out, "lines: connector: FileStreamSource is here, it is file-source\n", "lines: state: it is STOPPED there, here it would run\n",
		"# The connectors of the topic configs.\n", "connectors:\n  lines:\n    connector.class: FileStreamSource\n", "1 of 1 connectors can run here\n")
	if strings.Contains(out, "gone") {
		t.Errorf("a connector that was deleted is there:\n%s", out)
	}
	s.expect(s.says(1, "migrate", "--from", s.file("standalone.properties", "bootstrap.servers="+broker+"\n")), "want the file of a distributed worker")
	s.expect(s.says(1, "migrate", "--from", s.file("other.properties", "bootstrap.servers="+broker+"\nconfig.storage.topic=none\n")), "topic none: topic does not exist")
}
