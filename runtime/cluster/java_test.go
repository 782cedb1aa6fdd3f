package cluster

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// recordedRounds are what Kafka Connect's own assignor made of rounds; see
// testdata/Rounds.java.
const recordedRounds = "testdata/rounds.jsonl.gz"

// javaRound is a round and its plan as Rounds.java reads and writes them.
type javaRound struct {
	First      bool                `json:"first"` // of a cluster
	MaxDelay   int64               `json:"max_delay"`
	Now        int64               `json:"now"`
	Generation int32               `json:"generation"`
	Completed  int32               `json:"completed"`
	Wanted     map[string]int      `json:"wanted"`
	Holding    map[string][]string `json:"holding"`
	Assigned   map[string][]string `json:"assigned"`
	Revoked    map[string][]string `json:"revoked"`
	After      map[string][]string `json:"after"`
	Delay      int64               `json:"delay"`
}

// parts writes work as Rounds.java reads it. Java takes the first parts of a
// list away, where ours takes those of which a worker has most.
func parts(w, wanted Work, workers int) []string {
	list := w.Without(wanted)
	for kind, all := range wanted.kinds() {
		list = append(list, crowded(w.within(wanted).kinds()[kind], all, workers)...)
	}
	text := []string{}
	for _, p := range list {
		text = append(text, p.Connector+"/"+strconv.Itoa(p.Task))
	}
	return text
}

func sorted(m map[string]Work) map[string][]string {
	all := map[string][]string{}
	for worker, w := range m {
		if len(w) > 0 {
			all[worker] = slices.Sorted(slices.Values(parts(w, w, 1)))
		}
	}
	return all
}

// work reads what parts wrote.
func work(text []string) (w Work, err error) {
	for _, s := range text {
		connector, n, _ := strings.Cut(s, "/")
		task, err := strconv.Atoi(n)
		if err != nil {
			return nil, err
		}
		w = append(w, Part{connector, task})
	}
	return w.With(nil), nil
}

// Clauses: G3, G4, G5.
func TestRoundsAsJavaHasThem(t *testing.T) {
	file, err := os.Open(recordedRounds)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	text, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	rounds, err := readRounds(text)
	if err != nil {
		t.Fatal(err)
	}
	var a *incremental
	for i, want := range rounds {
		if want.First {
			a = newIncremental(time.Duration(want.MaxDelay) * time.Millisecond)
		}
		r := round{now: time.UnixMilli(want.Now), generation: want.Generation, completed: want.Completed, wanted: All(want.Wanted), holding: map[string]Work{}}
		for worker, text := range want.Holding {
			if r.holding[worker], err = work(text); err != nil {
				t.Fatal(err)
			}
		}
		p := a.assign(r)
		got := want
		got.Assigned, got.Revoked, got.After, got.Delay = sorted(p.assigned), sorted(p.revoked), sorted(p.after), p.delay.Milliseconds()
		if err := same(want, got); err != nil {
			t.Fatalf("round %d: %v", i+1, err)
		}
	}
}

func readRounds(text io.Reader) ([]javaRound, error) {
	var rounds []javaRound
	lines := bufio.NewScanner(text)
	for lines.Scan() {
		var r javaRound
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("%s: %w", lines.Text(), err)
		}
		rounds = append(rounds, r)
	}
	return rounds, lines.Err()
}

// same compares two plans of a round.
func same(java, ours javaRound) error {
	if d := diff(java, ours); d != "" {
		return errors.New("Java's plan and ours (+) differ: " + d)
	}
	return nil
}
