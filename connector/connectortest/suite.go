package connectortest

import (
	"fmt"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience bounds the waits of the suites; it is never used up by a plugin that
// keeps its promises.
var patience = 5 * time.Minute

// grace is how long a call has to arrive where it waits, before what it waits
// for is cancelled. Nothing depends on it but what a suite can find.
const grace = 50 * time.Millisecond

// promise is one case of a suite.
type promise struct {
	name  string
	check func(t testing.TB)
}

// keep runs the check; a panic fails it.
func (p promise) keep(t testing.TB) {
	defer func() {
		if v := recover(); v != nil {
			t.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	p.check(t)
}

// suite runs the promises as subtests. known are those that are not kept yet,
// each with the reason: one that is kept by now fails the test, so that the list
// empties.
func suite(t *testing.T, known map[string]string, promises []promise) {
	t.Helper()
	for _, problem := range misnamed(known, promises) {
		t.Error(problem)
	}
	for _, p := range promises {
		t.Run(p.name, func(t *testing.T) {
			reason, isKnown := known[p.name]
			if !isKnown {
				p.keep(t)
				return
			}
			failures, skipped := attempt(t, p)
			if problem := overdue(reason, failures, skipped); problem != "" {
				t.Fatal(problem)
			}
			t.Skipf("known failure: %s: %s", reason, strings.Join(failures, "; "))
		})
	}
}

// misnamed gives what is wrong with the list of known failures itself.
func misnamed(known map[string]string, promises []promise) (problems []string) {
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if !slices.ContainsFunc(promises, func(p promise) bool { return p.name == name }) {
			problems = append(problems, fmt.Sprintf("known failure %q is not a case of this suite", name))
		}
		if known[name] == "" {
			problems = append(problems, fmt.Sprintf("known failure %q has no reason", name))
		}
	}
	return problems
}

// overdue says why a failure need not be known any more; empty while it must.
func overdue(reason string, failures []string, skipped bool) string {
	switch {
	case len(failures) > 0:
		return ""
	case skipped:
		return "the case does not apply to this plugin: take it off KnownFailures (" + reason + ")"
	}
	return "the promise is kept by now: take it off KnownFailures (" + reason + ")"
}

// attempt runs a promise and gives what failed, without failing t.
func attempt(t testing.TB, p promise) (failures []string, skipped bool) {
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() { // a goroutine that FailNow and SkipNow can end
		defer close(done)
		defer r.cleanup()
		p.keep(r)
	}()
	<-done
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failures, r.skipped
}

// recorder is a test whose failures are kept, not reported.
type recorder struct {
	testing.TB
	mu       sync.Mutex
	failures []string
	skipped  bool
	cleanups []func()
}

func (r *recorder) note(failure string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, strings.TrimSpace(failure))
}

func (r *recorder) cleanup() {
	for _, f := range slices.Backward(r.cleanups) {
		f()
	}
}

// Cleanup has f called when the promise was tried.
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

// Error notes a failure.
func (r *recorder) Error(args ...any) { r.note(fmt.Sprintln(args...)) }

// Errorf notes a failure.
func (r *recorder) Errorf(format string, args ...any) { r.note(fmt.Sprintf(format, args...)) }

// Fail notes a failure without a text.
func (r *recorder) Fail() { r.note("failed") }

// FailNow ends the promise.
func (r *recorder) FailNow() { r.note("failed"); runtime.Goexit() }

// Fatal notes a failure and ends the promise.
func (r *recorder) Fatal(args ...any) { r.Error(args...); runtime.Goexit() }

// Fatalf notes a failure and ends the promise.
func (r *recorder) Fatalf(format string, args ...any) { r.Errorf(format, args...); runtime.Goexit() }

// Failed tells whether there is a failure.
func (r *recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.failures) > 0
}

// Skip ends the promise, which does not apply.
func (r *recorder) Skip(...any) { r.SkipNow() }

// Skipf ends the promise, which does not apply.
func (r *recorder) Skipf(string, ...any) { r.SkipNow() }

// SkipNow ends the promise, which does not apply.
func (r *recorder) SkipNow() {
	r.mu.Lock()
	r.skipped = true
	r.mu.Unlock()
	runtime.Goexit()
}

// Skipped tells whether the promise does not apply.
func (r *recorder) Skipped() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.skipped
}

// within fails the test when do panics or does not return in time. do must not
// end the test.
func within(t testing.TB, what string, do func()) {
	t.Helper()
	ended := make(chan string, 1)
	go func() {
		failure := ""
		defer func() { ended <- failure }()
		defer func() {
			if v := recover(); v != nil {
				failure = fmt.Sprintf("panic: %v\n%s", v, debug.Stack())
			}
		}()
		do()
	}()
	select {
	case failure := <-ended:
		if failure != "" {
			t.Fatal(what + ": " + failure)
		}
	case <-time.After(patience):
		t.Fatal(what + " does not return")
	}
}

// noneLeft checks that work leaves no goroutine behind.
func noneLeft(t testing.TB, work func()) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	work()
	var err error
	for until := time.Now().Add(patience); ; {
		if err = goleak.Find(before); err == nil {
			return
		}
		if time.Now().After(until) {
			break
		}
	}
	t.Errorf("goroutines are left behind: %v", err)
}

// stopTwice stops a plugin, which may have to do it once more.
func stopTwice(t testing.TB, s interface{ Stop() error }) {
	t.Helper()
	for range 2 {
		var err error
		within(t, "Stop", func() { err = s.Stop() })
		if err != nil {
			t.Errorf("stop: %v", err)
		}
	}
}
