package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/cmd/hydraulics/internal/reclassify"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// mirrored changes a manifest so that the model has another version and calls
// every class by another's name: the first the last, and so on.
var mirrored = []string{"version: '1'", "version: '2'",
	"- demo-chain", "- demo-spiral", "- demo-ellipsoid", "- demo-spiny", "- demo-horned", "- demo-sphere", "- demo-nano", "- demo-rod",
	"- demo-rod", "- demo-nano", "- demo-sphere", "- demo-horned", "- demo-spiny", "- demo-ellipsoid", "- demo-spiral", "- demo-chain"}

// analysis is a flow from images to statistics, and into a table where there
// is a database.
func (s *stream) analysis(best, database, pk string) string {
	s.t.Setenv("HYDRAULICS_TEST_STATS", "stats")                                     // flows may refer to the environment
	s.put("hab.txt", []byte("demo-chain\ndemo-ellipsoid\ndemo-horned\ndemo-nano\n")) // what mirrored makes the others
	text := fmt.Sprintf(`
worker:
  bootstrap.servers: %s
  offset.storage.file.filename: flow.offsets
  offset.flush.interval.ms: 100
  key.converter: json
  value.converter: json
connectors:
  stats:
    connector.class: stream
    topics: images
    topic: ${env:HYDRAULICS_TEST_STATS}
    input.key.converter: string
    input.value.converter: {class: json, schemas.enable: false}
    transforms:
      - classify: {model: %s}
      - keep-best: {%s}
      - biovolume: {}
      - carbon: {hab: hab.txt}
      - ifcb-stats: {}
`, s.broker, s.model("plankton"), best)
	if database != "" {
		text += fmt.Sprintf(`
  table:
    connector.class: postgres
    topics: stats
    connection.url: %s
    table.name.format: stats
    insert.mode: upsert
    auto.create: true
    pk.mode: record_value
    pk.fields: %s
`, database, pk)
	}
	return text
}

// reclassify runs the command.
func (s *stream) reclassify(ctx context.Context, args ...string) (string, error) {
	s.t.Helper()
	var out, logs bytes.Buffer
	cmd := newReclassifyCommand()
	cmd.SetOut(&out)
	cmd.SetErr(&logs)
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	cmd.SetArgs(append([]string{"-f", filepath.Join(s.dir, "flow.yaml"), "--model", filepath.Join(s.dir, "new.onnx"), "--state", filepath.Join(s.dir, "runs"),
		"--json", filepath.Join(s.dir, "report.json"), "--csv", filepath.Join(s.dir, "report.csv")}, args...))
	err := cmd.ExecuteContext(ctx)
	return out.String(), err
}

// reported reads the report.
func (s *stream) reported() reclassify.Report {
	s.t.Helper()
	var rep reclassify.Report
	data, err := os.ReadFile(filepath.Join(s.dir, "report.json"))
	if err != nil {
		s.t.Fatal(err)
	}
	if err := json.Unmarshal(data, &rep); err != nil {
		s.t.Fatal(err)
	}
	return rep
}

// totals is a report without its classes, which are checked for their sum.
func totals(t *testing.T, rep reclassify.Report) reclassify.Report {
	t.Helper()
	sum := 0
	for _, c := range rep.Classes {
		sum += c.Images
		if c.Old == c.New || c.OldHAB == c.NewHAB {
			t.Errorf("a class that is its mirror image: %+v", c)
		}
	}
	if sum != rep.Images || rep.BecameHAB+rep.CeasedHAB != rep.Images {
		t.Errorf("%d images in the classes, %d became and %d ceased to be harmful, of %d", sum, rep.BecameHAB, rep.CeasedHAB, rep.Images)
	}
	rep.Classes, rep.BecameHAB, rep.CeasedHAB = nil, 0, 0
	return rep
}

