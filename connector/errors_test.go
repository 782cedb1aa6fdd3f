package connector

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// TestCoded looks for the code of an error, and for what else is known of it.
func TestCoded(t *testing.T) {
	plain := errors.New("a")
	tests := []struct {
		name string
		err  error
		code string
		kind Kind
	}{
		{"plain", plain, "", KindUnmarked},
		{"a code", Coded("H1", plain), "H1", KindUnmarked},
		{"the first code stays", Coded("H2", fmt.Errorf("b: %w", Coded("H1", plain))), "H1", KindUnmarked},
		{"no code", Coded("", plain), "", KindUnmarked},
		{"a marked error", Coded("H1", Retriable(plain, After(time.Second), Attempts(2))), "H1", KindRetriable},
		{"a mark of a coded error", Fatal(Coded("H1", plain)), "H1", KindFatal},
		{"joined", errors.Join(errors.New("b"), Coded("H1", plain)), "H1", KindUnmarked},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := CodeOf(tt.err); got != tt.code {
				t.Errorf("code %q, want %q", got, tt.code)
			}
			if got := KindOf(tt.err); got != tt.kind || !errors.Is(tt.err, plain) {
				t.Errorf("%s, %v; want %s and the error itself", got, tt.err, tt.kind)
			}
		})
	}
	if Coded("H1", nil) != nil {
		t.Error("nothing has a code")
	}
	if e, ok := Coded("H1", Retriable(plain, After(time.Second), Attempts(2))).(*Error); !ok || e.After != time.Second || e.Attempts != 2 {
		t.Errorf("the mark is not outermost, or lost what it knew: %v", e)
	}
}
