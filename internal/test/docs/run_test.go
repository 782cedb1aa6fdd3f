package docs

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../../.."

// TestRunCommands runs the commands of make test, as they are, in a folder that
// looks like the module's and has what a reader is told to put there.
func TestRunCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the program; not with -short")
	}
	places, err := Places()
	check(t, err)
	dir := tree(t)
	const build = "make build"
	said(t, dir, build)
	said(t, dir, "bin/hydraulics simulate images --per-class 2 --seed 3 --out labelled")
	put(t, dir, "model/small.onnx", "configs/demo/demo-plankton.onnx")
	put(t, dir, "model/small.yaml", "configs/demo/demo-plankton.yaml")
	for _, command := range RunBy(Test, places) {
		if command == build {
			continue
		}
		t.Run(command, func(t *testing.T) { said(t, dir, command) })
	}
	t.Run("configurations", func(t *testing.T) { lintBlocks(t, dir) })
}

// lintBlocks checks the configurations that the documents show, with a worker
// and the model that they name: lint has nothing to say.
func lintBlocks(t *testing.T, dir string) {
	put(t, dir, "models/ifcb.onnx", "configs/demo/demo-plankton.onnx")
	put(t, dir, "models/ifcb.yaml", "configs/demo/demo-plankton.yaml")
	for i, b := range blocks(t, "yaml") {
		if b.Reason != "" || strings.HasPrefix(b.Document, "docs/plugins/") {
			continue // a part; an example that TestExamples of internal/test/reference checks
		}
		name := fmt.Sprintf("shown-%d.yaml", i)
		text := b.Text
		if !strings.Contains(text, "worker:\n") {
			text += "worker:\n  bootstrap.servers: localhost:9092\n  schema.registry.url: http://localhost:8081\n" +
				"  key.converter: avro\n  value.converter: avro\n"
		}
		check(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
		if out := said(t, dir, "bin/hydraulics lint "+name); strings.Contains(out, "warning:") {
			t.Errorf("%s: %s", b.At(), out)
		}
	}
}

// TestSignatures compiles the Go that the documents show, as a source that has
// what the document leaves out: its methods are those of the contract.
func TestSignatures(t *testing.T) {
	rest := map[string]string{"docs/own-source.md": "Plugin", "CONTRIBUTING.md": "Source"}
	for _, b := range blocks(t, "go") {
		t.Run(b.Document, func(t *testing.T) {
			text := "package shown\n\nimport (\n\t\"context\"\n\t\"github.com/axiom-data-science/hydraulics/connector\"\n)\n\n" +
				"var _ context.Context\n\ntype Source struct{ connector." + rest[b.Document] + " }\n\nvar _ connector.Source = (*Source)(nil)\n\n" + b.Text
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, b.Document, text, 0)
			check(t, err)
			conf := types.Config{Importer: exports(t, files)}
			if _, err := conf.Check("shown", files, []*ast.File{file}, nil); err != nil {
				t.Errorf("%s: %v", b.At(), err)
			}
		})
	}
}

// exports reads the packages that the blocks import as the compiler left them.
func exports(t *testing.T, files *token.FileSet) types.Importer {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}",
		"context", "github.com/axiom-data-science/hydraulics/connector").Output()
	check(t, err)
	compiled := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		compiled[name] = file
	}
	return importer.ForCompiler(files, "gc", func(name string) (io.ReadCloser, error) { return os.Open(compiled[name]) })
}

// blocks gives the blocks of a language, of which there are some.
func blocks(t *testing.T, language string) []Block {
	t.Helper()
	all, err := Read(root)
	check(t, err)
	var list []Block
	for _, b := range all {
		if b.Language == language {
			list = append(list, b)
		}
	}
	if len(list) == 0 {
		t.Fatalf("the documents have no block of %s", language)
	}
	return list
}

// tree gives a folder with all that the module's root has, but for what commands
// write there. It looks at every file, so that Go's test cache knows of those that
// commands read.
func tree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	from, err := filepath.Abs(root)
	check(t, err)
	check(t, filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || name == from:
			return err
		case d.Name() == "bin" || strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return filepath.SkipDir
			}
		case filepath.Dir(name) == from:
			return os.Symlink(name, filepath.Join(dir, d.Name()))
		}
		return nil
	}))
	return dir
}

// put copies a file of the module into the folder.
func put(t *testing.T, dir, name, from string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, from))
	check(t, err)
	to := filepath.Join(dir, name)
	check(t, os.MkdirAll(filepath.Dir(to), 0o755))
	check(t, os.WriteFile(to, data, 0o644))
}

// said runs a command as a shell in the folder does, and gives what it said.
func said(t *testing.T, dir, command string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
	cmd.Dir = dir
	// A make that runs this test does not speak to the one that the test runs.
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MFLAGS=", "MAKELEVEL=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return string(out)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
