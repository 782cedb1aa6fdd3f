package cluster

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Instance is the number of the part that is the connector itself, which makes
// the configurations of its tasks.
const Instance = -1

// Part is what one worker of the cluster runs: a connector, or one of its tasks.
type Part struct {
	Connector string
	Task      int // from 0, or Instance
}

// compare has connectors in the order of their names, each before its tasks.
func (p Part) compare(q Part) int {
	return cmp.Or(strings.Compare(p.Connector, q.Connector), cmp.Compare(p.Task, q.Task))
}

// Work is a list of parts, in order, each once.
type Work []Part

// All gives the connectors of this many tasks and all their tasks.
func All(tasks map[string]int) Work {
	var w Work
	for _, name := range slices.Sorted(maps.Keys(tasks)) {
		for n := Instance; n < tasks[name]; n++ {
			w = append(w, Part{name, n})
		}
	}
	return w
}

// With gives what is in one of the two.
func (w Work) With(more Work) Work {
	all := slices.Concat(w, more)
	slices.SortFunc(all, Part.compare)
	return slices.Compact(all)
}

// Without gives what is in none of the others.
func (w Work) Without(others ...Work) Work {
	gone := map[Part]bool{}
	for _, o := range others {
		for _, p := range o {
			gone[p] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(w), func(p Part) bool { return gone[p] })
}

// Has tells whether a part is in it.
func (w Work) Has(p Part) bool {
	_, found := slices.BinarySearchFunc(w, p, Part.compare)
	return found
}

// within gives what is in the other one, too.
func (w Work) within(other Work) Work {
	return slices.DeleteFunc(slices.Clone(w), func(p Part) bool { return !other.Has(p) })
}

// kinds gives the connectors and the tasks, which are shared out one after the
// other.
func (w Work) kinds() [2]Work {
	var k [2]Work
	for _, p := range w {
		k[p.kind()] = append(k[p.kind()], p)
	}
	return k
}

func (p Part) kind() int {
	if p.Task == Instance {
		return 0
	}
	return 1
}
