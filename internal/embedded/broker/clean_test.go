package broker

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// contents replays a log into a map.
func contents(t *testing.T, l *Log) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := l.Replay(t.Context(), func(key, value []byte) error {
		if value == nil {
			delete(got, string(key))
			return nil
		}
		got[string(key)] = string(value)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func openLog(t *testing.T, b *Broker, topic string) *Log {
	t.Helper()
	l, err := b.OpenLog(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func TestLog(t *testing.T) {
	dir := t.TempDir()
	b := startTest(t, Options{Dir: dir})
	l := openLog(t, b, "_log")
	if got := contents(t, l); len(got) != 0 {
		t.Errorf("a new log holds %v", got)
	}
	for i := range 20 {
		if err := l.Append(t.Context(), fmt.Append(nil, i%3), fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Append(t.Context(), []byte("0"), nil); err != nil {
		t.Fatal(err)
	}
	want := "map[1:19 2:17]"
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"as written", func() {}},
		{"again", func() {}},
		{"compacted", func() {
			if err := b.Compact(); err != nil {
				t.Fatal(err)
			}
		}},
		{"restarted", func() {
			l.Close()
			b.Stop()
			b = startTest(t, Options{Dir: dir})
			l = openLog(t, b, "_log")
		}},
	} {
		step.do()
		if got := fmt.Sprint(contents(t, l)); got != want {
			t.Errorf("%s: %s, want %s", step.name, got, want)
		}
	}
}

// TestKilledWhileCompacting kills a broker that does nothing but compact and take
// records, at whatever point it has come to.
func TestKilledWhileCompacting(t *testing.T) {
	dir := t.TempDir()
	const keys = 50
	last := map[string]string{}
	for round := range 3 {
		addr, kill := child(t, dir, true)
		c := client(t, addr, kgo.RecordPartitioner(kgo.ManualPartitioner()))
		l := &Log{"_log", c}
		if err := l.create(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i := range 60 + 7*round {
			key, value := fmt.Sprint(i%keys), fmt.Sprintf("%d/%d %s", round, i, strings.Repeat("x", 2000))
			if err := l.Append(t.Context(), []byte(key), []byte(value)); err != nil {
				t.Fatal(err)
			}
			last[key] = value
		}
		kill()
	}
	got := contents(t, openLog(t, startTest(t, Options{Dir: dir}), "_log"))
	for key, want := range last {
		if got[key] != want {
			t.Errorf("key %s is %.20q, want %.20q", key, got[key], want)
		}
	}
}

// TestInterruptedCompaction starts on what a process leaves behind that died
// after the files of a partition were deleted.
func TestInterruptedCompaction(t *testing.T) {
	dir := t.TempDir()
	b := startTest(t, Options{Dir: dir})
	l := openLog(t, b, "_log")
	if err := l.Append(t.Context(), []byte("k"), []byte("v")); err != nil {
		t.Fatal(err)
	}
	l.Close()
	b.Stop()
	if err := saveLinks(dir); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, logDir, partsDir, "_log-0", "*.dat"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files of the topic: %v", err)
	}
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	b = startTest(t, Options{Dir: dir})
	if got := contents(t, openLog(t, b, "_log")); got["k"] != "v" {
		t.Errorf("the log holds %v", got)
	}
	if _, err := os.Stat(filepath.Join(dir, links)); !os.IsNotExist(err) {
		t.Errorf("the links are still there (%v)", err)
	}
}

// TestCleaning waits for the broker to compact and to drop on its own.
func TestCleaning(t *testing.T) {
	o := Options{Dir: t.TempDir(), CleanEvery: 10 * time.Millisecond, Retention: time.Millisecond}.withDefaults()
	b, err := start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Stop)
	l := openLog(t, b, "_log")
	value := []byte(strings.Repeat("x", 1<<20))
	for i := range 10 {
		if err := l.Append(t.Context(), fmt.Append(nil, i%2), value); err != nil {
			t.Fatal(err)
		}
	}
	plain := client(t, b.Addr(), kgo.ProducerBatchMaxBytes(4<<20))
	if err := plain.ProduceSync(t.Context(), &kgo.Record{Topic: "plain", Value: value}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	parts := filepath.Join(b.dir, logDir, partsDir)
	wait.Nil(t, "the broker cleans up", func() error {
		kept, err := folderSize(filepath.Join(parts, "_log-0"))
		if err != nil {
			return err
		}
		all, err := folderSize(parts)
		if err != nil || kept <= 5<<20 && all-kept < 1<<20 {
			return err
		}
		return fmt.Errorf("the compacted topic has %d bytes, the others %d", kept, all-kept)
	})
	if got := contents(t, l); len(got) != 2 {
		t.Errorf("%d keys are left, want 2", len(got))
	}
}
