package runtime

import (
	"errors"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

// TestTraceHasACode looks for the code of an error at each place of a task, and for
// that of one that knows more.
func TestTraceHasACode(t *testing.T) {
	at, plain := place{"a", 0}, errors.New("b")
	tests := []struct {
		name  string
		stage string
		err   error
		want  string
	}{
		{"a converter", "value converter (avro)", plain, "a/0: value converter (avro): b [H3001]"},
		{"a transform", "transform x (cast)", plain, "a/0: transform x (cast): b [H4001]"},
		{"a sink", "sink (rest)", plain, "a/0: sink (rest): b [H8003]"},
		{"elsewhere", "", plain, "a/0: b [H8000]"},
		{"one that knows more", "sink (rest)", connector.Fatal(connector.Coded("H6002", plain)), "a/0: sink (rest): b [H6002]"},
		{"a panic", "sink (rest)", &panicked{value: "b", stack: []byte("stack")}, "a/0: sink (rest): the plugin panicked: b [H4002]\nstack"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Trace(at.wrap(tt.stage, "", tt.err)); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
