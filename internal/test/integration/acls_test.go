//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// right is a row of docs/acls.md, of one operation.
type right struct {
	connector string
	group     bool // a topic else
	name      string
	operation sarama.AclOperation
}

// documented reads the table of docs/acls.md.
func documented(t *testing.T) []right {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "acls.md"))
	check(t, err)
	var rights []right
	for line := range strings.Lines(string(data)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 || strings.Contains(line, "---") || strings.Contains(line, "| operations |") {
			continue
		}
		kind, name, ok := strings.Cut(strings.TrimSpace(cells[1]), " ")
		if !ok || kind != "topic" && kind != "group" {
			t.Fatalf("docs/acls.md: %s: neither a topic nor a group", line)
		}
		for word := range strings.SplitSeq(cells[2], ",") {
			var op sarama.AclOperation
			check(t, op.UnmarshalText([]byte(strings.TrimSpace(word))))
			rights = append(rights, right{strings.TrimSpace(cells[0]), kind == "group", name, op})
		}
	}
	if len(rights) == 0 {
		t.Fatal("docs/acls.md has no table")
	}
	return rights
}

// least are the kinds of connectors of docs/acls.md, with a configuration, and
// what tells that one has done its work.
var least = []struct {
	kind, extends string
	config        map[string]string
	done          func(s *stack, dir, name string) bool
}{
	{"source", "", map[string]string{"connector.class": "FileStreamSource", "topic": "TOPIC", "file": "DIR/in.txt"},
		func(s *stack, _, name string) bool { return s.written(name+"-topic") > 0 }},
	{"sink", "", map[string]string{"connector.class": "FileStreamSink", "topics": "INPUT", "file": "DIR/NAME"},
		func(_ *stack, dir, name string) bool {
			data, err := os.ReadFile(filepath.Join(dir, name))
			return err == nil && len(data) > 0
		}},
	{"sink with dead letters", "sink", map[string]string{"connector.class": "FileStreamSink", "topics": "INPUT", "file": "DIR/NAME", "value.converter": "org.apache.kafka.connect.converters.LongConverter",
		"errors.tolerance": "all", "errors.deadletterqueue.topic.name": "DEAD", "errors.deadletterqueue.topic.replication.factor": "1"},
		func(s *stack, _, name string) bool { return s.written(name+"-dead") > 0 }},
	{"stream", "", map[string]string{"connector.class": "stream", "topics": "INPUT", "topic": "OUTPUT"},
		func(s *stack, _, name string) bool { return s.written(name+"-output") > 0 }},
	{"stream with state", "stream", map[string]string{"connector.class": "stream", "topics": "INPUT", "topic": "OUTPUT", "value.converter": "json", "value.converter.schemas.enable": "false",
		"input.value.converter": "json", "input.value.converter.schemas.enable": "false",
		"transforms": "best", "transforms.best.type": "keep-best", "transforms.best.key": "pid", "transforms.best.score": "prob"},
		func(s *stack, _, name string) bool { return s.written("connect-"+name+"-keep-best-changelog") > 1 }},
}

