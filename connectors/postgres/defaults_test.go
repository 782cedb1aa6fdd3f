package postgres

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/documented"
)

// tableOf gives the rows of the table under a heading of docs/postgres.md.
func tableOf(t *testing.T, heading string) [][]string {
	t.Helper()
	return documented.Rows(t, "../../docs/postgres.md", heading, 5)
}

// The document says of each name and key the default that the code has, and why
// it is another than that of the connector whose name it is.
func TestDocumentedDefaults(t *testing.T) {
	tests := []struct {
		heading string
		def     *connector.ConfigDef
		theirs  []int // columns
	}{
		{"Our own, Confluent's and Aiven's name", new(Sink).ConfigDef(), []int{2, 3}},
		{"Debezium's name", new(DebeziumSink).ConfigDef(), []int{2}},
	}
	for _, test := range tests {
		t.Run(test.heading, func(t *testing.T) {
			got := map[string]string{}
			for _, row := range tableOf(t, test.heading) {
				key, here, reason := row[0], row[1], row[4]
				if _, twice := got[key]; twice {
					t.Errorf("%s is there twice", key)
				}
				got[key] = here
				differs := false
				for _, i := range test.theirs {
					differs = differs || row[i] != "-" && row[i] != here
				}
				if differs != (reason != "") {
					t.Errorf("%s: here %q, theirs %q, the reason is %q", key, here, row[2:4], reason)
				}
			}
			if d := cmp.Diff(documented.Defaults(test.def), got); d != "" {
				t.Error(d)
			}
		})
	}
}

// The document names the key that each of Debezium's becomes.
func TestDocumentedKeysOfDebezium(t *testing.T) {
	want := map[string]string{}
	for _, k := range debezium {
		want[k.Name] = k.ours
	}
	want["schema.evolution"], want["quote.identifiers"] = "auto.create, auto.evolve, schema.validate", "quote.sql.identifiers" // made in props
	got := map[string]string{}
	for _, row := range tableOf(t, "Debezium's name") {
		got[row[0]] = row[3]
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
