// Package scaffold writes a module with a plugin of one's own: it compiles, passes its
// suite and runs as it is. The templates are packages of this module, tested as all are.
package scaffold

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

const (
	// Hydraulics is the module that plugins are written against.
	Hydraulics = "github.com/axiom-data-science/hydraulics"
	// templates is where main.go finds the plugin of the templates.
	templates = Hydraulics + "/cmd/hydraulics/internal/scaffold/template/source/example"
	// example is the module whose requirements a plugin's are, in a checkout.
	example = "examples/custom-source"
)

//go:embed template files
var files embed.FS

// Kinds are the plugins that there are templates of.
var Kinds = []string{"source", "sink", "transform"}

// Module is a module to be written.
type Module struct {
	Kind, Name string
	Dir        string // it must not hold a module
	Path       string // of the module
	// Replace is the folder of a checkout of hydraulics that it is built against; without
	// it Version is a released one.
	Replace, Version string
}

var (
	nameLike    = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	packageLike = regexp.MustCompile(`[^a-z0-9]`)
)

// reserved are names that Go does not take for a package here.
var reserved = []string{"break", "case", "chan", "const", "continue", "default", "defer", "else", "fallthrough", "for", "func", "go", "goto", "if",
	"import", "interface", "main", "map", "package", "range", "return", "select", "struct", "switch", "type", "var", "context", "connector",
	"connectortest", "errors", "filepath", "fmt", "fs", "internal", "json", "maps", "math", "os", "strings", "testing", "testdata", "time", "url", "vendor"}

// Check says what is wrong with what is asked for, before anything is written.
func (m Module) Check() error {
	switch {
	case !slices.Contains(Kinds, m.Kind):
		return fmt.Errorf("%q: want one of %s", m.Kind, strings.Join(Kinds, ", "))
	case !nameLike.MatchString(m.Name) || slices.Contains(reserved, m.packageName()):
		return fmt.Errorf("%q is no name for a plugin: want small letters, digits and hyphens, such as ctd-probe, and no word of Go", m.Name)
	}
	kind := map[string]connector.PluginType{"source": connector.SourceType, "sink": connector.SinkType, "transform": connector.TransformType}[m.Kind]
	if _, err := connector.Plugins.New(kind, m.Name); err == nil {
		return fmt.Errorf("there is a %s %s already: choose another name", m.Kind, m.Name)
	}
	if _, err := os.Stat(filepath.Join(m.Dir, "go.mod")); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s holds a module already: --dir names another folder", m.Dir)
	}
	if m.Replace != "" && !IsCheckout(m.Replace) {
		return fmt.Errorf("%s is no checkout of hydraulics: it has no go.mod of %s", m.Replace, Hydraulics)
	}
	return nil
}

// IsCheckout tells whether a folder is one of hydraulics.
func IsCheckout(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	return err == nil && strings.HasPrefix(string(text), "module "+Hydraulics+"\n")
}

func (m Module) packageName() string { return packageLike.ReplaceAllString(m.Name, "") }

// Write writes the module and gives the names of its files.
func (m Module) Write(ctx context.Context) ([]string, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	pkg := m.packageName()
	of := map[string]string{
		"template/main.go": "main.go",
		"template/" + m.Kind + "/example/" + m.Kind + ".go":      path.Join(pkg, m.Kind+".go"),
		"template/" + m.Kind + "/example/" + m.Kind + "_test.go": path.Join(pkg, m.Kind+"_test.go"),
		"files/" + m.Kind + ".yaml":                              m.Name + ".yaml",
		"files/" + m.Kind + ".json":                              "records.json",
		"files/README.md":                                        "README.md",
	}
	for _, to := range of {
		if _, err := os.Lstat(filepath.Join(m.Dir, filepath.FromSlash(to))); !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s holds %s already: --dir names another folder", m.Dir, to)
		}
	}
	var written []string
	for from, to := range of {
		text, err := files.ReadFile(from)
		if errors.Is(err, fs.ErrNotExist) && strings.HasSuffix(from, ".json") {
			continue // there is nothing to be read
		}
		if err != nil {
			return nil, err
		}
		if err := m.put(to, m.words().Replace(string(text))); err != nil {
			return nil, err
		}
		written = append(written, to)
	}
	slices.Sort(written)
	return append(written, "go.mod", "go.sum"), m.require(ctx)
}

// words puts the plugin's own names in place of those of the templates.
func (m Module) words() *strings.Replacer {
	where, preview := "the released version "+m.Version+" of hydraulics", "go run . preview "+m.Name+".yaml --input records.json   # what becomes of them; nothing is written"
	if m.Replace != "" {
		where = "hydraulics from a folder of this machine (`replace`)"
	}
	if m.Kind == "source" {
		preview = "go run . preview " + m.Name + ".yaml --poll 5   # what it would write; nothing is (with that Kafka)"
	}
	return strings.NewReplacer(templates, m.Path+"/"+m.packageName(), "package example", "package "+m.packageName(), "Package example", "Package "+m.packageName(),
		"example", m.Name, "KIND", m.Kind, "PACKAGE", m.packageName(), "WHERE", where, "PREVIEW", preview)
}

func (m Module) put(name, text string) error {
	to := filepath.Join(m.Dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, []byte(text), 0o644)
}

// require writes go.mod and go.sum: those of the checkout's example, which has the same
// requirements, or what Go finds for a released version.
func (m Module) require(ctx context.Context) error {
	if m.Replace == "" {
		text := fmt.Sprintf("module %s\n\ngo 1.26\n\nrequire %s %s\n", m.Path, Hydraulics, m.Version)
		if err := m.put("go.mod", text); err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, "go", "mod", "tidy")
		cmd.Dir, cmd.Env = m.Dir, append(os.Environ(), "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("the files are written, but go mod tidy ends with %w: --replace names a checkout of hydraulics, where version %s cannot be had:\n%s", err, m.Version, out)
		}
		return nil
	}
	from := filepath.Join(m.Replace, filepath.FromSlash(example))
	text, err := os.ReadFile(filepath.Join(from, "go.mod"))
	if err != nil {
		return err
	}
	sums, err := os.ReadFile(filepath.Join(from, "go.sum"))
	if err != nil {
		return err
	}
	if err := m.put("go.sum", string(sums)); err != nil {
		return err
	}
	_, requirements, _ := strings.Cut(string(text), "\n") // behind its module's name
	requirements, _, _ = strings.Cut(requirements, "\n// For the example")
	requirements, _, _ = strings.Cut(requirements, "\nreplace ")
	return m.put("go.mod", fmt.Sprintf("module %s\n%s\nreplace %s => %q\n", m.Path, requirements, Hydraulics, m.Replace))
}
