package file

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

// What a poll gives is bounded in bytes, and a line comes however long it is.
func TestPollOfLongLines(t *testing.T) {
	name := filepath.Join(t.TempDir(), "long.txt")
	if err := os.WriteFile(name, []byte(strings.Repeat(strings.Repeat("x", 400<<10)+"\n", 5)+strings.Repeat("y", 3<<20)+"\nz\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := new(Source)
	if err := s.Start(t.Context(), connectortest.Context(t), connectortest.Configure(t, s, connector.Props{"file": name, "topic": "lines"})); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Stop() }()
	for i, want := range []int{3, 3, 1} { // 1.2 MB, 3.9 MB, the rest
		records, err := s.Poll(t.Context())
		if err != nil || len(records) != want {
			t.Errorf("poll %d gives %d records, want %d (%v)", i, len(records), want, err)
		}
	}
}
