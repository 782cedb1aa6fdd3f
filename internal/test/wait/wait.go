// Package wait lets a test wait for what other goroutines and processes do,
// without a guess how long that takes on a slow machine.
package wait

import (
	"context"
	"errors"
	"testing"
	"time"
)

// Patience is how long a test waits for what must come. Only a defect uses it
// up, so it is long.
const Patience = 5 * time.Minute

// pause is how often a condition is looked at.
const pause = 5 * time.Millisecond

// Until looks until ok is true.
func Until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	Nil(t, what, func() error {
		if ok() {
			return nil
		}
		return errNotYet
	})
}

var errNotYet = errors.New("it is not so")

// Nil looks until check gives no error; its error says what is missing.
func Nil(t testing.TB, what string, check func() error) {
	t.Helper()
	for end := time.Now().Add(Patience); ; time.Sleep(pause) {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("still waiting after %v: %s: %v", Patience, what, err)
		}
	}
}

// For gives what comes through a channel, or its zero value once it is closed.
func For[T any](t testing.TB, what string, from <-chan T) T {
	t.Helper()
	end := time.NewTimer(Patience)
	defer end.Stop()
	select {
	case v := <-from:
		return v
	case <-end.C:
		t.Fatalf("still waiting after %v: %s", Patience, what)
		panic("unreachable")
	}
}

// Context ends with the patience or the function, and not with the test: it
// serves a test's clean-up too.
func Context() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), Patience)
}
