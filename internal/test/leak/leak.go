// Package leak fails the tests of a package that leave goroutines behind: every
// goroutine has an owner that stops it.
package leak

import "go.uber.org/goleak"

// Main runs a package's tests and ends the process, from its TestMain:
//
//	func TestMain(m *testing.M) { leak.Main(m.Run) }
//
// Goroutines that are left some time after the last test are printed with
// their stacks, and the tests have failed.
func Main(run func() int) { goleak.VerifyTestMain(tests(run), ignored...) }

// ignored are goroutines of libraries that nobody has to stop.
var ignored = []goleak.Option{
	// regexp2 times its matches by one clock, which ends itself when no match has
	// asked for the time for a while.
	goleak.IgnoreAnyFunction("github.com/dlclark/regexp2.runClock"),
}

type tests func() int

func (t tests) Run() int { return t() }
