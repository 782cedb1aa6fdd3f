package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// paged is a worker with a page, as a browser asks it.
type paged struct {
	t      *testing.T
	w      *Worker
	broker string
	file   string
	client *kafka.Client
}

const pagedFlow = `worker:
  bootstrap.servers: BROKER
  listeners: http://127.0.0.1:0
  page.listener: http://127.0.0.1:0
  key.converter: string
  value.converter: json
  value.converter.schemas.enable: false
  config.write: WRITE
connectors:
  # copies lines
  upper:
    connector.class: stream
    topics: lines   # where they are
    topic: copies
    transforms:
      - InsertField$Value: {static.field: by, static.value: us}
    errors.tolerance: all
    errors.deadletterqueue.topic.name: dead
    errors.deadletterqueue.topic.replication.factor: 1
    errors.deadletterqueue.context.headers.enable: true
    producer.override.sasl.jaas.config: hush
`

func newPaged(t *testing.T, write string) *paged {
	t.Helper()
	p := &paged{t: t, broker: kafkatest.Start(t)}
	var err error
	if p.client, err = kafka.Open(t.Context(), kafka.Options{Bootstrap: []string{p.broker}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.client.Close)
	if err := p.client.CreateTopic(t.Context(), kafka.TopicSpec{Name: "lines", Partitions: 1, Replication: 1}); err != nil {
		t.Fatal(err)
	}
	p.send(`{"a": 1}`, "{broken", `{"a": 2}`)
	p.file = filepath.Join(t.TempDir(), "flow.yaml")
	overwrite(t, p.file, strings.NewReplacer("BROKER", p.broker, "WRITE", write).Replace(pagedFlow))
	p.w = start(t, p.file)
	t.Cleanup(func() { stop(t, p.w) })
	wait.Until(t, "the dead letter", func() bool {
		ends, err := p.client.EndOffsets(t.Context(), "dead")
		return err == nil && ends[connector.TopicPartition{Topic: "dead"}] == 1
	})
	return p
}

// send writes values to the topic lines.
func (p *paged) send(values ...string) {
	p.t.Helper()
	p.sendTo("lines", []byte("k"), values...)
}

func (p *paged) sendTo(topic string, key []byte, values ...string) {
	p.t.Helper()
	producer, err := p.client.NewProducer(kafka.ProducerOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	for _, v := range values {
		m := kafka.Message{Topic: topic, Partition: 0, Key: key, Value: []byte(v), Timestamp: 1_785_274_000_000, Headers: []kafka.Header{{Key: "site", Value: []byte("mvco")}}}
		if err := producer.Send(p.t.Context(), m, func(connector.RecordMetadata, error) {}); err != nil {
			p.t.Fatal(err)
		}
	}
	if err := errors.Join(producer.Flush(p.t.Context()), producer.Close()); err != nil {
		p.t.Fatal(err)
	}
}

// ask asks the page, and gives the status and the answer.
func (p *paged) ask(method, path string, body, into any) int {
	p.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		p.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.w.PageURL()+path, bytes.NewReader(data))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	if text, is := into.(*string); is {
		*text = string(answer)
	} else if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			p.t.Fatalf("%s %s: %v in %s", method, path, err, answer)
		}
	}
	return res.StatusCode
}

// has wants an answer with these texts.
func (p *paged) has(method, path string, body any, status int, texts ...string) string {
	p.t.Helper()
	var answer string
	if got := p.ask(method, path, body, &answer); got != status {
		p.t.Errorf("%s %s: %d, want %d: %s", method, path, got, status, answer)
	}
	for _, text := range texts {
		if !strings.Contains(answer, text) {
			p.t.Errorf("%s %s: want %s in %s", method, path, text, answer)
		}
	}
	return answer
}

