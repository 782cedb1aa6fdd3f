package arch

import (
	"cmp"
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed imports.txt
var table string

// Rules are what imports.txt says.
type Rules struct {
	packages []row // which packages of the module each package may import
	modules  []row // which packages each outside module may be imported by
}

// row is a line: a package, folder or module, and what is allowed it.
type row struct {
	name    string
	allowed []string
	level   int
	title   string // of the level
}

// tests is the name of the row for what all tests may import, and of a home of
// modules that all tests may import.
const tests = "..._test"

// Read gives the rules of imports.txt.
func Read() (*Rules, error) { return parse(table) }

// parse reads rules, and says which of them contradict the order of levels.
func parse(text string) (*Rules, error) {
	r := new(Rules)
	rows, level, title := &r.packages, 0, ""
	for i, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		switch name, allowed, is := strings.Cut(line, ":"); {
		case line == "":
		case line == "modules":
			rows = &r.modules
		case is:
			*rows = append(*rows, row{name, strings.Fields(allowed), level, title})
		case strings.HasPrefix(line, "level "):
			level, title = level+1, strings.TrimPrefix(line, "level ")
		default:
			return nil, fmt.Errorf("imports.txt:%d: %s: neither a level nor a name with a colon", i+1, line)
		}
	}
	for _, from := range r.packages {
		for _, to := range r.packages {
			up := to.level > from.level && from.name != tests && to.name != tests
			if up && slices.ContainsFunc(from.allowed, func(a string) bool { return meet(a, to.name) }) {
				return nil, fmt.Errorf("imports.txt: %s is of the level %q and must not import %s above it, of the level %q", from.name, from.title, to.name, to.title)
			}
		}
	}
	return r, nil
}

// covers tells whether a pattern, x or x/..., stands for a package.
func covers(pattern, pkg string) bool {
	folder, is := strings.CutSuffix(pattern, "...")
	return pattern == pkg || is && strings.HasPrefix(pkg+"/", folder)
}

// meet tells whether some package is of both patterns.
func meet(a, b string) bool {
	return covers(a, strings.TrimSuffix(b, "/...")) || covers(b, strings.TrimSuffix(a, "/..."))
}

// best gives the longest row whose pattern stands for a package.
func best(rows []row, covers func(name string) bool) *row {
	var found *row
	for i, r := range rows {
		if covers(r.name) && (found == nil || len(r.name) > len(found.name)) {
			found = &rows[i]
		}
	}
	return found
}

func (r *Rules) pkg(name string) *row {
	return best(r.packages, func(pattern string) bool { return covers(pattern, name) })
}

func (r *Rules) module(imported string) *row {
	return best(r.modules, func(module string) bool { return covers(module+"/...", imported) })
}

// Check gives every import that the rules forbid, as "file: imports x: rule",
// and every line and word of them that nothing needs any more.
func (r *Rules) Check(files []File) []string {
	var broken []string
	used := map[string]bool{} // names of rows, and "row word"
	for _, f := range files {
		from := r.pkg(f.pkg())
		if from == nil {
			if why := f.pkg() + ": imports.txt has no line for it: give it one, on its level"; !slices.Contains(broken, why) {
				broken = append(broken, why)
			}
			continue
		}
		used[from.name] = true
		for _, imported := range f.Imports {
			if why := r.forbids(f, from, imported, used); why != "" {
				broken = append(broken, fmt.Sprintf("%s: imports %s: %s", f.Name, strings.TrimPrefix(imported, Module+"/"), why))
			}
		}
	}
	return append(broken, r.stale(used)...)
}

// forbids says why a file, whose package has the row from, may not import
// something, and notes which words allow it.
func (r *Rules) forbids(f File, from *row, imported string, used map[string]bool) string {
	allows := func(by *row, fits func(word string) bool) bool {
		i := slices.IndexFunc(by.allowed, fits)
		if used[by.name] = true; i >= 0 {
			used[by.name+" "+by.allowed[i]] = true
		}
		return i >= 0
	}
	if standard(imported) {
		return ""
	}
	path, ours := strings.CutPrefix(imported, Module+"/")
	if !ours {
		home := r.module(imported)
		switch {
		case home == nil:
			return "imports.txt names no home of this module"
		case allows(home, func(at string) bool {
			at, tests := strings.CutSuffix(at, "_test")
			return covers(at, f.pkg()) && (f.test() || !tests)
		}):
			return ""
		}
		return home.name + " is for " + strings.Join(home.allowed, ", ") + " alone"
	}
	fits := func(word string) bool { return covers(word, path) }
	if path == f.pkg() || covers(from.name, path) || allows(from, fits) {
		return ""
	}
	if !f.test() {
		return from.name + " may import " + cmp.Or(strings.Join(from.allowed, ", "), "nothing") + " of this module"
	}
	to, all := r.pkg(path), best(r.packages, func(name string) bool { return name == tests })
	if to != nil && to.level <= from.level || all != nil && allows(all, fits) {
		return ""
	}
	return "it is of a level above " + from.name + ", and no tool of tests"
}

// stale gives the lines and words that no import needed.
func (r *Rules) stale(used map[string]bool) []string {
	var list []string
	for _, row := range slices.Concat(r.packages, r.modules) {
		if !used[row.name] {
			list = append(list, "imports.txt: "+row.name+": there is no such thing any more: take the line out")
			continue
		}
		for _, word := range row.allowed {
			if !used[row.name+" "+word] {
				list = append(list, "imports.txt: "+row.name+": "+word+" is no longer needed: take it out")
			}
		}
	}
	return list
}
