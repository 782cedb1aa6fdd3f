package deadletters

import (
	"fmt"
	"io"
	"maps"
	"slices"
)

// report says what became of the letters.
func (r *replaying) report(out io.Writer) {
	what := "replayed"
	if r.DryRun {
		what = "would be replayed"
	}
	if len(r.sent)+len(r.left) == 0 {
		fmt.Fprintf(out, "no letter behind what group %s has come to\n", r.group)
	}
	for _, topic := range slices.Sorted(maps.Keys(r.sent)) {
		fmt.Fprintf(out, "%d %s to %s\n", r.sent[topic], what, topic)
	}
	for _, reason := range slices.Sorted(maps.Keys(r.left)) {
		fmt.Fprintf(out, "%d left out: %s\n", r.left[reason], reason)
	}
}
