// Package output is how commands print what they found: as a table for people,
// or as JSON or YAML for programs, as the flag -o says.
package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
)

// forms are what -o may be, the first one being the default.
var forms = []string{"table", "wide", "json", "yaml"}

// Form is how a command prints. It is the value of a flag; the zero Form is a table.
type Form struct{ name string }

// AddTo gives a command the flag -o.
func (f *Form) AddTo(c *cobra.Command) {
	c.Flags().VarP(f, "output", "o", "how it is printed: "+strings.Join(forms, ", "))
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(forms, cobra.ShellCompDirectiveNoFileComp)) // fails for flags that are not there
}

// Set takes the flag's value.
func (f *Form) Set(text string) error {
	if !slices.Contains(forms, text) {
		return fmt.Errorf("want %s", strings.Join(forms, ", "))
	}
	f.name = text
	return nil
}

// String gives the flag's value.
func (f *Form) String() string {
	if f.name == "" {
		return forms[0]
	}
	return f.name
}

// Type names the values.
func (*Form) Type() string { return strings.Join(forms, "|") }

// ForPeople tells that a table is asked for, or text in the place of one.
func (f *Form) ForPeople() bool { return f.name != "json" && f.name != "yaml" }

// Wide tells that a table is to have all its columns.
func (f *Form) Wide() bool { return f.name == "wide" }

// Print prints a value for programs, or for people the table that stands for it.
func (f *Form) Print(out io.Writer, value any, table Table) error {
	if f.ForPeople() {
		return table.print(out, f.Wide())
	}
	return f.Value(out, value)
}

// Value prints a value for programs: as YAML where that is asked for, else as
// JSON. The keys of both are those of its JSON.
func (f *Form) Value(out io.Writer, value any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return err
	}
	text := b.Bytes()
	if f.name == "yaml" {
		var err error
		if text, err = asYAML(text); err != nil {
			return err
		}
	}
	_, err := out.Write(text)
	return err
}

// Next prints one of several values for programs, one after the other: as a line of
// JSON, or as a document of YAML.
func (f *Form) Next(out io.Writer, value any) error {
	if f.name == "yaml" {
		if _, err := io.WriteString(out, "---\n"); err != nil {
			return err
		}
		return f.Value(out, value)
	}
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	return enc.Encode(value)
}

// asYAML writes JSON, which is YAML, in the style of people's files.
func asYAML(text []byte) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	unstyle(&doc)
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(&doc); err != nil {
		return nil, err
	}
	return b.Bytes(), enc.Close()
}

// unstyle has nodes written as they need it: blocks, and quotes only around what
// would be read as something else. Empty ones stay {} and [].
func unstyle(n *yaml.Node) {
	if len(n.Content) > 0 || n.Kind == yaml.ScalarNode {
		n.Style = 0
	}
	for _, c := range n.Content {
		unstyle(c)
	}
}

// Table is rows for people. Columns whose names begin with a plus are those of the
// wide form alone.
type Table struct {
	Columns []string
	Rows    [][]string
}

// Add adds a row.
func (t *Table) Add(cells ...string) { t.Rows = append(t.Rows, cells) }

func (t Table) print(out io.Writer, wide bool) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	line := func(cells []string) {
		var shown []string
		for i, cell := range cells {
			if !strings.HasPrefix(t.Columns[i], "+") || wide {
				shown = append(shown, cell)
			}
		}
		fmt.Fprintln(w, strings.Join(shown, "\t"))
	}
	var names []string
	for _, name := range t.Columns {
		names = append(names, strings.TrimPrefix(name, "+"))
	}
	line(names)
	for _, row := range t.Rows {
		line(row)
	}
	return w.Flush()
}