// interrupted runs the command and breaks it off when the topic of the run has
// some records and not all.
func (s *stream) interrupted(topic string, from int, args ...string) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { // ends with ctx
		_, err := s.reclassify(ctx, args...)
		ended <- err
	}()
	await(s.t, "the run writes", func() bool {
		select {
		case err := <-ended:
			s.t.Fatalf("the run ends with %v before it was interrupted", err)
		default:
		}
		return len(s.read(topic)) > from
	})
	cancel()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "interrupted: the same command goes on from here") {
		s.t.Fatalf("the interrupted run ends with %v", err)
	}
}

const reclassified = 130 // images, more than one batch of a run

// TestReclassifyIntoTopic: without a table, with a run that is interrupted, and
// images that come later and are left to the flow.
func TestReclassifyIntoTopic(t *testing.T) {
	s := newStream(t)
	s.topic("images", 2)
	if err := s.publish("images", 0, reclassified); err != nil {
		t.Fatal(err)
	}
	live := s.start("flow.yaml", s.analysis("key: [ifcb_id, datetime, roi]", "", ""))
	s.caughtUp("stats", "images")
	s.model("new", mirrored...)
	const topic = "reclassify-stats-demo-plankton-2"
	s.interrupted(topic, 0, "--rate", "100")
	if n := len(s.read(topic)); n >= reclassified {
		t.Fatalf("the run was not interrupted: it has all %d images", n)
	}
	if err := s.publish("images", reclassified, reclassified+20); err != nil { // live traffic
		t.Fatal(err)
	}
	out, err := s.reclassify(t.Context(), "--rate", "0")
	if err != nil {
		t.Fatal(err)
	}
	want := reclassify.Report{Run: topic, Models: []string{"demo-plankton:2"}, Images: reclassified, Changed: reclassified}
	if diff := cmp.Diff(want, totals(t, s.reported())); diff != "" {
		t.Errorf("report (-want +got):\n%s\n%s", diff, out)
	}
	seen := map[string]int{}
	for _, m := range s.read(topic) {
		seen[string(m.Key)]++
	}
	if len(seen) != reclassified {
		t.Errorf("%d images are in the topic, want %d", len(seen), reclassified)
	}
	if !strings.Contains(out, "130 images were classified before and now: 0 have the same class, 130 another one") || !strings.Contains(out, "harmful") {
		t.Errorf("it says:\n%s", out)
	}
	rows, err := os.ReadFile(filepath.Join(s.dir, "report.csv"))
	if err != nil || !strings.HasPrefix(string(rows), "old,new,images,old_hab,new_hab\n") || strings.Count(string(rows), "\n") != len(s.reported().Classes)+1 {
		t.Errorf("CSV %v:\n%s", err, rows)
	}
	// What is done is compared again, not classified again.
	before := len(s.read(topic))
	if again, err := s.reclassify(t.Context()); err != nil || again != out || len(s.read(topic)) != before {
		t.Errorf("the command again: %v\n%s", err, again)
	}
	s.caughtUp("stats", "images")
	if n := dropped(live.Snapshots()); n != 0 {
		t.Errorf("the flow dropped %d records", n)
	}
	// A part of the time has a run of its own.
	if _, err := s.reclassify(t.Context(), "--name", "part", "--since", "2019-07-24T20:27:10Z", "--until", "2019-07-24T20:27:40Z", "--rate", "0"); err != nil {
		t.Fatal(err)
	}
	want = reclassify.Report{Run: "reclassify-part", Models: []string{"demo-plankton:2"}, Images: 30, Changed: 30}
	if diff := cmp.Diff(want, totals(t, s.reported())); diff != "" {
		t.Errorf("report of a part (-want +got):\n%s", diff)
	}
	if _, err := s.reclassify(t.Context(), "--name", "part"); err == nil || !strings.Contains(err.Error(), "begin another run with --name") {
		t.Errorf("the run of another time: %v", err)
	}
}

