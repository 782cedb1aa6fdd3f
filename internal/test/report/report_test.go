package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// lines are two runs: the second does not run what the first ran.
const lines = `{"Action":"start","Package":"m/a"}
{"Action":"run","Package":"m/a","Test":"TestGood"}
{"Action":"output","Package":"m/a","Test":"TestGood","Output":"=== RUN   TestGood\n"}
{"Action":"output","Package":"m/a","Test":"TestGood","Output":"    a_test.go:3: all is well\n"}
{"Action":"pass","Package":"m/a","Test":"TestGood"}
{"Action":"output","Package":"m/a","Test":"TestReal/bins","Output":"    real_test.go:7: HYDRAULICS_IFCB_DATA is not set: no real bins\n"}
{"Action":"output","Package":"m/a","Test":"TestReal/bins","Output":"    --- SKIP: TestReal/bins (0.00s)\n"}
{"Action":"skip","Package":"m/a","Test":"TestReal/bins"}
{"Action":"output","Package":"m/a","Test":"TestNone","Output":"--- SKIP: TestNone (0.00s)\n"}
{"Action":"skip","Package":"m/a","Test":"TestNone"}
{"Action":"output","Package":"m/a","Output":"PASS\n"}
{"Action":"output","Package":"m/a","Output":"ok  \tm/a\t0.1s\n"}
{"Action":"pass","Package":"m/a"}
{"Action":"output","Package":"m/a","Test":"TestGood","Output":"    a_test.go:3: slow; not with -short\n"}
{"Action":"skip","Package":"m/a","Test":"TestGood"}
{"Action":"output","Package":"m/b","Test":"TestBad","Output":"=== RUN   TestBad\n"}
{"Action":"output","Package":"m/b","Test":"TestBad","Output":"    b_test.go:9: 1, want 2\n"}
{"Action":"output","Package":"m/b","Test":"TestBad","Output":"--- FAIL: TestBad (0.00s)\n"}
{"Action":"fail","Package":"m/b","Test":"TestBad"}
{"Action":"output","Package":"m/b","Test":"TestPanic","Output":"panic: out of range\n"}
{"Action":"output","Package":"m/b","Output":"FAIL\tm/b\t0.2s\n"}
{"Action":"fail","Package":"m/b"}
{"ImportPath":"m/c","Action":"build-output","Output":"c.go:1: undefined: x\n"}
not JSON
`

func TestResults(t *testing.T) {
	var shown strings.Builder
	r := newResults(&shown)
	if err := r.readAll(strings.NewReader(lines)); err != nil {
		t.Fatal(err)
	}
	want := "ok  \tm/a\t0.1s\n    b_test.go:9: 1, want 2\n--- FAIL: TestBad (0.00s)\nFAIL\tm/b\t0.2s\npanic: out of range\nc.go:1: undefined: x\nnot JSON\n"
	if d := cmp.Diff(want, shown.String()); d != "" {
		t.Errorf("shown (-want +got):\n%s", d)
	}
	skips := map[string]int{"HYDRAULICS_IFCB_DATA is not set: no real bins": 1, "no reason given": 1}
	if d := cmp.Diff(skips, r.skipped()); d != "" {
		t.Errorf("skipped (-want +got):\n%s", d)
	}
}

func TestSummary(t *testing.T) {
	tests := []struct {
		name  string
		count map[string]int
		want  string
	}{
		{"none", nil, "no test was skipped\n"},
		{"one remedy for two reasons, and none", map[string]int{
			"HYDRAULICS_REGISTRY_URL is not set: no registry": 1, "HYDRAULICS_REGISTRY_URL is not set: none": 2, "the source has no offsets": 1,
		}, "skipped 4, by reason -> what to do:\n    3  HYDRAULICS_REGISTRY_URL -> make integration\n" +
			"    1  the source has no offsets -> nothing: it does not apply there\n"},
		{"no server, and how to name one", map[string]int{"no PostgreSQL: install it (Debian: postgresql), or set HYDRAULICS_POSTGRES_URL": 1},
			"skipped 1, by reason -> what to do:\n    1  no PostgreSQL -> install PostgreSQL (Debian: postgresql), or set HYDRAULICS_POSTGRES_URL\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, summary(tt.count)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestRuns(t *testing.T) {
	tests := []struct {
		args string
		want [][]string
	}{
		{"./...", [][]string{{"./..."}}},
		{"./... -- -race ./a", [][]string{{"./..."}, {"-race", "./a"}}},
	}
	for _, tt := range tests {
		if d := cmp.Diff(tt.want, runs(strings.Fields(tt.args))); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.args, d)
		}
	}
}
