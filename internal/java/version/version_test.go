package version

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"
)

// The answers are those of Maven's own library, which Kafka Connect asks.
func TestRecordedAnswers(t *testing.T) {
	f, err := os.Open("testdata/answers.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var c struct {
			Compare []string
			Is      int
			Spec    string
			Range   string
			Error   string
			Has     map[string]bool
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if len(c.Compare) == 2 {
			if got, back := Compare(c.Compare[0], c.Compare[1]), Compare(c.Compare[1], c.Compare[0]); got != c.Is || back != -c.Is {
				t.Errorf("Compare(%q, %q) = %d and %d, want %d", c.Compare[0], c.Compare[1], got, back, c.Is)
			}
			continue
		}
		if c.Spec == "latest" {
			continue // Kafka Connect's own word, which Maven does not know
		}
		r, err := Requirement(c.Spec)
		switch {
		case c.Error != "":
			if err == nil || err.Error() != c.Error {
				t.Errorf("Requirement(%q): %v, want %s", c.Spec, err, c.Error)
			}
			continue
		case err != nil:
			t.Errorf("Requirement(%q): %v", c.Spec, err)
			continue
		case r.String() != c.Range:
			t.Errorf("Requirement(%q) = %s, want %s", c.Spec, r, c.Range)
		}
		for version, want := range c.Has {
			if got := r.Has(version); got != want {
				t.Errorf("%q has %s: %v, want %v", c.Spec, version, got, want)
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

func TestLatest(t *testing.T) {
	if r, err := Requirement("latest"); err != nil || !r.Has("0.1") {
		t.Error(r, err)
	}
}
