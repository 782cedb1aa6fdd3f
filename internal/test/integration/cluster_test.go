//go:build integration

package integration

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/port"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// clusterFile is a worker's of a cluster, as Java's connect-distributed takes it.
const clusterFile = `bootstrap.servers=%[1]s
group.id=%[2]s
config.storage.topic=%[2]s-configs
offset.storage.topic=%[2]s-offsets
status.storage.topic=%[2]s-status
config.storage.replication.factor=1
offset.storage.replication.factor=1
status.storage.replication.factor=1
offset.storage.partitions=5
listeners=http://127.0.0.1:%[3]d
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
offset.flush.interval.ms=500
session.timeout.ms=3000
heartbeat.interval.ms=500
scheduled.rebalance.max.delay.ms=%[4]d
consumer.session.timeout.ms=3000
consumer.heartbeat.interval.ms=500
consumer.metadata.max.age.ms=1000
plugin.path=%[5]s
plugin.discovery=service_load
`

// cluster is workers of one group on the real broker.
type cluster struct {
	*stack
	name  string
	delay time.Duration // scheduled.rebalance.max.delay.ms
}

func newCluster(t *testing.T, delay time.Duration) *cluster {
	t.Helper()
	s := &stack{t: t, kind: "real", broker: os.Getenv("HYDRAULICS_KAFKA_BOOTSTRAP")}
	if s.broker == "" {
		t.Skip("HYDRAULICS_KAFKA_BOOTSTRAP is not set: no real broker, make integration starts one")
	}
	var err error
	s.kafka, err = kafka.Open(t.Context(), kafka.Options{Bootstrap: []string{s.broker}, ClientID: "integration"})
	check(t, err)
	t.Cleanup(s.kafka.Close)
	return &cluster{stack: s, name: s.name("cluster"), delay: delay}
}

// member is a worker of a cluster: a process of ours or of Java's.
type member struct {
	*worker
	id string // in statuses
}

// file writes a worker's file into a folder of its own.
func (c *cluster) file() (dir, address string) {
	c.t.Helper()
	p, err := port.Lasting()
	check(c.t, err)
	dir = c.t.TempDir()
	text := fmt.Sprintf(clusterFile, c.broker, c.name, p, c.delay.Milliseconds(), os.Getenv("HYDRAULICS_CONNECT_PLUGINS"))
	check(c.t, os.WriteFile(filepath.Join(dir, "worker.properties"), []byte(text), 0o600))
	return dir, fmt.Sprint("127.0.0.1:", p)
}

// start starts a worker of ours, with further keys.
func (c *cluster) start(sets ...string) *member {
	c.t.Helper()
	dir, address := c.file()
	args := []string{"connect-distributed", "worker.properties"}
	for _, s := range append(sets, "page.listener=") {
		args = append(args, "--set", s)
	}
	return &member{startProgram(c.t, dir, program(c.t), args...), address}
}

