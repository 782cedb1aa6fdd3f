package connectortest

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// patience bounds the waits of the suites; it is never used up by a plugin that
// keeps its promises.
const patience = 30 * time.Second

// SourceCase describes a source to [Source].
type SourceCase struct {
	New   func() connector.Source
	Props connector.Props
	// Want is the number of records the source system holds for these Props,
	// at least 2. After them Poll gives nothing or ErrDone.
	Want int
}

// Source checks the promises of a source: it gives the same records in the same
// order after a restart without commit, resumes behind the last committed
// record of each partition, keeps partitions and offsets to JSON, gives values
// that fit their schemas, unblocks Poll when the context ends, and stops safely
// twice and without a start.
func Source(t *testing.T, c SourceCase) {
	t.Run("plugin", func(t *testing.T) { Plugin(t, c.New()) })
	t.Run("stop", func(t *testing.T) { stopTwice(t, c.New()) })
	t.Run("records are valid and repeat", func(t *testing.T) {
		first := pollAll(t, c, new(Offsets), c.Want)
		again := pollAll(t, c, new(Offsets), c.Want)
		for i := range first {
			checkSourceRecord(t, first[i])
			if !sameRecord(first[i], again[i]) {
				t.Fatalf("record %d differs after a restart without commit: %+v, then %+v", i, first[i], again[i])
			}
		}
	})
	t.Run("resumes after the last commit", func(t *testing.T) {
		all := pollAll(t, c, new(Offsets), c.Want)
		half := len(all) / 2
		offsets := new(Offsets)
		for _, r := range all[:half] {
			if r.SourceOffset == nil {
				t.Skip("the source has no offsets: it cannot resume")
			}
			if err := offsets.Commit(r); err != nil {
				t.Fatal(err)
			}
		}
		rest := pollAll(t, c, offsets, len(all)-half)
		for i, r := range rest {
			if !sameRecord(r, all[half+i]) {
				t.Fatalf("record %d after the commit is %+v, want %+v", i, r, all[half+i])
			}
		}
	})
	t.Run("poll ends with its context", func(t *testing.T) {
		s := start(t, c, new(Offsets))
		defer stop(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			for ctx.Err() == nil {
				if _, err := s.Poll(ctx); errors.Is(err, connector.ErrDone) {
					return
				}
			}
		}()
		cancel()
		select {
		case <-done:
		case <-time.After(patience):
			t.Fatal("Poll goes on after its context was cancelled")
		}
	})
}

func stopTwice(t *testing.T, s interface{ Stop() error }) {
	t.Helper()
	for range 2 {
		if err := s.Stop(); err != nil {
			t.Errorf("stop without start: %v", err)
		}
	}
}

func start(t *testing.T, c SourceCase, offsets *Offsets) connector.Source {
	t.Helper()
	s := c.New()
	ctx := Context(t)
	ctx.Offsets = offsets
	if err := s.Start(t.Context(), ctx, Configure(t, s, c.Props)); err != nil {
		t.Fatalf("start: %v", err)
	}
	return s
}

func stop(t *testing.T, s interface{ Stop() error }) {
	t.Helper()
	for range 2 {
		if err := s.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	}
}

func pollAll(t *testing.T, c SourceCase, offsets *Offsets, want int) []connector.SourceRecord {
	t.Helper()
	s := start(t, c, offsets)
	defer stop(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var all []connector.SourceRecord
	for len(all) < want {
		batch, err := s.Poll(ctx)
		all = append(all, batch...)
		if errors.Is(err, connector.ErrDone) {
			break
		}
		if err != nil && connector.KindOf(err) != connector.KindRetriable {
			t.Fatalf("poll: %v", err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	if len(all) != want {
		t.Fatalf("the source gives %d records, want %d", len(all), want)
	}
	return all
}

func checkSourceRecord(t *testing.T, r connector.SourceRecord) {
	t.Helper()
	if r.Topic == "" {
		t.Errorf("record has no topic: %+v", r)
	}
	if err := connector.Validate(r.KeySchema, r.Key); err != nil {
		t.Errorf("key: %v", err)
	}
	if err := connector.Validate(r.ValueSchema, r.Value); err != nil {
		t.Errorf("value: %v", err)
	}
	for name, m := range map[string]map[string]any{"partition": r.SourcePartition, "offset": r.SourceOffset} {
		if _, err := json.Marshal(m); err != nil {
			t.Errorf("source %s is not JSON: %v", name, err)
		}
	}
}

func sameRecord(a, b connector.SourceRecord) bool {
	return a.Topic == b.Topic && connector.ValuesEqual(a.Key, b.Key) && a.ValueSchema.Equal(b.ValueSchema) &&
		connector.ValuesEqual(a.Value, b.Value) && reflect.DeepEqual(a.SourcePartition, b.SourcePartition) &&
		reflect.DeepEqual(a.SourceOffset, b.SourceOffset)
}
