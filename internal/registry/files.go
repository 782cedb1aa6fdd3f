package registry

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/internal/avro"
	"github.com/axiom-data-science/hydraulics/internal/jsonschema"
	"github.com/axiom-data-science/hydraulics/internal/protobuf"
)

// File is one schema file.
type File struct {
	Name string // without its folder
	Text string
	Type Type
	refs []fileReference
}

// fileReference is a file that another refers to by a name: a named type in
// Avro, a path in Protobuf, a $ref in JSON Schema.
type fileReference struct {
	name string
	file *File
}

// extensions are those of schema files.
var extensions = map[string]Type{".avsc": Avro, ".proto": Protobuf, ".json": JSON}

// FindFiles gives the schema files (*.avsc, *.proto, *.json) at the top of a
// folder whose name is the given one or begins with it and a dash; "all" is
// every file. Those that they refer to come before them. Finding none is an
// error that says which there are.
func FindFiles(dir fs.FS, name string) ([]*File, error) {
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return nil, fmt.Errorf("schema files: %w", err)
	}
	var all, chosen []*File
	var names []string
	for _, e := range entries {
		ext := path.Ext(e.Name())
		typ, ok := extensions[ext]
		if !ok || e.IsDir() {
			continue
		}
		text, err := fs.ReadFile(dir, e.Name())
		if err != nil {
			return nil, fmt.Errorf("schema file: %w", err)
		}
		f := &File{Name: e.Name(), Text: string(text), Type: typ}
		all, names = append(all, f), append(names, f.Name)
		if base := strings.TrimSuffix(f.Name, ext); name == "all" || base == name || f.Name == name || strings.HasPrefix(base, name+"-") {
			chosen = append(chosen, f)
		}
	}
	switch {
	case len(names) == 0:
		return nil, fmt.Errorf("schemas: there is no .avsc, .proto or .json file in the folder")
	case len(chosen) == 0:
		return nil, fmt.Errorf("schemas: %q names none of %s (all names them all)", name, strings.Join(names, ", "))
	}
	link(all)
	var ordered []*File
	for _, f := range chosen {
		ordered = f.before(ordered, nil)
	}
	return ordered, nil
}

// before adds a file behind all that it refers to. Files that refer to each
// other in a circle are left for the registry to refuse.
func (f *File) before(list, open []*File) []*File {
	if slices.Contains(list, f) || slices.Contains(open, f) {
		return list
	}
	for _, r := range f.refs {
		list = r.file.before(list, append(open, f))
	}
	return append(list, f)
}

// referred gives the references of a file, each after those that it has itself.
func (f *File) referred() []fileReference { return f.collect(nil, []*File{f}) }

func (f *File) collect(list []fileReference, open []*File) []fileReference {
	for _, r := range f.refs {
		if slices.Contains(open, r.file) || slices.Contains(list, r) {
			continue
		}
		list = append(r.file.collect(list, append(open, r.file)), r)
	}
	return list
}

// link finds what files refer to among all of them. What is no schema defines
// and uses nothing; it is an error where it is registered.
func link(all []*File) {
	defined := map[Type]map[string]*File{Avro: {}, Protobuf: {}, JSON: {}}
	used := make([][]string, len(all))
	for i, f := range all {
		var names []string
		switch f.Type {
		case Protobuf:
			names = []string{f.Name}
			for _, m := range protoImport.FindAllStringSubmatch(f.Text, -1) {
				used[i] = append(used[i], m[1])
			}
		case JSON:
			names, used[i] = jsonNames(f)
		default:
			names, used[i] = avroNames(f)
		}
		for _, n := range names {
			defined[f.Type][n] = f
		}
	}
	for i, f := range all {
		for _, name := range used[i] {
			r := fileReference{name, defined[f.Type][name]}
			if r.file != nil && r.file != f && !slices.Contains(f.refs, r) {
				f.refs = append(f.refs, r)
			}
		}
	}
}

var protoImport = regexp.MustCompile(`(?m)^\s*import\s+(?:public\s+|weak\s+)?"([^"]+)"\s*;`)

