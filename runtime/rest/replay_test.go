package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	_ "github.com/axiom-data-science/hydraulics/connectors/file"
	_ "github.com/axiom-data-science/hydraulics/converter/avro"
	_ "github.com/axiom-data-science/hydraulics/converter/json"
	_ "github.com/axiom-data-science/hydraulics/converter/primitive"
	_ "github.com/axiom-data-science/hydraulics/converter/simpleheader"
	"github.com/axiom-data-science/hydraulics/internal/embedded/broker"
	"github.com/axiom-data-science/hydraulics/internal/loggers"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
	"github.com/axiom-data-science/hydraulics/runtime/herder/store"
	"github.com/axiom-data-science/hydraulics/runtime/internal/lines"
	"github.com/axiom-data-science/hydraulics/runtime/internal/offset"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
	_ "github.com/axiom-data-science/hydraulics/transforms/predicate"
	_ "github.com/axiom-data-science/hydraulics/transforms/smt"
)

// worker is a real worker on a broker, with its API.
type worker struct {
	herder   *herder.Herder
	server   *httptest.Server
	document document
}

func startWorker(t *testing.T) *worker {
	t.Helper()
	offsets, err := offset.OpenFile(filepath.Join(t.TempDir(), "offsets"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := runtime.NewWorker(runtime.Options{Offsets: offsets})
	if err != nil {
		t.Fatal(err)
	}
	b, err := broker.Start(broker.Options{Partitions: 1, MinSessionTimeout: 100 * time.Millisecond}) // as the Java worker's
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Stop)
	conf := connector.Props{"bootstrap.servers": b.Addr(), "offset.flush.interval.ms": "1000", "consumer.metadata.max.age.ms": "500",
		"key.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter": "org.apache.kafka.connect.json.JsonConverter"}
	wanted, err := store.OpenFile("", nil)
	if err != nil {
		t.Fatal(err)
	}
	levels := loggers.Wrap(slog.Default().Handler()).Registry()
	h := herder.New(herder.Options{Engine: herder.Worker(w), Worker: conf, WorkerID: "w:1", Store: wanted,
		SetLevel:  func(namespace, level string) { levels.Set(namespace, level) },
		Validator: &config.Validator{Plugins: connector.Plugins, Worker: conf}}, nil)
	api := New(Options{Herder: h, Version: "x", Commit: "y", Loggers: levels, Lines: lines.New()})
	api.SetReady()
	server := httptest.NewServer(api)
	t.Cleanup(func() {
		server.Close()
		if err := h.Close(t.Context()); err != nil {
			t.Log(err) // the context of a test that is over ends at once
		}
		if err := offsets.Close(); err != nil {
			t.Error(err)
		}
	})
	return &worker{h, server, readDocument(t)}
}

// Clauses: B6, K1, K2, K3, K4, K5, K6, K7, K8, K9, K10, K11, K12, K13, K15.
func TestReplay(t *testing.T) {
	all := recordings(t)
	excepted, reworded := exceptionsIn(t, "exceptions.txt", all), exceptionsIn(t, "words.txt", all)
	if n := len(excepted) + len(reworded); n > 15+2 {
		t.Errorf("%d recordings are answered in another way, want 15 and the two of workers that speak to each other", n)
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile("src.txt", []byte("first line\nand second\nthird line\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := startWorker(t)
	for _, r := range all {
		w.settle(t)
		what, words := w.ask(t, r)
		_, other := excepted[r.ID]
		if what != nil && !other && r.Method == "GET" && r.Status == http.StatusOK {
			wait.Nil(t, r.ID, func() error {
				what, words = w.ask(t, r)
				return what
			})
		}
		var err error
		switch {
		case other:
			err = excepted.Judge(r.ID, errors.Join(what, words))
		case what != nil:
			err = what
		default:
			err = reworded.Judge(r.ID, words)
		}
		if err != nil {
			t.Errorf("%s: %s %s: %v", r.ID, r.Method, r.Path, err)
		}
		w.cleanUp(t, r.ID)
	}
}

// cleanUp does what was done between two recordings without being recorded.
func (w *worker) cleanUp(t *testing.T, id string) {
	var err error
	switch id[:3] {
	case "160":
		err = w.herder.Delete("x4")
	case "196": // Java could not delete it
		_, err = w.herder.Create("odd name/1", connector.Props{"connector.class": "FileStreamSource", "file": "src.txt", "topic": "rest-odd"}, state.TargetStarted)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// settle waits until no connector and no task is on its way to another state.
func (w *worker) settle(t *testing.T) {
	t.Helper()
	wait.Nil(t, "the connectors to settle", func() error {
		for _, name := range w.herder.Connectors() {
			s, err := w.herder.Status(name)
			if err != nil {
				return err
			}
			if s.Connector.State == state.Restarting || s.Connector.State == state.Running && len(s.Tasks) == 0 {
				return fmt.Errorf("%+v", s)
			}
			for _, task := range s.Tasks {
				if task.State != s.Connector.State && task.State != state.Failed {
					return fmt.Errorf("%+v", s)
				}
			}
		}
		return nil
	})
}

// ask sends one request and tells where the answer is another one, and where
// only the message of an error is.
func (w *worker) ask(t *testing.T, r recording) (other, words error) {
	t.Helper()
	body := string(r.Body)
	if r.Raw != nil {
		body = *r.Raw
	}
	req, err := http.NewRequest(r.Method, w.server.URL+r.Path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range r.Headers {
		req.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(res.Body)
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := w.document.conforms(r.Method, r.Path, res.StatusCode, res.Header.Get("Content-Type"), got); err != nil {
		t.Errorf("%s: not as in openapi.json: %v: %s", r.ID, err, got)
	}
	if res.StatusCode != r.Status || res.Header.Get("Content-Type") != r.Answer.Type {
		return fmt.Errorf("status %d, content type %q, want %d, %q: %s", res.StatusCode, res.Header.Get("Content-Type"), r.Status, r.Answer.Type, got), nil
	}
	if r.Answer.Allow != "" && !sameWords(res.Header.Get("Allow"), r.Answer.Allow) {
		return fmt.Errorf("allow %s, want %s", res.Header.Get("Allow"), r.Answer.Allow), nil
	}
	if len(r.Want) == 0 {
		return nil, nil
	}
	return compare(decode(t, got), decode(t, r.Want))
}

// compare tells where a body is another one; the message of an error apart.
func compare(got, want any) (other, words error) {
	a, b := reduce(got), reduce(want)
	x, isError := a.(map[string]any)
	y, wantError := b.(map[string]any)
	if isError && wantError && x["error_code"] != nil && x["error_code"] == y["error_code"] {
		if d := cmp.Diff(y, x); d != "" {
			words = errors.New(d)
		}
		return nil, words
	}
	if d := cmp.Diff(b, a); d != "" {
		other = errors.New(d)
	}
	return other, nil
}

func sameWords(a, b string) bool {
	x, y := strings.Split(a, ","), strings.Split(b, ",")
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

func decode(t *testing.T, data []byte) any {
	t.Helper()
	var v any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return v
}

// reduce takes out of an answer what differs from worker to worker: versions,
// ids, traces, plugins, the order of names; of a validation names and errors stay.
func reduce(v any) any {
	switch v := v.(type) {
	case []any:
		return reduceList(v)
	case map[string]any:
		if configs, ok := v["configs"].([]any); ok {
			errs := map[string]any{}
			for _, c := range configs {
				value := c.(map[string]any)["value"].(map[string]any)
				errs[value["name"].(string)] = value["errors"]
			}
			return map[string]any{"name": v["name"], "error_count": v["error_count"], "errors": errs}
		}
		out := map[string]any{}
		for k, x := range v {
			switch k {
			case "version", "commit", "kafka_cluster_id", "worker_id", "trace":
				x = "there"
			case "message":
				x = cutPlugins(x)
			case "last_modified":
				x = x != nil // when
			case "inode", "fingerprint", "tasks_state":
				continue // of ours
			}
			if v["name"] == "connector.plugin.version" && k == "default_value" {
				continue
			}
			out[k] = reduce(x)
		}
		return out
	}
	return v
}

// cutPlugins takes the list of plugins out of the message that one is not there.
func cutPlugins(message any) any {
	text, _, found := strings.Cut(fmt.Sprint(message), ", available connectors are: ")
	if !found {
		return message
	}
	return text
}

func reduceList(list []any) any {
	var out []any
	names := []string{}
	for _, x := range list {
		if m, ok := x.(map[string]any); ok {
			if class, ok := m["class"].(string); ok && !strings.Contains(class, ".file.FileStream") {
				continue // another plugin
			}
		}
		if s, ok := x.(string); ok {
			names = append(names, s)
		}
		out = append(out, reduce(x))
	}
	if len(names) == len(list) {
		slices.Sort(names)
		return names
	}
	return out
}
