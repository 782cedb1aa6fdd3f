//go:build integration

package store_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/port"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
	"github.com/axiom-data-science/hydraulics/runtime/herder/store"
	"github.com/axiom-data-science/hydraulics/runtime/internal/compacted"
	"github.com/axiom-data-science/hydraulics/runtime/internal/offset"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
	"github.com/axiom-data-science/hydraulics/runtime/internal/status"
)

// javaCluster is a cluster of one Java worker on a real Kafka.
type javaCluster struct {
	t      *testing.T
	dir    string
	worker connector.Props
	client *kafka.Client
	rest   string
}

func newJavaCluster(t *testing.T) *javaCluster {
	t.Helper()
	broker, plugins := os.Getenv("HYDRAULICS_KAFKA_BOOTSTRAP"), os.Getenv("HYDRAULICS_CONNECT_PLUGINS")
	if broker == "" || plugins == "" || os.Getenv("HYDRAULICS_CONNECT_CLASSPATH") == "" {
		t.Skip("HYDRAULICS_KAFKA_BOOTSTRAP, HYDRAULICS_CONNECT_CLASSPATH and HYDRAULICS_CONNECT_PLUGINS are not all set: no Java worker, make integration fetches one")
	}
	p, err := port.Lasting()
	if err != nil {
		t.Fatal(err)
	}
	id := fmt.Sprint("cluster-", time.Now().UnixNano())
	j := &javaCluster{t: t, dir: t.TempDir(), rest: fmt.Sprint("http://127.0.0.1:", p), worker: connector.Props{
		"bootstrap.servers": broker, "group.id": id, "listeners": fmt.Sprint("http://127.0.0.1:", p), "plugin.path": plugins,
		"plugin.discovery": "service_load", "key.converter": "org.apache.kafka.connect.storage.StringConverter",
		"value.converter": "org.apache.kafka.connect.storage.StringConverter", "offset.flush.interval.ms": "500",
		"config.storage.topic": id + "-configs", "offset.storage.topic": id + "-offsets", "status.storage.topic": id + "-status",
		"config.storage.replication.factor": "1", "offset.storage.replication.factor": "1", "status.storage.replication.factor": "1"}}
	j.client, err = kafka.Open(t.Context(), kafka.Options{Bootstrap: []string{broker}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(j.client.Close)
	return j
}

func (j *javaCluster) options(use compacted.Use) compacted.Options {
	j.t.Helper()
	s, _, err := use.Of(j.worker)
	if err != nil {
		j.t.Fatal(err)
	}
	return compacted.Options{Settings: s, Client: j.client, Log: slog.New(slog.DiscardHandler)}
}

// start starts the worker. stop stops it as its users do.
func (j *javaCluster) start() (stop func()) {
	t := j.t
	t.Helper()
	var conf strings.Builder
	for k := range j.worker {
		text, _ := j.worker.Text(k)
		fmt.Fprintf(&conf, "%s=%s\n", k, text)
	}
	name := filepath.Join(j.dir, "worker.properties")
	if err := os.WriteFile(name, []byte(conf.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.Command("java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp", os.Getenv("HYDRAULICS_CONNECT_CLASSPATH"),
		"org.apache.kafka.connect.cli.ConnectDistributed", name)
	cmd.Dir, cmd.Stdout, cmd.Stderr = j.dir, &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { // ends with the process
		_ = cmd.Wait() // Java ends with the signal's number
		close(done)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		<-done
		if t.Failed() {
			t.Logf("end of Java's log:\n%s", log.Bytes()[max(0, log.Len()-4000):])
		}
	})
	wait.Nil(t, "Java's worker", func() error {
		_, err := j.try("GET", "/connectors", "")
		return err
	})
	return func() {
		t.Helper()
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		wait.For(t, "the end of Java's worker", done)
	}
}

// try sends a request and gives the answer's JSON.
func (j *javaCluster) try(method, path, body string) (any, error) {
	req, err := http.NewRequestWithContext(j.t.Context(), method, j.rest+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s: %s", method, path, res.Status, data)
	}
	var v any
	if err == nil && len(data) > 0 {
		err = json.Unmarshal(data, &v)
	}
	return v, err
}

// at gives what is at a path in an answer, as text.
func at(v any, path ...string) string {
	for _, key := range path {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return fmt.Sprint(v)
}

// Ours writes, a Java worker goes on, and ours reads what it did: configurations,
// targets, altered offsets, statuses, topics, and a name with a space in it.
//
// Clauses: H1, H2, H3, H6, H7.
func TestJavaWorkerOnOurTopics(t *testing.T) {
	j := newJavaCluster(t)
	lines := filepath.Join(j.dir, "in.txt")
	if err := os.WriteFile(lines, []byte("one\ntwo\nthree\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	topic, _ := j.worker.Text("group.id")
	partition := map[string]any{"filename": lines}
	source := func(name string) connector.Props {
		return connector.Props{"name": name, "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector", "tasks.max": "1", "file": lines, "topic": topic}
	}
	ctx := t.Context()
	kept := openKafka(t, j.options(compacted.Configs))
	offsets, err := offset.OpenKafka(ctx, j.options(compacted.Offsets))
	if err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]state.Target{"a runner": state.TargetStarted, "paused": state.TargetPaused, "stopped": state.TargetStopped} {
		records := []store.Record{store.TargetState{Connector: name, Target: target}, store.ConnectorConfig{Connector: name, Config: source(name)}}
		if target != state.TargetStopped {
			task := source(name)
			task["task.class"] = "org.apache.kafka.connect.file.FileStreamSourceTask"
			records = append(records, store.Tasks(name, []connector.Props{task})...)
		}
		if err := kept.Append(ctx, records...); err != nil {
			t.Fatal(err)
		}
		if err := offsets.Commit(ctx, name, []offset.Entry{{Partition: partition, Offset: map[string]any{"position": 4}}}); err != nil {
			t.Fatal(err)
		}
	}
	kept.Close()
	if err := offsets.Close(); err != nil {
		t.Fatal(err)
	}

	stop := j.start()
	for name, want := range map[string]string{"a runner": "RUNNING", "paused": "PAUSED", "stopped": "STOPPED"} {
		path := "/connectors/" + url.PathEscape(name)
		wait.Nil(t, name, func() error {
			v, err := j.try("GET", path+"/status", "")
			if got := at(v, "connector", "state"); err == nil && got != want {
				err = fmt.Errorf("it is %s, want %s", got, want)
			}
			return err
		})
		v, err := j.try("GET", path+"/offsets", "")
		if want := `{"position":4}`; err != nil || name != "a runner" && !strings.Contains(text(v), want) {
			t.Errorf("%s: offsets are %s, %v", name, text(v), err)
		}
		if v, err := j.try("GET", path+"/config", ""); err != nil || at(v, "file") != lines || at(v, "name") != name {
			t.Errorf("%s: %v, %v", name, v, err)
		}
	}
	body := fmt.Sprintf(`{"offsets":[{"partition":{"filename":%q},"offset":{"position":8}}]}`, lines)
	if _, err := j.try("PATCH", "/connectors/stopped/offsets", body); err != nil {
		t.Error(err)
	}
	if _, err := j.try("PUT", "/connectors/paused/resume", ""); err != nil {
		t.Error(err)
	}
	wait.Nil(t, "the lines behind the offset", func() error {
		v, err := j.try("GET", "/connectors/a%20runner/offsets", "")
		if got := text(v); err == nil && !strings.Contains(got, `{"position":14}`) {
			err = fmt.Errorf("offsets are %s", got)
		}
		return err
	})
	stop()

	kept = openKafka(t, j.options(compacted.Configs))
	for name, want := range map[string]state.Target{"a runner": state.TargetStarted, "paused": state.TargetStarted, "stopped": state.TargetStopped} {
		c, ok := kept.Connector(name)
		if !ok || c.Target != want || !cmp.Equal(source(name), c.Config) || c.Inconsistent {
			t.Errorf("%s: %+v", name, c)
		}
	}
	if offsets, err = offset.OpenKafka(ctx, j.options(compacted.Offsets)); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = offsets.Close() }()
	for name, want := range map[string]string{"a runner": "14", "stopped": "8"} {
		if got, err := offsets.Offset(ctx, name, partition); err != nil || fmt.Sprint(got["position"]) != want {
			t.Errorf("%s: offset %v, %v", name, got, err)
		}
	}
	statuses, err := status.OpenKafka(ctx, j.options(compacted.Statuses))
	if err != nil {
		t.Fatal(err)
	}
	defer statuses.Close()
	if s, ok := statuses.Status(status.ID{Connector: "a runner", Task: 0}); !ok || s.State != state.Unassigned {
		t.Errorf("the task that ran: %+v", s)
	}
	if d := cmp.Diff([]string{topic}, statuses.Topics("a runner")); d != "" {
		t.Error(d)
	}
}

// text gives an answer's JSON.
func text(v any) string {
	data, _ := json.Marshal(v) // it came as JSON
	return string(data)
}
