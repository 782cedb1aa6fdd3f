package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

// follower is a source on a file, its committed offsets, and what it said.
type follower struct {
	t       *testing.T
	name    string
	offsets *connectortest.Offsets
	source  *Source
	open    func(string) (opened, error)
	said    *bytes.Buffer
}

func follow(t *testing.T, open func(string) (opened, error)) *follower {
	f := &follower{t: t, name: filepath.Join(t.TempDir(), "log.txt"), offsets: new(connectortest.Offsets), open: open, said: new(bytes.Buffer)}
	t.Cleanup(func() { f.stop() })
	return f
}

func (f *follower) start() {
	f.t.Helper()
	f.source = &Source{open: f.open}
	c := connectortest.Context(f.t)
	c.Offsets, c.Log = f.offsets, slog.New(slog.NewTextHandler(f.said, nil)).With("connector", c.Connector)
	conf := connectortest.Configure(f.t, f.source, connector.Props{"file": f.name, "topic": "t", "batch.size": "3"})
	if err := f.source.Start(f.t.Context(), c, conf); err != nil {
		f.t.Fatal(err)
	}
}

func (f *follower) stop() {
	if f.source != nil {
		if err := f.source.Stop(); err != nil {
			f.t.Error(err)
		}
	}
}

// poll gives what is there now, as the runtime takes it: nothing beside a
// retriable error, which is one of those to come again. It commits what it has.
func (f *follower) poll() []string {
	f.t.Helper()
	now, cancel := context.WithCancel(f.t.Context())
	cancel() // the source does not wait for more
	var lines []string
	for quiet := 0; quiet < 3; {
		records, err := f.source.Poll(now)
		if connector.KindOf(err) == connector.KindRetriable {
			continue
		}
		if err != nil {
			f.t.Fatal(err)
		}
		if len(records) == 0 {
			quiet++ // a file that was replaced has a second turn
		}
		for _, r := range records {
			lines = append(lines, r.Value.(string))
			if err := f.offsets.Commit(r); err != nil {
				f.t.Fatal(err)
			}
		}
	}
	return lines
}