// jsonNames gives the names by which a JSON Schema may be referred to, and those
// that it refers to.
func jsonNames(f *File) (defined, used []string) {
	defined = []string{f.Name}
	var root any
	if json.Unmarshal([]byte(f.Text), &root) != nil {
		return defined, nil
	}
	if o, ok := root.(map[string]any); ok {
		if id, ok := o["$id"].(string); ok {
			defined = append(defined, id)
		}
	}
	walk(root, func(key string, v any) {
		if ref, ok := v.(string); ok && key == "$ref" {
			if name, _, _ := strings.Cut(ref, "#"); name != "" {
				used = append(used, name)
			}
		}
	})
	slices.Sort(used) // the order of an object's members is lost
	return defined, slices.Compact(used)
}

// walk visits the members of all objects in a JSON value.
func walk(v any, visit func(key string, v any)) {
	switch x := v.(type) {
	case map[string]any:
		for k, e := range x {
			visit(k, e)
			walk(e, visit)
		}
	case []any:
		for _, e := range x {
			walk(e, visit)
		}
	}
}

// avroNames gives the full names of the types that an Avro schema defines, and
// of those that it uses without defining them.
func avroNames(f *File) (defined, used []string) {
	var root any
	if json.Unmarshal([]byte(f.Text), &root) != nil {
		return nil, nil
	}
	var types func(v any, namespace string)
	types = func(v any, namespace string) {
		switch x := v.(type) {
		case string:
			if namespace != "" && !strings.Contains(x, ".") {
				used = append(used, namespace+"."+x)
			}
			used = append(used, x) // a simple name may be one without a namespace
		case []any:
			for _, branch := range x {
				types(branch, namespace)
			}
		case map[string]any:
			if name, ok := x["name"].(string); ok {
				if own, ok := x["namespace"].(string); ok {
					namespace = own
				}
				if i := strings.LastIndexByte(name, '.'); i >= 0 {
					namespace, name = name[:i], name[i+1:]
				}
				defined = append(defined, strings.TrimPrefix(namespace+"."+name, "."))
			}
			for _, key := range []string{"type", "items", "values"} {
				types(x[key], namespace)
			}
			fields, _ := x["fields"].([]any)
			for _, field := range fields {
				if of, ok := field.(map[string]any); ok {
					types(of["type"], namespace)
				}
			}
		}
	}
	types(root, "")
	return defined, slices.DeleteFunc(used, func(n string) bool { return slices.Contains(defined, n) })
}

// Subject gives the subject of a schema file: the namespace of its record, the
// package of its first message or that of its title, with dashes for dots, a
// dash, and the name of it.
func (f *File) Subject() (string, error) {
	full, what := "", ""
	switch f.Type {
	case Protobuf:
		what = "protobuf schema: it must have a package and a message"
		imports := []protobuf.Import{}
		for _, r := range f.referred() {
			imports = append(imports, protobuf.Import{Path: r.name, Text: r.file.Text})
		}
		d, err := protobuf.Parse(f.Text, imports...)
		if err != nil {
			return "", fmt.Errorf("protobuf schema: %w", err)
		}
		if d.Messages().Len() > 0 {
			full = string(d.Messages().Get(0).FullName())
		}
	case JSON:
		what = "json schema: it must have a title with a dot"
		v, err := jsonschema.Decode([]byte(f.Text))
		if err != nil {
			return "", fmt.Errorf("the file is not JSON: %w", err)
		}
		if o, ok := v.(*jsonschema.Object); ok {
			full = o.Text("title")
		}
	default:
		what = "avro schema: it must be a record with a namespace and a name"
		if !json.Valid([]byte(f.Text)) {
			return "", fmt.Errorf("the file is not JSON")
		}
		var texts []string
		for _, r := range f.referred() {
			texts = append(texts, r.file.Text)
		}
		s, err := avro.Parse(f.Text, texts...)
		if err != nil {
			return "", err
		}
		full = s.Name()
	}
	i := strings.LastIndexByte(full, '.')
	if i < 0 {
		return "", fmt.Errorf("%s, which make its subject", what)
	}
	return strings.ReplaceAll(full[:i], ".", "-") + "-" + full[i+1:], nil
}
