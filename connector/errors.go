package connector

import (
	"errors"
	"time"
)

// ErrDone is returned by Poll of a source that has nothing more to give, ever:
// a one-shot run. The runtime flushes, commits and ends the task.
var ErrDone = errors.New("source is done")

// Kind says what the runtime may do about an error.
type Kind int

// The kinds. An error that a plugin has not marked is KindData when it comes
// from a transform, predicate or converter, and KindFatal from a source or sink.
const (
	KindUnmarked  Kind = iota
	KindRetriable      // the environment: the same call may succeed later
	KindData           // this record: tolerate, dead-letter or stop the task
	KindFatal          // this task: stop it, the restart policy may bring it back
)

// String gives the kind's name in lower case.
func (k Kind) String() string {
	switch k {
	case KindRetriable:
		return "retriable"
	case KindData:
		return "data"
	case KindFatal:
		return "fatal"
	}
	return "unmarked"
}

// Error marks an error with its kind and, for KindRetriable, with what the
// plugin knows about when to try again.
type Error struct {
	Kind Kind
	// After is the least time to wait before the next attempt, such as an HTTP
	// Retry-After; 0 leaves it to the runtime's back-off.
	After time.Duration
	// Attempts is the largest number of further attempts; -1 is no limit. When
	// they are used up the error counts as fatal.
	Attempts int
	Err      error
}

// Error gives the text of the marked error: the mark is for the runtime, the
// text for people.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap gives the marked error.
func (e *Error) Unwrap() error { return e.Err }

// RetryOption refines [Retriable].
type RetryOption func(*Error)

// After asks for at least d before the next attempt.
func After(d time.Duration) RetryOption { return func(e *Error) { e.After = d } }

// Attempts allows at most n further attempts before the error is fatal.
func Attempts(n int) RetryOption { return func(e *Error) { e.Attempts = n } }

// Retriable marks an error of the environment. The runtime alone waits and
// calls again with the same input. Retriable(nil) is nil.
func Retriable(err error, opts ...RetryOption) error {
	if err == nil {
		return nil
	}
	e := &Error{Kind: KindRetriable, Attempts: -1, Err: err}
	for _, o := range opts {
		o(e)
	}
	return e
}

// Data marks an error of one record: it would fail again however often it is
// tried. Data(nil) is nil.
func Data(err error) error { return mark(KindData, err) }

// Fatal marks an error that stops the task. Fatal(nil) is nil.
func Fatal(err error) error { return mark(KindFatal, err) }

func mark(k Kind, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: k, Err: err}
}

// Coded gives an error the code of a documented failure, such as H2001, by which a
// user finds its cause and remedy. One that has a code keeps it: who knows most
// speaks first. The code is within the mark of a marked error. Coded(code, nil) is nil.
func Coded(code string, err error) error {
	if err == nil || code == "" || CodeOf(err) != "" {
		return err
	}
	if e, ok := err.(*Error); ok {
		marked := *e
		marked.Err = &coded{code, e.Err}
		return &marked
	}
	return &coded{code, err}
}

type coded struct {
	code string
	err  error
}

// Error gives the text of the error: whoever shows it adds the code.
func (e *coded) Error() string { return e.err.Error() }

// Unwrap gives the error.
func (e *coded) Unwrap() error { return e.err }

// CodeOf gives the code of an error, empty without one.
func CodeOf(err error) string {
	if e, ok := errors.AsType[*coded](err); ok {
		return e.code
	}
	return ""
}

// KindOf gives the kind of the outermost mark on err, KindUnmarked without one.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return KindUnmarked
}
