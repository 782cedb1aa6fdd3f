package arch

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	_ "github.com/axiom-data-science/hydraulics/connectors/all"
	_ "github.com/axiom-data-science/hydraulics/converter/all"
	_ "github.com/axiom-data-science/hydraulics/transforms/all"
)

var update = flag.Bool("update", false, "write api.txt anew")

// promised are the packages whose exported names outsiders may build on.
var promised = []string{"connector", "connector/connectortest", "runtime/cli"}

// bundles are the packages that register all plugins there are.
var bundles = []string{"connectors/all", "converter/all", "transforms/all"}

// TestPromised compares what outsiders are promised, exported names with their
// types and plugins with their names, with what api.txt says. A line that goes
// or changes breaks somebody's program.
func TestPromised(t *testing.T) {
	var api []string
	for _, name := range promised {
		lines, err := exported(name)
		if err != nil {
			t.Fatal(err)
		}
		api = append(api, lines...)
	}
	api = append(api, registered(t)...)
	got := strings.Join(api, "\n") + "\n"
	if *update {
		if err := os.WriteFile("api.txt", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("api.txt")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); d != "" {
		t.Errorf("what is promised has changed; if that is meant, go test ./internal/arch -update:\n%s", d)
	}
}

// TestExamplesNeedOnlyWhatIsPromised reads the modules below examples.
func TestExamplesNeedOnlyWhatIsPromised(t *testing.T) {
	modules, err := filepath.Glob(filepath.Join(root, "examples", "*", "go.mod"))
	if err != nil || len(modules) == 0 {
		t.Fatal("no example is a module", err)
	}
	for _, module := range modules {
		files, err := Load(filepath.Dir(module))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			for _, imported := range f.Imports {
				if path, ours := strings.CutPrefix(imported, Module+"/"); ours && !slices.Contains(slices.Concat(promised, bundles), path) {
					t.Errorf("%s: %s imports %s, which nobody is promised", filepath.Dir(module), f.Name, path)
				}
			}
		}
	}
}

// registered lists the plugins of the bundles: package, type and all names.
func registered(t *testing.T) []string {
	var lines []string
	for _, name := range bundles {
		lines = append(lines, "pkg "+name)
	}
	for _, kind := range []connector.PluginType{connector.SourceType, connector.SinkType, connector.TransformType,
		connector.PredicateType, connector.ConverterType, connector.HeaderConverterType} {
		for _, i := range connector.Plugins.List(kind) {
			plugin, err := connector.Plugins.New(kind, i.Name)
			if err != nil {
				t.Fatal(err)
			}
			pkg := strings.TrimPrefix(reflect.TypeOf(plugin).Elem().PkgPath(), Module+"/")
			names := slices.DeleteFunc(append([]string{i.Name, i.Class}, i.Aliases...), func(n string) bool { return n == "" })
			lines = append(lines, fmt.Sprintf("pkg %s, plugin %s %s", pkg, kind, strings.Join(names, " ")))
		}
	}
	slices.Sort(lines)
	return lines
}

// exported lists the exported names of a package with their types, as the
// files api/*.txt of Go do.
func exported(name string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(root, name, "*.go"))
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range parsed.Decls {
			for _, line := range declared(d) {
				lines = append(lines, "pkg "+name+", "+line)
			}
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines), nil
}

// declared gives the lines of a declaration.
func declared(d ast.Decl) []string {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if !d.Name.IsExported() {
			return nil
		}
		if d.Recv == nil {
			return []string{"func " + d.Name.Name + signature(d.Type)}
		}
		if receiver := text(d.Recv.List[0].Type); ast.IsExported(strings.TrimLeft(receiver, "*")) {
			return []string{"method (" + receiver + ") " + d.Name.Name + signature(d.Type)}
		}
	case *ast.GenDecl:
		var lines []string
		var last *ast.ValueSpec // which a constant without a value repeats
		for i, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				lines = append(lines, typed(s)...)
			case *ast.ValueSpec:
				if last == nil || s.Type != nil || s.Values != nil {
					last = s
				}
				for k, n := range s.Names {
					if n.IsExported() {
						lines = append(lines, d.Tok.String()+" "+n.Name+valued(last, k, i))
					}
				}
			}
		}
		return lines
	}
	return nil
}

// valued gives the type of the k-th name of a specification and what it is set
// to, in the i-th line of its block.
func valued(s *ast.ValueSpec, k, i int) string {
	var of string
	if s.Type != nil {
		of = " " + text(s.Type)
	}
	if k < len(s.Values) {
		of += " = " + strings.ReplaceAll(text(s.Values[k]), "iota", strconv.Itoa(i))
	}
	return of
}

// typed gives the lines of a type: itself, its fields, its methods if it is an
// interface.
func typed(s *ast.TypeSpec) []string {
	if !s.Name.IsExported() {
		return nil
	}
	head := "type " + s.Name.Name
	if s.TypeParams != nil {
		head += "[" + text(s.TypeParams.List[0].Type) + "]"
	}
	var members *ast.FieldList
	switch t := s.Type.(type) {
	case *ast.StructType:
		head, members = head+" struct", t.Fields
	case *ast.InterfaceType:
		head, members = head+" interface", t.Methods
	default:
		if s.Assign.IsValid() {
			head += " ="
		}
		return []string{head + " " + text(s.Type)}
	}
	lines := []string{head}
	for _, f := range members.List {
		if of := text(f.Type); len(f.Names) == 0 && ast.IsExported(of[strings.LastIndexAny(of, "*.")+1:]) {
			lines = append(lines, head+", embedded "+of)
		}
		for _, n := range f.Names {
			if !n.IsExported() {
				lines = append(lines, head+", something unexported")
				continue
			}
			if method, ok := f.Type.(*ast.FuncType); ok && strings.HasSuffix(head, "interface") {
				lines = append(lines, head+", "+n.Name+signature(method))
			} else {
				lines = append(lines, head+", "+n.Name+" "+text(f.Type))
			}
		}
	}
	return lines
}

// signature gives the types of a function without the names of what it takes.
func signature(f *ast.FuncType) string {
	list := func(fields *ast.FieldList) []string {
		var types []string
		if fields != nil {
			for _, p := range fields.List {
				types = append(types, slices.Repeat([]string{text(p.Type)}, max(1, len(p.Names)))...)
			}
		}
		return types
	}
	out := strings.Join(list(f.Results), ", ")
	if strings.Contains(out, ", ") {
		out = "(" + out + ")"
	}
	return strings.TrimRight("("+strings.Join(list(f.Params), ", ")+") "+out, " ")
}

// text prints a type on one line.
func text(e ast.Expr) string {
	if e == nil || reflect.ValueOf(e).IsNil() {
		return ""
	}
	if f, ok := e.(*ast.FuncType); ok {
		return "func" + signature(f)
	}
	var buf bytes.Buffer
	if err := printer.Fprint(&buf, token.NewFileSet(), e); err != nil {
		return err.Error()
	}
	return strings.Join(strings.Fields(buf.String()), " ")
}
