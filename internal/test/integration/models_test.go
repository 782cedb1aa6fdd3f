//go:build integration

package integration

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/configs"
	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard/plankton"
)

// putModel writes the demo's model under a name into the flow's folder, with its
// manifest changed by pairs of old and new text, and gives its path. There is no
// digest in it, so that the two may differ.
func (f *flow) putModel(name string, change ...string) string {
	t := f.Stack.t
	t.Helper()
	data, err := fs.ReadFile(configs.FS, demoModel)
	check(t, err)
	f.put(name+".onnx", data)
	f.put(name+".yaml", manifest(t, change...))
	return filepath.Join(f.dir, name+".onnx")
}

// manifest is the demo's, changed by pairs of old and new text.
func manifest(t *testing.T, change ...string) []byte {
	t.Helper()
	data, err := fs.ReadFile(configs.FS, demoManifest)
	check(t, err)
	lines := slices.DeleteFunc(strings.SplitAfter(string(data), "\n"), func(l string) bool { return strings.HasPrefix(l, "digest:") })
	return []byte(strings.NewReplacer(change...).Replace(strings.Join(lines, "")))
}

// put replaces a file of the flow's folder as a whole.
func (f *flow) put(name string, data []byte) {
	t := f.Stack.t
	t.Helper()
	name = filepath.Join(f.dir, name)
	check(t, os.WriteFile(name+".part", data, 0o644))
	check(t, os.Rename(name+".part", name))
}

// mirrored gives the change of a manifest that calls every class by another's
// name, the first by the last's and so on, and these names.
func mirrored() (change []string, name map[string]string) {
	classes := slices.Sorted(slices.Values(plankton.Classes()))
	name = map[string]string{}
	for i, class := range classes {
		name[class] = classes[len(classes)-1-i]
		change = append(change, "- "+class+"\n", "- "+name[class]+"\n")
	}
	return change, name
}

// harmful gives the demo's classes that stand for harmful algae.
func harmful(t *testing.T) map[string]bool {
	t.Helper()
	data, err := fs.ReadFile(configs.FS, "demo/hab.txt")
	check(t, err)
	classes := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			classes[line] = true
		}
	}
	return classes
}
