// Package documented reads the tables of keys that documents have, to hold them to
// the code.
package documented

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Rows gives the rows of the table under a heading of a document. Each has so many
// columns.
func Rows(t testing.TB, file, heading string, columns int) [][]string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(data), "\n## "+heading+"\n")
	if !ok {
		t.Fatalf("%s has no heading %s", file, heading)
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	var rows [][]string
	for line := range strings.Lines(rest) {
		if !strings.HasPrefix(line, "|") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.ReplaceAll(strings.TrimSpace(line), `\|`, "\x00"), "|"), "|")
		for i := range cells {
			cells[i] = strings.ReplaceAll(strings.TrimSpace(cells[i]), "\x00", "|")
		}
		if len(cells) != columns {
			t.Fatalf("%s: %d columns, want %d: %s", file, len(cells), columns, line)
		}
		rows = append(rows, cells)
	}
	return rows[2:] // names of columns, dashes
}

// Defaults gives each key with what stands for its absence, as documents have it.
func Defaults(def *connector.ConfigDef) map[string]string {
	all := map[string]string{}
	for _, k := range def.Keys() {
		switch v := k.Default.(type) {
		case nil:
			all[k.Name] = map[bool]string{true: "required"}[k.Required]
		case []string:
			all[k.Name] = strings.Join(v, ",")
		case connector.Password:
			all[k.Name] = v.Secret()
		default:
			all[k.Name] = fmt.Sprint(v)
		}
	}
	return all
}
