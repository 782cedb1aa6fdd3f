package arch

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/modfile"
)

// root is the module's.
var root = filepath.Join("..", "..")

func rules(t *testing.T) *Rules {
	t.Helper()
	r, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestImports(t *testing.T) {
	files, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 300 {
		t.Fatalf("only %d files: they are somewhere else", len(files))
	}
	for _, broken := range rules(t).Check(files) {
		t.Error(broken)
	}
}

func TestEveryModuleHasItsHomes(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		t.Fatal(err)
	}
	var required, named []string
	for _, r := range file.Require {
		if !r.Indirect {
			required = append(required, r.Mod.Path)
		}
	}
	for _, m := range rules(t).modules {
		named = append(named, m.name)
	}
	slices.Sort(required)
	slices.Sort(named)
	if d := cmp.Diff(required, named); d != "" {
		t.Errorf("go.mod requires (-) and imports.txt names (+):\n%s", d)
	}
}

// TestForbidden goes through imports that would each take away what a rule is
// there for.
func TestForbidden(t *testing.T) {
	tests := []struct{ name, file, imports, rule string }{
		{"an outside module in the contract", "connector/x.go", "github.com/google/go-cmp/cmp", "go-cmp is for ..._test alone"},
		{"a package of ours in the contract", "connector/x.go", Module + "/internal/avro", "connector may import nothing"},
		{"the client of a database in another plugin", "connectors/file/x.go", "github.com/jackc/pgx/v5", "pgx/v5 is for"},
		{"and by the package around it", "connectors/file/x.go", Module + "/internal/pg", "connectors/file may import connector, internal/disk, internal/java/tostring"},
		{"a progress bar in a leaf", "internal/avro/x.go", "github.com/schollz/progressbar/v3", "progressbar/v3 is for cmd/... alone"},
		{"another client of Kafka", "runtime/x.go", "github.com/IBM/sarama", "sarama is for internal/kafka, internal/test/integration_test alone"},
		{"a part of one module is not the other", "internal/test/kafkatest/x.go", "github.com/twmb/franz-go/pkg/kgo", "franz-go is for"},
		{"a module that is not there", "runtime/x.go", "example.org/new", "no home of this module"},
		{"a leaf that imports upwards", "internal/plankton/ifcb/x.go", Module + "/runtime", "internal/plankton/ifcb may import nothing"},
		{"one plugin in another", "connectors/ifcb/x.go", Module + "/connectors/file", "connectors/ifcb may import"},
		{"the runtime in a plugin", "transforms/smt/x.go", Module + "/runtime/config", "transforms/smt may import"},
		{"Kafka in a plugin", "converter/avro/x.go", Module + "/internal/kafka", "converter/avro may import"},
		{"a plugin in the runtime", "runtime/cli/x.go", Module + "/connectors/file", "runtime/cli may import"},
		{"a server in the runtime", "runtime/x.go", Module + "/internal/embedded/broker", "runtime may import"},
		{"a tool of tests in the program", "runtime/x.go", Module + "/internal/test/kafkatest", "runtime may import"},
		{"what is above in a test", "internal/avro/x_test.go", Module + "/runtime", "of a level above internal/avro"},
		{"an outside client in a test", "runtime/x_test.go", "github.com/IBM/sarama", "sarama is for internal/kafka, internal/test/integration_test alone"},
		{"a package without a line", "internal/new/x.go", "fmt", "internal/new: imports.txt has no line for it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := rules(t).Check([]File{{tt.file, []string{tt.imports}}})
			if !strings.HasPrefix(got[0], filepath.Dir(tt.file)) || !strings.Contains(got[0], tt.rule) {
				t.Errorf("%s may import %s: %s", tt.file, tt.imports, got[0])
			}
		})
	}
}

func TestAllowed(t *testing.T) {
	tests := []struct{ name, file, imports string }{
		{"packages of a folder import each other", "cmd/x/x.go", Module + "/cmd/x/internal/y"},
		{"a test imports what is on its level", "internal/avro/x_test.go", Module + "/internal/pg"},
		{"and tools", "internal/avro/x_test.go", Module + "/internal/test/pgtest"},
		{"and what compares values", "connector/x_test.go", "github.com/google/go-cmp/cmp"},
		{"a plugin its own client", "connectors/postgres/x.go", "github.com/jackc/pgx/v5/pgconn"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := rules(t).Check([]File{{tt.file, []string{tt.imports}}}); strings.HasPrefix(got[0], tt.file) {
				t.Error(got[0])
			}
		})
	}
}

func TestRulesAreRefused(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"an arrow up", "level low\na: b\nlevel high\nb:", `a is of the level "low" and must not import b above it, of the level "high"`},
		{"an arrow up into a folder", "level low\na: b/...\nlevel high\nb/c:", "must not import b/c"},
		{"an arrow up out of a folder", "level low\na/...: b\nlevel high\nb/...:", "must not import b/..."},
		{"a word alone", "level low\na", "imports.txt:2: a: neither"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := parse(tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

func TestStaleRules(t *testing.T) {
	r, err := parse("level one\na:\nb: a\nc: a b\nmodules\nexample.org/m: a b\nexample.org/n: a")
	if err != nil {
		t.Fatal(err)
	}
	got := r.Check([]File{{"a/a.go", []string{"example.org/m"}}, {"c/c.go", []string{Module + "/a"}}})
	want := []string{
		"imports.txt: b: there is no such thing any more: take the line out",
		"imports.txt: c: b is no longer needed: take it out",
		"imports.txt: example.org/m: b is no longer needed: take it out",
		"imports.txt: example.org/n: there is no such thing any more: take the line out",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
