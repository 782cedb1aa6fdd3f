package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	_ "github.com/axiom-data-science/hydraulics/connectors/tools"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// shared is the configuration of a worker of a cluster.
const shared = `
worker:
  bootstrap.servers: %s
  group.id: workers
  config.storage.topic: configs
  offset.storage.topic: offsets
  status.storage.topic: statuses
  config.storage.replication.factor: 1
  offset.storage.replication.factor: 1
  status.storage.replication.factor: 1
  listeners: http://127.0.0.1:0
  page.listener: http://127.0.0.1:0
  key.converter: string
  value.converter: json
  offset.flush.interval.ms: 100
  heartbeat.interval.ms: 100
  scheduled.rebalance.max.delay.ms: 0
`

// startShared starts a worker of the cluster at a broker.
func startShared(t *testing.T, broker string, sets ...string) *Worker {
	t.Helper()
	return startSharedWith(t, WorkerOptions{}, broker, sets...)
}

// startSharedWith starts one with options of its own.
func startSharedWith(t *testing.T, o WorkerOptions, broker string, sets ...string) *Worker {
	t.Helper()
	j, err := config.Read(write(t, "worker.yaml", fmt.Sprintf(shared, broker)))
	if err != nil {
		t.Fatal(err)
	}
	j.Distributed = true
	for _, s := range sets {
		if err := j.Set(s); err != nil {
			t.Fatal(err)
		}
	}
	if problems := config.Lint(j, connector.Plugins, Defaults); len(problems) > 0 {
		t.Fatal(problems)
	}
	o.Setup, o.Log = j, slog.New(slog.NewTextHandler(t.Output(), nil))
	w, err := StartWorker(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, w) })
	return w
}

// leads tells whether a worker is the leader.
func leads(w *Worker) bool { return w.member.Placement().Leads() }

// startTwo starts two workers and gives the leader and the other one.
func startTwo(t *testing.T, broker string, sets ...string) (leader, other *Worker) {
	t.Helper()
	return startTwoWith(t, WorkerOptions{}, broker, sets...)
}

// startTwoWith starts two with options of their own.
func startTwoWith(t *testing.T, o WorkerOptions, broker string, sets ...string) (leader, other *Worker) {
	t.Helper()
	a, b := startSharedWith(t, o, broker, sets...), startSharedWith(t, o, broker, sets...)
	wait.Until(t, "one leader", func() bool {
		p, q := a.member.Placement(), b.member.Placement()
		return p.Generation == q.Generation && p.LeaderURL != "" && p.LeaderURL == q.LeaderURL
	})
	if leads(b) {
		a, b = b, a
	}
	return a, b
}

// ask sends a request to a worker and gives the answer.
func ask(t *testing.T, w *Worker, method, path, body string) (code int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.RESTURL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
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
	return res.StatusCode, string(bytes.TrimSpace(data))
}

// do sends a request that is to be answered with a status.
func do(t *testing.T, w *Worker, want int, method, path, body string) string {
	t.Helper()
	code, answer := ask(t, w, method, path, body)
	if code != want {
		t.Fatalf("%s %s: %d, want %d: %s", method, path, code, want, answer)
	}
	return answer
}

type partStatus struct {
	State  string `json:"state"`
	Worker string `json:"worker_id"`
	Trace  string `json:"trace"`
}

type wholeStatus struct {
	Connector partStatus   `json:"connector"`
	Tasks     []partStatus `json:"tasks"`
}

// statusOf gives what a worker says of a connector.
func statusOf(t *testing.T, w *Worker, name string) (s wholeStatus) {
	t.Helper()
	_, answer := ask(t, w, "GET", "/connectors/"+name+"/status", "")
	if err := json.Unmarshal([]byte(answer), &s); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	return s
}

// expect waits until all workers say the same of a connector: its state, and that of so
// many tasks, all of them at workers that are there.
func expect(t *testing.T, name, state string, tasks int, workers ...*Worker) (at map[string]int) {
	t.Helper()
	wait.Nil(t, name, func() error {
		var all []wholeStatus
		var ids []string
		for _, w := range workers {
			all, ids = append(all, statusOf(t, w, name)), append(ids, w.id())
		}
		first := all[0]
		at = map[string]int{}
		if first.Connector.State != state || len(first.Tasks) != tasks {
			return fmt.Errorf("%+v", first)
		}
		for _, p := range append(first.Tasks, first.Connector) {
			if p.State != state || !slices.Contains(ids, p.Worker) {
				return fmt.Errorf("%+v of workers %v", first, ids)
			}
		}
		for _, p := range first.Tasks {
			at[p.Worker]++
		}
		for _, s := range all {
			if d := cmp.Diff(first, s); d != "" {
				return fmt.Errorf("workers differ: %s", d)
			}
		}
		return nil
	})
	return at
}

