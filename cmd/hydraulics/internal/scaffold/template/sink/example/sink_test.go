package example

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

// The suite holds the sink to what a worker relies on: what was put is there, also
// after an outage, and records that come again change nothing.
func TestSink(t *testing.T) {
	connectortest.Sink(t, connectortest.SinkCase{
		New: func() connector.Sink { return new(Sink) },
		System: func(t testing.TB) connectortest.SinkSystem {
			folder := filepath.Join(t.TempDir(), "out")
			return connectortest.SinkSystem{
				Props: connector.Props{"folder": folder},
				Held:  func() []string { return files(t, folder) },
			}
		},
		Record: func(n int) connector.Record {
			return connector.NewRecord("t", connector.StringSchema, fmt.Sprintf("key %d", n%40), connector.StringSchema, fmt.Sprintf("value %d", n))
		},
		Item: func(r connector.Record) string { return r.Value.(string) },
		Key:  func(r connector.Record) string { return r.Key.(string) },
	})
}

// files gives what the files of a folder hold.
func files(t testing.TB, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var held []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "new-") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, string(data))
	}
	return held
}
