package runtime

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/axiom-data-science/hydraulics/connector"
)

// model is the queue as one would write it on paper: every record ever added,
// in order.
type model struct {
	partition []string
	settled   []bool
}

// committable gives the index of the last record per partition that has
// nothing unsettled at or before it.
func (m *model) committable() map[string]int {
	last := map[string]int{}
	blocked := map[string]bool{}
	for i, p := range m.partition {
		if !m.settled[i] {
			blocked[p] = true
		}
		if !blocked[p] {
			last[p] = i
		}
	}
	return last
}

// one is one record of a partition at an offset.
func one(partition, offset map[string]any) []connector.SourceRecord {
	return []connector.SourceRecord{{SourcePartition: partition, SourceOffset: offset}}
}

// Clauses: A19.
func TestInflightCommitsOnlyWhatIsSettled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := newInflight("c")
		m := &model{}
		var flights []*flight
		committed := map[string]int{} // what a store would hold
		maps1 := map[string]map[string]any{}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				p := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "partition")
				part, ok := maps1[p]
				if !ok || rapid.Bool().Draw(t, "fresh map") {
					part = map[string]any{"p": p}
					maps1[p] = part
				}
				f := make([]flight, 1)
				if err := q.add(f, one(part, map[string]any{"n": len(flights)})); err != nil {
					t.Fatal(err)
				}
				flights = append(flights, &f[0])
				m.partition = append(m.partition, p)
				m.settled = append(m.settled, false)
			},
			"settle": func(t *rapid.T) {
				var open []int
				for i, s := range m.settled {
					if !s {
						open = append(open, i)
					}
				}
				if len(open) == 0 {
					t.Skip("nothing is on its way")
				}
				i := rapid.SampledFrom(open).Draw(t, "record")
				flights[i].settle()
				m.settled[i] = true
			},
			"commit": func(t *rapid.T) {
				c := q.committable()
				if rapid.Bool().Draw(t, "the store fails") {
					return
				}
				for _, e := range c.entries {
					committed[e.Partition["p"].(string)] = e.Offset["n"].(int)
				}
				q.committed(c)
				if d := cmp.Diff(m.committable(), committed); d != "" {
					t.Fatalf("committed (-want +got):\n%s", d)
				}
				if again := q.committable(); len(again.entries) > 0 {
					t.Fatalf("committed offsets are given again: %v", again.entries)
				}
			},
		})
	})
}

func TestInflightKeepsWhatMovedDuringCommit(t *testing.T) {
	q := newInflight("c")
	part := map[string]any{"p": 1}
	var fs [2]flight
	for i := range fs {
		if err := q.add(fs[i:i+1], one(part, map[string]any{"n": i})); err != nil {
			t.Fatal(err)
		}
	}
	fs[0].settle()
	c := q.committable()
	fs[1].settle() // while the store writes
	q.committed(c)
	again := q.committable()
	if len(again.entries) != 1 || !maps.Equal(again.entries[0].Offset, map[string]any{"n": 1}) {
		t.Errorf("committable is %v, want offset 1", again.entries)
	}
}

func TestInflightRefusesPartitionsThatAreNoJSON(t *testing.T) {
	q := newInflight("c")
	if err := q.add(make([]flight, 1), one(map[string]any{"f": func() {}}, nil)); err == nil {
		t.Error("want an error")
	}
	if c := q.committable(); len(c.entries) != 0 {
		t.Errorf("committable is %v", c.entries)
	}
}

func TestInflightWithoutPartition(t *testing.T) {
	q := newInflight("c")
	f := make([]flight, 1)
	if err := q.add(f, one(nil, nil)); err != nil {
		t.Fatal(err)
	}
	f[0].settle()
	if c := q.committable(); len(c.entries) != 0 {
		t.Errorf("committable is %v", c.entries)
	}
}

func BenchmarkInflight(b *testing.B) {
	q := newInflight("c")
	part := map[string]any{"filename": "x"}
	at := map[string]any{"position": 1}
	flights := make([]flight, b.N)
	b.ReportAllocs()
	for i := range flights {
		if err := q.add(flights[i:i+1], one(part, at)); err != nil {
			b.Fatal(err)
		}
		flights[i].settle()
	}
}
