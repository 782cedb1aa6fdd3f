package file

import (
	"testing"
	"time"
)

// Files that have nothing are looked at again at the same time, and within the second.
func TestBeat(t *testing.T) {
	tests := []struct {
		name        string
		since, want time.Duration
	}{
		{"at the start", 0, time.Second},
		{"just before a beat", time.Second - 1, 1},
		{"at a beat", 5 * time.Second, time.Second},
		{"between two", 5*time.Second + 300*time.Millisecond, 700 * time.Millisecond},
		{"a year later", 365*24*time.Hour + time.Millisecond, 999 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := beat(tt.since); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}
