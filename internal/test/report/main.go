// Command report runs go test, shows its lines for packages and what failed,
// and ends with the tests that were skipped, by reason, with what to do about
// each:
//
//	report ARGUMENTS [-- ARGUMENTS]...
//
// Each list of arguments is one run of go test, in this order until one fails.
// A test that any of them ran was not skipped.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
)

func main() {
	tests := newResults(os.Stdout)
	code := 0
	for _, args := range runs(os.Args[1:]) {
		if code = run(tests, args); code != 0 {
			break
		}
	}
	fmt.Print(summary(tests.skipped()))
	os.Exit(code)
}

// runs splits arguments at each --.
func runs(args []string) (list [][]string) {
	for {
		i := slices.Index(args, "--")
		if i < 0 {
			return append(list, args)
		}
		list, args = append(list, args[:i]), args[i+1:]
	}
}

// run runs go test once and gives its exit code.
func run(tests *results, args []string) int {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err == nil {
		err = errors.Join(read(tests, out), cmd.Wait())
	}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return max(exit.ExitCode(), 1) // -1 where a signal ended it
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		return 1
	}
	return 0
}

// read takes the lines of go test -json. It reads all of them, also behind an
// error, since go test waits for its reader.
func read(tests *results, out io.Reader) error {
	err := tests.readAll(out)
	_, rest := io.Copy(io.Discard, out)
	return errors.Join(err, rest)
}
