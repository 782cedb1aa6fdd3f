package herder

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// task is one task of a connector. Its fields are guarded by the herder's
// lock but for handle, which has one of its own.
type task struct {
	id      int
	spec    runtime.TaskSpec
	shown   connector.Props // as the REST API shows it
	restart bool            // it is to be started, again or for the first time

	state    state.State
	err      error
	run      int // counts the starts: events of older runs do not count
	since    time.Time
	failures int // in a row
	next     time.Time
	delay    time.Duration

	mu     sync.Mutex
	handle Task
}

func (t *task) get() Task {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.handle
}

func (t *task) stop(ctx context.Context) error {
	if h := t.get(); h != nil {
		return h.Stop(ctx)
	}
	return nil
}

func (t *task) snapshot() runtime.Stats {
	if h := t.get(); h != nil {
		return h.Snapshot()
	}
	return runtime.Stats{Connector: t.spec.Connector, Task: t.id, Kind: t.spec.Kind, State: state.Unassigned}
}

// steer starts, pauses or resumes a task, as is wanted.
func (m *managed) steer(t *task, target state.Target) {
	m.h.mu.Lock()
	start := t.restart || target == state.TargetStarted && t.state == state.Failed && !t.next.IsZero() && !time.Now().Before(t.next)
	m.h.mu.Unlock()
	if start {
		m.start(t, target)
		return
	}
	if h := t.get(); h != nil {
		if target == state.TargetPaused {
			h.Pause()
		} else {
			h.Resume()
		}
	}
}

// start starts a task, after the one that is running has stopped.
func (m *managed) start(t *task, target state.Target) {
	ctx, cancel := context.WithTimeout(context.Background(), m.h.patience)
	defer cancel()
	if err := t.stop(ctx); err != nil {
		m.h.o.Log.Warn("restart: "+err.Error(), "connector", m.name, "task", t.id)
	}
	m.h.mu.Lock()
	t.run++
	run := t.run
	t.restart, t.next = false, time.Time{}
	t.since = time.Now()
	spec := t.spec
	spec.Paused = target == state.TargetPaused
	m.h.mu.Unlock()
	h, err := m.h.o.Engine.StartTask(spec, func(e runtime.Event) { m.heard(t, run, e) })
	if err != nil {
		m.heard(t, run, runtime.Event{State: state.Failed, Err: connector.Fatal(err)})
		return
	}
	t.mu.Lock()
	t.handle = h
	t.mu.Unlock()
}

// heard notes what a task has become. It is called from the task's goroutine.
func (m *managed) heard(t *task, run int, e runtime.Event) {
	m.h.mu.Lock()
	defer m.h.mu.Unlock()
	if run != t.run || t.restart && e.State.Ended() {
		return // an older run, or one that ends because it is started again
	}
	now := time.Now()
	if e.State == state.Failed {
		if now.Sub(t.since) >= max(time.Minute, 10*t.delay) {
			t.failures = 0
		}
		t.failures++
		t.next = m.policy.next(e.Err, t.failures, now)
		if t.next.IsZero() {
			t.failures = 0
			m.h.o.Log.Error("task failed: "+e.Err.Error(), "connector", m.name, "task", t.id)
		} else {
			t.delay = t.next.Sub(now)
			m.h.o.Log.Error("task failed: "+e.Err.Error(), "connector", m.name, "task", t.id, "restart_in", t.delay.Round(time.Millisecond))
		}
	}
	if e.State == state.Running && t.state != state.Paused {
		t.since = now
	}
	t.state, t.err = e.State, e.Err
	m.poke()
	m.h.note()
}

// nextRestart gives the time of the first restart that is due.
func (m *managed) nextRestart(target state.Target) time.Time {
	m.h.mu.Lock()
	defer m.h.mu.Unlock()
	var first time.Time
	for _, t := range m.tasks {
		if target == state.TargetStarted && t.state == state.Failed && !t.next.IsZero() && (first.IsZero() || t.next.Before(first)) {
			first = t.next
		}
	}
	return first
}

// policy says when a failed task starts again.
type policy struct {
	never          bool
	delay, longest time.Duration
	attempts       int64 // below 0 without limit
}

func policyOf(c connector.Config) policy {
	millis := func(key string) time.Duration { return time.Duration(c.Int64(key)) * time.Millisecond }
	return policy{never: c.String("restart.policy") == config.RestartNever, delay: millis("restart.delay.ms"),
		longest: millis("restart.delay.max.ms"), attempts: c.Int64("restart.attempts.max")}
}

// next gives the time of the restart after so many failures in a row, zero for
// none. A bad record or configuration would fail again, so it is for people.
func (p policy) next(err error, failures int, now time.Time) time.Time {
	if p.never || connector.KindOf(err) == connector.KindData || p.attempts >= 0 && int64(failures) > p.attempts {
		return time.Time{}
	}
	d := p.longest
	if n := failures - 1; n < 30 && p.delay<<n < p.longest && p.delay<<n > 0 {
		d = p.delay << n
	}
	return now.Add(d)
}

// shown gives a task's configuration as it may be seen: what references stand
// for is replaced by the references, and secrets that the plugin made of them
// with it. Java clients look for the task's class in it.
func shown(p, raw, resolved connector.Props, r *config.Report) connector.Props {
	out := p.Clone()
	for key, v := range out {
		text, ok := v.(string)
		if !ok {
			continue
		}
		for k, ref := range raw {
			secret, _ := resolved[k].(string)
			written, _ := ref.(string)
			if secret == written || secret == "" {
				continue
			}
			if k == key && text == secret {
				text = written
			} else {
				text = strings.ReplaceAll(text, secret, written)
			}
		}
		out[key] = text
	}
	if r.Info.Class != "" {
		out["task.class"] = strings.TrimSuffix(r.Info.Class, "Connector") + "Task"
	}
	return out
}
