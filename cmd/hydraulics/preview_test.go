package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/axiom-data-science/hydraulics/configs"
	"github.com/axiom-data-science/hydraulics/internal/registry"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
	"github.com/axiom-data-science/hydraulics/internal/test/registrytest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
	"github.com/axiom-data-science/hydraulics/runtime/cli"
)

const previewedFlow = `
worker:
  bootstrap.servers: %s
  schema.registry.url: %s
  offset.flush.interval.ms: 100
  key.converter: string
  value.converter: avro
  consumer.session.timeout.ms: 2000
  consumer.heartbeat.interval.ms: 200
connectors:
  lines: {connector.class: file-source, topic: lines, file: %s, topic.creation.default: {partitions: 1, replication.factor: 1}}
  stats:
    connector.class: stream
    topics: ifcb-images
    topic: ifcb-sample-stats
    input.value.converter: {class: json, schemas.enable: false}
    topic.creation.default: {partitions: 1, replication.factor: 1}
    state.topic.replication.factor: 1
    errors.tolerance: all
    errors.deadletterqueue.topic.name: dead
    errors.deadletterqueue.topic.replication.factor: 1
    transforms:
      - classify:   {model: demo/demo-plankton.onnx}
      - keep-best:  {key: [roi], score: prob, fields: [name, prob, classifier, classification_time], retention: 30d}
      - biovolume:  {pixels.per.micron: 3.4}
      - carbon:     {diatoms: demo/diatoms.txt, hab: demo/hab.txt, classes: demo/classes.txt}
      - ifcb-stats: {}
  table:
    connector.class: postgres
    topics: ifcb-sample-stats
    connection.url: %s
    auto.create: true
    insert.mode: upsert
    pk.mode: record_value
    pk.fields: time,ifcb_id,roi
`

// command runs a command of every worker, or new, and gives what it printed.
func command(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out := new(said)
	cli.Defaults = configs.FS
	root := cli.Root("hydraulics", newNewCommand())
	root.SetOut(out)
	root.SetErr(out)
	root.SetArgs(args)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

// add appends to a file.
func (s *stream) add(name, text string) {
	s.t.Helper()
	f, err := os.OpenFile(filepath.Join(s.dir, name), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

// world is all that a flow writes to.
func (s *stream) world(registryURL string, db *pgxpool.Pool) map[string]any {
	s.t.Helper()
	w := map[string]any{}
	topics, err := s.client.DescribeTopics(s.t.Context(), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, t := range topics {
		ends, err := s.client.EndOffsets(s.t.Context(), t.Name)
		w["topic "+t.Name] = fmt.Sprint(t.Partitions, ends, err)
	}
	for _, group := range []string{"connect-stats", "connect-table"} {
		offsets, err := s.client.CommittedOffsets(s.t.Context(), group)
		w["group "+group] = fmt.Sprint(offsets, err)
	}
	client := registrytest.Client(s.t, registryURL, registry.Avro)
	subjects, err := client.Subjects(s.t.Context())
	w["subjects"] = fmt.Sprint(subjects, err)
	files, err := os.ReadDir(s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(s.dir, f.Name()))
		w["file "+f.Name()] = fmt.Sprint(string(data), err)
	}
	w["tables"] = pgtest.Rows(s.t, db, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1")
	w["rows"] = pgtest.Rows(s.t, db, `SELECT * FROM "ifcb-sample-stats" ORDER BY roi`)
	return w
}

func TestPreviewWritesNothing(t *testing.T) {
	s := newStream(t)
	s.topic("ifcb-images", 2)
	if err := s.publish("ifcb-images", 0, 6); err != nil {
		t.Fatal(err)
	}
	schemas, dsn := registrytest.URL(t), pgtest.URL(t)
	db := pgtest.Open(t, dsn)
	s.put("lines.txt", []byte("one\n"))
	w := s.start("flow.yaml", fmt.Sprintf(previewedFlow, s.broker, schemas, filepath.Join(s.dir, "lines.txt"), dsn))
	s.caughtUp("stats", "ifcb-images")
	s.caughtUp("table", "ifcb-sample-stats")
	await(t, "lines", func() bool { return len(s.read("lines")) == 1 })
	if err := s.close(w, wait.Patience); err != nil {
		t.Fatal(err)
	}
	s.add("lines.txt", "two\n")
	if err := s.publish("ifcb-images", 4, 8); err != nil {
		t.Fatal(err)
	}
	for _, request := range []int16{kafkatest.Produce, kafkatest.CreateTopics, kafkatest.InitProducerID, kafkatest.JoinGroup, kafkatest.OffsetCommit} {
		s.faults.Fail(kafkatest.Fault{Request: request, Code: 29, Times: -1}) // not authorized
	}
	before := s.world(schemas, db)
	tests := []struct {
		name string
		args []string
		want []string
		not  []string
	}{
		{"source goes on where it is", []string{"--connector", "lines", "--poll", "1", "--wait", "1m"},
			[]string{`+ value = "two"`, "=> delivered to topic lines, key 0 bytes, value 9 bytes", "1 records: 1 delivered; nothing was written"}, []string{"register"}},
		{"source with a new subject", []string{"--connector", "lines", "--poll", "1", "--wait", "1m", "--set", "connectors.lines.topic=others"},
			[]string{"would register version 1 of subject others-value\n    \"string\""}, nil},
		{"stream with state and pictures", []string{"--connector", "stats", "--last", "4"},
			[]string{"value.image = PNG 44 x 40, ", "transform keep-best (keep-best)", "would keep state: 2 records in topic connect-stats-keep-best-changelog", "4 records: 4 delivered"}, []string{"register"}},
		{"stream to a new topic", []string{"--connector", "stats", "--last", "1", "--set", "connectors.stats.topic=others"},
			[]string{"would make topic others", "would register version 1 of subject others-value\n    {\"type\":\"record\""}, nil},
		{"sink", []string{"--connector", "table", "--last", "3"}, []string{"would upsert 3 rows: table public.ifcb-sample-stats [", "INSERT INTO \"public\".\"ifcb-sample-stats\""}, []string{"CREATE TABLE"}},
		{"sink, tried", []string{"--connector", "table", "--last", "3", "--execute", "--set", "connectors.table.table.name.format=others"},
			[]string{"would run CREATE TABLE \"others\"", "would upsert 3 rows: table public.others, tried and rolled back"}, nil},
		{"all", nil, []string{"lines (source)", "stats (stream)", "table (sink)"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := command(t, append([]string{"preview", filepath.Join(s.dir, "flow.yaml")}, tt.args...)...)
			if err != nil {
				t.Errorf("error: %v", err)
			}
			for _, text := range tt.want {
				if !strings.Contains(out, text) {
					t.Errorf("no %q in\n%s", text, out)
				}
			}
			for _, text := range tt.not {
				if strings.Contains(out, text) {
					t.Errorf("%q in\n%s", text, out)
				}
			}
			if d := cmp.Diff(before, s.world(schemas, db)); d != "" {
				t.Errorf("something was written:\n%s", d)
			}
		})
	}
}

// The tests of the configurations that the project ships.
func TestConfigs(t *testing.T) {
	files, err := filepath.Glob("../../configs/*.test.yaml")
	if err != nil || len(files) < 4 {
		t.Fatal(files, err)
	}
	if out, err := command(t, append([]string{"test"}, files...)...); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
