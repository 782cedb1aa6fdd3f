//go:build integration

package integration

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/test/port"
)

// javaSteered is a Java worker that commands ask.
type javaSteered struct {
	t        *testing.T
	dir, url string
}

// newJavaSteered starts a standalone worker of Java without connectors.
func newJavaSteered(t *testing.T) *javaSteered {
	t.Helper()
	broker, plugins := os.Getenv("HYDRAULICS_KAFKA_BOOTSTRAP"), javaPlugins(t)
	if broker == "" {
		t.Skip("HYDRAULICS_KAFKA_BOOTSTRAP is not set: no broker for Java's worker, make integration starts one")
	}
	at, err := port.Lasting()
	check(t, err)
	address := fmt.Sprint("127.0.0.1:", at)
	s := &javaSteered{t, t.TempDir(), "http://" + address}
	s.file("worker.properties", "bootstrap.servers="+broker+"\nlisteners="+s.url+"\nplugin.path="+plugins+"\nplugin.discovery=hybrid_warn\n"+
		"key.converter=org.apache.kafka.connect.storage.StringConverter\nvalue.converter=org.apache.kafka.connect.storage.StringConverter\n"+
		"offset.storage.file.filename="+filepath.Join(s.dir, "connect.offsets")+"\noffset.flush.interval.ms=500\n")
	t.Cleanup(startJava(t, s.dir, "ConnectStandalone", address, "worker.properties").leave)
	return s
}

