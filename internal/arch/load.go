package arch

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// Module is the path of the module whose rules these are.
const Module = "github.com/axiom-data-science/hydraulics"

// File is a file of Go and what it imports.
type File struct {
	Name    string // within the module
	Imports []string
}

// pkg gives the package of the file, within the module: runtime/herder.
func (f File) pkg() string { return path.Dir(f.Name) }

// test tells whether it is a file of tests.
func (f File) test() bool { return strings.HasSuffix(f.Name, "_test.go") }

// standard tells whether an import is of the standard library.
func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

// Load reads the imports of all files below root, whatever their build tags.
// Folders that are modules of their own, and testdata, are left out.
func Load(root string) ([]File, error) {
	var list []File
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return enter(root, name, d.Name())
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		f := File{Name: filepath.ToSlash(rel)}
		for _, i := range file.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			f.Imports = append(f.Imports, imported)
		}
		list = append(list, f)
		return nil
	})
	return list, err
}

// enter tells whether a folder is part of the module.
func enter(root, name, base string) error {
	if name == root {
		return nil
	}
	if base == "testdata" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return filepath.SkipDir
	}
	if own, err := filepath.Glob(filepath.Join(name, "go.mod")); err != nil || len(own) > 0 {
		return filepath.SkipDir
	}
	return nil
}
