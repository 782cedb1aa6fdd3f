package runtime

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

func TestLook(t *testing.T) {
	type told struct {
		what, code string
		warning    bool
	}
	tests := []struct {
		name string
		do   func(ctx context.Context, found func(connector.Finding))
		want []told
	}{
		{"in order", func(_ context.Context, found func(connector.Finding)) {
			found(connector.Finding{What: "a"})
			found(connector.Finding{What: "b", Clock: time.Now().Add(time.Second)})
		}, []told{{what: "a"}, {what: "b"}}},
		{"wrong", func(_ context.Context, found func(connector.Finding)) {
			found(connector.Finding{What: "a", Err: connector.Coded("H5001", errors.New("away"))})
		}, []told{{"a", "H5001", false}}},
		{"a clock ahead", func(_ context.Context, found func(connector.Finding)) {
			found(connector.Finding{What: "a", Clock: time.Now().Add(time.Minute)})
		}, []told{{"a", "H9001", true}}},
		{"a clock behind", func(_ context.Context, found func(connector.Finding)) {
			found(connector.Finding{What: "a", Clock: time.Now().Add(-time.Minute)})
		}, []told{{"a", "H9001", true}}},
		{"a panic", func(context.Context, func(connector.Finding)) { panic("a mistake") }, []told{{"looked at", "H4002", false}}},
		{"late, and says so", func(ctx context.Context, found func(connector.Finding)) {
			<-ctx.Done()
			found(connector.Finding{What: "a", Err: ctx.Err()})
		}, []told{{"a", "H9003", false}}},
		{"it hangs, after one thing", func(ctx context.Context, found func(connector.Finding)) {
			found(connector.Finding{What: "a"})
			time.Sleep(time.Hour)
			found(connector.Finding{What: "b"})
		}, []told{{what: "a"}, {"looked at", "H9003", false}}},
		{"it hangs", func(context.Context, func(connector.Finding)) { time.Sleep(time.Hour) }, []told{{"looked at", "H9003", false}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				var got []told
				for _, f := range Look(t.Context(), "looked at", 10*time.Second, tt.do) {
					got = append(got, told{f.What, connector.CodeOf(f.Err), f.Warning})
				}
				took := time.Since(began)
				time.Sleep(2 * time.Hour) // until what hangs has ended
				if took > 11*time.Second {
					t.Errorf("it took %s", took)
				}
				if d := cmp.Diff(tt.want, got, cmp.AllowUnexported(told{})); d != "" {
					t.Error(d)
				}
			})
		})
	}
}

// slow is a transform that is long about what it makes, and closes it.
type slow struct {
	change
	wait   chan struct{}
	closed chan struct{}
}

func (*slow) Info() connector.Info { return connector.Info{Name: "slow", Version: "1"} }
func (s *slow) Configure(connector.Context, connector.Config) error {
	<-s.wait
	return nil
}
func (s *slow) Close() error {
	close(s.closed)
	return nil
}

// A plugin that hangs as it is made, say at a file, holds up no check; what it makes
// later is given back.
func TestCheckOfAPluginThatHangs(t *testing.T) {
	w := testWorker(t)
	s := &slow{wait: make(chan struct{}), closed: make(chan struct{})}
	w.options.Plugins.Add(connector.TransformType, func() connector.Plugin { return s })
	w.options.Open = func(context.Context, kafka.Options) (*kafka.Client, error) { return nil, errors.New("away") }
	spec := TaskSpec{Connector: "c", Kind: KindSource, Props: connector.Props{"name": "c", "connector.class": "numbers", "topic": "t", "count": "1", "transforms": "a", "transforms.a.type": "slow"}}
	var got []string
	for _, f := range w.Check(t.Context(), spec, 10*time.Millisecond) {
		got = append(got, f.What+" "+connector.CodeOf(f.Err))
	}
	if len(got) < 3 || got[0] != "configuration H9003" || !slices.Contains(got, "Kafka at localhost:9092 H2001") {
		t.Errorf("%q", got)
	}
	close(s.wait)
	select {
	case <-s.closed:
	case <-time.After(3 * time.Second):
		t.Errorf("not closed %+v", got)
	}
}
