package reference

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/configs"
	"github.com/axiom-data-science/hydraulics/connector"
	_ "github.com/axiom-data-science/hydraulics/connectors/all"
	_ "github.com/axiom-data-science/hydraulics/converter/all"
	"github.com/axiom-data-science/hydraulics/runtime/cli"
	_ "github.com/axiom-data-science/hydraulics/transforms/all"
)

var update = flag.Bool("update", false, "write the documents anew")

const (
	root     = "../../.."
	folder   = root + "/docs"
	examples = folder + "/plugins/examples"
)

// TestPages holds the documents that are made from the program to it.
func TestPages(t *testing.T) {
	pages, err := Pages(os.DirFS(root), connector.Plugins)
	check(t, err)
	for name, text := range pages {
		file := filepath.Join(folder, filepath.FromSlash(name))
		if *update {
			check(t, os.WriteFile(file, []byte(text), 0o644))
			continue
		}
		got, err := os.ReadFile(file)
		check(t, err)
		if d := cmp.Diff(text, string(got)); d != "" {
			t.Errorf("%s is not as the program says; make docs writes it anew (-want +got):\n%s", name, d)
		}
	}
	there, err := filepath.Glob(folder + "/plugins/*.md")
	check(t, err)
	for _, file := range there {
		if name := "plugins/" + filepath.Base(file); pages[name] == "" {
			t.Errorf("%s is of no plugin any more", name)
		}
	}
}

// TestExamples checks each example beside the worker's, runs the records of those
// that show some, and looks for examples that no page shows.
func TestExamples(t *testing.T) {
	pages, err := Pages(os.DirFS(root), connector.Plugins)
	check(t, err)
	exampleSecrets(t)
	files, err := filepath.Glob(examples + "/*.yaml")
	check(t, err)
	for _, file := range files {
		name, isTest := strings.CutSuffix(filepath.Base(file), ".test.yaml")
		name = strings.TrimSuffix(name, ".yaml")
		t.Run(filepath.Base(file), func(t *testing.T) {
			if pages["plugins/"+name+".md"] == "" {
				t.Error("no page shows it")
			}
			args := []string{"lint", "--elsewhere", examples + "/worker.yaml", file}
			if isTest {
				args = []string{"test", file}
			} else if name == "worker" {
				args[3] = examples + "/every-sink.yaml"
			}
			out, err := command(t, args...)
			for line := range strings.Lines(out) {
				if !isTest && !strings.Contains(line, "no such file") {
					t.Error(line)
				}
			}
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// exampleSecrets sets the variables that examples take their secrets from.
func exampleSecrets(t *testing.T) {
	t.Helper()
	for _, name := range []string{"PGPASSWORD", "REGISTRY_LOGIN", "HOOK_TOKEN", "HOOK_PASSWORD"} {
		t.Setenv(name, "secret:secret")
	}
}

// command runs a command of the program and gives what it printed.
func command(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cli.Defaults = configs.FS
	root, out := cli.Root("hydraulics"), new(bytes.Buffer)
	root.SetOut(out)
	root.SetErr(out)
	root.SetArgs(args)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