func TestPageOfTopics(t *testing.T) {
	p := newPaged(t, "false")
	if err := p.client.CreateTopic(t.Context(), kafka.TopicSpec{Name: "unused", Partitions: 1, Replication: 1}); err != nil {
		t.Fatal(err)
	}
	p.has("GET", "/api/topics", nil, 200, `{"name":"lines","partitions":1,"replication":1,"internal":false,"connectors":["upper"],"kept":false}`,
		`{"name":"dead","partitions":1,"replication":1,"internal":false,"connectors":["upper"],"kept":false}`, `{"name":"unused","partitions":1,"replication":1,"internal":false,"connectors":[],"kept":false}`)
	p.has("GET", "/api/topics/lines", nil, 200, `"name":"lines"`, `"offsets":3`, `"first":0,"end":3`, `"cleanup.policy":"delete"`)
	p.has("GET", "/api/topics/nosuch", nil, 404, "topic nosuch")
	p.sendTo("unused", nil, "of nothing")
	if answer := p.has("GET", "/api/topics/unused/records?from=beginning&as=text", nil, 200, "of nothing"); strings.Contains(answer, `"key":"null"`) {
		t.Errorf("a record without a key has one: %s", answer)
	}
	p.has("GET", "/api/topics/lines/records?from=beginning", nil, 200, `"as":"upper"`, `"origin":"lines[0]@0"`, `"time":"2026-07-28T21:26:40Z"`, `"key":"k"`,
		`"fields":[{"name":"a","text":"1"}]`, `"errors":["value: `, `"json":"{\n  \"a\": 2\n}"`, `"headers":[{"key":"site","value":"mvco"}]`, `"valueBytes":8`)
	p.has("GET", "/api/topics/lines/records?from=1&as=text&max=1", nil, 200, `"as":"text"`, `"json":"\"{broken\""`, `"ended":"max","behind":"lines[0]@1"`)
	p.has("GET", "/api/topics/lines/records?from=2030-01-01&as=worker", nil, 200, `"records":[]`)
	p.has("GET", "/api/topics/lines/records?from=yesterday", nil, 400, "from yesterday: want beginning, end")
	p.has("GET", "/api/topics/lines/records?max=9999", nil, 400, "want a whole number from 1 to 500")
	p.has("GET", "/api/topics/lines/records?as=nosuch", nil, 404, "nosuch")
	groups, err := p.client.CommittedOffsets(t.Context(), "hydraulics-dlq-dead")
	if err != nil || len(groups) > 0 {
		t.Errorf("%v, %v", groups, err)
	}
}

func TestPageOfDeadLetters(t *testing.T) {
	p := newPaged(t, "false")
	p.has("GET", "/api/dead-letters", nil, 200, `[{"topic":"dead","connectors":["upper"],"there":true,"letters":1}]`)
	p.has("GET", "/api/dead-letters/dead", nil, 200, `"connector":"upper"`, `"stage":"VALUE_CONVERTER"`, `"letters":1`)
	p.has("GET", "/api/dead-letters/dead/letters?stage=VALUE_CONVERTER", nil, 200, `"place":"dead[0]@0"`, `"origin":"from lines[0]@1"`, `"key":"k"`, `"json":"{\n  \"text\": \"{broken\"`, `"headers":[{"key":"site","value":"mvco"}]`, `"trace":"`)
	p.has("GET", "/api/dead-letters/dead/letters?stage=OTHER", nil, 200, "[]")
	p.has("GET", "/api/dead-letters/dead/replay", nil, 200, "null")
	order := map[string]any{"dryRun": true, "connector": "upper"}
	p.has("POST", "/api/dead-letters/dead/replay", order, 200, `"sent":{"lines":1}`, `"running":false`)
	if ends, err := p.client.EndOffsets(t.Context(), "lines"); err != nil || ends[connector.TopicPartition{Topic: "lines"}] != 3 {
		t.Errorf("a dry run wrote something: %v, %v", ends, err)
	}
	order["dryRun"] = false
	p.has("POST", "/api/dead-letters/dead/replay", order, 200, `"began":"`)
	var state struct {
		Running bool
		Error   string
		Report  struct{ Sent map[string]int }
	}
	wait.Until(t, "the end of the replay", func() bool {
		p.ask("GET", "/api/dead-letters/dead/replay", nil, &state)
		return !state.Running
	})
	if state.Error != "" || state.Report.Sent["lines"] != 1 {
		t.Errorf("%+v", state)
	}
	wait.Until(t, "its second death", func() bool {
		ends, err := p.client.EndOffsets(t.Context(), "dead")
		return err == nil && ends[connector.TopicPartition{Topic: "dead"}] == 2
	})
	p.has("GET", "/api/dead-letters/dead/letters?max=1", nil, 200, `"place":"dead[0]@1"`, `"replayed":1`)
	p.has("POST", "/api/dead-letters/nosuch/replay", order, 200)
}