const numbers = `{"connector.class":"datagen","topic":"numbers","rate":"200","tasks.max":"%d","topic.creation.default.partitions":"1","topic.creation.default.replication.factor":"1"}`

// Connectors are made, changed and removed at any worker, and run at both.
//
// Clauses: G1, G3, G5, G7, H4, H7, K6, K7, K8, K9, K12.
func TestWorkersShare(t *testing.T) {
	leader, other := startTwo(t, kafkatest.Start(t))
	do(t, other, http.StatusCreated, "PUT", "/connectors/n/config", fmt.Sprintf(numbers, 4))
	if at := expect(t, "n", "RUNNING", 4, leader, other); at[leader.id()] != 2 || at[other.id()] != 2 {
		t.Errorf("the tasks are at %v", at)
	}
	do(t, leader, http.StatusCreated, "PUT", "/connectors/m/config", fmt.Sprintf(numbers, 1)) // one of the two is split by the worker that does not lead
	expect(t, "m", "RUNNING", 1, leader, other)
	do(t, leader, http.StatusNoContent, "DELETE", "/connectors/m", "")
	expect(t, "n", "RUNNING", 4, leader, other)
	do(t, other, http.StatusConflict, "POST", "/connectors", `{"name":"n","config":`+fmt.Sprintf(numbers, 1)+`}`)
	do(t, other, http.StatusNotFound, "PUT", "/connectors/m/pause", "")
	do(t, other, http.StatusAccepted, "PUT", "/connectors/n/pause", "")
	expect(t, "n", "PAUSED", 4, leader, other)
	do(t, other, http.StatusAccepted, "PUT", "/connectors/n/resume", "")
	expect(t, "n", "RUNNING", 4, leader, other)

	do(t, other, http.StatusNoContent, "POST", "/connectors/n/restart", "")
	do(t, other, http.StatusAccepted, "POST", "/connectors/n/restart?includeTasks=true", "")
	expect(t, "n", "RUNNING", 4, leader, other)
	for task := range 4 {
		do(t, other, http.StatusNoContent, "POST", fmt.Sprintf("/connectors/n/tasks/%d/restart", task), "")
		do(t, leader, http.StatusNoContent, "POST", fmt.Sprintf("/connectors/n/tasks/%d/restart", task), "")
	}
	do(t, other, http.StatusNotFound, "POST", "/connectors/n/tasks/4/restart", "")
	do(t, other, http.StatusOK, "PUT", "/connectors/n/config", fmt.Sprintf(numbers, 3))
	expect(t, "n", "RUNNING", 3, leader, other)
	for _, w := range []*Worker{leader, other} {
		wait.Until(t, "the topics", func() bool {
			return do(t, w, http.StatusOK, "GET", "/connectors/n/topics", "") == `{"n":{"topics":["numbers"]}}`
		})
	}

	do(t, other, http.StatusNoContent, "PUT", "/connectors/n/stop", "")
	wait.Until(t, "the stop", func() bool { return statusOf(t, other, "n").Connector.State == "STOPPED" })
	do(t, other, http.StatusOK, "PATCH", "/connectors/n/offsets", `{"offsets":[{"partition":{"task":0},"offset":{"seq":7}}]}`)
	for _, w := range []*Worker{leader, other} {
		if got := do(t, w, http.StatusOK, "GET", "/connectors/n/offsets", ""); !strings.Contains(got, `"offset":{"seq":7}`) {
			t.Errorf("offsets are %s", got)
		}
	}
	do(t, other, http.StatusOK, "DELETE", "/connectors/n/offsets", "")
	if got := do(t, leader, http.StatusOK, "GET", "/connectors/n/offsets", ""); got != `{"offsets":[]}` {
		t.Errorf("offsets are %s", got)
	}
	do(t, other, http.StatusNoContent, "DELETE", "/connectors/n", "")
	for _, w := range []*Worker{leader, other} {
		wait.Until(t, "the removal", func() bool {
			code, _ := ask(t, w, "GET", "/connectors/n/status", "")
			return code == http.StatusNotFound
		})
	}
}

