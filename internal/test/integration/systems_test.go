//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/configs"
	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard/plankton"
	"github.com/axiom-data-science/hydraulics/internal/infer/model"
	"github.com/axiom-data-science/hydraulics/internal/pg/migrations"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
)

// Each system of the original has its counterpart, and does its work with the
// others: images are published, classified, and land in the table, by the
// original's commands and files, at its addresses. They follow one another.
func TestOriginalSystems(t *testing.T) {
	each(t, func(t *testing.T, s *stack) {
		o := newOriginal(s)
		for _, part := range []struct {
			name string
			test func(t *testing.T, o *original) (saw string)
		}{
			{"registry", testRegistry},
			{"PostgreSQL", testTable},
			{"ingest script", testIngest},
			{"Kafka", testKafka},
			{"stream app", testStream},
			{"JDBC sink connector", testJDBC},
			{"PostgREST", testReadAPI},
			{"TensorFlow Serving", testServing},
			{"training script", testTraining},
			{"REST sink", testREST},
		} {
			ok := t.Run(part.name, func(t *testing.T) {
				within := *o
				within.stack = s.within(t)
				saw := part.test(t, &within)
				if !t.Failed() {
					t.Logf("passed: %s: %s", part.name, saw)
				}
			})
			if !ok {
				t.Fatalf("what follows %s needs it", part.name)
			}
		}
	})
}

// schemas update all gives the two subjects.
func testRegistry(t *testing.T, o *original) string {
	if out, err := hydraulics(t, "schemas", "update", "all", "http://"+originalRegistry); err != nil {
		t.Fatalf("schemas update: %v\n%s", err, out)
	}
	var subjects []string
	getJSON(t, o.registry+"/subjects", &subjects)
	for _, subject := range []string{"ifcb-stats-key", "ifcb-stats-value"} {
		if !slices.Contains(subjects, subject) {
			t.Errorf("subject %s is missing: %v", subject, subjects)
		}
		var config struct {
			Level string `json:"compatibilityLevel"`
		}
		getJSON(t, o.registry+"/config/"+subject, &config)
		if config.Level != "BACKWARD" {
			t.Errorf("%s: its compatibility is %q", subject, config.Level)
		}
	}
	return "subjects ifcb-stats-key and ifcb-stats-value, compatibility BACKWARD"
}

// The migration makes the original's table.
func testTable(t *testing.T, o *original) string {
	files, err := fs.Sub(configs.FS, "migrations")
	check(t, err)
	conn, err := o.pool.Acquire(t.Context())
	check(t, err)
	defer conn.Release()
	for range 2 { // it can be run again
		check(t, migrations.Up(t.Context(), conn.Conn(), files))
	}
	got := pgtest.Rows(t, o.pool, "SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, col_description(a.attrelid, a.attnum) IS NOT NULL"+
		" FROM pg_attribute a WHERE a.attrelid = 'ifcb_sample_stats'::regclass AND a.attnum > 0 ORDER BY a.attnum")
	want := []string{"time|integer", "ifcb_id|character varying(7)", "roi|integer", "name|character varying", "prob|double precision",
		"classifier|character varying", "classification_time|integer", "biovolume|double precision", "carbon|double precision", "hab|boolean"}
	for i := range want {
		want[i] += "|t|t" // not null, with a comment
	}
	want = append(want, "pid|character varying|f|t", "url|character varying|f|t") // ours, on request
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("columns: %s", d)
	}
	indexes := pgtest.Rows(t, o.pool, "SELECT regexp_replace(indexdef, '.* USING btree ', '') FROM pg_indexes WHERE tablename = 'ifcb_sample_stats' ORDER BY 1")
	if d := cmp.Diff([]string{"(ifcb_id, time)", "(ifcb_id, time, hab)", "(\"time\", ifcb_id, roi)"}, indexes,
		cmp.Transformer("unquoted", func(s []string) (out []string) {
			for _, x := range s {
				out = append(out, strings.ReplaceAll(x, `"`, ""))
			}
			slices.Sort(out)
			return out
		})); d != "" {
		t.Errorf("indexes: %s", d)
	}
	may := pgtest.Rows(t, o.pool, "SELECT has_table_privilege('web_anon', 'ifcb_sample_stats', 'SELECT'), has_table_privilege('web_anon', 'ifcb_sample_stats', 'INSERT'), rolcanlogin FROM pg_roles WHERE rolname = 'web_anon'")
	if d := cmp.Diff([]string{"t|f|f"}, may); d != "" {
		t.Errorf("web_anon may read, write, log in: %s", d)
	}
	return fmt.Sprintf("table ifcb_sample_stats on port 5441 with %d commented columns, %d indexes, readable by web_anon", len(got), len(indexes))
}