func TestPageEdits(t *testing.T) {
	p := newPaged(t, "false")
	var shown struct {
		Text, File, Version, Refused string
		Line                         int
		Config                       map[string]string
	}
	p.ask("GET", "/api/edit/upper", nil, &shown)
	if shown.Line != 12 || shown.File != p.file || !strings.Contains(shown.Refused, "config.write: true") ||
		!strings.HasPrefix(shown.Text, "connector.class: stream\ntopics: lines   # where they are\n") || strings.Contains(shown.Text, "hush") {
		t.Errorf("%+v", shown)
	}
	p.has("POST", "/api/text", map[string]any{"text": shown.Text, "set": map[string]any{"topics": "more"}}, 200, `topics: more   # where they are`, `"topics":"more"`)
	p.has("POST", "/api/text", map[string]any{"text": "a: [b"}, 200, `"problems":[{"file":"text","line":1`)
	config := shown.Config
	p.has("PUT", "/api/connector-plugins/stream/config/validate", with(config, "name", "upper", "errors.tolerance", "some"), 200, `"error_count":1`, "Invalid value some for configuration errors.tolerance")
	p.has("POST", "/api/diff", map[string]any{"name": "upper", "config": with(config, "topics", "more")}, 200, `[{"key":"topics","before":"lines","after":"more","secret":false}]`)
	p.has("POST", "/api/diff", map[string]any{"name": "upper", "config": with(config, "producer.override.sasl.jaas.config", "other")}, 200, `"before":"[hidden]","after":"[hidden]","secret":true`)
	p.has("PUT", "/api/files/upper", map[string]any{"text": shown.Text, "version": shown.Version}, 403, "config.write: true")
	given := []any{map[string]any{"value": map[string]any{"roi": 2}}}
	p.has("POST", "/api/preview", map[string]any{"name": "upper", "config": with(config, "tasks.max", "3"), "input": given}, 200, `"from":"1 records given"`)
	p.has("POST", "/api/preview", map[string]any{"name": "upper", "config": with(config, "producer.override.bootstrap.servers", "elsewhere:9092"), "input": given}, 403, "the secrets of its file are not used with other settings")
	p.has("PUT", "/api/connectors/upper/config", config, 409, "managed by the file")

	made := map[string]string{"name": "made", "connector.class": "stream", "topics": "lines", "topic": "made", "producer.override.sasl.jaas.config": "hush", "tasks.max": "1"}
	p.has("PUT", "/api/connectors/made/config", made, 201)
	p.ask("GET", "/api/edit/made", nil, &shown)
	if !strings.Contains(shown.Text, "producer.override.sasl.jaas.config: '[hidden]'") || shown.Config["topics"] != "lines" {
		t.Errorf("%+v", shown)
	}
	p.has("PUT", "/api/connectors/made/config", with(shown.Config, "tasks.max", "2"), 200)
	if i, err := p.w.herder.Info("made"); err != nil || i.Config["producer.override.sasl.jaas.config"] != "hush" || i.Config["tasks.max"] != "2" {
		t.Errorf("%v, %v", i.Config, err)
	}
	p.has("PUT", "/api/connectors/made/config", with(shown.Config, "topics", "[hidden]"), 400, "topics: [hidden] stands for the secret")

	if err := os.Remove(p.file); err != nil {
		t.Fatal(err)
	}
	p.has("GET", "/api/edit/upper", nil, 200, "is not there to be written")
}

func with(config map[string]string, pairs ...string) map[string]string {
	out := map[string]string{}
	for k, v := range config {
		out[k] = v
	}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = pairs[i+1]
	}
	return out
}

