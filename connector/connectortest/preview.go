package connectortest

import (
	"slices"
	"sync"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

// previews has a Previewer show records beside what was written before, also where
// it may try them.
func (c SinkCase) previews(t testing.TB) {
	if _, ok := c.New().(connector.Previewer); !ok {
		t.Skip("the sink shows nothing of what it would write")
	}
	r, records := c.start(t, c.System(t)), c.records(t)
	r.put(records[:manyRecords/2])
	r.flush()
	r.stop()
	before := r.system.Held()
	for _, execute := range []bool{false, true} {
		s, ok := c.New().(connector.Previewer)
		sink, also := s.(connector.Sink)
		if !ok || !also {
			t.Fatal("New gives another kind of sink each time")
		}
		var mu sync.Mutex
		var effects []connector.Effect
		ctx := Context(t)
		ctx.Preview = &connector.Preview{Execute: execute, Would: func(e connector.Effect) {
			mu.Lock()
			defer mu.Unlock()
			effects = append(effects, e)
		}}
		conf := configure(t, &ctx, sink, r.system.Props)
		err := s.Preview(t.Context(), ctx, conf, slices.Clone(records))
		stopTwice(t, sink)
		if err != nil {
			t.Fatalf("preview: %v", err)
		}
		if len(effects) == 0 {
			t.Error("it shows nothing")
		}
		for _, e := range effects {
			if e.Does == "" || slices.ContainsFunc(e.Records, func(i int) bool { return i < 0 || i >= len(records) }) {
				t.Errorf("it shows %+v", e)
			}
		}
		if after := r.system.Held(); !slices.Equal(before, after) {
			t.Errorf("the system held %d items before and %d after it: %v", len(before), len(after), after)
		}
	}
}