// What workers ask of each other is signed, and what a worker is in its cluster is told.
// Answers 177, 178 and 185 are as Java's worker gave them.
//
// Clauses: G8, H5, K11, L2.
func TestClusterIsTold(t *testing.T) {
	leader, other := startTwo(t, kafkatest.Start(t), "inter.worker.key.ttl.ms=200")
	for _, w := range []*Worker{leader, other} {
		const missing = `{"error_code":400,"message":"Internal request missing required signature"}`
		for _, r := range [][2]string{{"POST", "/connectors/src/tasks"}, {"PUT", "/connectors/src/fence"}} {
			if got := do(t, w, http.StatusBadRequest, r[0], r[1], "[]"); got != missing {
				t.Error(got)
			}
		}
		if got := do(t, w, http.StatusOK, "GET", "/health", ""); !strings.Contains(got, fmt.Sprintf(`"leader":%q,"leads":%v`, leader.RESTURL()+"/", w == leader)) {
			t.Error(got)
		}
		if got := get(t, w.PageURL()+"/state"); strings.Contains(got, `"cluster":"leads the cluster workers"`) != (w == leader) {
			t.Error(got)
		}
		found := scrape(t, w)
		for _, name := range words("kafka_connect_worker_rebalance_", "connect_protocol leader_name epoch completed_rebalances_total rebalancing rebalance_avg_time_ms rebalance_max_time_ms time_since_last_rebalance_ms") {
			if len(found[name]) != 1 {
				t.Errorf("%s: %q", name, found[name])
			}
		}
		if d := cmp.Diff([]string{`connect_protocol="sessioned"`}, found["kafka_connect_worker_rebalance_connect_protocol"]); d != "" {
			t.Error(d)
		}
	}
	do(t, leader, http.StatusCreated, "PUT", "/connectors/n/config", fmt.Sprintf(numbers, 3))
	expect(t, "n", "RUNNING", 3, leader, other)
	for _, w := range []*Worker{leader, other} {
		wait.Nil(t, "all workers", func() error { return listed(t, w, leader, other) })
		if got := get(t, w.PageURL()+"/state"); !strings.Contains(got, fmt.Sprintf(`{"url":%q,"leads":true,"version":%q,`, leader.RESTURL()+"/", config.Version)) || !strings.Contains(got, `"rebalance":"`) {
			t.Error(got)
		}
		found := scrape(t, w)
		for name, want := range map[string]int{"workers": 1, "worker_connectors": 2, "worker_tasks": 2, "waiting": 1, "rebalance_given": 1, "rebalance_taken": 1} {
			if len(found["hydraulics_cluster_"+name]) != want {
				t.Errorf("%s: %q", name, found["hydraulics_cluster_"+name])
			}
		}
		if len(found["hydraulics_cluster_rebalance_cause"]) == 0 {
			t.Error("no cause of the rebalance")
		}
	}
	// What a file says of connectors is not for a cluster, at a reload neither.
	again := &config.Setup{Distributed: true, Worker: other.setup.Worker}
	if err := other.reload(again); err != nil {
		t.Error(err)
	}
	again.Connectors = []config.Connector{{Name: "n", File: "w.yaml"}}
	if err := other.reload(again); err == nil || !strings.Contains(err.Error(), "a cluster keeps its connectors in its configuration topic") {
		t.Error(err)
	}
	do(t, other, http.StatusNoContent, "PUT", "/admin/loggers/hydraulics.cluster.test?scope=cluster", `{"level":"INFO"}`)
	for _, w := range []*Worker{leader, other} {
		wait.Until(t, "the level", func() bool {
			code, answer := ask(t, w, "GET", "/admin/loggers/hydraulics.cluster.test", "")
			return code == http.StatusOK && strings.Contains(answer, `"level":"INFO"`)
		})
	}
	// Keys come and go while connectors are split at the other worker.
	for n := range 6 {
		do(t, leader, http.StatusCreated, "PUT", fmt.Sprint("/connectors/c", n, "/config"), fmt.Sprintf(numbers, 1))
	}
	for n := range 6 {
		expect(t, fmt.Sprint("c", n), "RUNNING", 1, leader, other)
	}
}

