package runtime

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// Clauses: L5.
func TestCommitsAreCounted(t *testing.T) {
	var c counters
	for _, err := range []error{nil, nil, nil, errors.New("no"), fmt.Errorf("late: %w", kafka.ErrGenerationLost)} {
		c.committed(time.Now(), err)
	}
	var s Stats
	c.fill(&s)
	got := map[string]float64{"completed": float64(s.Commits.Completed), "failed": float64(s.Commits.Failed), "skipped": float64(s.Commits.Skipped),
		"tried of late": float64(s.Commits.Successes.Count), "succeeded of late": s.Commits.Successes.Sum, "skipped of late": s.Commits.Skips.Sum}
	want := map[string]float64{"completed": 3, "failed": 1, "skipped": 1, "tried of late": 4, "succeeded of late": 3, "skipped of late": 1}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Clauses: L3.
func TestShareOfTime(t *testing.T) {
	task := newTask(Options{Log: slog.New(slog.DiscardHandler)}, TaskSpec{}, nil)
	task.spent = map[state.State]time.Duration{state.Running: 3 * time.Hour, state.Paused: time.Hour}
	task.state, task.since = state.Running, time.Now().Add(-4*time.Hour)
	s := task.Snapshot()
	if s.Running < 0.874 || s.Running > 0.876 || s.Paused < 0.124 || s.Paused > 0.126 {
		t.Errorf("running %v and paused %v of the time, want 7/8 and 1/8", s.Running, s.Paused)
	}
}
