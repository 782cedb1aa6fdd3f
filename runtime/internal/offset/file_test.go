package offset

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func open(t *testing.T, name string) *File {
	t.Helper()
	f, err := OpenFile(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// Clauses: F2.
func TestFileKeepsOffsets(t *testing.T) {
	name := filepath.Join(t.TempDir(), "offsets")
	f := open(t, name)
	partition := map[string]any{"dataset": "mvco", "shard": 2}
	if got, err := f.Offset(t.Context(), "ifcb", partition); got != nil || err != nil {
		t.Fatalf("offset of an empty store is %v, %v", got, err)
	}
	entries := []Entry{
		{Partition: partition, Offset: map[string]any{"bin": "D20190728T212639_IFCB104", "line": json.Number("9007199254740993")}},
		{Partition: map[string]any{"dataset": "<a&b>"}, Offset: map[string]any{"line": 1.5}},
	}
	if err := f.Commit(t.Context(), "ifcb", entries); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(t.Context(), "other", []Entry{{Partition: partition, Offset: map[string]any{"x": true}}}); err != nil {
		t.Fatal(err)
	}
	f.Close()

	want := `[
{"key":["ifcb",{"dataset":"<a&b>"}],"value":{"line":1.5}},
{"key":["ifcb",{"dataset":"mvco","shard":2}],"value":{"bin":"D20190728T212639_IFCB104","line":9007199254740993}},
{"key":["other",{"dataset":"mvco","shard":2}],"value":{"x":true}}
]
`
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, string(data)); d != "" {
		t.Error(d)
	}

	f = open(t, name)
	got, err := f.Offset(t.Context(), "ifcb", map[string]any{"shard": json.Number("2"), "dataset": "mvco"})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(entries[0].Offset, got); d != "" {
		t.Error(d)
	}
	if err := f.Commit(t.Context(), "ifcb", []Entry{{Partition: partition}}); err != nil {
		t.Fatal(err)
	}
	list, err := f.List(t.Context(), "ifcb")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]Entry{{Partition: map[string]any{"dataset": "<a&b>"}, Offset: map[string]any{"line": json.Number("1.5")}}}, list); d != "" {
		t.Error(d)
	}
}

// What could not be written is not committed: neither for a reader now, nor for
// the next commit.
//
// Clauses: F2.
func TestFileThatCannotBeWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "folder")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f := open(t, filepath.Join(dir, "offsets"))
	commit := func(partition string, n int) error {
		return f.Commit(t.Context(), "c", []Entry{{Partition: map[string]any{"p": partition}, Offset: map[string]any{"n": n}}})
	}
	if err := commit("a", 1); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	if err := commit("a", 2); err == nil || !strings.Contains(err.Error(), "offset file "+dir) {
		t.Errorf("a commit without a folder: %v", err)
	}
	if at, err := f.Offset(t.Context(), "c", map[string]any{"p": "a"}); err != nil || at["n"] != json.Number("1") {
		t.Errorf("offset is %v, %v after a commit that failed", at, err)
	}
	if err := os.Rename(dir+".away", dir); err != nil {
		t.Fatal(err)
	}
	if err := commit("b", 3); err != nil {
		t.Fatal(err)
	}
	f.Close()
	f = open(t, filepath.Join(dir, "offsets"))
	want := []Entry{
		{Partition: map[string]any{"p": "a"}, Offset: map[string]any{"n": json.Number("1")}},
		{Partition: map[string]any{"p": "b"}, Offset: map[string]any{"n": json.Number("3")}},
	}
	if got, err := f.List(t.Context(), "c"); err != nil || cmp.Diff(want, got) != "" {
		t.Errorf("%v: %s", err, cmp.Diff(want, got))
	}
}

func TestFileIsRefused(t *testing.T) {
	tests := []struct {
		name, content, want string
	}{
		{"written by Java", "\xac\xed\x00\x05sr\x00\x11java.util.HashMap", "written by Java's Kafka Connect"},
		{"something else", "offsets: none", "not a list of offsets"},
		{"no key", `[{"value":{}}]`, "entry 1: offset key"},
		{"wrong key", `[{"key":["a"],"value":{}}]`, `entry 1: offset key ["a"]: want ["connector",{partition}]`},
		{"wrong value", `[{"key":["a",{}],"value":3}]`, "entry 1: offset"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "offsets")
			if err := os.WriteFile(name, []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second time tells that the lock was given back
				f, err := OpenFile(name)
				if err == nil {
					f.Close()
					t.Fatal("was opened")
				}
				if !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error is %q, want %q in it", err, tt.want)
				}
			}
			data, err := os.ReadFile(name)
			if err != nil || string(data) != tt.content {
				t.Errorf("file is %q, %v now", data, err)
			}
		})
	}
}

func TestFileIsLocked(t *testing.T) {
	name := filepath.Join(t.TempDir(), "offsets")
	f := open(t, name)
	if _, err := OpenFile(name); err == nil || !strings.Contains(err.Error(), "another worker is using it") {
		t.Fatalf("second open: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatalf("second Close: %v", err)
	}
	open(t, name)
}

func TestKey(t *testing.T) {
	key, err := Key("c", map[string]any{"b": json.Number("1e400"), "a": nil})
	if err != nil {
		t.Fatal(err)
	}
	if want := `["c",{"a":null,"b":1e400}]`; key != want {
		t.Errorf("key is %s, want %s", key, want)
	}
	name, partition, err := parseKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Key(name, partition); again != key || err != nil {
		t.Errorf("key of the parsed key is %s, %v", again, err)
	}
	for _, longer := range []string{key + ",", key + "]", key + " " + key} {
		if name, partition, err := parseKey(longer); err == nil {
			t.Errorf("%s is the key of %s, %v", longer, name, partition)
		}
	}
	if _, err := Key("c", map[string]any{"f": func() {}}); err == nil {
		t.Error("a function is no JSON")
	}
}

func TestReadFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "offsets")
	f, err := OpenFile(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	partition := map[string]any{"file": "a"}
	if err := f.Commit(t.Context(), "c", []Entry{{Partition: partition, Offset: map[string]any{"n": 1}}}); err != nil {
		t.Fatal(err)
	}
	read, err := ReadFile(name) // while a worker has it
	if err != nil {
		t.Fatal(err)
	}
	if at, err := read.Offset(t.Context(), "c", partition); err != nil || fmt.Sprint(at["n"]) != "1" {
		t.Errorf("offset is %v, %v", at, err)
	}
	if err := read.Commit(t.Context(), "c", []Entry{{Partition: partition}}); err == nil {
		t.Error("it was changed")
	}
	if err := read.Close(); err != nil {
		t.Error(err)
	}
	none, err := ReadFile(name + "-none")
	if err != nil {
		t.Fatal(err)
	}
	if at, err := none.Offset(t.Context(), "c", partition); at != nil || err != nil {
		t.Errorf("offset is %v, %v", at, err)
	}
}
