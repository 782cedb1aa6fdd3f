package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/registry"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
	"github.com/axiom-data-science/hydraulics/internal/test/registrytest"
)

// patient is a flow that a doctor looks at.
type patient struct {
	*stream
	registry, database, file string
}

func newPatient(t *testing.T) *patient {
	p := &patient{stream: newStream(t), registry: registrytest.URL(t), database: pgtest.URL(t)}
	p.topic("ifcb-images", 2)
	p.put("lines.txt", []byte("one\n"))
	p.put("flow.yaml", fmt.Appendf(nil, previewedFlow, p.broker, p.registry, filepath.Join(p.dir, "lines.txt"), p.database))
	p.file = filepath.Join(p.dir, "flow.yaml")
	return p
}

// checked is a line that a doctor prints for programs.
type checked struct {
	State string   `json:"state"`
	Of    []string `json:"of"`
	What  string   `json:"what"`
	Says  string   `json:"says"`
	Code  string   `json:"code"`
}

// examine runs the doctor, and gives what it finds.
func (p *patient) examine(args ...string) (list []checked, printed string, failed error) {
	p.t.Helper()
	printed, failed = command(p.t, append([]string{"doctor", "-f", p.file, "-o", "json"}, args...)...)
	if err := json.Unmarshal([]byte(printed), &list); err != nil {
		p.t.Fatalf("%v: %v\n%s", failed, err, printed)
	}
	return list, printed, failed
}

// traces are what anything that was written would change.
func (p *patient) traces() map[string]any {
	p.t.Helper()
	w := map[string]any{}
	topics, err := p.client.DescribeTopics(p.t.Context(), nil)
	w["topics"] = fmt.Sprint(topics, err)
	subjects, err := registrytest.Client(p.t, p.registry, registry.Avro).Subjects(p.t.Context())
	w["subjects"] = fmt.Sprint(subjects, err)
	w["tables"] = pgtest.Rows(p.t, pgtest.Open(p.t, p.database), "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1")
	files, err := os.ReadDir(p.dir)
	for _, f := range files {
		w["files"] = fmt.Sprint(w["files"], f.Name(), err)
	}
	return w
}

// A flow of which all is there is told so, part by part, and nothing is written.
func TestDoctorFindsAllInOrder(t *testing.T) {
	p := newPatient(t)
	before := p.traces()
	list, printed, err := p.examine("--timeout", "1m")
	if err != nil {
		t.Errorf("%v:\n%s", err, printed)
	}
	var got []string
	for _, c := range list {
		what, _, _ := strings.Cut(c.What, " ")
		got = append(got, c.State+" "+strings.Join(c.Of, ",")+" "+what)
	}
	want := []string{
		"ok worker Kafka", "ok worker folder", "ok worker file",
		"ok lines,stats,table schema", "ok lines file", "ok lines topic",
		"ok stats model", "ok stats topic", "ok stats group", "ok stats topic", "ok stats topic", "ok stats topic",
		"ok table database", "ok table table", "warn table topic", "ok table group",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s\n%s", d, printed)
	}
	if d := cmp.Diff(before, p.traces()); d != "" {
		t.Errorf("something was written:\n%s", d)
	}
}

// swallow takes connections, and never says anything.
func swallow(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

// What is wrong is told with its code, of whom it concerns; the others are in order.
func TestDoctorSaysWhatIsWrong(t *testing.T) {
	p := newPatient(t)
	const away = "127.0.0.1:1"
	tests := []struct {
		name string
		args []string
		want []string // state, of whom, what and code
	}{
		{"no broker", []string{"bootstrap.servers=" + away}, []string{"fail worker,lines,stats,table Kafka H2001"}},
		{"silent broker", []string{"bootstrap.servers=" + swallow(t)}, []string{"fail worker,lines,stats,table Kafka H9003"}},
		{"no registry", []string{"schema.registry.url=http://" + away}, []string{"fail lines,stats,table schema H3003"}},
		{"silent registry", []string{"schema.registry.url=http://" + swallow(t)}, []string{"fail lines,stats,table schema H3003"}},
		{"no server", []string{"connectors.table.connection.url=postgresql://u:hush@" + away + "/x"}, []string{"fail table database H5001"}},
		{"silent server", []string{"connectors.table.connection.url=postgresql://u:hush@" + swallow(t) + "/x"}, []string{"fail table database H5001"}},
		{"no such database", []string{"connectors.table.connection.url=" + otherDatabase(t, p.database)}, []string{"fail table database H5003"}},
		{"no table", []string{"connectors.table.auto.create=false"}, []string{"fail table table H5006"}},
		{"no class", []string{"connectors.stats.transforms.classify.thresholds=nothing=0.5"}, []string{"fail stats model H4010"}},
		{"too few brokers", []string{"connectors.lines.topic.creation.default.replication.factor=3"}, []string{"fail lines topic H8008"}},
		{"no topic", []string{"connectors.stats.topics=nothing"}, []string{"warn stats topic H2013"}},
		{"no file", []string{"connectors.lines.file=nothing.txt"}, []string{"warn lines file H7007"}},
		{"a wrong key", []string{"connectors.lines.batch.size=many"}, []string{"fail lines --set H1003"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := &patient{stream: &stream{t: t}, file: p.file}
			args := []string{"--timeout", "2s"}
			fails := strings.HasPrefix(tt.want[0], "fail")
			for _, a := range tt.args {
				args = append(args, "--set", a)
			}
			list, printed, err := p.examine(args...)
			if (err != nil) != fails {
				t.Errorf("it ends with %v", err)
			}
			var got []string
			for _, c := range list {
				what, _, _ := strings.Cut(c.What, " ")
				if line := c.State + " " + strings.Join(c.Of, ",") + " " + what + " " + c.Code; c.State != "ok" && line != "warn table topic H2013" {
					got = append(got, line)
				}
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("%s\n%s", d, printed)
			}
			if strings.Contains(printed, "hush") {
				t.Errorf("a password is printed:\n%s", printed)
			}
		})
	}
}

func otherDatabase(t *testing.T, dsn string) string {
	t.Helper()
	at := strings.LastIndex(dsn, "/")
	if at < 0 {
		t.Fatal(dsn)
	}
	_, options, _ := strings.Cut(dsn[at:], "?")
	return dsn[:at] + "/nowhere?" + options
}

// For people there is a table, and the remedies behind it.
func TestDoctorPrintsRemedies(t *testing.T) {
	p := newPatient(t)
	out, err := command(t, "doctor", "-f", p.file, "--connector", "table", "--set", "connectors.table.auto.create=false")
	if err == nil {
		t.Error("a missing table is no failure")
	}
	lines := strings.Split(out, "\n")
	if !slices.ContainsFunc(lines, func(l string) bool {
		return strings.HasPrefix(l, "fail ") && strings.HasSuffix(l, "create it, or set auto.create=true [H5006]")
	}) || !strings.Contains(out, "\nH5006: Create it, or set auto.create=true; ") || !strings.Contains(out, "checks: 1 fail, 1 warn\n") || strings.Contains(out, "lines") {
		t.Error(out)
	}
}