// ask sends a request.
func (m *member) ask(method, path, body string) (code int, answer string, err error) {
	r, err := http.NewRequestWithContext(m.t.Context(), method, m.rest+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	return res.StatusCode, string(data), err
}

// do sends a request until it is answered well: a rebalance may be on.
func (m *member) do(method, path, body string) string {
	m.t.Helper()
	var answer string
	wait.Nil(m.t, method+" "+path, func() error {
		code, text, err := m.ask(method, path, body)
		if err == nil && code >= 300 {
			err = fmt.Errorf("%d: %s", code, text)
		}
		answer = text
		return err
	})
	return answer
}

// put makes a connector, or changes it.
func (m *member) put(name string, config map[string]string) {
	m.t.Helper()
	body, err := json.Marshal(config)
	check(m.t, err)
	m.do("PUT", "/connectors/"+url.PathEscape(name)+"/config", string(body))
}

// running waits until connectors and all of their tasks run, at these workers alone, as
// each of them says, and gives how many tasks each has. tasks are how many a connector
// has.
func running(t *testing.T, tasks map[string]int, workers ...*member) map[string]int {
	t.Helper()
	type part struct {
		State  string `json:"state"`
		Worker string `json:"worker_id"`
		Trace  string `json:"trace"`
	}
	var at map[string]int
	wait.Nil(t, "connectors to run", func() error {
		for _, m := range workers {
			at = map[string]int{}
			for name, n := range tasks {
				var s struct {
					Connector part   `json:"connector"`
					Tasks     []part `json:"tasks"`
				}
				code, text, err := m.ask("GET", "/connectors/"+url.PathEscape(name)+"/status", "")
				if err == nil && code == http.StatusOK {
					err = json.Unmarshal([]byte(text), &s)
				}
				if err != nil || code != http.StatusOK || len(s.Tasks) != n {
					return fmt.Errorf("%s: %d %s %v", name, code, text, err)
				}
				for _, p := range append(s.Tasks, s.Connector) {
					here := slices.ContainsFunc(workers, func(m *member) bool { return m.id == p.Worker })
					if p.State != "RUNNING" || !here {
						return fmt.Errorf("%s: %s", name, text)
					}
				}
				for _, p := range s.Tasks {
					at[p.Worker]++
				}
			}
		}
		return nil
	})
	return at
}

// state waits until a worker says that a connector is in a state.
func (m *member) state(name, state string) {
	m.t.Helper()
	wait.Nil(m.t, name, func() error {
		_, text, err := m.ask("GET", "/connectors/"+url.PathEscape(name)+"/status", "")
		if err == nil && !strings.Contains(text, `"connector":{"state":"`+state+`"`) {
			err = fmt.Errorf("it is %s", text)
		}
		return err
	})
}

// values gives how often each value is in a topic.
func (c *cluster) values(topic string) map[string]int {
	c.t.Helper()
	counts := map[string]int{}
	for _, m := range c.read(topic) {
		counts[string(m.Value)]++
	}
	return counts
}

// What a killed worker had waits for scheduled.rebalance.max.delay.ms, in no worker's
// hands, and then goes to the others.
func TestClusterWaitsForAWorker(t *testing.T) {
	const delay = 10 * time.Second
	c := newCluster(t, delay)
	one, two := c.start(), c.start()
	one.put("n", map[string]string{"connector.class": "datagen", "topic": c.name + "-n", "rate": "10", "tasks.max": "4", "topic.creation.default.partitions": "1", "topic.creation.default.replication.factor": "1"})
	if at := running(t, map[string]int{"n": 4}, one, two); at[two.id] != 2 {
		t.Errorf("tasks are at %v", at)
	}
	two.kill()
	began := time.Now()
	wait.Nil(t, "its tasks to be in no hands", func() error {
		_, text, err := one.ask("GET", "/connectors/n/status", "")
		if err == nil && strings.Count(text[strings.Index(text, `"tasks"`):], `"UNASSIGNED"`) != 2 {
			err = fmt.Errorf("%s", text)
		}
		return err
	})
	lost := time.Since(began)
	running(t, map[string]int{"n": 4}, one)
	if took := time.Since(began); took < delay {
		t.Errorf("others ran its tasks after %v", took)
	} else {
		t.Logf("lost after %v, its tasks run elsewhere %v after that", lost.Round(100*time.Millisecond), (took - lost).Round(100*time.Millisecond))
	}
}

// lineSource is a connector whose class our worker and Java's both have.
func lineSource(t *testing.T, dir, topic string) (config map[string]string, add func(from, to int)) {
	name := filepath.Join(dir, topic+".txt")
	add = func(from, to int) {
		t.Helper()
		file, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		check(t, err)
		_, err = file.WriteString(lines(from, to))
		check(t, err)
		check(t, file.Close())
	}
	add(0, 10)
	return map[string]string{"connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector", "tasks.max": "1", "file": name, "topic": topic}, add
}

// arrived waits until so many lines are in a topic, and tells how many came again.
func (c *cluster) arrived(topic string, n int) (again int) {
	c.t.Helper()
	wanted := strings.Split(strings.TrimSpace(lines(0, n)), "\n")
	eventually(c.t, "the lines in "+topic, func() bool { return len(c.values(topic)) >= n })
	return complete(c.t, topic, c.values(topic), wanted)
}

// The rights of docs/cluster.md are enough for a worker to share, and to keep what it has
// to.
func TestClusterWithLeastRights(t *testing.T) {
	c := newCluster(t, 0)
	login := os.Getenv("HYDRAULICS_KAFKA_LOGIN")
	if login == "" {
		t.Skip("HYDRAULICS_KAFKA_LOGIN is not set: no broker with rights to test with, make integration starts one")
	}
	admin, err := sarama.NewClusterAdmin([]string{c.broker}, sarama.NewConfig())
	check(t, err)
	defer admin.Close()
	grant(t, admin, right{group: true, operation: sarama.AclOperationRead}, c.name)
	for _, topic := range []string{"-configs", "-offsets", "-status"} {
		for _, op := range []sarama.AclOperation{sarama.AclOperationRead, sarama.AclOperationWrite, sarama.AclOperationCreate, sarama.AclOperationDescribeConfigs} {
			grant(t, admin, right{operation: op}, c.name+topic)
		}
	}
	grant(t, admin, right{operation: sarama.AclOperationWrite}, c.name+"-lines")
	check(t, c.kafka.CreateTopic(t.Context(), kafka.TopicSpec{Name: c.name + "-lines", Partitions: 1, Replication: 1}))
	sets := []string{"bootstrap.servers=" + login, "security.protocol=SASL_PLAINTEXT", "sasl.mechanism=PLAIN",
		`sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="worker" password="worker-secret";`}
	one, two := c.start(sets...), c.start(sets...)
	config, add := lineSource(t, t.TempDir(), c.name+"-lines")
	one.put("lines", config)
	two.put("more", config)
	running(t, map[string]int{"lines": 1, "more": 1}, one, two)
	add(10, 20)
	c.arrived(c.name+"-lines", 20)
	if one.logged("Kafka refuses") || one.logged("is not known: allow") {
		t.Errorf("a right was missed:\n%s", one.tail(20))
	}
}
