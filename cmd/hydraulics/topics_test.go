package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/registrytest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// lookedInto is a cluster that the commands look into.
type lookedInto struct {
	t      *testing.T
	broker string
	client *kafka.Client
}

func newLookedInto(t *testing.T) *lookedInto {
	t.Helper()
	l := &lookedInto{t: t, broker: kafkatest.Start(t)}
	var err error
	if l.client, err = kafka.Open(t.Context(), kafka.Options{Bootstrap: []string{l.broker}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.client.Close)
	return l
}

// topic makes a topic of two partitions.
func (l *lookedInto) topic(name string) {
	l.t.Helper()
	if err := l.client.CreateTopic(l.t.Context(), kafka.TopicSpec{Name: name, Partitions: 2, Replication: 1}); err != nil {
		l.t.Fatal(err)
	}
}

// send writes messages in their order.
func (l *lookedInto) send(messages ...kafka.Message) {
	l.t.Helper()
	p, err := l.client.NewProducer(kafka.ProducerOptions{})
	if err != nil {
		l.t.Fatal(err)
	}
	defer func() { _ = p.Close() }() // all was flushed
	for _, m := range messages {
		if err := p.Send(l.t.Context(), m, func(_ connector.RecordMetadata, err error) {
			if err != nil {
				l.t.Error(err)
			}
		}); err != nil {
			l.t.Fatal(err)
		}
	}
	if err := p.Flush(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
}

// says runs a command and gives what it said, an error at the end.
func (l *lookedInto) says(args ...string) string {
	l.t.Helper()
	out := new(said)
	l.run(l.t.Context(), out, args...)
	return out.String()
}

func (l *lookedInto) run(ctx context.Context, out *said, args ...string) {
	cmd := newTopicsCommand()
	cmd.SetOut(out)
	cmd.SetErr(out)
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	cmd.SetArgs(append(args, "--bootstrap-server", l.broker))
	if err := cmd.ExecuteContext(ctx); err != nil {
		_, _ = out.Write([]byte("error: " + err.Error()))
	}
}

// said is what a command prints, from any goroutine.
type said struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestTopics(t *testing.T) {
	l := newLookedInto(t)
	l.topic("tides")
	at := time.Date(2026, 7, 28, 21, 0, 0, 0, time.UTC)
	for i, text := range []string{"one", "two", "three", "four"} {
		l.send(kafka.Message{Topic: "tides", Partition: 0, Key: []byte("k" + text), Value: []byte(`{"level":"` + text + `"}`),
			Timestamp: at.Add(time.Duration(i) * time.Hour).UnixMilli(), Headers: []kafka.Header{{Key: "site", Value: []byte("mvco")}}})
	}
	l.send(kafka.Message{Topic: "tides", Partition: 1, Value: []byte{0xff, 0}, Timestamp: at.UnixMilli()})
	settings := filepath.Join(t.TempDir(), "worker.yaml")
	if err := os.WriteFile(settings, []byte("worker:\n  bootstrap.servers: localhost:1\n  value.converter: {class: json, schemas.enable: false}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, args string
		want, not  string
	}{
		{"list", "list", "NAME   PARTITIONS  REPLICATION\ntides  2           1\n", ""},
		{"list for programs", "list -o yaml", "- name: tides\n  partitions: 2\n", ""},
		{"describe", "describe tides", "PARTITION  FIRST  END  LEADER  REPLICAS  IN SYNC\n0          0      4    ", ""},
		{"settings", "describe tides", "tides: 2 partitions, 5 offsets\n  cleanup.policy: delete\n", ""},
		{"describe for programs", "describe tides -o json", `"end": 4`, ""},
		{"no such topic", "describe none", "error: topic none: topic does not exist", ""},
		{"a record", "tail tides --partition 0 --max 1", "tides[0]@0  2026-07-28T21:00:00.000Z  kone\n  header site: mvco\n  {\"level\":\"one\"}\n", "two"},
		{"the last ones", "tail tides --from -1", "tides[0]@3", "tides[0]@2"},
		{"a key that is not there, within bytes", "tail tides --partition 0 --from beginning --key none --max-bytes 20", "ended by --max-bytes behind tides[0]@", "two"},
		{"from an offset", "tail tides --from 2 --partition 0", "tides[0]@2", "tides[0]@1"},
		{"from a time", "tail tides --from 2026-07-28T22:30:00Z", "tides[0]@2", "tides[0]@1"},
		{"from a time when there is nothing", "tail tides --from 2030-01-01", "", "tides["},
		{"from an age", "tail tides --from 900000h", "tides[0]@0", ""},
		{"from the end", "tail tides --from end", "", "tides["},
		{"a key", "tail tides --from beginning --key ktwo", "tides[0]@1", "tides[0]@2"},
		{"no more bytes", "tail tides --from beginning --max-bytes 20", "tides[0]@0", "tides[0]@1"},
		{"what is no text", "tail tides --partition 1", `{"base64":"/wA="}`, ""},
		{"for programs", "tail tides --partition 0 --max 1 -o json", `"timestamp":"2026-07-28T21:00:00Z","key":"kone","value":"{\"level\":\"one\"}","headers":[{"key":"site","value":{"text":"mvco"}}]}`, ""},
		{"by a converter", "tail tides --partition 0 --max 1 -o json --value-converter json --converter-set value.converter.schemas.enable=false", `"value":{"level":"one"}`, ""},
		{"by the worker's converter", "tail tides --partition 0 --max 1 -o json --kafka-config " + settings, `"value":{"level":"one"}`, ""},
		{"what cannot be decoded", "tail tides --value-converter json", "  error: value: ", ""},
		{"a converter that is none", "tail tides --value-converter no-such", "error: value.converter: converter \"no-such\" is not known", ""},
		{"a converter that wants a registry", "tail tides --value-converter avro", "--registry and --converter-set give its keys", ""},
		{"a partition that is none", "tail tides --partition 7", "topic tides has 2 partitions", ""},
		{"a place that is none", "tail tides --from yesterday", "error: --from yesterday: want beginning", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out := (&lookedInto{t, l.broker, l.client}).says(strings.Fields(tt.args)...)
			if !strings.Contains(out, tt.want) || tt.not != "" && strings.Contains(out, tt.not) {
				t.Errorf("%s: want %q and no %q in:\n%s", tt.args, tt.want, tt.not, out)
			}
		})
	}
}

func TestTopicsAreFollowed(t *testing.T) {
	l := newLookedInto(t)
	l.topic("tides")
	l.send(kafka.Message{Topic: "tides", Partition: 0, Value: []byte("before")})
	ctx, cancel := context.WithCancel(t.Context())
	out, done := new(said), make(chan struct{})
	go func() {
		defer close(done)
		l.run(ctx, out, "tail", "tides", "--follow", "--for", "0")
	}()
	wait.Until(t, "what was there", func() bool { return strings.Contains(out.String(), "before") })
	for p := range int32(2) {
		l.send(kafka.Message{Topic: "tides", Partition: p, Value: []byte{'p', '0' + byte(p)}})
	}
	wait.Until(t, "what was added", func() bool { return strings.Contains(out.String(), "p0") && strings.Contains(out.String(), "p1") })
	cancel()
	wait.For(t, "its end", done)
	if text := out.String(); strings.Contains(text, "error") {
		t.Error(text)
	}
	if text := l.says("tail", "tides", "--follow", "--from", "beginning", "--max", "2"); strings.Count(text, "tides[") != 2 {
		t.Errorf("it does not end at --max: %s", text)
	}
	if text := l.says("tail", "tides", "--follow", "--from", "end", "--for", "10ms"); text != "" {
		t.Errorf("it does not end at --for: %s", text)
	}
}

// Records of a schema registry are decoded.
func TestTopicsDecodeAvro(t *testing.T) {
	l := newLookedInto(t)
	l.topic("tides")
	registry := registrytest.URL(t)
	plugin, err := connector.Plugins.New(connector.ConverterType, "avro")
	if err != nil {
		t.Fatal(err)
	}
	c := registrytest.Configure(t, plugin.(connector.Converter), registry, nil)
	schema := connector.StructOf("ocean.Tide", connector.F("level", connector.PrimitiveSchema(connector.Float64)))
	data, err := c.FromConnect(t.Context(), "tides", schema, connector.NewStruct(schema).Set("level", 1.5))
	if err != nil {
		t.Fatal(err)
	}
	l.send(kafka.Message{Topic: "tides", Partition: 0, Value: data})
	var record struct{ Value struct{ Level float64 } }
	out := l.says("tail", "tides", "--value-converter", "avro", "--registry", registry, "-o", "json")
	if err := json.Unmarshal([]byte(out), &record); err != nil || record.Value.Level != 1.5 {
		t.Errorf("%v: %s", err, out)
	}
}
