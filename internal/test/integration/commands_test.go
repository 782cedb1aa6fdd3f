//go:build integration

package integration

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/test/docs"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// TestCommandsOfDocuments runs the commands of README that need servers, those
// that internal/test/docs leaves to make integration.
func TestCommandsOfDocuments(t *testing.T) {
	ways := []struct {
		command string // how it begins
		run     func(t *testing.T, commands []string)
		found   []string
	}{
		{"curl 'localhost:3000/", askDemo, nil},
		{"bin/hydraulics worker ", runWorkerOnOwnServers, nil},
		{"bin/hydraulics connect-standalone ", runJavaFiles, nil},
	}
	places, err := docs.Places()
	check(t, err)
	for _, command := range docs.RunBy(docs.Integration, places) {
		known := false
		for i := range ways {
			if strings.HasPrefix(command, ways[i].command) {
				ways[i].found, known = append(ways[i].found, command), true
			}
		}
		if !known {
			t.Errorf("%s: no test runs it", command)
		}
	}
	for _, way := range ways {
		t.Run(way.command, func(t *testing.T) {
			if len(way.found) == 0 {
				t.Fatal("no document has such a command any more")
			}
			way.run(t, way.found)
		})
	}
}

// askDemo asks the demo until each query has rows.
func askDemo(t *testing.T, commands []string) {
	at := startDemo(t, t.TempDir())
	api, err := url.Parse(at["api"])
	check(t, err)
	for _, command := range commands {
		// The demo takes another port where its own is busy.
		here := strings.NewReplacer("localhost:3000", api.Host, "curl ", "curl -sS --fail-with-body ").Replace(command)
		wait.Nil(t, command, func() error {
			out, err := exec.CommandContext(t.Context(), "sh", "-c", here).CombinedOutput()
			if err != nil {
				return fmt.Errorf("%w: %s", err, out)
			}
			rows := strings.Count(strings.TrimSpace(string(out)), "\n") // below the names of the columns
			if !strings.Contains(command, ".csv?") {
				var list []map[string]any
				if err := json.Unmarshal(out, &list); err != nil {
					return fmt.Errorf("%w: %s", err, out)
				}
				rows = len(list)
			}
			if rows == 0 {
				return fmt.Errorf("no rows yet: %s", out)
			}
			return nil
		})
	}
}

// runWorkerOnOwnServers runs the worker's file of the whole flow, in which only
// the lines marked <- are changed, and, for other runs on the same Kafka, the
// names of topics.
func runWorkerOnOwnServers(t *testing.T, commands []string) {
	for _, command := range commands {
		args := strings.Fields(command)[1:]
		name := args[len(args)-1]
		each(t, func(t *testing.T, s *stack) {
			site, f := newSyntheticSite(t, 2, 1, 20), newFlow(s)
			f.Stream, f.Sink = "ifcb-stats", "ifcb-postgres"
			text, err := os.ReadFile(filepath.Join("../../..", name))
			check(t, err)
			topics := strings.NewReplacer("ifcb-images", f.Images, "ifcb-sample-stats", f.Stats, "ifcb-dead-letters", f.Letters)
			file := filepath.Join(f.dir, name)
			check(t, os.MkdirAll(filepath.Dir(file), 0o755))
			check(t, os.WriteFile(file, []byte(changeMarked(t, s, site.url, topics.Replace(string(text)))), 0o644))
			w := startProgram(t, f.dir, program(t), append(args, "--set", "listeners=http://127.0.0.1:0", "--set", "page.listener=")...)
			eventually(t, "the images", func() bool { return f.landed(len(site.images)) }, f.state)
			eventually(t, "the bin", func() bool { return s.rows("SELECT count(*) FROM ifcb_bins") == "1" })
			w.stop()
			t.Logf("passed: %s: %s", command, f.state())
		})
	}
}

// changeMarked changes the lines of a worker's file that are marked <- to those
// of the stack, and puts the password of its database into the environment.
func changeMarked(t *testing.T, s *stack, dashboard, text string) string {
	t.Helper()
	database, err := url.Parse(s.database)
	check(t, err)
	user := database.User
	database.User = nil
	password, given := user.Password()
	if !given {
		password = "unused" // a server that trusts does not look at it
	}
	t.Setenv("PGPASSWORD", password)
	values := map[string]string{
		"bootstrap.servers": s.broker, "schema.registry.url": s.registry, "dashboard.url": dashboard,
		"- classify": "{model: " + demoModel + "}", "connection.url": database.String(), "connection.user": user.Username(),
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if !strings.Contains(line, "# <-") {
			continue
		}
		before, _, _ := strings.Cut(line, ":")
		value := values[strings.TrimSpace(before)]
		if value == "" {
			t.Fatalf("line %d is marked, and the test knows no value for it: %s", i+1, line)
		}
		lines[i] = before + ": " + value
	}
	return strings.Join(lines, "\n")
}

// runJavaFiles runs files as Apache Kafka's own examples of a worker and a sink.
func runJavaFiles(t *testing.T, commands []string) {
	for _, command := range commands {
		args := strings.Fields(command)[1:]
		each(t, func(t *testing.T, s *stack) {
			dir, topic := t.TempDir(), s.name("lines")
			files := []string{
				"bootstrap.servers=" + s.broker + "\nkey.converter=org.apache.kafka.connect.storage.StringConverter\n" +
					"value.converter=org.apache.kafka.connect.json.JsonConverter\nvalue.converter.schemas.enable=false\n" +
					"offset.storage.file.filename=connect.offsets\nlisteners=http://127.0.0.1:0\npage.listener=\n",
				"name=" + s.name("local-file-sink") + "\nconnector.class=FileStreamSink\ntasks.max=1\nfile=test.sink.txt\ntopics=" + topic + "\n",
			}
			for i, name := range args[1:] {
				check(t, os.WriteFile(filepath.Join(dir, name), []byte(files[i]), 0o644))
			}
			s.send(topic, "key", []byte(`"a line"`))
			w := startProgram(t, dir, program(t), args...)
			eventually(t, "the line", func() bool {
				text, err := os.ReadFile(filepath.Join(dir, "test.sink.txt"))
				return err == nil && string(text) == "a line\n"
			})
			w.stop()
			t.Logf("passed: %s", command)
		})
	}
}
