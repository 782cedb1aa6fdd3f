//go:build integration

package cluster

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite what was recorded of Java")

// java runs a program of testdata with Kafka Connect's classes.
func java(t *testing.T, program, input string) string {
	t.Helper()
	jars := os.Getenv("HYDRAULICS_CONNECT_CLASSPATH")
	if jars == "" {
		t.Skip("HYDRAULICS_CONNECT_CLASSPATH is not set: no Kafka Connect to compare with")
	}
	dir := t.TempDir()
	if out, err := exec.Command("javac", "-cp", jars, "-d", dir, "testdata/"+program+".java").CombinedOutput(); err != nil {
		t.Fatalf("javac: %v\n%s", err, out)
	}
	cmd := exec.Command("java", "-Xmx256m", "-cp", dir+":"+jars, "org.apache.kafka.connect.runtime.distributed."+program)
	cmd.Stdin = strings.NewReader(input)
	var out, messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &messages
	if err := cmd.Run(); err != nil {
		t.Fatalf("java: %v\n%s", err, messages.String())
	}
	return out.String()
}

// Kafka Connect reads our bytes as it has read them when they were recorded.
func TestBytesWithJava(t *testing.T) {
	got := java(t, "Wire", strings.Join(encoded(t), "\n")+"\n")
	if *update {
		if err := os.WriteFile(recorded, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(recorded)
	if err != nil {
		t.Fatal(err)
	}
	if d := diff(string(want), got); d != "" {
		t.Error(d)
	}
}

// drawn gives rounds of clusters whose workers come, go and return, with our
// plans.
func drawn(seed uint64, clusters int) []javaRound {
	var rounds []javaRound
	random := rand.New(rand.NewPCG(seed, seed))
	for range clusters {
		s := newSim([]time.Duration{0, 10 * time.Second, 5 * time.Minute}[random.IntN(3)])
		first := true
		s.seen = func(r round, p plan) {
			j := javaRound{First: first, MaxDelay: s.delay.Milliseconds(), Now: r.now.UnixMilli(), Generation: r.generation, Completed: r.completed,
				Wanted: maps.Clone(s.wanted), Holding: map[string][]string{},
				Assigned: sorted(p.assigned), Revoked: sorted(p.revoked), After: sorted(p.after), Delay: p.delay.Milliseconds()}
			for worker, w := range r.holding {
				j.Holding[worker] = parts(w, r.wanted, len(r.holding))
			}
			rounds, first = append(rounds, j), false
		}
		for range 2 + random.IntN(2) {
			s.join()
		}
		for range 12 {
			s.step(random)
			s.now = s.now.Add(time.Duration(random.IntN(6000)) * time.Millisecond)
			if p := s.round(); random.IntN(2) == 0 {
				s.now = s.now.Add(p.delay)
			}
		}
	}
	return rounds
}

// step has something happen, but not to the leader.
func (s *sim) step(random *rand.Rand) {
	name := s.names()[random.IntN(len(s.workers))]
	switch random.IntN(8) {
	case 0:
		s.join()
	case 1, 2:
		if name != s.names()[0] {
			delete(s.workers, name)
		}
	case 3, 4, 5:
		s.wanted["c"+strconv.Itoa(random.IntN(5))] = random.IntN(8)
	case 6:
		delete(s.wanted, "c"+strconv.Itoa(random.IntN(5)))
	}
}

// Kafka Connect's assignor and ours have the same plans in rounds that nobody
// has thought of.
func TestRoundsWithJava(t *testing.T) {
	var input strings.Builder
	ours := drawn(20, 200)
	for _, r := range ours {
		if err := json.NewEncoder(&input).Encode(r); err != nil {
			t.Fatal(err)
		}
	}
	out := java(t, "Rounds", input.String())
	java, err := readRounds(strings.NewReader(out))
	if err != nil || len(java) != len(ours) {
		t.Fatalf("%d rounds of %d: %v", len(java), len(ours), err)
	}
	for i := range java {
		if err := same(java[i], ours[i]); err != nil {
			t.Fatalf("round %d: %v", i+1, err)
		}
	}
	if *update {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		if _, err := w.Write([]byte(out)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(recordedRounds, packed.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
