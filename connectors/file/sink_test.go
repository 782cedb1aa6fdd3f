package file

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

func text(values ...string) []connector.Record {
	var records []connector.Record
	for _, v := range values {
		records = append(records, connector.NewRecord("t", nil, nil, connector.StringSchema, v))
	}
	return records
}

func startSink(t *testing.T, name string, open func(string) (output, error)) *Sink {
	t.Helper()
	s := &Sink{open: open}
	if err := s.Start(t.Context(), connectortest.Context(t), connectortest.Configure(t, s, connector.Props{"file": name})); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	return s
}

func content(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Clauses: M1.
func TestSinkPromises(t *testing.T) {
	var full atomic.Bool
	connectortest.Sink(t, connectortest.SinkCase{
		New: func() connector.Sink {
			return &Sink{open: func(name string) (output, error) {
				f, err := openFile(name)
				return fullDisk{f, &full}, err
			}}
		},
		System: func(t testing.TB) connectortest.SinkSystem {
			name := filepath.Join(t.TempDir(), "out.txt")
			return connectortest.SinkSystem{
				Props: connector.Props{"file": name},
				Held:  func() []string { return strings.FieldsFunc(content(t, name), func(r rune) bool { return r == '\n' }) },
				Break: func() func() { full.Store(true); return func() { full.Store(false) } },
			}
		},
		Record: func(n int) connector.Record {
			return connector.NewRecord("t", nil, nil, nil, map[string]any{"a": int64(n)})
		},
		Item: func(r connector.Record) string { return fmt.Sprintf("{a=%d}", r.Value.(map[string]any)["a"]) },
	})
}

// fullDisk is a file that takes nothing while the disk is full.
type fullDisk struct {
	output
	full *atomic.Bool
}

func (f fullDisk) Write(p []byte) (int, error) {
	if f.full.Load() {
		return 0, syscall.ENOSPC
	}
	return f.output.Write(p)
}

// Who follows the file does not wait for a commit.
func TestLinesAreThereAfterPut(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out.txt")
	s := startSink(t, name, nil)
	if err := s.Put(t.Context(), text("one", "two")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("one\ntwo\n", content(t, name)); diff != "" {
		t.Error(diff)
	}
}

// limited is a file on a disk with room for some bytes.
type limited struct {
	*os.File
	room  *int
	syncs error
}

func (d limited) Write(p []byte) (int, error) {
	n, err := d.File.Write(p[:min(len(p), *d.room)])
	*d.room -= n
	if err == nil && n < len(p) {
		err = syscall.ENOSPC
	}
	return n, err
}

func (d limited) Sync() error { return d.syncs }

// A disk that is full for a while costs no line and leaves no two in one.
func TestFullDisk(t *testing.T) {
	name, room := filepath.Join(t.TempDir(), "out.txt"), 12
	s := startSink(t, name, func(name string) (output, error) {
		f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		return limited{f, &room, nil}, err
	})
	batch := text("one", "two", "a line of some length")
	for range 2 {
		if err := s.Put(t.Context(), batch); connector.KindOf(err) != connector.KindRetriable || !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("put: %v", err)
		}
	}
	room = 1 << 20
	if err := s.Put(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("one\ntwo\na li\none\ntwo\na line of some length\n", content(t, name)); diff != "" {
		t.Error(diff)
	}
}

func TestFailedSyncEndsTheTask(t *testing.T) {
	room := 1 << 20
	s := startSink(t, filepath.Join(t.TempDir(), "out.txt"), func(name string) (output, error) {
		f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		return limited{f, &room, syscall.EIO}, err
	})
	if err := s.Flush(t.Context()); connector.KindOf(err) != connector.KindFatal || !strings.Contains(err.Error(), syscall.EIO.Error()) {
		t.Errorf("flush: %v", err)
	}
}
