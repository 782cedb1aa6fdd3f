package cli

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/internal/health"
	"github.com/axiom-data-science/hydraulics/runtime/internal/rights"
	"github.com/axiom-data-science/hydraulics/runtime/rest"
)

// A running worker looks at what it and its connectors need, and tells no secrets.
func TestDoctorOfAWorker(t *testing.T) {
	t.Setenv("HUSH", "hush-hush")
	s := steerWorker(t, "connectors:\n"+
		"  own: {connector.class: datagen, topic: own, records: 3, once: true}\n"+
		"  lines: {connector.class: file-source, topic: lines, file: '${env:HUSH}/lines.txt'}\n")
	out := s.says(0, "doctor", "--timeout", "1m")
	s.expect(out, "worker", "Kafka at ", "file of offsets", "topic own", "[H7007]", "0 fail")
	if strings.Contains(out, "hush") || !strings.Contains(out, config.Hidden) {
		t.Errorf("a secret is told:\n%s", out)
	}

	body := `{"name": "many", "config": {"connector.class": "datagen", "topic": "many", "topic.creation.default.replication.factor": "9", "topic.creation.default.partitions": "1"}, "initial_state": "STOPPED"}`
	do(t, s.Worker, http.StatusCreated, "POST", "/connectors", body)
	var checks []health.Check
	out, _, _ = strings.Cut(s.says(2, "doctor", "--url", s.RESTURL(), "--connector", "many", "-o", "json"), "error: ")
	if err := json.Unmarshal([]byte(out), &checks); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	last := checks[len(checks)-1]
	if last.State != health.Fail || last.Code != "H8008" || last.What != "topic many" || last.Remedy == "" || strings.Join(last.Of, ",") != "many" {
		t.Errorf("%+v", last)
	}

	context := s.file("contexts.yaml", "contexts:\n  lab: {url: "+s.RESTURL()+"}\n")
	t.Setenv("HYDRAULICS_CONTEXTS", context)
	s.expect(s.says(0, "doctor", "--context", "lab", "--connector", "own"), "topic own")
	s.expect(s.says(5, "doctor", "--connector", "none"), "check of connector none: ")
	s.expect(s.says(4, "doctor", "--url", "http://127.0.0.1:1"), "is a worker running there?")
	s.expect(s.says(1, "doctor", "--timeout", "1h"), "1m0s at most")
	s.expect(s.says(1, "doctor", "-f", "flow.yaml", "--url", s.RESTURL()), "give one of them")
	s.expect(s.says(1, "doctor", "--set", "a=b"), "give at least one with -f")
	t.Setenv("HYDRAULICS_URL", "")
	s.expect(s.says(1, "doctor"), "which files, or which worker?")
}

// A connector's log and what is found of it have none of its secrets and none of its
// worker's, also where an error has several lines.
func TestSecretsOfAllAreHidden(t *testing.T) {
	s := steerWorker(t, "  producer.sasl.jaas.config: 'hush-of-own-hush'\n"+
		"connectors:\n  own: {connector.class: datagen, topic: own, producer.override.sasl.jaas.config: of-own, consumer.override.ssl.key.password: \"hush-1\\nhush-2\"}\n")
	i, err := s.herder.Info("own")
	if err != nil {
		t.Fatal(err)
	}
	for of, secret := range map[string]string{"the connector": "of-own", "the worker": "hush-of-own-hush", "the connector, in lines": "hush-1\nhush-2"} {
		s.log.Warn("refused: "+secret, "connector", "own")
		if text := do(t, s.Worker, http.StatusOK, "GET", "/connectors/own/log", ""); strings.Contains(text, "hush") || strings.Contains(text, "of-own") {
			t.Errorf("the log tells a secret of %s:\n%s", of, text)
		}
		refused := connector.Coded("H2003", errors.New("refused: "+secret+", it is wrong"))
		got := checksOf("own", []connector.Finding{{What: "at " + secret, Says: secret, Err: refused}}, s.hider("own", i.Config, i.Origin()))
		if len(got) != 1 || got[0].What != "at "+config.Hidden || got[0].Says != "refused: "+config.Hidden+", it is wrong" || got[0].Code != "H2003" || got[0].Remedy == "" {
			t.Errorf("a secret of %s: %+v", of, got)
		}
	}
}

