package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// remedies say what to do that a test runs, by words of the reason for which it
// is skipped; the first that fits counts.
var remedies = []struct{ words, do string }{
	{"no PostgreSQL:", "install PostgreSQL (Debian: postgresql), or set HYDRAULICS_POSTGRES_URL"},
	{"HYDRAULICS_IFCB_DATA", "set it to the folder of the IFCB reference data: real bins, images, golden tables"},
	{"HYDRAULICS_KAFKA_BOOTSTRAP", "make integration"},
	{"HYDRAULICS_KAFKA_CLASSPATH", "set it, in make integration, to the jars of Apache Kafka's clients"},
	{"HYDRAULICS_CONNECT_CLASSPATH", "set it, in make integration, to the jars of Kafka Connect"},
	{"HYDRAULICS_REGISTRY_URL", "make integration"},
	{"HYDRAULICS_POSTGRES_URL", "make integration"},
	{"HYDRAULICS_POOLER_ADDRESS", "make integration"},
	{"HYDRAULICS_BINARY", "make integration"},
	{"HYDRAULICS_AXE", "make integration"},
	{"HYDRAULICS_SERVING", "make integration-serving"},
	{"HYDRAULICS_MODEL_SERVER", "make integration-serving, or set it to the address of a model on a server"},
	{"HYDRAULICS_AGREEMENT", "make agreement"},
	{"HYDRAULICS_TEST_DOWNLOAD", "set it where the network may be used"},
	{"python3 is not there", "install python3"},
	{"no browser", "install chromium, or set HYDRAULICS_BROWSER"},
	{"binutils-aarch64-linux-gnu", "install binutils-aarch64-linux-gnu"},
	{"AVX512-VNNI", "test on a processor that has it"},
	{"-short", "make test, which runs without -short"},
	{"known failure", "mend what the reason says"},
}

// inapplicable is what is said of a reason that no remedy fits.
const inapplicable = "nothing: it does not apply there"

// group is the skipped tests that want the same.
type group struct {
	reason, do string
	count      int
}

// groups joins reasons of the same remedy; the largest come first.
func groups(count map[string]int) []group {
	byReason := map[string]*group{}
	for _, why := range slices.Sorted(maps.Keys(count)) {
		reason, do := why, inapplicable
		for _, r := range remedies {
			if strings.Contains(why, r.words) {
				reason, do = strings.TrimSuffix(r.words, ":"), r.do
				break
			}
		}
		if byReason[reason] == nil {
			byReason[reason] = &group{reason: reason, do: do}
		}
		byReason[reason].count += count[why]
	}
	list := []group{}
	for _, g := range byReason {
		list = append(list, *g)
	}
	slices.SortFunc(list, func(a, b group) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.reason, b.reason))
	})
	return list
}

// summary writes down the skipped tests, by reason, and what to do.
func summary(count map[string]int) string {
	total := 0
	for _, n := range count {
		total += n
	}
	if total == 0 {
		return "no test was skipped\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "skipped %d, by reason -> what to do:\n", total)
	for _, g := range groups(count) {
		fmt.Fprintf(&b, "%5d  %s -> %s\n", g.count, g.reason, g.do)
	}
	return b.String()
}