// TestPagePreviews looks at what a change would make of records: nothing is written.
func TestPagePreviews(t *testing.T) {
	p := newPaged(t, "false")
	ends := func() map[string]int64 {
		all := map[string]int64{}
		found, err := p.client.DescribeTopics(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, topic := range found {
			if strings.HasPrefix(topic.Name, "__") {
				continue // commits of what runs
			}
			offsets, err := p.client.EndOffsets(t.Context(), topic.Name)
			if err != nil {
				t.Fatal(err)
			}
			for tp, end := range offsets {
				all[fmt.Sprint(tp)] = end
			}
		}
		return all
	}
	wait.Until(t, "both copies", func() bool { return ends()[fmt.Sprint(connector.TopicPartition{Topic: "copies"})] == 2 })
	before := ends()
	config := map[string]string{"connector.class": "stream", "topics": "lines", "topic": "elsewhere", "transforms": "a", "transforms.a.type": "InsertField$Value", "transforms.a.static.field": "by", "transforms.a.static.value": "us",
		"errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dead", "errors.deadletterqueue.topic.replication.factor": "1"}
	p.has("POST", "/api/preview", map[string]any{"name": "new", "config": config, "records": 3}, 200,
		`"fate":"delivered"`, `"fate":"dead letter"`, `"stage":"value converter (json)"`, `"does":"make topic elsewhere"`, `"field":"value.by"`, `"arrives":false`)
	p.has("POST", "/api/preview", map[string]any{"name": "new", "config": with(config, "errors.tolerance", "some"), "records": 3}, 422, "Invalid value some")
	p.has("POST", "/api/preview", map[string]any{"name": "new", "config": config, "records": 999}, 400, "records: want 1 to 100")
	p.has("POST", "/api/preview", map[string]any{"name": "new", "config": config, "input": []any{map[string]any{"value": map[string]any{"roi": 2}}}}, 200, `"from":"1 records given"`, `"field":"value.roi"`)
	if d := cmp.Diff(before, ends()); d != "" {
		t.Errorf("something was written: %s", d)
	}
}

// TestPageWritesFiles has the page write a connector's file, with all else as it was.
func TestPageWritesFiles(t *testing.T) {
	p := newPaged(t, "true")
	var shown struct{ Text, Version, Refused string }
	p.ask("GET", "/api/edit/upper", nil, &shown)
	if shown.Refused != "" {
		t.Fatal(shown.Refused)
	}
	was, err := os.ReadFile(p.file)
	if err != nil {
		t.Fatal(err)
	}
	beside := filepath.Join(t.TempDir(), "beside.yaml")
	if err := errors.Join(os.Rename(p.file, beside), os.Symlink(beside, p.file)); err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(shown.Text, "topics: lines ", "topics: other ", 1)
	p.has("PUT", "/api/files/upper", map[string]any{"text": text, "version": "another"}, 409, "has changed since")
	p.has("PUT", "/api/files/upper", map[string]any{"text": text + "tasks.max: many\n", "version": shown.Version}, 400, "tasks.max")
	p.has("PUT", "/api/files/upper", map[string]any{"text": text + "a: [b\n", "version": shown.Version}, 400, "text:")
	if now, err := os.ReadFile(p.file); err != nil || string(now) != string(was) {
		t.Errorf("a refusal wrote something: %v, %s", err, now)
	}
	if status := p.ask("PUT", "/api/files/upper", map[string]any{"text": shown.Text, "version": shown.Version}, &shown); status != 200 {
		t.Fatal(status)
	}
	p.has("PUT", "/api/files/upper", map[string]any{"text": text, "version": shown.Version}, 200, p.file)
	if info, err := os.Lstat(p.file); err != nil || info.Mode().IsRegular() {
		t.Errorf("the link is gone: %v, %v", info, err)
	}
	now, err := os.ReadFile(beside)
	if d := cmp.Diff(strings.Replace(string(was), "topics: lines ", "topics: other ", 1), string(now)); err != nil || d != "" {
		t.Errorf("%v: %s", err, d)
	}
	select {
	case <-p.w.asksReload:
	default:
		t.Error("nobody is asked to read the files anew")
	}
}
