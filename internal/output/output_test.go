package output

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestForms(t *testing.T) {
	type row struct {
		Name  string            `json:"name"`
		Count int64             `json:"count"`
		More  map[string]string `json:"more"`
		Tags  []string          `json:"tags"`
	}
	value := []row{{Name: "lines", Count: 9007199254740993, More: map[string]string{"a.b": "true", "text": "<x>: 1"}, Tags: []string{}}}
	table := Table{Columns: []string{"NAME", "+COUNT"}}
	table.Add("lines", "9007199254740993")
	for form, want := range map[string]string{
		"table": "NAME\nlines\n",
		"wide":  "NAME   COUNT\nlines  9007199254740993\n",
		"json":  "[\n  {\n    \"name\": \"lines\",\n    \"count\": 9007199254740993,\n    \"more\": {\n      \"a.b\": \"true\",\n      \"text\": \"<x>: 1\"\n    },\n    \"tags\": []\n  }\n]\n",
		"yaml":  "- name: lines\n  count: 9007199254740993\n  more:\n    a.b: \"true\"\n    text: '<x>: 1'\n  tags: []\n",
	} {
		var f Form
		if err := f.Set(form); err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := f.Print(&b, value, table); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, b.String()); d != "" {
			t.Errorf("%s: %s", form, d)
		}
	}
	var f Form
	if err := f.Set("xml"); err == nil || f.String() != "table" {
		t.Errorf("a form that is none: %v, %s", err, f.String())
	}
}
