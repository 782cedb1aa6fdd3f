package avro

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/internal/registry"
	"github.com/axiom-data-science/hydraulics/internal/test/registrytest"
)

// A preview asks the registry and registers nothing.
func TestPreview(t *testing.T) {
	url := registrytest.URL(t)
	client := registrytest.Client(t, url, registry.Avro)
	registrytest.Register(t, url, "known-value", registry.Avro, `"string"`)
	registrytest.Register(t, url, "other-value", registry.Avro, `"int"`)
	registrytest.Register(t, url, "strict-value", registry.Avro, `"int"`)
	if err := client.SetCompatibility(t.Context(), "strict-value", registry.Backward); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		topic   string
		effects []connector.Effect
		id      byte
		wrong   string
	}{
		{"known", nil, 1, ""},
		{"new", []connector.Effect{{Does: "register version 1 of subject new-value", Text: `"string"`}}, 0, ""},
		{"other", []connector.Effect{{Does: "register version 2 of subject other-value", Text: `"string"`}}, 0, ""},
		{"strict", nil, 0, "subject strict-value: the schema is not compatible with version 1, and the registry would refuse it: change it, or the subject's compatibility"},
	}
	for _, tt := range tests {
		t.Run(tt.topic, func(t *testing.T) {
			var effects []connector.Effect
			at, c := connectortest.Context(t), new(Converter)
			at.Preview = &connector.Preview{Would: func(e connector.Effect) { effects = append(effects, e) }}
			if err := c.Configure(at, connectortest.Configure(t, c, connector.Props{"schema.registry.url": url}), false); err != nil {
				t.Fatal(err)
			}
			defer c.schemas.Close()
			got, err := c.FromConnect(t.Context(), tt.topic, connector.StringSchema, "x")
			if tt.wrong != "" {
				if err == nil || err.Error() != tt.wrong || connector.KindOf(err) != connector.KindData {
					t.Errorf("error is %v", err)
				}
				return
			}
			if err != nil || got[4] != tt.id {
				t.Errorf("got %v, %v", got, err)
			}
			if d := cmp.Diff(tt.effects, effects); d != "" {
				t.Error(d)
			}
			subjects, err := client.Subjects(t.Context())
			if d := cmp.Diff([]string{"known-value", "other-value", "strict-value"}, subjects); d != "" || err != nil {
				t.Error(d, err)
			}
			if s, err := client.Latest(t.Context(), "other-value"); err != nil || s.Version != 1 {
				t.Errorf("other-value has version %d, %v", s.Version, err)
			}
		})
	}
}
