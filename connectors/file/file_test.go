package file

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

// Clauses: M1.
func TestSourcePromises(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lines.txt")
	if err := os.WriteFile(name, []byte("one\ntwo\r\n\nfour\nfive\n"+strings.Repeat("six\n", 3000)+"partial"), 0o600); err != nil {
		t.Fatal(err)
	}
	var reads readFault
	connectortest.Source(t, connectortest.SourceCase{
		New:   func() connector.Source { return &Source{open: reads.open} },
		Props: connector.Props{"file": name, "topic": "lines", "batch.size": "1000"},
		Want:  3005,
		Break: reads.fail,
	})
}

func TestSourceWaitsForLinesAndFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "later.txt")
	s := new(Source)
	if err := s.Start(t.Context(), connectortest.Context(t), connectortest.Configure(t, s, connector.Props{"file": name, "topic": "lines"})); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Stop() }()
	soon, cancel := context.WithCancel(t.Context())
	cancel()
	if records, err := s.Poll(soon); err != nil || records != nil {
		t.Fatalf("no file: %v (%v)", records, err)
	}
	appendText(t, name, "beg")
	if records, err := s.Poll(soon); err != nil || records != nil {
		t.Fatalf("no whole line: %v (%v)", records, err)
	}
	appendText(t, name, "in\nnext\n")
	records, err := s.Poll(soon)
	if err != nil || len(records) != 2 || records[0].Value != "begin" || records[1].SourceOffset["position"] != int64(11) {
		t.Fatalf("records %+v (%v)", records, err)
	}
}

func appendText(t *testing.T, name, text string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// A worker that is killed while another one runs may leave half a line too: a
// write is broken off between two pages.
func TestHalfALineOfAnotherWorker(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out.txt")
	s := new(Sink)
	if err := s.Start(t.Context(), connectortest.Context(t), connectortest.Configure(t, s, connector.Props{"file": name})); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Stop() }()
	for _, text := range []string{"one", "two", "three"} {
		if err := s.Put(t.Context(), []connector.Record{connector.NewRecord("t", nil, nil, connector.StringSchema, text)}); err != nil {
			t.Fatal(err)
		}
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if text == "one" {
			appendText(t, name, "tw") // and no more
		}
	}
	if data, err := os.ReadFile(name); err != nil || string(data) != "one\ntw\ntwo\nthree\n" {
		t.Errorf("file holds %q (%v)", data, err)
	}
}

// The tasks of a connector append to the same file, and one that was killed may
// have left half a line: neither damages what another record wrote.
func TestLinesStayWhole(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out.txt")
	appendText(t, name, "half a li")
	var sinks [2]*Sink
	for i := range sinks {
		s := new(Sink)
		conf, err := connector.ParsePlugin(s, connector.Props{"file": name})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Start(t.Context(), connector.Context{}, conf); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Stop() })
		sinks[i] = s
	}
	texts := []string{strings.Repeat("a", 999), strings.Repeat("b", 3000), strings.Repeat("c", 10000)}
	for i := range 60 {
		r := connector.NewRecord("t", nil, nil, connector.StringSchema, texts[i/20])
		if err := sinks[i%2].Put(t.Context(), []connector.Record{r}); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range sinks {
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for line := range strings.Lines(string(data)) {
		got[strings.TrimSuffix(line, "\n")]++
	}
	want := map[string]int{"half a li": 1, texts[0]: 20, texts[1]: 20, texts[2]: 20}
	if !maps.Equal(got, want) {
		t.Errorf("%d different lines, want %d; whole are %d, %d and %d", len(got), len(want), got[texts[0]], got[texts[1]], got[texts[2]])
	}
}
