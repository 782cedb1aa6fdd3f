package connectortest

import (
	"reflect"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

// SinkCase describes a sink to [Sink].
type SinkCase struct {
	New   func() connector.Sink
	Props connector.Props
	// Records are what the sink is given, at least 2, with their Origin.
	Records []connector.Record
	// State gives what the system holds now, to be compared.
	State func(t *testing.T) any
	// Idempotent says that records that are put again change nothing: an
	// upsert. A sink that appends leaves it unset and documents it.
	Idempotent bool
}

// Sink checks the promises of a sink: what was put and flushed is there after
// a stop, in whatever batches it came, a fresh instance goes on where the last
// one ended, and it stops safely twice and without a start. For an idempotent
// sink a duplicate changes nothing.
func Sink(t *testing.T, c SinkCase) {
	t.Run("plugin", func(t *testing.T) { Plugin(t, c.New()) })
	t.Run("stop", func(t *testing.T) { stopTwice(t, c.New()) })
	t.Run("an empty batch changes nothing", func(t *testing.T) {
		before := c.State(t)
		putAll(t, c, nil)
		if after := c.State(t); !reflect.DeepEqual(before, after) {
			t.Errorf("state %v, want %v", after, before)
		}
	})
	t.Run("what was put is there", func(t *testing.T) {
		before := c.State(t)
		half := len(c.Records) / 2
		putAll(t, c, c.Records[:half])
		putAll(t, c, c.Records[half:])
		if after := c.State(t); reflect.DeepEqual(before, after) {
			t.Errorf("state is unchanged: %v", after)
		}
	})
	if c.Idempotent {
		t.Run("a duplicate changes nothing", func(t *testing.T) {
			before := c.State(t)
			putAll(t, c, c.Records)
			if after := c.State(t); !reflect.DeepEqual(before, after) {
				t.Errorf("state %v, want %v", after, before)
			}
		})
	}
}

func putAll(t *testing.T, c SinkCase, records []connector.Record) {
	t.Helper()
	s := c.New()
	if err := s.Start(t.Context(), Context(t), Configure(t, s, c.Props)); err != nil {
		t.Fatalf("start: %v", err)
	}
	defer stop(t, s)
	if err := s.Put(t.Context(), records); err != nil {
		t.Fatalf("put: %v", err)
	}
	if f, ok := s.(connector.Flusher); ok {
		if err := f.Flush(t.Context()); err != nil {
			t.Fatalf("flush: %v", err)
		}
	}
}
