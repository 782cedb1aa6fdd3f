package offset

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What testdata/java.offsets says, which Java wrote: null has forgotten an
// offset, and the one of old has the envelope of before Kafka 2.0.
const importedOffsets = `[
{"key":["lines",{"filename":"/tmp/in.txt"}],"value":{"position":1234567890123456789}},
{"key":["mirror",{"cluster":"a","partition":0,"topic":"µ<t>"}],"value":{"offset":7}},
{"key":["nothing",null],"value":{"position":1.50}},
{"key":["old",{"filename":"x"}],"value":{"position":3}}
]
`

func javaFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Clauses: F2.
func TestImportJava(t *testing.T) {
	offsets := javaFile(t, "java.offsets")
	all := map[string]int{"lines": 1, "mirror": 1, "nothing": 1, "old": 1}
	tests := []struct {
		name     string
		from, to string
		there    map[string]string // files before it
		counts   map[string]int
		want     map[string]string // files after it
		refusal  string
	}{
		{name: "in its place", from: "o", to: "o", there: map[string]string{"o": string(offsets)}, counts: all,
			want: map[string]string{"o": importedOffsets, "o.java": string(offsets)}},
		{name: "to another file", from: "o", to: "new", there: map[string]string{"o": string(offsets)}, counts: all,
			want: map[string]string{"o": string(offsets), "new": importedOffsets}},
		{name: "after a crash half way", from: "o", to: "o", there: map[string]string{"o": string(offsets), "o.java": string(offsets)}, counts: all,
			want: map[string]string{"o": importedOffsets, "o.java": string(offsets)}},
		{name: "no offsets", from: "o", to: "o", there: map[string]string{"o": string(javaFile(t, "empty.offsets"))}, counts: map[string]int{},
			want: map[string]string{"o": "[\n]\n", "o.java": string(javaFile(t, "empty.offsets"))}},
		{name: "over offsets of ours", from: "o", to: "new", there: map[string]string{"o": string(offsets), "new": importedOffsets},
			refusal: "it is there already, and is not written over"},
		{name: "over another copy", from: "o", to: "o", there: map[string]string{"o": string(offsets), "o.java": "something"},
			refusal: "o.java: it is there already, and holds something else"},
		{name: "twice", from: "o", to: "o", there: map[string]string{"o": importedOffsets}, refusal: "not the offsets of a standalone Java worker"},
		{name: "no file", from: "o", to: "o", refusal: "no such file"},
		{name: "another map", from: "o", to: "o", there: map[string]string{"o": string(javaFile(t, "strings.offsets"))},
			refusal: "not the offsets of a standalone Java worker"},
		{name: "keys that are no keys", from: "o", to: "o", there: map[string]string{"o": string(javaFile(t, "same.offsets"))},
			refusal: `offset key {}: `},
		{name: "cut off", from: "o", to: "o", there: map[string]string{"o": string(offsets[:400])}, refusal: "the file is cut off"},
		{name: "cut off at its end", from: "o", to: "o", there: map[string]string{"o": string(offsets[:len(offsets)-1])}, refusal: "not the offsets"},
		{name: "with more behind it", from: "o", to: "o", there: map[string]string{"o": string(offsets) + "x"}, refusal: "not the offsets"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range tt.there {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			counts, err := ImportJava(filepath.Join(dir, tt.from), filepath.Join(dir, tt.to))
			if tt.refusal != "" {
				if err == nil || !strings.Contains(err.Error(), tt.refusal) {
					t.Errorf("%v, want %s", err, tt.refusal)
				}
				tt.want = tt.there
			} else if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.counts, counts); d != "" {
				t.Error(d)
			}
			for name, text := range tt.want {
				data, err := os.ReadFile(filepath.Join(dir, name))
				if d := cmp.Diff(text, string(data)); err != nil || d != "" {
					t.Errorf("%s: %v %s", name, err, d)
				}
			}
			if tt.refusal == "" {
				open(t, filepath.Join(dir, tt.to))
			}
		})
	}
}

func TestImportJavaUnderAWorker(t *testing.T) {
	name := filepath.Join(t.TempDir(), "offsets")
	open(t, name)
	if _, err := ImportJava(filepath.Join("testdata", "java.offsets"), name); err == nil || !strings.Contains(err.Error(), "another worker is using it") {
		t.Errorf("%v", err)
	}
}

// Nothing that is in a file makes it panic, or take what is not there.
func FuzzReadJavaMap(f *testing.F) {
	for _, name := range []string{"java.offsets", "empty.offsets", "same.offsets", "strings.offsets"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = readJavaMap(data, func(key, value []byte) error {
			if !bytes.Contains(data, key) || !bytes.Contains(data, value) {
				t.Errorf("%q: %q is not in the file", key, value)
			}
			return nil
		})
	})
}
