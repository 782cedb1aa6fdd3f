//go:build integration

package integration

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/test/docs"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
	"github.com/axiom-data-science/hydraulics/internal/test/port"
)

// javaWalk is the one of docs/from-kafka-connect.md: a Java worker's folder is looked
// at, applied and watched, its database breaks and is mended.
type javaWalk struct {
	*stack
	shell *terminal
	here  *strings.Replacer // puts this run's own in place of the document's
	page  string
	// password is that of the database, which is shown nowhere.
	password string
	// commands are those of the document's walk.
	commands []string
}

func newJavaWalk(s *stack) *javaWalk {
	t := s.t
	t.Helper()
	w := &javaWalk{stack: s}
	dir := t.TempDir()
	for _, folder := range []string{"bin", "connectors"} {
		check(t, os.Mkdir(filepath.Join(dir, folder), 0o755))
	}
	check(t, os.Symlink(program(t), filepath.Join(dir, "bin", "hydraulics")))
	w.shell = newTerminal(t, dir)
	database, err := url.Parse(w.database)
	check(t, err)
	registry, err := url.Parse(w.registry)
	check(t, err)
	rest, err := port.Lasting()
	check(t, err)
	page, err := port.Lasting()
	check(t, err)
	w.shell.types(fmt.Sprintf("export HYDRAULICS_URL=http://127.0.0.1:%d", rest))
	password, given := database.User.Password()
	if !given {
		password = "unlooked-at" // by a server that trusts
	}
	w.password = password
	user := database.User.Username()
	name := w.name("walk")
	w.page = fmt.Sprint("http://127.0.0.1:", page)
	w.here = strings.NewReplacer("postgresql://kafka@localhost:5432/walk", fmt.Sprintf("postgresql://%s@%s%s", user, database.Host, database.Path),
		"localhost:5432/walk", database.Host+database.Path, "connection.user=kafka", "connection.user="+user, "=secret", "="+password,
		"localhost:9092", w.broker, "http://localhost:8081", registry.String(), "127.0.0.1:8083", fmt.Sprint("127.0.0.1:", rest), "localhost:8083", fmt.Sprint("127.0.0.1:", rest),
		"group.id=walk", "group.id="+name, "walk-", name+"-", "plugin.path=", "page.listener="+w.page+"\nplugin.path=")
	w.read()
	return w
}

// read writes the files of the document, and keeps its commands.
func (w *javaWalk) read() {
	w.t.Helper()
	blocks, err := docs.Read("../../..")
	check(w.t, err)
	for _, b := range blocks {
		if b.Document != "docs/from-kafka-connect.md" {
			continue
		}
		name, text, isFile := strings.Cut(strings.TrimPrefix(b.Text, "# "), "\n")
		switch {
		case b.Language == "text" && isFile:
			check(w.t, os.WriteFile(filepath.Join(w.shell.dir, name), []byte(w.here.Replace(text)), 0o644))
		case b.Language == "sh" && (len(w.commands) > 0 || strings.HasPrefix(b.Text, "db()")): // others are before the walk
			w.commands = append(w.commands, b.Commands()...)
		}
	}
}

// before is what is done before commands of the document: what its text says.
func (w *javaWalk) before() map[string]func() {
	return map[string]func(){
		"echo five >> in.txt": w.stopDatabase,
		`until [ "$(db 'SELECT count(*) FROM readings')" = 5 ]; do sleep 1; done`: w.startDatabase,
	}
}

// again is behind a command of the document that it has once more.
const again = ", again"

// looks are what commands of the document are to say.
func (w *javaWalk) looks() map[string][]string {
	doctor := "bin/hydraulics doctor -f worker.properties connectors/*"
	return map[string][]string{
		doctor: {" checks: 0 fail, ", "-configs", "schema registry ", "table readings", "columns: 2"},
		"bin/hydraulics preview worker.properties connectors/lines.properties":            {`"one"`, "pier", "would register version 1 of subject ", "3 records: 3 delivered; nothing was written"},
		"bin/hydraulics connectors apply -f connectors --set walk":                        {"0 to delete"},
		"bin/hydraulics connectors apply -f connectors --set walk" + again:                {"0 to create, 0 to change, 0 to delete, 3 unchanged"},
		"bin/hydraulics top --once":                                                       {"archive", "lines", "table"},
		"(sleep 5; echo four >> in.txt) & bin/hydraulics tap table --max 1":               {"four", "pier"},
		"bin/hydraulics connectors show table archive":                                    {"task 0: RUNNING", "connection.password: [hidden]"},
		"bin/hydraulics connectors show table":                                            {"tries again: ", "table/0: sink (postgres): ", "[H5001]", "  H5001: Look whether it runs at connection.url"},
		doctor + ` || echo "it ends with $?"`:                                             {"it ends with 2", "fail", "[H5001]", "\nH5001: Look whether it runs at connection.url"},
		"bin/hydraulics dlq list walk-dead --bootstrap-server localhost:9092":             {"table"},
		"bin/hydraulics dlq show walk-dead --bootstrap-server localhost:9092":             {"value too long"},
		"bin/hydraulics dlq replay walk-dead --bootstrap-server localhost:9092 --dry-run": {"1"},
		"bin/hydraulics dlq replay walk-dead --bootstrap-server localhost:9092":           {"1"},
	}
}

// The folder of a Java worker is taken over by the commands of
// docs/from-kafka-connect.md, and what is said there comes true.
func TestJavaFolderWalk(t *testing.T) {
	each(t, func(t *testing.T, s *stack) { newJavaWalk(s).walk() })
}

// walk types the commands.
func (w *javaWalk) walk() {
	t := w.t
	before, looks := w.before(), w.looks()
	seen := map[string]bool{}
	for _, command := range w.commands {
		if do := before[command]; do != nil {
			do()
		}
		began := time.Now()
		said := w.shell.types(w.here.Replace(command))
		title := command
		if seen[command] {
			title += again
		}
		seen[title] = true
		for _, want := range looks[title] {
			if !strings.Contains(said, want) {
				t.Errorf("%s: want %q in:\n%s", title, want, said)
			}
		}
		if strings.Contains(said, w.password) {
			t.Errorf("%s: a password is shown:\n%s", command, said)
		}
		t.Logf("%s: %v", command, time.Since(began).Round(100*time.Millisecond))
	}
	for command := range looks {
		if !seen[command] {
			t.Errorf("docs/from-kafka-connect.md has no %q any more", command)
		}
	}
	for command := range before {
		if !seen[command] {
			t.Errorf("docs/from-kafka-connect.md has no %q any more", command)
		}
	}
	w.arrived()
	t.Log("passed: the walk of docs/from-kafka-connect.md")
}

// arrived looks for every line where the walk's text says that it is.
func (w *javaWalk) arrived() {
	rows := pgtest.Rows(w.t, w.pool, "SELECT line, site FROM readings ORDER BY 1")
	want := []string{"five|pier", "four|pier", "one|pier", "six|pier", "thirty-three|pier", "three|pier", "two|pier"}
	if d := cmp.Diff(want, rows); d != "" {
		w.t.Errorf("rows: %s", d)
	}
	text, err := os.ReadFile(filepath.Join(w.shell.dir, "out.txt"))
	check(w.t, err)
	if d := cmp.Diff("one\ntwo\nthree\nfour\nfive\nthirty-three\nsix\nthirty-three\n", string(text)); d != "" {
		w.t.Errorf("archive: %s", d)
	}
}
