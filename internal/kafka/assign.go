package kafka

import (
	"cmp"
	"slices"
)

// assignRange shares partitions as Kafka's range assignor does, so that members
// of other clients in the group agree: per topic in order of the members' ids,
// the first ones get one more where it does not divide. members gives the
// topics of each member id, partitions the number of partitions of each topic
// that exists.
func assignRange(members map[string][]string, partitions map[string]int32) map[string]map[string][]int32 {
	byTopic := map[string][]string{}
	plan := map[string]map[string][]int32{}
	for id, topics := range members {
		plan[id] = map[string][]int32{}
		for _, t := range topics {
			byTopic[t] = append(byTopic[t], id)
		}
	}
	for topic, ids := range byTopic {
		slices.SortFunc(ids, cmp.Compare[string])
		ids = slices.Compact(ids)
		n := partitions[topic]
		each, extra := n/int32(len(ids)), n%int32(len(ids))
		next := int32(0)
		for i, id := range ids {
			count := each
			if int32(i) < extra {
				count++
			}
			for p := range count {
				plan[id][topic] = append(plan[id][topic], next+p)
			}
			next += count
		}
	}
	return plan
}
