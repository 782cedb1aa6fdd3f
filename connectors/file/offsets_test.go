package file

import (
	"encoding/json"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

func TestAlterOffsets(t *testing.T) {
	place, at := map[string]any{"filename": "a.txt"}, func(v any) map[string]any { return map[string]any{"position": v} }
	tests := []struct {
		name, file string
		offset     connector.SourceOffset
		want       string
	}{
		{"set", "a.txt", connector.SourceOffset{Partition: place, Offset: at(json.Number("7"))}, ""},
		{"reset", "a.txt", connector.SourceOffset{Partition: map[string]any{"what": "ever"}}, ""},
		{"another file", "b.txt", connector.SourceOffset{Partition: place, Offset: at(json.Number("7"))}, ""},
		{"standard input", "", connector.SourceOffset{Partition: place}, "Offsets cannot be modified if the 'file' configuration is unspecified. This is because stdin is used for input and offsets are not tracked."},
		{"no position", "a.txt", connector.SourceOffset{Partition: place, Offset: map[string]any{}}, "Offset objects should either be null or contain the key 'position'"},
		{"text", "a.txt", connector.SourceOffset{Partition: place, Offset: at("7")}, "The value for the 'position' key in the offset is expected to be a Long value"},
		{"a fraction", "a.txt", connector.SourceOffset{Partition: place, Offset: at(json.Number("7.5"))}, "The value for the 'position' key in the offset is expected to be a Long value"},
		{"below 0", "a.txt", connector.SourceOffset{Partition: place, Offset: at(json.Number("-1"))}, "The value for the 'position' key in the offset should be a non-negative value"},
		{"no partition", "a.txt", connector.SourceOffset{Offset: at(json.Number("7"))}, "Partition objects cannot be null"},
		{"no file", "a.txt", connector.SourceOffset{Partition: map[string]any{}, Offset: at(json.Number("7"))}, "Partition objects should contain the key 'filename'"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := new(Source)
			props := connector.Props{"topic": "lines"}
			if tt.file != "" {
				props["file"] = tt.file
			}
			err := s.AlterOffsets(t.Context(), connectortest.Context(t), connectortest.Configure(t, s, props), []connector.SourceOffset{tt.offset})
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || err.Error() != tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}
