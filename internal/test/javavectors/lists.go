package javavectors

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/test/exceptions"
)

// listed gives the reason by the id of each case that is answered in
// another way on purpose.
func listed(t *testing.T) exceptions.List {
	t.Helper()
	list, err := readList()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

var readList = sync.OnceValues(func() (exceptions.List, error) {
	data, err := testdata.ReadFile("testdata/exceptions.txt")
	if err != nil {
		return nil, err
	}
	list, err := exceptions.Parse(string(data))
	if err != nil {
		return nil, fmt.Errorf("exceptions.txt: %w", err)
	}
	return list, nil
})

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