// file writes a file and gives its path.
func (s *javaSteered) file(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	check(s.t, os.MkdirAll(filepath.Dir(path), 0o755))
	check(s.t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

// says runs a command, which must end with a number and print these texts.
func (s *javaSteered) says(code int, args []string, wants ...string) string {
	s.t.Helper()
	out, err := hydraulics(s.t, append(args, "--url", s.url)...)
	got := 0
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		got = e.ExitCode()
	} else {
		check(s.t, err)
	}
	if got != code {
		s.t.Errorf("%v ends with %d, want %d:\n%s", args, got, code, out)
	}
	for _, want := range wants {
		if !strings.Contains(out, want) {
			s.t.Errorf("%v: want %q in:\n%s", args, want, out)
		}
	}
	return out
}

// A Java worker is steered by the commands that steer ours: files are applied to it,
// and its offsets are changed.
func TestSteersJava(t *testing.T) {
	s := newJavaSteered(t)
	topic := (&stack{}).name("steered")
	lines := func(more string) {
		s.file("connectors/lines.yaml", "connectors:\n  lines:\n    connector.class: org.apache.kafka.connect.file.FileStreamSourceConnector\n    topic: "+topic+
			"\n    file: "+s.file("in.txt", "one\ntwo\n")+"\n    a.password: hush\n"+more)
	}
	lines("")
	s.file("connectors/sink.properties", "name=sink\nconnector.class=FileStreamSink\ntopics="+topic+"\nfile="+filepath.Join(s.dir, "out.txt")+"\n")
	on := func(command string, more ...string) []string {
		return append([]string{"connectors", command, "-f", filepath.Join(s.dir, "connectors"), "--set", "it"}, more...)
	}
	out := s.says(2, on("diff"), "+ lines\n", "    + a.password: [hidden]\n", "2 to create, 0 to change, 0 to delete, 0 unchanged\n")
	if strings.Contains(out, "hush") {
		t.Errorf("a secret is shown:\n%s", out)
	}
	s.says(0, on("apply"), "lines: created\nsink: created\n")
	s.says(0, on("apply"), "0 to create, 0 to change, 0 to delete, 2 unchanged\n")
	s.says(0, []string{"connectors", "create", "-f", s.file("other.json",
		`{"name": "other", "config": {"connector.class": "FileStreamSource", "topic": "`+topic+`-other"}, "initial_state": "STOPPED"}`)}, "other: created\n")
	eventually(t, "running connectors", func() bool {
		return strings.Count(s.says(0, []string{"connectors", "list", "-o", "wide"}), "1 RUNNING") == 2
	})
	if out := s.says(0, []string{"connectors", "show", "lines"}, "a.password: [hidden]", "hydraulics.set: it", "task 0: RUNNING"); strings.Contains(out, "hush") {
		t.Errorf("a secret is shown:\n%s", out)
	}
	eventually(t, "offsets of the source", func() bool {
		return strings.Contains(s.says(0, []string{"offsets", "list", "lines"}), `{"position":8}`)
	})
	eventually(t, "offsets of the sink", func() bool {
		return strings.Contains(s.says(0, []string{"offsets", "list", "sink"}), `{"kafka_offset":2}`)
	})
	s.says(1, []string{"offsets", "reset", "sink"}, "stop it first, with connectors stop")
	s.says(0, []string{"connectors", "pause", "lines"}, "lines: paused\n")
	s.says(0, []string{"connectors", "stop", "sink", "lines"}, "sink: stopped\nlines: stopped\n")
	eventually(t, "stopped connectors", func() bool {
		return strings.Count(s.says(0, []string{"connectors", "list"}), "STOPPED") == 3
	})
	s.says(0, []string{"offsets", "alter", "sink", "--to", topic + "/0=1"}, "altered successfully")
	s.says(0, []string{"offsets", "list", "sink"}, `{"kafka_offset":1}`)
	saved := s.says(0, []string{"offsets", "list", "lines", "-o", "yaml"})
	s.says(0, []string{"offsets", "alter", "lines", "-f", s.file("saved.yaml", strings.Replace(saved, "position: 8", "position: 4", 1))}, "altered successfully")
	s.says(0, []string{"offsets", "list", "lines"}, `{"position":4}`)
	s.says(0, []string{"offsets", "reset", "lines"}, "reset successfully")
	// One after the other, each once the last has its task: Java's standalone worker makes
	// the tasks of one that is resumed a moment later, and stands still for good where the
	// next request comes just then (its herder and its store wait for each other's lock).
	for _, name := range []string{"lines", "sink"} {
		s.says(0, []string{"connectors", "resume", name}, name+": resumed\n")
		eventually(t, "a task of "+name, func() bool {
			return strings.Contains(s.says(0, []string{"connectors", "show", name}), "task 0: RUNNING")
		})
	}
	s.says(0, []string{"connectors", "restart", "lines", "--tasks"}, "lines: restarted\n")

	lines("    batch.size: 10\n")
	check(t, os.Remove(filepath.Join(s.dir, "connectors", "sink.properties")))
	s.says(2, on("diff"), "~ lines\n    + batch.size: 10\n- sink\n0 to create, 1 to change, 1 to delete, 0 unchanged\n")
	s.says(0, on("apply"), "lines: changed\nsink: deleted\n")
	lines("    batch.size: many\n")
	s.says(1, on("apply"), "lines.yaml:7: lines: batch.size: Invalid value many for configuration batch.size")
	if out := s.says(0, []string{"connectors", "list"}, "other", "lines"); strings.Contains(out, "sink") {
		t.Errorf("what is gone from the files is still there:\n%s", out)
	}
	s.says(5, []string{"connectors", "delete", "sink", "other"}, "other: deleted\n", "connector sink: ")
	s.says(0, []string{"plugins", "list"}, "org.apache.kafka.connect.transforms.InsertField$Value", "FileStreamSinkConnector")
	s.says(0, []string{"plugins", "describe", "FileStreamSource"}, "batch.size")
	if out, err := hydraulics(t, "migrate", "--from", s.url); err != nil || !strings.Contains(out, "a.password: ${env:LINES_A_PASSWORD}\n") || strings.Contains(out, "hush") ||
		!strings.Contains(out, "lines: connector: org.apache.kafka.connect.file.FileStreamSourceConnector is here\n") {
		t.Errorf("migrate: %v\n%s", err, out)
	}
	t.Logf("passed: a Java worker was steered by connectors, offsets and plugins")
}
