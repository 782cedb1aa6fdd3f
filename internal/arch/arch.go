package arch

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Module is the path of the module whose rules these are.
const Module = "github.com/axiom-data-science/hydraulics"

// Package is a package with what its files import, tests aside.
type Package struct {
	Path    string              // within the module, such as runtime/herder
	Imports map[string][]string // the files that import each path
}

// Load reads the imports of all packages below root. Folders that are modules
// of their own, and testdata, are left out.
func Load(root string) ([]Package, error) {
	packages := map[string]*Package{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return enter(root, name, d.Name())
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir := path.Dir(filepath.ToSlash(rel))
		p := packages[dir]
		if p == nil {
			p = &Package{Path: dir, Imports: map[string][]string{}}
			packages[dir] = p
		}
		for _, i := range file.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			p.Imports[imported] = append(p.Imports[imported], filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var list []Package
	for _, dir := range slices.Sorted(maps.Keys(packages)) {
		list = append(list, *packages[dir])
	}
	return list, nil
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

// Check gives every import that a rule forbids, as "file: imports x: rule".
func Check(packages []Package) []string {
	var broken []string
	for _, p := range packages {
		for _, imported := range slices.Sorted(maps.Keys(p.Imports)) {
			for _, r := range rules {
				if r.allows(p, imported) {
					continue
				}
				for _, file := range p.Imports[imported] {
					broken = append(broken, fmt.Sprintf("%s: imports %s: %s", file, strings.TrimPrefix(imported, Module+"/"), r.text))
				}
			}
		}
	}
	return broken
}
