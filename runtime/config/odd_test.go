package config

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
)

// load reads one file of this text and gives the keys of its connector, or the
// first thing wrong with it.
func load(t *testing.T, name, text string) (connector.Props, string) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Read(name)
	switch {
	case err != nil:
		return nil, err.Error()
	case len(s.Problems) > 0:
		return nil, s.Problems[0].String()
	case len(s.Connectors) == 0:
		return s.Worker.Props(), ""
	}
	return s.Connectors[0].Entries.Props(), ""
}

// A .properties file is read as Java reads it, however odd it is.
func TestOddProperties(t *testing.T) {
	const head = "name=c\nconnector.class=x\n"
	for name, c := range map[string]struct{ text, want, wrong string }{
		"escapes":                 {head + `k=\u00e9\t\:\=\#\!\\ \z` + "\n", "é\t:=#!\\ z", ""},
		"surrogate pair":          {head + `k=\uD83D\uDC1F` + "\n", "🐟", ""},
		"continuation":            {head + "k=a,\\\n   b,\\\r\n\tc\n", "a,b,c", ""},
		"two backslashes end it":  {head + "k=a\\\\\nl=b\n", `a\`, ""},
		"continued comment":       {head + "# no \\\nk=v\n", "v", ""},
		"continuation at the end": {head + `k=v\`, "v", ""},
		"byte order mark":         {"\ufeff" + head + "k=v\n", "v", ""},
		"carriage returns":        {strings.ReplaceAll(head, "\n", "\r") + "k=v\r", "v", ""},
		"colon and spaces":        {head + "  k  :  v  \n", "v  ", ""},
		"space alone":             {head + "k v=w\n", "v=w", ""},
		"key alone":               {head + "k\n", "", ""},
		"key with escapes":        {head + `\u006b=v` + "\n", "v", ""},
		"the last of two counts":  {head + "k=1\nk=2\n", "2", ""},
		"form feed":               {head + "\fk\f=\fv\n", "v", ""},
		"Latin-1":                 {head + "k=\xe9\n", "é", ""},
		"megabyte":                {head + "k=" + strings.Repeat("x", 1<<20) + "\n", strings.Repeat("x", 1<<20), ""},
		"megabyte of lines":       {head + "k=" + strings.Repeat("x\\\n", 1<<18) + "y\n", strings.Repeat("x", 1<<18) + "y", ""},
		"UTF-16":                  {"\xff\xfen\x00=\x00c\x00\n\x00", "", `c.properties:1: holds a zero byte: save the file in UTF-8`},
		"cut escape":              {head + "k=\\u00\n", "", `c.properties:3: k: \u wants four hexadecimal digits`},
		"no hexadecimal":          {head + "\n\nk=\\\n  \\uzzzz\n", "", `c.properties:5: k: \u wants four hexadecimal digits`},
		"cut escape in a key":     {head + "\\u12=v\n", "", `c.properties:3: \u wants four hexadecimal digits`},
	} {
		t.Run(name, func(t *testing.T) {
			props, wrong := load(t, "c.properties", c.text)
			if wrong != c.wrong {
				t.Fatalf("%q, want %q", wrong, c.wrong)
			}
			if d := cmp.Diff(c.want, props["k"]); c.wrong == "" && d != "" {
				t.Error(d[:min(len(d), 500)])
			}
		})
	}
}

// A JSON file may begin with a byte order mark, as Java takes it.
func TestOddJSON(t *testing.T) {
	for name, c := range map[string]struct{ text, want, wrong string }{
		"byte order mark": {"\ufeff" + `{"name":"c","config":{"connector.class":"x","k":"v"}}`, "v", ""},
		"two of them":     {"\ufeff\ufeff" + `{"name":"c","config":{"connector.class":"x","k":"v"}}`, "", "c.json:1: invalid character"},
		"zero byte":       {`{"name":"c","config":{"connector.class":"x","k":"` + "\x00" + `"}}`, "", "c.json:1: invalid character"},
	} {
		t.Run(name, func(t *testing.T) {
			props, wrong := load(t, "c.json", c.text)
			if props["k"] != any(c.want) && c.wrong == "" || !strings.HasPrefix(wrong, c.wrong) || (wrong == "") != (c.wrong == "") {
				t.Errorf("%q, %v, want %q, %q", wrong, props["k"], c.wrong, c.want)
			}
		})
	}
}

// A YAML file that is odd is read, and one that is broken says where.
func TestOddYAML(t *testing.T) {
	const head = "connectors:\n  c:\n    connector.class: x\n"
	for name, c := range map[string]struct{ text, want, wrong string }{
		"byte order mark":       {"\ufeff" + head + "    k: v\n", "v", ""},
		"Windows":               {strings.ReplaceAll(head+"    k: v\n", "\n", "\r\n"), "v", ""},
		"escapes":               {head + `    k: "\u00e9\t\U0001F41F"` + "\n", "é\t🐟", ""},
		"folded":                {head + "    k: >-\n      a\n      b\n", "a b", ""},
		"number keeps its text": {head + "    k: 3.10\n", "3.10", ""},
		"no boolean":            {head + "    k: yes\n", "yes", ""},
		"megabyte":              {head + "    k: " + strings.Repeat("x", 1<<20) + "\n", strings.Repeat("x", 1<<20), ""},
		"anchors":               {"x-a: &a v\n" + head + "    k: *a\n", "v", ""},
		"twice":                 {head + "    k: 1\n    k: 2\n", "", "c.yaml:5: c: k: is set twice, first in line 4"},
		"twice, nested":         {head + "    k.a: 1\n    k: {a: 2}\n", "", "c.yaml:5: c: k.a: is set twice, first in line 4"},
		"connector twice":       {head + "  c:\n    connector.class: y\n", "", "c.yaml:4: c: there is another connector of this name in c.yaml:2"},
		"unclosed":              {head + "    k: [a, b\n", "", "c.yaml:4: the list that begins here"},
		"unclosed quote":        {head + "    k: \"a\n", "", "c.yaml:"},
		"no such anchor":        {head + "    k: *a\n", "", "c.yaml:4: "},
		"bomb of aliases":       {"x-a: &a [x,x,x,x,x,x,x,x,x]\nx-b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nx-c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nx-d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\nx-e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nx-f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\nx-g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n" + head + "    k: *g\n", "", "c.yaml:"},
		"circle":                {head + "    k: &a {b: *a}\n", "", "c.yaml:4: "},
		"no UTF-8":              {head + "    k: \"\xff\"\n", "", "c.yaml:4: is not UTF-8"},
		"zero byte":             {head + "    k: a\x00b\n", "", "c.yaml:4: holds a control character"},
		"a tag that runs code":  {head + "    k: !!python/object:os.system x\n", "x", ""},
		"key that is a list":    {head + "    ? [a, b]\n    : v\n", "", "c.yaml:4: "},
		"thousand levels":       {head + "    k: " + strings.Repeat("{a: ", 20000) + "1" + strings.Repeat("}", 20000) + "\n", "", "c.yaml:"},
	} {
		t.Run(name, func(t *testing.T) {
			props, wrong := load(t, "c.yaml", c.text)
			if c.wrong == "" && wrong != "" || !strings.HasPrefix(wrong, c.wrong) || (wrong == "") != (c.wrong == "") {
				t.Fatalf("%q, want %q", wrong[:min(len(wrong), 500)], c.wrong)
			}
			if d := cmp.Diff(c.want, props["k"]); c.wrong == "" && d != "" {
				t.Error(d[:min(len(d), 500)])
			}
			if len(wrong) > 1000 {
				t.Errorf("the message has %d bytes", len(wrong))
			}
		})
	}
}

// A value of a megabyte passes a file, validation, and the answer about it; an
// error that quotes it does not grow with it.
func TestLongValues(t *testing.T) {
	v := &Validator{Plugins: registryOf("source")}
	long := strings.Repeat("9", 1<<20)
	report, err := v.Validate(connector.Props{"name": "c", "connector.class": "heartbeat", "tasks.max": long, "some.key": long}, Origin{})
	if err != nil {
		t.Fatal(err)
	}
	if report.Errors() == 0 {
		t.Error("tasks.max of a million digits is taken")
	}
}
