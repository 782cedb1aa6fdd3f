package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/axiom-data-science/hydraulics/connector"
)

// splitPlugin is a source with a path among its keys.
type splitPlugin struct{}

func (splitPlugin) Info() connector.Info { return connector.Info{Name: "split", Version: "1"} }
func (splitPlugin) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(connector.Key{Name: "model", Type: connector.StringKey, Default: "", Path: true})
}

// referrer validates connectors whose secrets are in the file that it gives.
func referrer(t *testing.T, secrets string) (v *Validator, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "secrets.properties")
	if err := os.WriteFile(file, []byte(secrets), 0o600); err != nil {
		t.Fatal(err)
	}
	resolver, err := NewResolver(nil)
	if err != nil {
		t.Fatal(err)
	}
	plugins := new(connector.Registry)
	plugins.Add(connector.SourceType, func() connector.Plugin { return splitPlugin{} })
	return &Validator{Plugins: plugins, Resolver: resolver}, file
}

func resolved(t *testing.T, v *Validator, props connector.Props, dir string) (*Report, connector.Props) {
	t.Helper()
	report, err := v.Validate(props, Origin{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	out, err := v.Resolve(report)
	if err != nil {
		t.Fatal(err)
	}
	return report, out
}

// A plugin makes a task of a connector; the task is kept, the secrets change, and the task starts.
//
// Clauses: E3.
func TestReferAndResolveTask(t *testing.T) {
	v, file := referrer(t, "user=admin\npw=hunter2\nlong=hunter2-and-more\nn=1\nempty=\n")
	dir := filepath.Dir(file)
	ref := func(key string) string { return "${file:secrets.properties:" + key + "}" }
	written := connector.Props{"name": "c", "connector.class": "split", "tasks.max": "1", "model": "m.onnx", "password": ref("pw"),
		"long": ref("long"), "n": ref("n"), "url": "db://" + ref("user") + "@host", "empty": ref("empty"), "topic": "${topic}-x", "none": nil}
	tests := []struct {
		name       string
		made       any // of the plugin, under the key
		key        string
		kept, then any // then is with the new secrets
	}{
		{"a literal", "1", "tasks.max", "1", "1"},
		{"a secret", "hunter2", "password", ref("pw"), "correct horse"},
		{"a secret under another key", "hunter2", "sasl.password", ref("pw"), "correct horse"},
		{"one within a text", "http://u:hunter2@host", "address", "http://u:" + ref("pw") + "@host", "http://u:correct horse@host"},
		{"one that another is part of", "(hunter2-and-more,hunter2)", "both", "(" + ref("long") + "," + ref("pw") + ")", "(battery,correct horse)"},
		{"a text with a reference", "db://admin@host", "url", "db://" + ref("user") + "@host", "db://root@host"},
		{"one that was changed", "db://admin@host/", "url", "db://" + ref("user") + "@host/", "db://root@host/"},
		{"what is short is found by chance", "11", "task", "11", "11"},
		{"what is short under its key", "1", "n", ref("n"), "2"},
		{"a path", filepath.Join(dir, "m.onnx"), "model", "m.onnx", filepath.Join(dir, "m.onnx")},
		{"another path", "/models/m.onnx", "model", "/models/m.onnx", "/models/m.onnx"},
		{"no provider", "${topic}-x", "topic", "${topic}-x", "${topic}-x"},
		{"null", nil, "none", nil, nil},
		{"null in place of a text", nil, "url", nil, nil},
		{"a number", 3, "task", "3", "3"},
		{"a list", []string{"a", "b"}, "list", "a,b", "a,b"},
		{"a password", connector.Password("hunter2"), "password", ref("pw"), "correct horse"},
		{"another password", connector.Password("mine"), "password", "mine", "mine"},
		{"an empty one", "", "empty", ref("empty"), ""},
	}
	report, props := resolved(t, v, written, dir)
	if err := os.WriteFile(file, []byte("user=root\npw=correct horse\nlong=battery\nn=2\nempty=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	later, _ := resolved(t, v, written, dir)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			kept := report.Refer(props, connector.Props{tt.key: tt.made})
			if d := cmp.Diff(connector.Props{tt.key: tt.kept}, kept); d != "" {
				t.Errorf("kept: %s", d)
			}
			then, err := v.ResolveTask(later, kept)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(connector.Props{tt.key: tt.then}, then); d != "" {
				t.Errorf("as it starts: %s", d)
			}
		})
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := v.ResolveTask(later, connector.Props{"password": ref("pw")}); err == nil {
		t.Error("a secret that is gone gives no error")
	}
}

// While the secrets stay the same a task gets what its plugin made.
func TestResolveTaskIsTheWayBack(t *testing.T) {
	v, file := referrer(t, "a=secret\nb=secret2\nc=cret\nd=x\n")
	word := rapid.SampledFrom([]string{"secret", "secret2", "cret", "x", "se", "cre", "t2", "2", ":", "$", "}", "file"}) // with ${ it would be a reference of its own
	report, props := resolved(t, v, connector.Props{"name": "c", "connector.class": "split", "a": "${file:secrets.properties:a}", "bc": "${file:secrets.properties:b}${file:secrets.properties:c}",
		"d": "${file:secrets.properties:d}", "e": "cret"}, filepath.Dir(file))
	rapid.Check(t, func(t *rapid.T) {
		made := connector.Props{}
		for _, key := range []string{"a", "bc", "d", "e", "f"} {
			text := ""
			for _, w := range rapid.SliceOfN(word, 0, 5).Draw(t, key) {
				text += w
			}
			made[key] = text
		}
		back, err := v.ResolveTask(report, report.Refer(props, made))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(made, back); d != "" {
			t.Error(d)
		}
	})
}

func TestResolveTaskWithoutResolver(t *testing.T) {
	v, _ := referrer(t, "")
	v.Resolver = nil
	report, props := resolved(t, v, connector.Props{"name": "c", "connector.class": "split", "a": "${env:X}"}, "")
	got, err := v.ResolveTask(report, report.Refer(props, connector.Props{"a": "${env:X}"}))
	if err != nil || got["a"] != "${env:X}" {
		t.Errorf("%v %v", got, err)
	}
}