// A worker of Java's does not have these requests.
func TestDoctorOfAWorkerOfJavas(t *testing.T) {
	java := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/connectors/lines":
			_, _ = w.Write([]byte(`{"name": "lines", "config": {"connector.class": "file-source"}}`))
		case "/connectors/lines/status":
			_, _ = w.Write([]byte(`{"name": "lines", "connector": {"state": "RUNNING"}, "tasks": []}`))
		default:
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"error_code": 404, "message": "HTTP 404 Not Found"}`))
		}
	}))
	t.Cleanup(java.Close)
	s := &steered{t: t}
	s.expect(s.says(3, "doctor", "--url", java.URL), "check of the worker: ", "Java's workers and older ones lack it")
	s.expect(s.says(3, "connectors", "show", "lines", "--origins", "--url", java.URL), "origins of connector lines: ", "Java's workers and older ones lack it")
}

// A worker that does not answer for one connector has the others looked at all the same.
func TestDoctorOfAConnectorThatIsNotAnswered(t *testing.T) {
	names := `["gone", "hangs", "well"]`
	worker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/connectors":
			_, _ = w.Write([]byte(names))
		case "/check":
			_, _ = w.Write([]byte(`[{"state": "ok", "of": ["worker"], "what": "Kafka"}]`))
		case "/connectors/well/check":
			_, _ = w.Write([]byte(`[{"state": "ok", "of": ["well"], "what": "topic well"}]`))
		case "/connectors/gone/check":
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"error_code": 404, "message": "Connector gone not found"}`))
		default:
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write([]byte(`{"error_code": 500, "message": "Request timed out."}`))
		}
	}))
	t.Cleanup(worker.Close)
	s := &steered{t: t}
	out := s.says(2, "doctor", "--url", worker.URL)
	s.expect(out, "Kafka", "topic well", "check of connector hangs: Request timed out.", "3 checks: 1 fail, 0 warn")
	s.expect(s.says(1, "doctor", "--url", worker.URL, "--connector", "well", "--connector", "hangs"), "error: ", "check of connector hangs: Request timed out.")
	names = `["hangs", "hangs-too"]`
	s.expect(s.says(1, "doctor", "--url", worker.URL), "error: ", "check of connector hangs: ", "check of connector hangs-too: ")
	names = `[]`
	s.expect(s.says(0, "doctor", "--url", worker.URL), "1 checks: 0 fail")
}

