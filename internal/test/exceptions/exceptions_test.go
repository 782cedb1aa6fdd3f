package exceptions

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	got, err := Parse("# why\n\nWe count from 1\n\ta-1\n\ta-2\n\nNo such thing\n\tb-1\n")
	if want := (List{"a-1": "We count from 1", "a-2": "We count from 1", "b-1": "No such thing"}); err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	for text, want := range map[string]string{"\n\ta-1\n": "line 2: a-1 has no reason above it", "Why\n\ta-1\n\ta-1\n": "line 3: a-1 is there twice"} {
		if _, err := Parse(text); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestJudge(t *testing.T) {
	list, differs := List{"a-1": "We count from 1"}, errors.New("1, want 0")
	tests := []struct {
		name, id string
		err      error
		want     string
	}{
		{"the same", "b-1", nil, ""},
		{"another answer", "b-1", differs, "1, want 0"},
		{"another answer on purpose", "a-1", differs, ""},
		{"an exception that is over", "a-1", nil, "take a-1 off the list of exceptions, which says: We count from 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := list.Judge(tt.id, tt.err)
			if (err != nil) != (tt.want != "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}