// Both forms of ingest publish; run twice they add no new key.
func testIngest(t *testing.T, o *original) string {
	dir := t.TempDir()
	ingest := func(words ...string) {
		t.Helper()
		args := append(words, o.site.url, o.images, originalKafka, "--offsets", filepath.Join(dir, "offsets"), "--nbins")
		half := append(args[:len(args):len(args)], "4")
		for range 2 {
			if out, err := hydraulics(t, half...); err != nil {
				t.Fatalf("%v: %v\n%s", half, err, out)
			}
		}
	}
	ingest("publish-feed-images") // the newest four of six bins
	feed := o.tally(o.images, false)
	complete(t, "feed", feed, o.site.images[20:])
	ingest("ingest", "station") // the oldest four
	both := o.tally(o.images, false)
	again := complete(t, "feed and station", both, o.site.images)
	if again != 20 { // what both forms take
		t.Errorf("%d images came again, want 20", again)
	}
	return fmt.Sprintf("feed and station forms, run twice each: %d images, no new key the second time", len(both))
}

// What was published is in Kafka as the original's scripts write it.
func testKafka(t *testing.T, o *original) string {
	version, n := o.clusterID(), 0
	for _, m := range o.read(o.images) {
		var v map[string]any
		if err := json.Unmarshal(m.Value, &v); err != nil {
			t.Fatalf("%s: %v", m.Key, err)
		}
		if len(v) != 4 || v["ifcb_id"] == nil || v["datetime"] == nil || v["roi"] == nil || v["image"] == nil {
			t.Errorf("%s: its value is %.200s", m.Key, m.Value)
		}
		n++
	}
	return fmt.Sprintf("cluster %s on port 9092, topic %s with %d JSON images of string keys", version, o.images, n)
}

func (o *original) clusterID() string {
	o.t.Helper()
	id, err := o.kafka.ClusterID(o.t.Context())
	check(o.t, err)
	return id
}

// The stream app reads the original's images and publishes statistics.
func testStream(t *testing.T, o *original) string {
	f := newFlow(o.stack)
	f.Images, f.JSON, f.Sink, f.Stats = o.images, true, "", originalStats
	w := f.start()
	eventually(t, "statistics", func() bool { return o.caughtUp("connect-"+f.Stream, f.Images) }, f.state)
	metrics := get(t, w.rest+"/metrics")
	w.stop()
	got := o.tally(originalStats, true)
	for _, key := range o.site.images {
		if got[key] == 0 {
			t.Errorf("%s is missing; %d letters", key, o.written(f.Letters))
		}
	}
	if !strings.Contains(metrics, f.Stream) {
		t.Error("the metrics do not name the stream")
	}
	imported := testSeedConfig(t, o)
	return fmt.Sprintf("%d statistics in Avro on topic %s; a config.json of the original becomes %d lines of YAML that lint accepts",
		len(got), originalStats, imported)
}

// testSeedConfig imports the configuration of the original's stream app, and
// gives the number of lines of the flow that it becomes.
func testSeedConfig(t *testing.T, o *original) int {
	dir := t.TempDir()
	text, err := os.ReadFile("testdata/seed-config.json")
	check(t, err)
	text = []byte(strings.NewReplacer("APP", o.name("app"), "BROKER", originalKafka, "REGISTRY", "http://"+originalRegistry,
		"IMAGES", o.images, "STATS", originalStats).Replace(string(text)))
	file := filepath.Join(dir, "config.json")
	check(t, os.WriteFile(file, text, 0o644))
	if out, err := hydraulics(t, "import", "seed-config", file, "--dir", dir); err != nil {
		t.Fatalf("import seed-config: %v\n%s", err, out)
	}
	if out, err := hydraulics(t, "lint", filepath.Join(dir, "flow.yaml")); err != nil {
		t.Errorf("lint of the imported flow: %v\n%s", err, out)
	}
	flow, err := os.ReadFile(filepath.Join(dir, "flow.yaml"))
	check(t, err)
	return strings.Count(string(flow), "\n")
}

