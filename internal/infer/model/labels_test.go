package model

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseLabels(t *testing.T) {
	abc := []string{"a", "b", "c"}
	for _, c := range []struct {
		name, text string
		want       []string
		err        string
	}{
		{"lines", "# of a\na\r\n\n b \nc", abc, ""},
		{"byte order mark", "\ufeffa\nb\nc\n", abc, ""},
		{"byte order mark before JSON", "\ufeff[\"a\", \"b\", \"c\"]", abc, ""},
		{"UTF-16, little endian", "\xff\xfea\x00\r\x00\n\x00b\x00\r\x00\n\x00c\x00", abc, ""},
		{"UTF-16 of a JSON list", "\xfe\xff\x00[\x00\"\x00\xe9\x00\"\x00]", []string{"é"}, ""},
		{"bytes that are no UTF-8", "\xe9\nb", []string{"\xe9", "b"}, ""},
		{"carriage returns alone", "a\rb\rc\r", abc, ""},
		{"list", "\n[\"a\", \"b\", \"c\"]\n", abc, ""},
		{"label by index", `{"2": "c", "0": "a", "1": "b"}`, abc, ""},
		{"index by label", `{"c": 2, "a": 0, "b": 1}`, abc, ""},
		{"index by label, as text", `{"c": "2", "a": "0", "b": "1"}`, abc, ""},
		{"half an index", `{"a": 0, "b": 0.5}`, nil, `label "b": index 0.5 is not from 0 to 1`},
		{"numbers that are labels", `{"0": "10", "1": "11"}`, []string{"10", "11"}, ""},
		{"from one on", `{"1": "a", "2": "b"}`, nil, "index 2 is not from 0 to 1"},
		{"index twice", `{"a": 0, "b": 0}`, nil, "there twice"},
		{"no JSON", `["a", "b"`, nil, "expected a list, label by index or index by label in JSON"},
		{"list of numbers", `[1, 2]`, nil, "number"},
		{"nothing", "", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseLabels(c.text)
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Fatalf("error %v, expected %q", err, c.err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestLabelFiles: the file with the model's own name goes before those that
// models of a folder may share.
func TestLabelFiles(t *testing.T) {
	file, _ := demo(t)
	lines := func(first string) []byte { return []byte(first + "\nb\nc\nd\ne\nf\ng\nh\n") }
	json := []byte(`["json", "b", "c", "d", "e", "f", "g", "h"]`)
	for _, c := range []struct {
		name  string
		files map[string][]byte
		first string
	}{
		{"classes", map[string][]byte{"m.classes": lines("own"), "labels.txt": lines("shared"), "labels.json": json}, "own"},
		{"text", map[string][]byte{"labels.txt": lines("shared"), "labels.json": json, "other.classes": lines("other")}, "shared"},
		{"JSON", map[string][]byte{"labels.json": json}, "json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.files["m.onnx"] = file
			m, ok := Describe(open(t, Options{Model: filepath.Join(folder(t, c.files), "m.onnx")}))
			if !ok || m.Labels[0] != c.first {
				t.Errorf("got the labels %q, expected %s first", m.Labels, c.first)
			}
		})
	}
}
