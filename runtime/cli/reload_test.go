package cli

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// overwrite puts a text into a file, in two parts as an editor may.
func overwrite(t *testing.T, name, text string) {
	t.Helper()
	for _, part := range []string{text[:len(text)/2], text} {
		if err := os.WriteFile(name, []byte(part), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A worker goes on with what its files say now, and with what it had where they
// are wrong.
//
// Clauses: F1.
func TestReload(t *testing.T) {
	bootstrap := kafkatest.Start(t)
	for name, flags := range map[string][]string{"on SIGHUP": nil, "with --watch": {"--watch"}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "flow.yaml")
			flow := func(worker, connectors string) {
				overwrite(t, file, "worker: {bootstrap.servers: '"+bootstrap+"', listeners: 'http://127.0.0.1:0', page.listener: '', key.converter: string, value.converter: string"+
					worker+"}\nconnectors:\n"+connectors)
			}
			sink := func(name, more string) string {
				return "  " + name + ": {connector.class: file-sink, topics: a, file: '" + filepath.Join(dir, name) + "'" + more + "}\n"
			}
			flow("", sink("same", "")+sink("other", "")+sink("old", ""))
			ctx, cancel := context.WithCancel(t.Context())
			out, done := new(printed), make(chan error, 1)
			root := Root("hydraulics")
			root.SetOut(out)
			root.SetErr(out)
			root.SetArgs(append([]string{"worker", "-f", file}, flags...))
			go func() { done <- root.ExecuteContext(ctx) }()
			said := 0
			next := func(want string) { // waits for a text behind those before
				t.Helper()
				wait.Until(t, want, func() bool {
					text := out.String()[said:]
					i := strings.Index(text, want)
					if i >= 0 {
						said += i + len(want)
					}
					return i >= 0
				})
			}
			changed := func() {
				if flags == nil {
					if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
						t.Fatal(err)
					}
				}
			}
			next("REST API")
			flow("", sink("same", "")+sink("other", ", tasks.max: 2")+sink("new", ""))
			changed()
			next(`msg=reloaded added=[new] changed=[other] removed=[old]`)
			flow("", sink("same", ", tasks.max: none"))
			changed()
			next("flow.yaml:3: same: tasks.max: Invalid value none")
			next("nothing is changed: the files have the mistakes above")
			overwrite(t, file, "connectors: {")
			changed()
			next("nothing is changed: " + file + ":1: ")
			flow(", client.id: me", sink("same", "")+sink("other", ", tasks.max: 2"))
			changed()
			next(`take effect when it is started again" keys=[client.id]`)
			next(`msg=reloaded added=[] changed=[] removed=[new]`)
			cancel()
			if err := <-done; err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
