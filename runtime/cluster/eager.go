package cluster

import "slices"

// deal gives each worker its share of what is wanted, in turns: the connectors
// first, because a connector and its only task one after the other would have
// half of the workers run connectors alone.
func deal(wanted Work, workers []string) map[string]Work {
	workers = slices.Sorted(slices.Values(workers))
	shares := map[string]Work{}
	turn := 0
	for _, parts := range wanted.kinds() {
		for _, p := range parts {
			w := workers[turn%len(workers)]
			shares[w] = append(shares[w], p)
			turn++
		}
	}
	for w := range shares {
		shares[w] = shares[w].With(nil)
	}
	return shares
}
