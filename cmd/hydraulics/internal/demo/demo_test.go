package demo

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestNextFreePort has the ports that the demo would like taken by others.
func TestNextFreePort(t *testing.T) {
	var out bytes.Buffer
	d := &demo{out: &out}
	first, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = first.Close() }()
	second, err := d.listen("page", portOf(first))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = second.Close() }()
	if got := portOf(second) - portOf(first); got < 1 || got >= portsTried {
		t.Errorf("%d ports further on", got)
	}
	if !strings.HasPrefix(out.String(), "page: port ") {
		t.Errorf("said %q", out.String())
	}
}

// TestFilesAreTheOwners looks at who may read the folder and the addresses in it,
// with which come passwords.
func TestFilesAreTheOwners(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	if err := os.Mkdir(dir, 0o755); err != nil { // as an earlier version made it
		t.Fatal(err)
	}
	if _, err := (Options{Data: dir}).folder(); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	d := &demo{dir: dir, out: &out, at: endpoints{Postgres: "postgresql://kafka:s3cret@127.0.0.1:5441/topics?sslmode=disable"}}
	if err := d.describe(time.Second); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "endpoints.json"): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
	text, err := io.ReadAll(&out)
	if err != nil || bytes.Contains(text, []byte("s3cret")) || !bytes.Contains(text, []byte("postgresql://kafka@127.0.0.1:5441/topics")) {
		t.Errorf("prints %s (%v)", text, err)
	}
}