// listed says what is wrong with the workers that a worker lists, where two have three
// tasks of one connector.
func listed(t *testing.T, w, leader, other *Worker) error {
	var got struct {
		Cluster struct {
			Workers []struct {
				Worker, URL, Version string
				Leads                bool
				Connectors, Tasks    int
			}
			Rebalance struct{ Did, Why string } `json:"last_rebalance"`
		}
	}
	answer := do(t, w, http.StatusOK, "GET", "/health", "")
	if err := json.Unmarshal([]byte(answer), &got); err != nil {
		t.Fatal(err)
	}
	connectors, tasks, urls := 0, 0, map[string]bool{}
	for _, p := range got.Cluster.Workers {
		connectors, tasks = connectors+p.Connectors, tasks+p.Tasks
		urls[p.URL] = p.Leads
		if p.Worker == "" || p.Version != config.Version || p.Tasks == 0 {
			return fmt.Errorf("one is %+v", p)
		}
	}
	if d := cmp.Diff(map[string]bool{leader.RESTURL() + "/": true, other.RESTURL() + "/": false}, urls); d != "" || connectors != 1 || tasks != 3 ||
		got.Cluster.Rebalance.Did == "" || got.Cluster.Rebalance.Why == "" {
		return fmt.Errorf("%s: %s", answer, d)
	}
	return nil
}

// What a worker has that stops goes to the others: at once where it says so. Else it is
// for the worker that comes in its place, when the delay is over.
//
// Clauses: G4.
func TestWorkerLeaves(t *testing.T) {
	const hour = "scheduled.rebalance.max.delay.ms=3600000"
	tests := []struct {
		name   string
		sets   []string
		leader bool // it is the one that leaves
		holds  bool
	}{
		{"now", []string{"worker.leave.on.stop=now", hour}, false, false},
		{"the leader, now", []string{"worker.leave.on.stop=now", hour}, true, false},
		{"nobody waits for it", nil, false, false},
		{"it is waited for", []string{"scheduled.rebalance.max.delay.ms=3000"}, false, true},
		{"the leader is waited for", []string{"scheduled.rebalance.max.delay.ms=3000"}, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			broker := kafkatest.Start(t)
			leader, other := startTwo(t, broker, tt.sets...)
			do(t, other, http.StatusCreated, "PUT", "/connectors/n/config", fmt.Sprintf(numbers, 4))
			expect(t, "n", "RUNNING", 4, leader, other)
			leaves, stays := other, leader
			if tt.leader {
				leaves, stays = leader, other
			}
			stop(t, leaves)
			if tt.holds {
				wait.Until(t, "the other worker's tasks", func() bool { // as it has said itself, or who leads now
					return len(slices.DeleteFunc(statusOf(t, stays, "n").Tasks, func(p partStatus) bool { return p.State != "UNASSIGNED" })) == 2
				})
				stays, leaves = startShared(t, broker, tt.sets...), stays
				if at := expect(t, "n", "RUNNING", 4, stays, leaves); at[stays.id()] != 2 {
					t.Errorf("the tasks are at %v", at)
				}
				return
			}
			expect(t, "n", "RUNNING", 4, stays)
		})
	}
}

// A worker tells what its own configuration lacks before anything else.
func TestSharedWithoutTopics(t *testing.T) {
	_, err := run(t.Context(), "connect-distributed", write(t, "w.properties", "bootstrap.servers=127.0.0.1:1\nlisteners=http://127.0.0.1:0\npage.listener=\nexactly.once.source.support=enabled\ngroup.id=g\n"))
	for _, text := range []string{"config.storage.topic: missing", "offset.storage.topic: missing", "status.storage.topic: missing", "exactly.once.source.support: enabled: exactly-once"} {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%v, want %s", err, text)
		}
	}
	_, err = run(t.Context(), "worker", "--distributed", "-f", write(t, "w.yaml", fmt.Sprintf(shared, "127.0.0.1:1")+"connectors:\n  n: {connector.class: datagen, topic: t}\n"))
	if err == nil || !strings.Contains(err.Error(), "w.yaml: connector n: a cluster keeps its connectors in its configuration topic") {
		t.Error(err)
	}
}
