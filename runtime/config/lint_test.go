package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	_ "github.com/axiom-data-science/hydraulics/connectors/file"
)

// Clauses: B7, B11, G10.
func TestLintBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*.bad.*")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, ".txt") {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			j, err := Read(file)
			var lines []string
			if err != nil {
				lines = append(lines, err.Error())
			} else {
				for _, p := range Lint(j, connector.Plugins, nil) {
					lines = append(lines, p.String())
				}
			}
			text := strings.ReplaceAll(strings.Join(lines, "\n")+"\n", "testdata/", "")
			golden(t, filepath.Base(file)+".txt", text)
		})
	}
}

// Clauses: B5.
func TestReportHidesWhatReferencesStandFor(t *testing.T) {
	t.Setenv("CONFIG_TEST_SECRET", "s3cret")
	r, err := NewResolver(connector.Props{})
	if err != nil {
		t.Fatal(err)
	}
	v := &Validator{Plugins: connector.Plugins, Resolver: r}
	report, err := v.Validate(connector.Props{"name": "n", "connector.class": "file-source", "topic": "t",
		"batch.size": "${env:CONFIG_TEST_SECRET}"}, Origin{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range report.Checks {
		if text, _ := c.Text(); strings.Contains(text+strings.Join(c.Value.Errors, " "), "s3cret") {
			t.Errorf("%s shows %q and says %q", c.Def.Name, text, c.Value.Errors)
		}
	}
	want := "Invalid value ${env:CONFIG_TEST_SECRET} for configuration batch.size: Not a number of type INT"
	if p := report.Problems(); len(p) != 1 || p[0].Message != want {
		t.Errorf("%v, want %s", p, want)
	}
}

// Clauses: E1, E2.
func TestResolver(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("secrets.properties", "user=bob\npassword=p w\n")
	write("allowed/token", "t0ken\n")
	write("other/token", "x")
	t.Setenv("CONFIG_TEST_USER", "env")
	free, err := NewResolver(connector.Props{})
	if err != nil {
		t.Fatal(err)
	}
	limited, err := NewResolver(connector.Props{"config.providers": "d, e", "config.providers.d.class": "org.apache.kafka.common.config.provider.DirectoryConfigProvider",
		"config.providers.d.param.allowed.paths": filepath.Join(dir, "allowed"),
		"config.providers.e.class":               "env", "config.providers.e.param.allowlist.pattern": "OTHER_.*"})
	if err != nil {
		t.Fatal(err)
	}
	write("allowed/token.properties", "user=bob\n")
	write("other/token.properties", "user=eve\n")
	listed, err := NewResolver(connector.Props{"config.providers.file.param.allowed.paths": filepath.Join(dir, "allowed")})
	if err != nil {
		t.Fatal(err)
	}
	named, err := NewResolver(connector.Props{"config.providers": "env"})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, text, want, err string
		r                     *Resolver
		remote                bool
	}{
		{"a file beside the configuration", "${file:secrets.properties:user}:${file:secrets.properties:password}", "bob:p w", "", free, false},
		{"a file of a folder", "${dir:allowed:token}", "t0ken\n", "", free, false},
		{"the environment", "${env:CONFIG_TEST_USER}", "env", "", free, false},
		{"something else", "${topic}-${timestamp} ${a:b}", "${topic}-${timestamp} ${a:b}", "", free, false},
		{"no such variable", "${env:CONFIG_TEST_NONE}", "", "k: ${env:CONFIG_TEST_NONE}: environment variable CONFIG_TEST_NONE is not set", free, false},
		{"no such key", "${file:secrets.properties:x}", "", "has no key x", free, false},
		{"no such file", "${file:nothing.properties:x}", "", "no such file", free, false},
		{"a path as the name of a file", "${dir:allowed:../secrets.properties}", "", "is not the name of a file", free, false},
		{"allowed", "${d:allowed:token}", "t0ken\n", "", limited, true},
		{"not allowed", "${d:other:token}", "", "is not in allowed.paths", limited, false},
		{"not allowed by a way round", "${d:allowed/../other:token}", "", "is not in allowed.paths", limited, false},
		{"not in the allow list", "${e:CONFIG_TEST_USER}", "", "is not in the allowlist.pattern OTHER_.*", limited, false},
		{"over REST by an allow list", "${file:allowed/token.properties:user}", "bob", "", listed, true},
		{"over REST beside an allow list", "${file:other/token.properties:user}", "", "is not in allowed.paths", listed, true},
		{"over REST, named without an allow list", "${env:CONFIG_TEST_USER}", "env", "", named, true},
		{"not for connectors made over REST", "${env:CONFIG_TEST_USER}", "", "may only use what the worker names", limited, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.r.Resolve(connector.Props{"k": tt.text}, Origin{Dir: dir, Remote: tt.remote})
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("%v, want %s", err, tt.err)
				}
				return
			}
			if err != nil || got["k"] != tt.want {
				t.Errorf("%q, %v, want %q", got["k"], err, tt.want)
			}
		})
	}
}

