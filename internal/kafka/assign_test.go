package kafka

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestAssignRange(t *testing.T) {
	both := []string{"t", "u"}
	for name, c := range map[string]struct {
		members    map[string][]string
		partitions map[string]int32
		want       map[string]map[string][]int32
	}{
		// The examples of the documentation of Kafka's RangeAssignor.
		"two members, two topics": {map[string][]string{"c0": both, "c1": both}, map[string]int32{"t": 3, "u": 3},
			map[string]map[string][]int32{"c0": {"t": {0, 1}, "u": {0, 1}}, "c1": {"t": {2}, "u": {2}}}},
		"more members than partitions": {map[string][]string{"a": {"t"}, "b": {"t"}, "c": {"t"}}, map[string]int32{"t": 2},
			map[string]map[string][]int32{"a": {"t": {0}}, "b": {"t": {1}}, "c": {}}},
		"other topics":    {map[string][]string{"a": {"t"}, "b": {"u"}}, map[string]int32{"t": 1, "u": 2}, map[string]map[string][]int32{"a": {"t": {0}}, "b": {"u": {0, 1}}}},
		"no such topic":   {map[string][]string{"a": {"t"}}, map[string]int32{}, map[string]map[string][]int32{"a": {}}},
		"a topic twice":   {map[string][]string{"a": {"t", "t"}}, map[string]int32{"t": 2}, map[string]map[string][]int32{"a": {"t": {0, 1}}}},
		"nobody at all":   {nil, nil, map[string]map[string][]int32{}},
		"nothing to read": {map[string][]string{"a": nil}, nil, map[string]map[string][]int32{"a": {}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, assignRange(c.members, c.partitions)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAssignRangeGivesEveryPartitionOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		topics := rapid.MapOfN(rapid.StringMatching("[a-d]"), rapid.Int32Range(0, 9), 0, 4).Draw(t, "topics")
		names := slices.Sorted(maps.Keys(topics))
		members := map[string][]string{}
		for i := range rapid.IntRange(0, 6).Draw(t, "members") {
			var reads []string
			for _, name := range names {
				if rapid.Bool().Draw(t, "reads") {
					reads = append(reads, name)
				}
			}
			members[fmt.Sprint("m", i)] = reads
		}
		given := map[string]map[int32]int{}
		for member, plan := range assignRange(members, topics) {
			for topic, ps := range plan {
				if !slices.Contains(members[member], topic) {
					t.Fatalf("%s gets %s without reading it", member, topic)
				}
				if given[topic] == nil {
					given[topic] = map[int32]int{}
				}
				for _, p := range ps {
					given[topic][p]++
				}
			}
		}
		for topic, n := range topics {
			read := false
			for _, reads := range members {
				read = read || slices.Contains(reads, topic)
			}
			for p := range n {
				if read && given[topic][p] != 1 {
					t.Fatalf("partition %d of %s is given %d times", p, topic, given[topic][p])
				}
			}
		}
	})
}
