package postgres

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
)

// documented gives the rows of the table under a heading of docs/postgres.md.
func documented(t *testing.T, heading string) [][]string {
	t.Helper()
	data, err := os.ReadFile("../../docs/postgres.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(data), "\n## "+heading+"\n")
	if !ok {
		t.Fatalf("docs/postgres.md has no heading %s", heading)
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	var rows [][]string
	for line := range strings.Lines(rest) {
		if !strings.HasPrefix(line, "|") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if len(cells) != 5 {
			t.Fatalf("docs/postgres.md: %d columns, want 5: %s", len(cells), line)
		}
		rows = append(rows, cells)
	}
	return rows[2:] // names of columns, dashes
}

// defaults gives each key with what stands for its absence, as the document has it.
func defaults(def *connector.ConfigDef) map[string]string {
	all := map[string]string{}
	for _, k := range def.Keys() {
		switch v := k.Default.(type) {
		case nil:
			all[k.Name] = map[bool]string{true: "required"}[k.Required]
		case []string:
			all[k.Name] = strings.Join(v, ",")
		default:
			all[k.Name] = fmt.Sprint(v)
		}
	}
	return all
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
			for _, row := range documented(t, test.heading) {
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
			if d := cmp.Diff(defaults(test.def), got); d != "" {
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
	for _, row := range documented(t, "Debezium's name") {
		got[row[0]] = row[3]
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
