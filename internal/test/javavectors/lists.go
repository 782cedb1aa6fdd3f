package javavectors

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// exceptions gives the reason by the id of each case that is answered in
// another way on purpose.
func exceptions(t *testing.T) map[string]string {
	t.Helper()
	list, err := listed()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

var listed = sync.OnceValues(func() (map[string]string, error) {
	data, err := testdata.ReadFile("testdata/exceptions.txt")
	if err != nil {
		return nil, err
	}
	return parseExceptions(string(data))
})

// parseExceptions reads reasons, each with the ids of its cases indented below
// it. Lines that start with # are comments.
func parseExceptions(text string) (map[string]string, error) {
	list, reason := map[string]string{}, ""
	for i, line := range strings.Split(text, "\n") {
		id, indented := strings.CutPrefix(line, "\t")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case !indented:
			reason = line
		case reason == "":
			return nil, fmt.Errorf("exceptions.txt:%d: %s has no reason above it", i+1, id)
		case list[id] != "":
			return nil, fmt.Errorf("exceptions.txt:%d: %s is there twice", i+1, id)
		default:
			list[id] = reason
		}
	}
	return list, nil
}

// absent gives the number of recorded cases of each kind that there is nothing
// to compare with yet.
func absent() (map[string]int, error) {
	data, err := testdata.ReadFile("testdata/absent.txt")
	if err != nil {
		return nil, err
	}
	return parseAbsent(string(data))
}

// parseAbsent reads lines of a kind and its number of cases. Lines that start
// with # are comments.
func parseAbsent(text string) (map[string]int, error) {
	list := map[string]int{}
	for i, line := range strings.Split(text, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		kind, count, _ := strings.Cut(line, " ")
		n, err := strconv.Atoi(strings.TrimSpace(count))
		if err != nil || list[kind] != 0 {
			return nil, fmt.Errorf("absent.txt:%d: %q is not a kind, once, and its number of cases", i+1, line)
		}
		list[kind] = n
	}
	return list, nil
}
