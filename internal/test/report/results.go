package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// event is a line of go test -json, as `go doc test2json` describes it.
type event struct {
	Action, Package, Test, Output string
}

// test is a test or subtest of a package.
type test struct {
	pkg, name string
}

// results are what became of tests so far.
type results struct {
	out     io.Writer
	ran     map[test]bool
	reasons map[test]string
	pending map[test][]string // what tests that have not ended printed
}

func newResults(out io.Writer) *results {
	return &results{out: out, ran: map[test]bool{}, reasons: map[test]string{}, pending: map[test][]string{}}
}

// readAll takes lines of go test -json, and shows others as they are.
func (r *results) readAll(from io.Reader) error {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil {
				e = event{Action: "output", Output: string(line)}
			}
			if err := r.take(e); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// take takes an event and shows what of it is to be seen: lines of packages,
// and what a test printed once it failed.
func (r *results) take(e event) error {
	t := test{e.Package, e.Test}
	switch {
	case e.Action == "build-output" || e.Action == "output" && t.name == "" && e.Output != "PASS\n":
		return r.show(e.Output)
	case e.Action == "output" && t.name != "" && !strings.HasPrefix(e.Output, "=== "):
		r.pending[t] = append(r.pending[t], e.Output)
	case e.Action == "fail" && t.name == "":
		return r.showUnended(t.pkg)
	case e.Action == "fail":
		r.ran[t] = true
		return r.show(r.end(t)...)
	case e.Action == "pass" && t.name != "":
		r.ran[t] = true
		r.end(t)
	case e.Action == "skip" && t.name != "":
		r.reasons[t] = reason(r.end(t))
	}
	return nil
}

// end gives what a test printed and forgets it.
func (r *results) end(t test) []string {
	lines := r.pending[t]
	delete(r.pending, t)
	return lines
}

// showUnended shows what the tests printed that a package's failure broke off,
// such as a panic.
func (r *results) showUnended(pkg string) error {
	for t := range maps.Clone(r.pending) {
		if t.pkg == pkg {
			if err := r.show(r.end(t)...); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *results) show(lines ...string) error {
	_, err := io.WriteString(r.out, strings.Join(lines, ""))
	return err
}

// place is where a test said something.
var place = regexp.MustCompile(`^ +[^ ]+\.go:[0-9]+: `)

// reason gives the first line of what a skipped test said last.
func reason(printed []string) string {
	for _, line := range slices.Backward(printed) {
		if at := place.FindString(line); at != "" {
			return strings.TrimSpace(line[len(at):])
		}
	}
	return "no reason given"
}

// skipped gives the number of tests that no run ran, by reason.
func (r *results) skipped() map[string]int {
	count := map[string]int{}
	for t, why := range r.reasons {
		if !r.ran[t] {
			count[why]++
		}
	}
	return count
}
