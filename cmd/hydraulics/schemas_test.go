package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/embedded/registryd"
)

func TestSchemasUpdate(t *testing.T) {
	server, err := registryd.Start(t.Context(), new(registryd.MemoryLog), registryd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	dir := t.TempDir()
	odd := `{"type":"record","name":"key","namespace":"ifcb.stats","fields":[{"name":"pid","type":"long"}]}`
	if err := os.WriteFile(filepath.Join(dir, "ifcb-stats-key.avsc"), []byte(odd), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   []string
		failed bool
		want   string // in the error or the log
	}{
		{[]string{"update", "all", server.URL()}, false, "subject=ifcb-stats-value id=2 compatibility=BACKWARD"},
		{[]string{"update", "ifcb-stats", server.URL()}, false, "subject=ifcb-stats-key id=1 compatibility=BACKWARD"},
		{[]string{"update", "nothing", server.URL()}, true, `"nothing" names none of ifcb-stats-key.avsc, ifcb-stats-value.avsc`},
		{[]string{"update", "--dir", dir, "all", server.URL()}, true, "error code 409"},
		{[]string{"update", "--dir", dir, "--force", "all", server.URL()}, false, "id=3 compatibility=NONE"},
		{[]string{"update", "all", "localhost:8081"}, true, "schema.registry.url must be http://host:port"},
		{[]string{"update", "all"}, true, "accepts 2 arg(s)"},
	} {
		cmd := newSchemasCommand()
		var log bytes.Buffer
		cmd.SetOut(&log)
		cmd.SetErr(&log)
		cmd.SetArgs(c.args)
		cmd.SilenceUsage = true
		err := cmd.ExecuteContext(t.Context())
		said := log.String()
		if err != nil {
			said += err.Error()
		}
		if (err != nil) != c.failed || !strings.Contains(said, c.want) {
			t.Errorf("%v: %v\n%s\nwant %s", c.args, err, said, c.want)
		}
	}
}
