//go:build integration

package integration

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/port"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// javaFolder is what a Java worker's files are made for.
type javaFolder struct {
	Dir, Name, Broker, Registry, Plugins string
	Port                                 int
	Database                             *url.URL
}

// files are the worker's and its connectors', in the order of the command line.
var javaFiles = []string{"worker.properties", "source.properties", "table.properties", "file.properties"}

// newJavaFolder writes the files.
func newJavaFolder(t *testing.T, s *stack) *javaFolder {
	t.Helper()
	f := &javaFolder{Dir: t.TempDir(), Name: s.name("java"), Broker: s.broker, Plugins: javaPlugins(t)}
	var err error
	f.Port, err = port.Lasting()
	check(t, err)
	registry, err := url.Parse(s.registry)
	check(t, err)
	f.Registry = registry.Scheme + "://" + registry.Host
	f.Database, err = url.Parse(s.database)
	check(t, err)
	for _, name := range javaFiles {
		tmpl, err := template.ParseFiles(filepath.Join("testdata", "java-worker", name+".tmpl"))
		check(t, err)
		out, err := os.Create(filepath.Join(f.Dir, name))
		check(t, err)
		check(t, tmpl.Execute(out, f))
		check(t, out.Close())
	}
	return f
}

// start starts Java's worker on the folder. The function it gives stops it as
// its users do, and waits for its end.
func (f *javaFolder) start(t *testing.T) (stop func()) {
	t.Helper()
	return startJava(t, f.Dir, "ConnectStandalone", fmt.Sprint("127.0.0.1:", f.Port), javaFiles...).leave
}

// append writes lines to the source's file.
func (f *javaFolder) append(t *testing.T, from, to int) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(f.Dir, "in.txt"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	check(t, err)
	_, err = file.WriteString(lines(from, to))
	check(t, err)
	check(t, file.Close())
}

func lines(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	return b.String()
}

// TestTakesOverFromJava has Java's worker begin and ours go on, on the same
// folder: at the offsets, with no gap and nothing twice.
//
// Clauses: F1, F2.
func TestTakesOverFromJava(t *testing.T) {
	s := newReal(t)
	f := newJavaFolder(t, s)
	// arrived waits until n lines and so many dead letters have come through.
	arrived := func(n, dead int) {
		t.Helper()
		wait.Nil(t, "the lines", func() error {
			data, err := os.ReadFile(filepath.Join(f.Dir, "out.txt"))
			if err != nil {
				return err
			}
			var rows int
			if err := s.pool.QueryRow(t.Context(), "SELECT count(*) FROM taken_over").Scan(&rows); err != nil {
				return err
			}
			letters := s.written(f.Name + "-dead")
			if lines := strings.Count(string(data), "\n"); lines < n || rows < n || letters < dead {
				return fmt.Errorf("%d lines, %d rows, %d dead letters", lines, rows, letters)
			}
			return nil
		})
	}

	f.append(t, 0, 100)
	stop := f.start(t)
	arrived(100, 0)
	s.send(f.Name+"-lines", "bad", []byte("no Avro"))
	arrived(100, 1)
	f.append(t, 100, 120) // Debezium's sink commits no further than the last record that it was given
	arrived(120, 1)
	stop()
	committed, err := s.kafka.CommittedOffsets(t.Context(), "connect-"+f.Name+"-table")
	check(t, err)
	letters := 2
	if committed[connector.TopicPartition{Topic: f.Name + "-lines", Partition: 0}] <= 100 {
		letters++ // it did not get so far, and the first bad record comes once more
	}
	f.append(t, 120, 150)

	out, err := hydraulics(t, "import", "offsets", filepath.Join(f.Dir, "connect.offsets"))
	if err != nil || !strings.Contains(out, "offsets of "+f.Name+"-source: 1\n") {
		t.Fatalf("%v: %s", err, out)
	}
	w := startProgram(t, f.Dir, program(t), append([]string{"connect-standalone"}, javaFiles...)...)
	arrived(150, 1)
	s.send(f.Name+"-lines", "bad", []byte("no Avro either"))
	f.append(t, 150, 200)
	arrived(200, 2)
	w.stop()

	data, err := os.ReadFile(filepath.Join(f.Dir, "out.txt"))
	check(t, err)
	if d := cmp.Diff(lines(0, 200), string(data)); d != "" {
		t.Errorf("the sink's file: %s", d)
	}
	if n := s.written(f.Name + "-lines"); n != 202 {
		t.Errorf("the topic had %d records, want 200 and two that are none", n)
	}
	if dead := s.read(f.Name + "-dead"); len(dead) != letters {
		t.Errorf("there are %d dead letters, want %d", len(dead), letters)
		for _, m := range dead {
			t.Logf("%q %q", m.Value, m.Headers)
		}
	}
	var rows, distinct int
	check(t, s.pool.QueryRow(t.Context(), "SELECT count(*), count(DISTINCT line) FROM taken_over WHERE site = 'mvco'").Scan(&rows, &distinct))
	if rows != 200 || distinct != 200 {
		t.Errorf("%d rows with %d lines, want 200", rows, distinct)
	}
	t.Logf("passed: a folder of Java's Kafka Connect went on at line 120 of 200, once each")
}
