package file

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

// What a poll gives is bounded in bytes, and a line comes however long it is.
func TestPollOfLongLines(t *testing.T) {
	name := filepath.Join(t.TempDir(), "long.txt")
	if err := os.WriteFile(name, []byte(strings.Repeat(strings.Repeat("x", 400<<10)+"\n", 5)+strings.Repeat("y", 3<<20)+"\nz\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := new(Source)
	if err := s.Start(t.Context(), connectortest.Context(t), connectortest.Configure(t, s, connector.Props{"file": name, "topic": "lines"})); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Stop() }()
	for i, want := range []int{3, 3, 1} { // 1.2 MB, 3.9 MB, the rest
		records, err := s.Poll(t.Context())
		if err != nil || len(records) != want {
			t.Errorf("poll %d gives %d records, want %d (%v)", i, len(records), want, err)
		}
	}
}

// allocated gives the bytes that something allocates.
func allocated(do func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// A long line is in memory once.
func TestLongLineIsNotCopied(t *testing.T) {
	const size = 20 << 20
	long := strings.Repeat("x", size)
	name := filepath.Join(t.TempDir(), "long.txt")
	if err := os.WriteFile(name, []byte(long+"\nend\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	source := new(Source)
	if err := source.Start(t.Context(), connectortest.Context(t), connectortest.Configure(t, source, connector.Props{"file": name, "topic": "lines"})); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = source.Stop() }()
	n := allocated(func() {
		if records, err := source.Poll(t.Context()); err != nil || len(records) != 1 || records[0].Value != long {
			t.Errorf("%d records (%v)", len(records), err)
		}
	})
	if n > size+size/4 {
		t.Errorf("the source allocates %d bytes for a line of %d", n, size)
	}
	name = filepath.Join(t.TempDir(), "out.txt")
	sink := startSink(t, name, nil)
	n = allocated(func() {
		if err := sink.Put(t.Context(), text("before", long, "behind")); err != nil {
			t.Error(err)
		}
	})
	if n > size/4 {
		t.Errorf("the sink allocates %d bytes for a line of %d", n, size)
	}
	if content(t, name) != "before\n"+long+"\nbehind\n" {
		t.Error("the lines are others than those that were put")
	}
}

// A long line that breaks off is ended before it comes again.
func TestFullDiskInALongLine(t *testing.T) {
	name, room := filepath.Join(t.TempDir(), "out.txt"), writeSize+3
	s := startSink(t, name, func(name string) (output, error) {
		f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		return limited{f, &room, nil}, err
	})
	long := strings.Repeat("x", 2*writeSize)
	if err := s.Put(t.Context(), text(long)); connector.KindOf(err) != connector.KindRetriable {
		t.Fatalf("put: %v", err)
	}
	room = 10 * writeSize
	if err := s.Put(t.Context(), text(long)); err != nil {
		t.Fatal(err)
	}
	if content(t, name) != long[:writeSize+3]+"\n"+long+"\n" {
		t.Error("half a line and the whole one are not told apart")
	}
}