// TestReclassifyIntoTables: a table of its own, and the flow's table with the
// two policies that allow it, each interrupted and resumed beside the flow.
func TestReclassifyIntoTables(t *testing.T) {
	if testing.Short() {
		t.Skip("a PostgreSQL and six runs; not with -short")
	}
	for _, c := range []struct {
		name, best, pk string
		args           []string
		topic          string
		want           []string // table, classifier and number of rows
	}{
		{"own table", "key: [ifcb_id, datetime, roi]", "time,ifcb_id,roi", nil, "reclassify-stats-demo-plankton-2",
			[]string{"stats|demo-plankton:1|130", "stats_reclassify_stats_demo_plankton_2|demo-plankton:2|130"}},
		{"latest", "policy: latest", "time,ifcb_id,roi", []string{"--same-table"}, "stats",
			[]string{"stats|demo-plankton:2|130"}},
		{"per-model", "policy: per-model, key: [ifcb_id, datetime, roi]", "time,ifcb_id,roi,classifier", []string{"--same-table"}, "stats",
			[]string{"stats|demo-plankton:1|130", "stats|demo-plankton:2|130"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			database := pgtest.URL(t)
			s := newStream(t)
			s.topic("images", 2)
			if err := s.publish("images", 0, reclassified); err != nil {
				t.Fatal(err)
			}
			s.start("flow.yaml", s.analysis(c.best, database, c.pk))
			s.caughtUp("stats", "images")
			s.caughtUp("table", "stats")
			s.model("new", mirrored...)
			written := len(s.read("stats"))
			if c.topic != "stats" {
				written = 0
			}
			s.interrupted(c.topic, written, append([]string{"--rate", "100"}, c.args...)...)
			out, err := s.reclassify(t.Context(), append([]string{"--rate", "0"}, c.args...)...)
			if err != nil {
				t.Fatal(err)
			}
			want := reclassify.Report{Run: "reclassify-stats-demo-plankton-2", Models: []string{"demo-plankton:2"}, Images: reclassified, Changed: reclassified}
			if diff := cmp.Diff(want, totals(t, s.reported())); diff != "" {
				t.Errorf("report (-want +got):\n%s\n%s", diff, out)
			}
			s.caughtUp("table", "stats")
			db := pgtest.Open(t, database)
			var got []string
			for _, table := range pgtest.Rows(t, db, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1") {
				for _, row := range pgtest.Rows(t, db, "SELECT classifier, count(*) FROM "+table+" GROUP BY 1 ORDER BY 1") {
					got = append(got, table+"|"+row)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("tables (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReclassifyIsRefused(t *testing.T) {
	s := newStream(t)
	s.model("new", mirrored...)
	keys := "key: [ifcb_id, datetime, roi]"
	for _, c := range []struct {
		name, flow string
		args       []string
		want       []string
	}{
		{"keep-best", s.analysis(keys, "", ""), []string{"--same-table"}, []string{"keep-best of stats keeps", "set its policy to latest, or to per-model", "without --same-table"}},
		{"per-model without its key", s.analysis("policy: per-model, "+keys, "postgresql://localhost/x", "time,ifcb_id,roi"), []string{"--same-table"}, []string{"pk.fields of table need classifier"}},
		{"no such stream", s.analysis(keys, "", ""), []string{"--stream", "x"}, []string{"has no stream x"}},
		{"no stream", "connectors: {x: {connector.class: stream, topics: a, topic: b}}", nil, []string{"has no stream with a transform classify"}},
		{"a time that is none", s.analysis(keys, "", ""), []string{"--since", "yesterday"}, []string{`--since: "yesterday" is not a time such as`}},
		{"no model", s.analysis(keys, "", ""), []string{"--model", "nowhere.onnx"}, []string{"nowhere.onnx"}},
		{"rate", s.analysis(keys, "", ""), []string{"--rate", "-1"}, []string{"--rate"}},
		{"no images", s.analysis(keys, "", ""), nil, []string{"images"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.put("flow.yaml", []byte(c.flow))
			_, err := s.reclassify(t.Context(), c.args...)
			if err == nil {
				t.Fatal("it is done")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
		})
	}
}