func (f *follower) want(lines ...string) {
	f.t.Helper()
	if diff := cmp.Diff(lines, f.poll(), cmpopts.EquateEmpty()); diff != "" {
		f.t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// wantSaid checks what was said since the last time, and that it names connector and file.
func (f *follower) wantSaid(what string) {
	f.t.Helper()
	said := f.said.String()
	f.said.Reset()
	if what == "" {
		if said != "" {
			f.t.Errorf("said %q", said)
		}
		return
	}
	for _, part := range []string{what, "connector=" + f.t.Name(), "file=" + f.name} {
		if !strings.Contains(said, part) {
			f.t.Errorf("said %q, want %q", said, part)
		}
	}
	if n := strings.Count(said, "\n"); n != 1 {
		f.t.Errorf("said %d things: %s", n, said)
	}
}

func (f *follower) write(text string) {
	f.t.Helper()
	if err := os.WriteFile(f.name, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// shaky is a file whose reads fail now and then.
type shaky struct {
	*os.File
	dice   *rand.Rand
	failed *int
}

func (s shaky) ReadAt(p []byte, at int64) (int, error) {
	if s.dice.IntN(4) == 0 {
		*s.failed++
		return 0, syscall.EIO
	}
	if len(p) > headSize {
		p = p[:1000] // a failing read comes in the middle of a batch too
	}
	return s.File.ReadAt(p, at)
}

// A read that fails takes no line with it.
func TestReadErrors(t *testing.T) {
	dice, failed := rand.New(rand.NewPCG(1, 2)), 0
	f := follow(t, func(name string) (opened, error) {
		file, err := os.Open(name)
		return shaky{file, dice, &failed}, err
	})
	var want []string
	for i := range 5000 {
		want = append(want, fmt.Sprintf("line %d %s", i, strings.Repeat("x", i%300)))
	}
	f.write(strings.Join(want, "\n") + "\n")
	f.start()
	f.want(want...)
	if failed < 1000 {
		t.Errorf("%d reads failed", failed)
	}
}

func TestReadErrorIsSaid(t *testing.T) {
	var reads readFault
	f := follow(t, reads.open)
	f.write("one\n")
	f.start()
	reads.fail()
	records, err := f.source.Poll(t.Context())
	if len(records) > 0 || connector.KindOf(err) != connector.KindRetriable || !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), f.name) {
		t.Errorf("records %v, error %v", records, err)
	}
}

// readFault makes reads fail: all of them, or, of those that read ahead, all but
// the first.
type readFault struct {
	failing, half atomic.Bool
	breaks        atomic.Int64
}

func (f *readFault) open(name string) (opened, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	return faulty{file, f}, nil
}

// fail breaks everything and what is behind the first bytes in turn.
func (f *readFault) fail() (mend func()) {
	f.half.Store(f.breaks.Add(1)%2 == 0)
	f.failing.Store(true)
	return func() { f.failing.Store(false) }
}

type faulty struct {
	*os.File
	fault *readFault
}

func (f faulty) ReadAt(p []byte, at int64) (int, error) {
	switch {
	case !f.fault.failing.Load():
		return f.File.ReadAt(p, at)
	case f.fault.half.Load() && len(p) <= headSize:
		return f.File.ReadAt(p, at)
	case f.fault.half.CompareAndSwap(true, false):
		return f.File.ReadAt(p[:headSize], at)
	}
	return 0, syscall.EIO
}

const (
	truncated = "the file changed while it was read: it was truncated; reading it from its start"
	anew      = "the file changed while it was read: it was written anew; reading it from its start"
	replaced  = "another file has taken the place of the file, which was read to its end; reading the new one from its start"
	restarted = "the file is not the one that was read before: "
)

func TestFileChanges(t *testing.T) {
	same := strings.Repeat("the same\n", 300) // more than a fingerprint
	tests := []struct {
		name   string
		before string
		change func(f *follower)
		want   []string
		said   string // while it was read
		again  string // after a restart
	}{
		{"grows", "one\ntwo\n", func(f *follower) { appendText(f.t, f.name, "three\n") }, []string{"three"}, "", ""},
		{"truncated, then shorter", "one\ntwo\n", func(f *follower) { f.write("new\n") }, []string{"new"}, truncated, "it is shorter than what was read of it"},
		{"truncated, then longer", "one\ntwo\n", func(f *follower) { f.write("new one\nnew two\nnew three\n") },
			[]string{"new one", "new two", "new three"}, anew, "it was written anew"},
		{"longer, with the same beginning", same + "one\n", func(f *follower) { f.write(same + "two\nthree\n") },
			append(strings.Split(strings.TrimSpace(same), "\n"), "two", "three"), anew, "it was written anew"},
		{"rotated", "one\ntwo\n", func(f *follower) { f.rotate(""); f.write("new\nlonger than the old\n") },
			[]string{"new", "longer than the old"}, replaced, "another file has taken its place"},
		{"rotated to the same text", same, func(f *follower) { f.rotate(""); f.write(same) },
			strings.Split(strings.TrimSpace(same), "\n"), replaced, "another file has taken its place"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := follow(t, nil)
			f.write(test.before)
			f.start()
			f.poll()
			test.change(f)
			f.want(test.want...)
			f.wantSaid(test.said)
			f.stop()
			f.start()
			f.want()
			f.wantSaid("")
		})
		t.Run(test.name+" while the source is away", func(t *testing.T) {
			f := follow(t, nil)
			f.write(test.before)
			f.start()
			f.poll()
			f.stop()
			test.change(f)
			f.start()
			f.want(test.want...)
			if test.again != "" {
				test.again = restarted + test.again
			}
			f.wantSaid(test.again)
		})
	}
}

// rotate gives the file another name and appends to it there.
func (f *follower) rotate(more string) {
	f.t.Helper()
	if err := os.Rename(f.name, f.name+".1"); err != nil {
		f.t.Fatal(err)
	}
	if more != "" {
		appendText(f.t, f.name+".1", more)
	}
}

// What a writer still puts into the file that was rotated is read, the end of it
// too that will never be a line.
func TestRotatedFileIsReadToItsEnd(t *testing.T) {
	f := follow(t, nil)
	f.write("one\n")
	f.start()
	f.want("one")
	f.rotate("two\n")
	f.want("two") // there is no other file yet
	appendText(t, f.name+".1", "three\nfou")
	f.write("new\n")
	f.want("three", "fou", "new")
	f.wantSaid(replaced)
	appendText(t, f.name, "newer\n")
	f.stop()
	f.start()
	f.want("newer")
}

// A line is not put together from what two files held.
func TestNoTornLine(t *testing.T) {
	f := follow(t, nil)
	f.write("half a li")
	f.start()
	f.want()
	f.write("another file\n")
	f.want("another file")
	f.wantSaid(anew)
}

// An offset of Kafka Connect has the position alone.
//
// Clauses: M1.
func TestOffsetsOfKafkaConnect(t *testing.T) {
	tests := []struct {
		name     string
		position any
		want     []string
		said     string
	}{
		{"behind a line", 4, []string{"two", "three"}, ""},
		{"at the end", 14, nil, ""},
		{"within a line", 6, []string{"one", "two", "three"}, restarted + "where reading ended is not the end of a line"},
		{"beyond the end", 99, []string{"one", "two", "three"}, restarted + "it is shorter than what was read of it"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := follow(t, nil)
			f.write("one\ntwo\nthree\n")
			err := f.offsets.Commit(connector.SourceRecord{SourcePartition: map[string]any{"filename": f.name},
				SourceOffset: map[string]any{"position": test.position}})
			if err != nil {
				t.Fatal(err)
			}
			f.start()
			f.want(test.want...)
			f.wantSaid(test.said)
		})
	}
}

func TestBadOffsets(t *testing.T) {
	for name, position := range map[string]any{"text": "4", "negative": -1, "no integer": 1.5} {
		t.Run(name, func(t *testing.T) {
			f := follow(t, nil)
			f.write("one\n")
			if err := f.offsets.Commit(connector.SourceRecord{SourcePartition: map[string]any{"filename": f.name},
				SourceOffset: map[string]any{"position": position}}); err != nil {
				t.Fatal(err)
			}
			c := connectortest.Context(t)
			c.Offsets = f.offsets
			s := new(Source)
			err := s.Start(t.Context(), c, connectortest.Configure(t, s, connector.Props{"file": f.name, "topic": "t"}))
			if err == nil || !strings.Contains(err.Error(), "offset of "+f.name+": position") {
				t.Errorf("start: %v", err)
			}
		})
	}
}
