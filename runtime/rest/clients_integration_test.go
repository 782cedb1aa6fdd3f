//go:build integration

package rest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// clientsEnv names the folder that .ci/rest-clients.sh has filled.
const clientsEnv = "HYDRAULICS_REST_CLIENTS"

// TestPublishedClients runs other people's clients against a worker.
//
// Clauses: K13, K15.
func TestPublishedClients(t *testing.T) {
	dir := os.Getenv(clientsEnv)
	if dir == "" {
		t.Skip(clientsEnv + " is not set: run .ci/rest-clients.sh DIR")
	}
	scripts, err := filepath.Abs("testdata/clients")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile("lines.txt", []byte("one\ntwo\nthree\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := startWorker(t)
	for name, command := range map[string][]string{
		"kafka-connect-py":     {filepath.Join(dir, "venv/bin/python"), filepath.Join(scripts, "client.py"), w.server.URL},
		"kafka-connect-client": {"node", filepath.Join(scripts, "client.js"), w.server.URL},
		"schemathesis":         {filepath.Join(dir, "venv/bin/schemathesis"), "--config-file", filepath.Join(scripts, "schemathesis.toml"), "run", w.server.URL + "/openapi.json"},
	} {
		t.Run(name, func(t *testing.T) { tell(t, command, "NODE_PATH="+filepath.Join(dir, "node_modules")) })
	}
}

// tell runs a program and tells what it said where it fails.
func tell(t *testing.T, command []string, env string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*wait.Patience)
	defer cancel()
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.Env = append(os.Environ(), env)
	said, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, said)
	}
	t.Logf("%s", said)
}
