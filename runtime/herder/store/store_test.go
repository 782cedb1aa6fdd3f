package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/herder/store"
	"github.com/axiom-data-science/hydraulics/runtime/herder/store/storetest"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

func TestFile(t *testing.T) {
	storetest.Run(t, func(t *testing.T) func(managed ...config.Connector) store.Store {
		name := filepath.Join(t.TempDir(), "kept.json")
		return func(managed ...config.Connector) store.Store {
			f, err := store.OpenFile(name, managed)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
	})
}

func TestLog(t *testing.T) {
	storetest.Run(t, func(t *testing.T) func(managed ...config.Connector) store.Store {
		topic := storetest.NewTopic()
		return func(managed ...config.Connector) store.Store {
			l, err := topic.Open(managed...)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(l.Close)
			return l
		}
	})
}

func TestOpenFile(t *testing.T) {
	managed := []config.Connector{{Name: "c", File: "flow.yaml"}}
	tests := []struct {
		name, text string
		want       string // the error
	}{
		{"cut off", "{", "it does not hold connectors: unexpected end of JSON input; move it away to start without the connectors made over REST"},
		{"nulls", `{"connectors":null,"targets":null}`, ""},
		{"null", "null", ""},
		{"a connector that a file has too", `{"connectors":{"c":{"name":"c"}}}`, "flow.yaml: connector c was made over REST too: delete that one (it is in "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "kept.json")
			if err := os.WriteFile(name, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := store.OpenFile(name, managed)
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("%v, want %s", err, tt.want)
			}
			if data, _ := os.ReadFile(name); string(data) != tt.text {
				t.Errorf("the file was changed: %s", data)
			}
		})
	}
	if _, err := store.OpenFile(t.TempDir(), nil); err == nil {
		t.Error("a folder is opened as a file")
	}
}

// What cannot be written does not count.
func TestFileThatCannotBeWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := store.OpenFile(filepath.Join(dir, "kept.json"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	f.Listen(func(r store.Record) { t.Errorf("told of %v", r) })
	if err := f.Append(t.Context(), store.ConnectorConfig{Connector: "c", Config: connector.Props{}}); err == nil {
		t.Error("no error says that the file cannot be written")
	}
	if err := f.Append(t.Context(), store.TargetState{Connector: "c", Target: state.TargetPaused}); err == nil {
		t.Error("no error says that the file cannot be written")
	}
	if names := f.Connectors(); len(names) != 0 {
		t.Errorf("there are %v", names)
	}
}