// TestLeastRights has each kind of connector work with the rights that docs/acls.md
// gives it, and miss each of them.
func TestLeastRights(t *testing.T) {
	s := newReal(t)
	login := os.Getenv("HYDRAULICS_KAFKA_LOGIN")
	if login == "" {
		t.Skip("HYDRAULICS_KAFKA_LOGIN is not set: no broker with rights to test with, make integration starts one")
	}
	admin, err := sarama.NewClusterAdmin([]string{s.broker}, sarama.NewConfig())
	check(t, err)
	defer admin.Close()
	dir := t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, "in.txt"), []byte("a line\n"), 0o644))
	check(t, os.WriteFile(filepath.Join(dir, "worker.properties"), []byte(`listeners=http://127.0.0.1:0
page.listener=
bootstrap.servers=`+login+`
security.protocol=SASL_PLAINTEXT
sasl.mechanism=PLAIN
sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="worker" password="worker-secret";
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
offset.flush.interval.ms=500
`), 0o644))
	w := startProgram(t, dir, program(t), "worker", "-f", "worker.properties")
	rights := documented(t)
	for _, kind := range least {
		var needed []right
		for _, r := range rights {
			if r.connector == kind.kind || r.connector == kind.extends {
				needed = append(needed, r)
			}
		}
		if len(needed) == 0 {
			t.Errorf("docs/acls.md has no rights of a %s", kind.kind)
		}
		for without := -1; without < len(needed); without++ {
			title := kind.kind + "/with all"
			if without >= 0 {
				if needed[without].connector != kind.kind {
					continue // the other kind's
				}
				title = fmt.Sprintf("%s/without %s on %s", kind.kind, needed[without].operation.String(), needed[without].name)
			}
			t.Run(title, func(t *testing.T) {
				s := s.within(t)
				name := s.name("acl")
				named := strings.NewReplacer("DIR", dir, "NAME", name, "STORE", "keep-best", "TOPIC", name+"-topic", "INPUT", name+"-input", "OUTPUT", name+"-output", "DEAD", name+"-dead")
				for _, topic := range []string{"TOPIC", "OUTPUT", "DEAD", "connect-NAME-keep-best-changelog"} {
					spec := kafka.TopicSpec{Name: named.Replace(topic), Partitions: 4, Replication: 1}
					if strings.HasSuffix(topic, "changelog") {
						spec.Config = map[string]string{"cleanup.policy": "compact"}
					}
					check(t, s.kafka.CreateTopic(t.Context(), spec))
				}
				s.send(name+"-input", "k", []byte(`{"pid":"a","prob":0.5,"name":"n","classifier":"c","classification_time":1}`))
				s.send(named.Replace("connect-NAME-keep-best-changelog"), "k", nil) // an empty one is not read
				for i, r := range needed {
					if i != without {
						grant(t, admin, r, named.Replace(r.name))
					}
				}
				config := map[string]string{}
				for k, v := range kind.config {
					config[k] = named.Replace(v)
				}
				examine(t, dir, name, config, without >= 0)
				w.create(name, config)
				if without < 0 {
					wait.Until(t, "its work", func() bool { return kind.done(s, dir, name) })
				} else {
					wait.Until(t, "a word about the missing right", func() bool { return w.logged("not authorized", name) })
				}
				w.remove(name)
			})
		}
	}
	w.stop()
}

// examine has the doctor look at a connector: it fails where a right lacks.
func examine(t *testing.T, dir, name string, config map[string]string, lacks bool) {
	t.Helper()
	text, err := json.Marshal(map[string]any{"name": name, "config": config})
	check(t, err)
	file := filepath.Join(dir, name+".json")
	check(t, os.WriteFile(file, text, 0o644))
	out, err := hydraulics(t, "doctor", "-f", filepath.Join(dir, "worker.properties"), file, "--timeout", "1m")
	if (err != nil) != lacks || lacks && strings.Count(out, "\nfail ") != 1 {
		t.Errorf("the doctor says %v:\n%s", err, out)
	}
}

// grant allows the worker's user one operation.
func grant(t *testing.T, admin sarama.ClusterAdmin, r right, name string) {
	t.Helper()
	resource := sarama.Resource{ResourceType: sarama.AclResourceTopic, ResourceName: name, ResourcePatternType: sarama.AclPatternLiteral}
	if r.group {
		resource.ResourceType = sarama.AclResourceGroup
	}
	check(t, admin.CreateACLs([]*sarama.ResourceAcls{{Resource: resource,
		Acls: []*sarama.Acl{{Principal: "User:worker", Host: "*", Operation: r.operation, PermissionType: sarama.AclPermissionAllow}}}}))
}

// create makes a connector over the REST API.
func (w *worker) create(name string, config map[string]string) {
	w.t.Helper()
	body, err := json.Marshal(map[string]any{"name": name, "config": config})
	check(w.t, err)
	w.ask(http.MethodPost, "/connectors", body)
}

// remove removes a connector over the REST API.
func (w *worker) remove(name string) {
	w.t.Helper()
	w.ask(http.MethodDelete, "/connectors/"+name, nil)
}

func (w *worker) ask(method, path string, body []byte) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.rest+path, bytes.NewReader(body))
	check(w.t, err)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	check(w.t, err)
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		text, _ := io.ReadAll(res.Body)
		w.t.Fatalf("%s %s: %s: %s", method, path, res.Status, text)
	}
}
