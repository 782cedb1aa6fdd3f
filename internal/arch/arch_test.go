package arch

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestImports(t *testing.T) {
	packages, err := Load(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	if len(packages) < 20 {
		t.Fatalf("only %d packages: the files are somewhere else", len(packages))
	}
	for _, broken := range Check(packages) {
		t.Error(broken)
	}
}

func TestRulesForbid(t *testing.T) {
	tests := []struct{ from, imports, rule string }{
		{"connector", "github.com/google/go-cmp/cmp", "standard library only"},
		{"internal/plankton/ifcb", Module + "/runtime", "leaf library"},
		{"connectors/ifcb", Module + "/connectors/file", "no other plugin"},
		{"transforms/smt", Module + "/runtime/config", "no other plugin"},
		{"converter/avro", Module + "/internal/kafka", "talk to Kafka"},
		{"runtime/config", Module + "/runtime", "do not import their parent"},
		{"runtime", Module + "/runtime/herder", "runtime is below"},
		{"runtime/herder", Module + "/runtime/rest", "herder is below"},
		{"runtime/rest", Module + "/runtime/page", "each other"},
		{"runtime/cli", Module + "/connectors/file", "knows no plugin"},
		{"runtime", Module + "/internal/embedded/broker", "embedded servers"},
		{"examples/x", Module + "/transforms/all", "for cmd"},
		{"runtime", Module + "/internal/test/kafkatest", "for tests"},
		{"connectors/rest", "github.com/jackc/pgx/v5", "pgx"},
		{"runtime", "github.com/IBM/sarama", "internal/kafka"},
		{"runtime/cli", "github.com/knadh/koanf/v2", "runtime/config alone"},
		{"cmd/hydraulics/internal/gaps", "github.com/spf13/cobra", "no command line"},
		{"cmd/hydraulics", Module + "/connectors/ifcb", "by their names"},
	}
	for _, tt := range tests {
		broken := Check([]Package{{Path: tt.from, Imports: map[string][]string{tt.imports: {tt.from + "/x.go"}}}})
		if !strings.Contains(strings.Join(broken, "\n"), tt.rule) {
			t.Errorf("%s may import %s: %v", tt.from, tt.imports, broken)
		}
	}
}
