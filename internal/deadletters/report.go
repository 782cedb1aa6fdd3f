package deadletters

import (
	"fmt"
	"io"
	"maps"
	"slices"
)

// Report is what became of letters in a replay.
type Report struct {
	Group string         `json:"group"` // that keeps how far it has come
	Read  int            `json:"read"`  // letters, those that were not meant too
	Sent  map[string]int `json:"sent"`  // by topic
	Left  map[string]int `json:"left"`  // out, by reason
}

func (r Report) clone() Report {
	r.Sent, r.Left = maps.Clone(r.Sent), maps.Clone(r.Left)
	return r
}

// Print says what became of the letters, or would in a dry run.
func (r Report) Print(out io.Writer, dryRun bool) {
	what := "replayed"
	if dryRun {
		what = "would be replayed"
	}
	if len(r.Sent)+len(r.Left) == 0 {
		fmt.Fprintf(out, "no letter behind what group %s has come to\n", r.Group)
	}
	for _, topic := range slices.Sorted(maps.Keys(r.Sent)) {
		fmt.Fprintf(out, "%d %s to %s\n", r.Sent[topic], what, topic)
	}
	for _, reason := range slices.Sorted(maps.Keys(r.Left)) {
		fmt.Fprintf(out, "%d left out: %s\n", r.Left[reason], reason)
	}
}