// References that hang, as files of a disk that is away do, hold up nobody else's look.
func TestChecksThatHang(t *testing.T) {
	secrets := filepath.Join(t.TempDir(), "secrets.properties")
	if err := os.WriteFile(secrets, []byte("id=buoy\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := steerWorker(t, "connectors:\n"+
		"  hangs: {connector.class: datagen, topic: own, producer.override.client.id: '${file:"+secrets+":id}'}\n"+
		"  well: {connector.class: datagen, topic: own, records: 3, once: true}\n")
	wait.Until(t, "its task has started", func() bool {
		return strings.Contains(do(t, s.Worker, http.StatusOK, "GET", "/connectors/hangs/status", ""), `"id":0`)
	})
	if err := errors.Join(os.Remove(secrets), syscall.Mkfifo(secrets, 0o600)); err != nil {
		t.Fatal(err)
	}
	defer func() { // whoever reads it has nothing
		if f, err := os.OpenFile(secrets, os.O_RDWR, 0); err != nil || f.Close() != nil {
			t.Error(err)
		}
	}()
	for range runningAtOnce + 1 {
		var checks []health.Check
		text := do(t, s.Worker, http.StatusOK, "GET", "/connectors/hangs/check?timeout=10ms", "")
		if err := json.Unmarshal([]byte(text), &checks); err != nil || len(checks) != 1 || checks[0].What != "configuration" || checks[0].Code != "H9003" {
			t.Fatalf("%v: %s", err, text)
		}
	}
	if text := do(t, s.Worker, http.StatusOK, "GET", "/connectors/well/check?timeout=1m", ""); !strings.Contains(text, "topic own") {
		t.Error(text)
	}
}

// Where others reach a worker and nobody logs in, nobody has it look, reads its log or
// learns what its files say.
func TestNothingIsLookedAtForAnyone(t *testing.T) {
	s := steerWorker(t, ownConnector)
	api := rest.New(rest.Options{Herder: s.herder, Check: s.examiner(s.runtime), Lines: s.lines})
	for who, want := range map[rights.Who]int{{Role: rights.View}: http.StatusOK, {Role: rights.Configure, Anyone: true}: http.StatusForbidden} {
		for _, path := range []string{"/check", "/connectors/own/check", "/connectors/own/log", "/connectors/own/origins"} {
			w := httptest.NewRecorder()
			api.ServeHTTP(w, httptest.NewRequestWithContext(rights.With(t.Context(), who), "GET", path, nil))
			if w.Code != want {
				t.Errorf("%s by %+v: %d", path, who, w.Code)
			}
		}
	}
}

// Each value is shown with where it comes from.
func TestOriginsAreShown(t *testing.T) {
	t.Setenv("HUSH", "hush-hush")
	s := steerWorker(t, "connectors:\n  own:\n    connector.class: datagen\n    topic: own\n    producer.override.sasl.jaas.config: hush-hush\n    producer.override.client.id: ${env:HUSH}\n")
	do(t, s.Worker, http.StatusCreated, "POST", "/connectors", `{"name": "asked", "config": {"connector.class": "datagen", "topic": "asked"}, "initial_state": "STOPPED"}`)
	out := s.says(0, "connectors", "show", "own", "asked", "--origins")
	if strings.Contains(out, "hush") {
		t.Errorf("a secret is told:\n%s", out)
	}
	want := map[string]string{
		"topic own":                               "worker.yaml:11",
		"topic asked":                             "a request",
		"producer.override.sasl.jaas.config":      config.Hidden,
		"producer.override.client.id ${env:HUSH}": "worker.yaml:13, by the config provider env",
		"key.converter org.apache.kafka.connect.json.JsonConverter": "the worker's key.converter",
		"tasks.max 1": "default",
	}
	for start, end := range want {
		found := false
		for line := range strings.Lines(out) {
			line = strings.Join(strings.Fields(line), " ")
			found = found || strings.HasPrefix(line, start) && strings.Contains(line, end)
		}
		if !found {
			t.Errorf("want %s ... %s in:\n%s", start, end, out)
		}
	}
	var list []struct {
		Origins []config.Sourced `json:"origins"`
	}
	if err := json.Unmarshal([]byte(s.says(0, "connectors", "show", "own", "--origins", "-o", "json")), &list); err != nil || len(list) != 1 || len(list[0].Origins) < 5 {
		t.Errorf("%v: %+v", err, list)
	}
	if plain := s.says(0, "connectors", "show", "own"); strings.Contains(plain, "worker.yaml:11") || !strings.Contains(plain, "  topic: own") {
		t.Error(plain)
	}
}

// Each worker of a cluster shows the log of all that run tasks, without secrets.
func TestLogOfACluster(t *testing.T) {
	leader, other := startTwo(t, kafkatest.Start(t), "page.listener=http://127.0.0.1:0")
	do(t, leader, http.StatusCreated, "POST", "/connectors", `{"name": "ticks", "config": {"connector.class": "datagen", "topic": "ticks", "tasks.max": "2", "producer.override.sasl.jaas.config": "hush-hush"}}`)
	expect(t, "ticks", "RUNNING", 2, leader, other)
	for _, w := range []*Worker{leader, other} {
		w.log.Info("a line with hush-hush", "connector", "ticks", "of", w.id())
	}
	for _, w := range []*Worker{leader, other} {
		wait.Until(t, "the log of both", func() bool {
			text := get(t, w.PageURL()+"/log/ticks")
			if strings.Contains(text, "hush") {
				t.Fatal(text)
			}
			return strings.Contains(text, "a line with [hidden] of="+leader.id()) && strings.Contains(text, "a line with [hidden] of="+other.id())
		})
	}
}