// connect-standalone runs the original's two files and fills the table.
func testJDBC(t *testing.T, o *original) string {
	dir := t.TempDir()
	worker, connector := originalFiles(t, dir)
	w := startProgram(t, dir, program(t), "connect-standalone", worker, connector)
	if !strings.HasSuffix(w.rest, ":8100") {
		t.Errorf("the REST API is at %s, the file says port 8100", w.rest)
	}
	if !w.logged("internal.key.converter") {
		t.Error("the obsolete keys are not noted")
	}
	count := func() int {
		n := 0
		check(t, o.pool.QueryRow(t.Context(), "SELECT count(*) FROM ifcb_sample_stats WHERE time >= $1", o.since).Scan(&n))
		return n
	}
	eventually(t, "rows", func() bool { return count() >= len(o.site.images) },
		func() string { return fmt.Sprint(count(), " rows") }, func() string { return w.tail(5) })
	var status struct{ Connector struct{ State string } }
	getJSON(t, originalConnect+"/connectors/IFCBStatsSinkConnector/status", &status)
	if status.Connector.State != "RUNNING" {
		t.Errorf("the connector is %s", status.Connector.State)
	}
	w.stop()
	if n := count(); n != len(o.site.images) || !o.caughtUp("connect-IFCBStatsSinkConnector", originalStats) {
		t.Errorf("%d rows of %d images, or what was read is not committed", n, len(o.site.images))
	}
	return fmt.Sprintf("connect-standalone with %s and %s: %d rows upserted", filepath.Base(worker), filepath.Base(connector), count())
}

// The read API answers queries as PostgREST does.
func testReadAPI(t *testing.T, o *original) string {
	dir := t.TempDir()
	conf := filepath.Join(dir, "postgrest.conf")
	check(t, os.WriteFile(conf, []byte("db-uri = \""+o.dsn+"\"\ndb-schema = \"public\"\ndb-anon-role = \"web_anon\"\n"), 0o644))
	cmd := exec.CommandContext(t.Context(), program(t), "read-api", conf, "--server-port", "0")
	base := outputAfter(t, cmd, "read api: ")
	var rows []row
	for query, want := range map[string]string{
		"ifcb_sample_stats?select=name,hab&hab=is.true&order=time.desc&limit=5": "SELECT name, hab FROM ifcb_sample_stats WHERE hab ORDER BY time DESC LIMIT 5",
		"ifcb_sample_stats?select=roi,prob&prob=gte.0.5&order=time,roi&limit=7": "SELECT roi, prob FROM ifcb_sample_stats WHERE prob >= 0.5 ORDER BY time, roi LIMIT 7",
		"ifcb_sample_stats?select=time&ifcb_id=not.in.(IFCB901)&limit=1":        "SELECT time FROM ifcb_sample_stats WHERE ifcb_id NOT IN ('IFCB901') LIMIT 1",
	} {
		getJSON(t, base+query, &rows)
		if direct := pgtest.Rows(t, o.pool, want); len(direct) != len(rows) {
			t.Errorf("%s: %d rows, PostgreSQL has %d", query, len(rows), len(direct))
		}
	}
	getJSON(t, base+"ifcb_sample_stats?hab=is.true&order=time.desc&limit=5", &rows)
	if len(rows) == 0 {
		t.Error("no harmful algae")
	}
	csv := getAs(t, base+"ifcb_sample_stats?select=name&limit=3", "text/csv")
	if lines := strings.Split(strings.TrimSpace(csv), "\n"); len(lines) != 4 || lines[0] != "name" {
		t.Errorf("as CSV: %q", csv)
	}
	return fmt.Sprintf("?hab=is.true&order=time.desc&limit=5 answered with %d rows", len(rows))
}