func TestPath(t *testing.T) {
	dir, cache := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "own.onnx"), []byte("own"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &Resolver{Embedded: os.DirFS("testdata"), cacheDir: cache}
	read := func(path string) string {
		t.Helper()
		got, err := r.Path(path, Origin{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(got)
		if err != nil {
			return err.Error()
		}
		return string(data)
	}
	if got := read("own.onnx"); got != "own" {
		t.Errorf("beside the file: %q", got)
	}
	want, err := os.ReadFile("testdata/flat.json")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // unpacked, then found
		if got := read("flat.json"); got != string(want) {
			t.Errorf("embedded: %q", got)
		}
	}
	if got := read("../nowhere"); !strings.Contains(got, filepath.Join(filepath.Dir(dir), "nowhere")) {
		t.Errorf("nowhere: %q", got)
	}
}

func TestPathWithoutCacheFolder(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", file) // no folder can be made in it
	t.Setenv("XDG_CACHE_HOME", "")
	r := &Resolver{Embedded: os.DirFS("testdata")}
	got, err := r.Path("flat.json", Origin{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(got, os.TempDir()) {
		t.Errorf("%s is not in the temporary folder", got)
	}
	if _, err := os.Stat(got); err != nil {
		t.Error(err)
	}
}

func TestMissing(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "own.onnx"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, path string
		want       bool
	}{
		{"nothing said", "", false},
		{"beside the file", "own.onnx", false},
		{"by its whole path", filepath.Join(dir, "own.onnx"), false},
		{"embedded", "flat.json", false},
		{"a URL", "http://localhost:8501/v1/models/m", false},
		{"nowhere", "models/none.onnx", true},
		{"nowhere, by its whole path", filepath.Join(dir, "none.onnx"), true},
	}
	r := &Resolver{Embedded: os.DirFS("testdata")}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := r.missing(tt.path, Origin{Dir: dir}); got != tt.want {
				t.Errorf("%t", got)
			}
		})
	}
}

// clumsy is a plugin that panics where its configuration is looked at.
type clumsy struct {
	connector.Source
	in string // ConfigDef, Check, Recommend or Validate
}

func (clumsy) Info() connector.Info { return connector.Info{Name: "clumsy"} }
func (p clumsy) fall(in string) {
	if p.in == in {
		panic("clumsy")
	}
}

func (p clumsy) ConfigDef() *connector.ConfigDef {
	p.fall("ConfigDef")
	return connector.NewConfigDef(connector.Key{Name: "k", Type: connector.StringKey,
		Check:     func(string, any) error { p.fall("Check"); return nil },
		Recommend: func(map[string]any) ([]any, bool) { p.fall("Recommend"); return nil, true }})
}
func (p clumsy) Validate(connector.Config, *connector.Problems) { p.fall("Validate") }

// Clauses: A7.
func TestPanicOfAPluginIsAProblem(t *testing.T) {
	for _, in := range []string{"ConfigDef", "Check", "Recommend", "Validate"} {
		for name, c := range map[string]struct {
			typ   connector.PluginType
			props connector.Props
		}{
			"connector": {connector.SourceType, connector.Props{"connector.class": "clumsy", "k": "v"}},
			"transform": {connector.TransformType, connector.Props{"connector.class": "heartbeat", "transforms": "t", "transforms.t.type": "clumsy", "transforms.t.k": "v"}},
			"predicate": {connector.PredicateType, connector.Props{"connector.class": "heartbeat", "predicates": "p", "predicates.p.type": "clumsy", "predicates.p.k": "v"}},
			"converter": {connector.ConverterType, connector.Props{"connector.class": "heartbeat", "value.converter": "clumsy", "value.converter.k": "v"}},
		} {
			t.Run(in+" of a "+name, func(t *testing.T) {
				r := registryOf("source")
				r.Add(c.typ, func() connector.Plugin { return clumsy{in: in} })
				c.props["name"] = "c"
				report, err := (&Validator{Plugins: r}).Validate(c.props, Origin{})
				if err != nil || report.Err() == nil || !strings.Contains(report.Err().Error(), "clumsy: the plugin panicked while it was validated: clumsy") {
					t.Errorf("%v, %v", err, report.Problems())
				}
			})
		}
	}
}

// TestNullValues refuses null at the door of files and requests, whatever a
// definition makes of it.
//
// Clauses: B6.
func TestNullValues(t *testing.T) {
	const null = "Null value can not be supplied as the configuration value."
	report, err := (&Validator{Plugins: connector.Plugins}).Validate(connector.Props{"name": "n", "connector.class": "file-source",
		"topic": nil, "file": "f", "tasks.max": nil, "transforms": nil, "batch.size": nil, "some.key": nil, "producer.override.acks": nil}, Origin{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, p := range report.Problems() {
		got[p.Key] = append(got[p.Key], p.Message)
	}
	want := map[string][]string{"topic": {null}, "tasks.max": {null}, "transforms": {null}, "batch.size": {null}, "some.key": {null}, "producer.override.acks": {null}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Clauses: B8.
func TestConnectorNames(t *testing.T) {
	tests := []struct{ name, want string }{
		{"a/b c", ""}, {" a ", ""}, {"🦠", ""}, {"..", ""}, {strings.Repeat("é", 127) + "x", ""},
		{"a\tb", "may not contain control sequences"}, {"a\n", "may not contain control sequences"}, {"\x00", "may not be empty"},
		{"a\u0085", "may not contain control sequences"}, {strings.Repeat("é", 128), "it has 256 bytes, more than 255"},
		{strings.Repeat(" ", 255) + "x", "it has 256 bytes, more than 255"}, {"a\xff", "it is not UTF-8"},
	}
	for _, tt := range tests {
		report, err := (&Validator{Plugins: connector.Plugins}).Validate(connector.Props{"name": tt.name, "connector.class": "file-source", "topic": "t", "file": "f"}, Origin{})
		if err != nil {
			t.Fatal(err)
		}
		p := report.Problems()
		if tt.want == "" && len(p) > 0 || tt.want != "" && (len(p) != 1 || p[0].Key != "name" || !strings.Contains(p[0].Message, tt.want)) {
			t.Errorf("%q: %v, want %q", tt.name, p, tt.want)
		}
	}
}