// Through TensorFlow Serving's protocol every image gets the class that it gets
// in process.
func testServing(t *testing.T, o *original) string {
	f := newFlow(o.stack)
	f.Images, f.JSON, f.Sink = o.images, true, ""
	server, address := newServing(t)
	f.Model, f.Manifest = address, demoManifest
	w := f.start()
	eventually(t, "statistics", func() bool { return o.caughtUp("connect-"+f.Stream, f.Images) }, f.state)
	w.stop()
	want, got := o.classes(originalStats), o.classes(f.Stats)
	for _, key := range o.site.images {
		if got[key] == "" || got[key] != want[key] {
			t.Errorf("%s is %q by the server, %q in process", key, got[key], want[key])
		}
	}
	return fmt.Sprintf("%d predictions by POST %s:predict, the class of the in-process form for all %d images", server.count(), servingPath, len(o.site.images))
}

// The model that the training script made classifies images that it never saw.
func testTraining(t *testing.T, _ *original) string {
	c, err := model.Open(model.Options{Model: "../../../configs/" + demoModel})
	check(t, err)
	defer c.Close()
	const perClass, seed = 25, 4 // trained with seeds 1 and 2, tested with 3
	right, all := 0, 0
	for _, class := range plankton.Classes() {
		var images [][]byte
		for i := range perClass {
			p, err := plankton.Draw(seed, class, i)
			check(t, err)
			var file bytes.Buffer
			check(t, png.Encode(&file, p.Image))
			images = append(images, file.Bytes())
		}
		for _, r := range c.Classify(t.Context(), images) {
			check(t, r.Err)
			all++
			if r.Class == class {
				right++
			}
		}
	}
	if right*100 < all*98 {
		t.Errorf("%d of %d are right", right, all)
	}
	return fmt.Sprintf("its demo-plankton.onnx classifies %d of %d images of unseen seed %d right", right, all, seed)
}

// A web service gets every statistics record, though it refuses all for a while.
func testREST(t *testing.T, o *original) string {
	var mu sync.Mutex
	got, refused, open := map[string]int{}, 0, false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if !open {
			refused++
			http.Error(w, "not now", http.StatusServiceUnavailable)
			return
		}
		var records []struct {
			Time int64  `json:"time"`
			IFCB string `json:"ifcb_id"`
			ROI  int    `json:"roi"`
		}
		if err := json.NewDecoder(r.Body).Decode(&records); err != nil {
			t.Error(err)
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		for _, x := range records {
			got[fmt.Sprintf("%d %s %d", x.Time, x.IFCB, x.ROI)]++
		}
	}))
	t.Cleanup(server.Close)
	count := func() (records, refusals int) {
		mu.Lock()
		defer mu.Unlock()
		for _, n := range got {
			records += n
		}
		return records, refused
	}
	f := newFlow(o.stack)
	f.Stats, f.URL, f.Sink, f.Model = originalStats, server.URL, "", ""
	w := f.start()
	eventually(t, "the error", func() bool { return w.logged("retrying", f.Post+"/0", "503") }, func() string { return w.tail(5) })
	away := outage(t)
	lasts(t, away, "the sink waits", func() bool {
		state, _ := w.taskState(f.Post)
		return state == "RUNNING"
	})
	mu.Lock()
	open = true
	mu.Unlock()
	want := o.written(originalStats)
	eventually(t, "all records", func() bool { n, _ := count(); return n >= want }, func() string { n, _ := count(); return fmt.Sprint(n, " of ", want) })
	w.stop()
	n, refusals := count()
	if n != want {
		t.Errorf("%d records, want %d", n, want)
	}
	return fmt.Sprintf("%d records of %d images, after %v of 503 (%d requests)", n, len(got), away, refusals)
}

// classes gives the class of each image in a topic of statistics: the last one.
func (o *original) classes(topic string) map[string]string {
	o.t.Helper()
	found := map[string]string{}
	for key, v := range o.stats(topic) {
		name, _ := v.Get("name")
		found[key], _ = name.(string)
	}
	return found
}

func get(t *testing.T, url string) string {
	t.Helper()
	return getAs(t, url, "*/*")
}

func getAs(t *testing.T, url, kind string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	check(t, err)
	req.Header.Set("Accept", kind)
	resp, err := http.DefaultClient.Do(req)
	check(t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	check(t, err)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s: %.300s", url, resp.Status, data)
	}
	return string(data)
}

func getJSON(t *testing.T, url string, into any) {
	t.Helper()
	text := get(t, url)
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%s: %v: %.300s", url, err, text)
	}
}
