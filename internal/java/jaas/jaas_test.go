package jaas

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLine(t *testing.T) {
	const plain = "org.apache.kafka.common.security.plain.PlainLoginModule"
	for name, c := range map[string]struct {
		text string
		want Module
	}{
		"double quotes":    {plain + ` required username="alice" password="se cret";`, Module{plain, map[string]string{"username": "alice", "password": "se cret"}}},
		"single quotes":    {plain + ` required username='al"ice' password='x';`, Module{plain, map[string]string{"username": `al"ice`, "password": "x"}}},
		"no quotes":        {plain + ` REQUIRED username=alice useTicketCache=true port=88;`, Module{plain, map[string]string{"username": "alice", "useTicketCache": "true", "port": "88"}}},
		"escapes":          {plain + ` optional a="\"\\\t\101\x" b='\'' c="ü\0601";`, Module{plain, map[string]string{"a": "\"\\\tAx", "b": "'", "c": "ü01"}}},
		"several lines":    {plain + " required\n  username=\"alice\" // who\n  /* and\n  */ password = \"x\"\n;  \n", Module{plain, map[string]string{"username": "alice", "password": "x"}}},
		"no options":       {"PlainLoginModule required;", Module{"PlainLoginModule", map[string]string{}}},
		"an option twice":  {"PlainLoginModule required a=1 a=2;", Module{"PlainLoginModule", map[string]string{"a": "2"}}},
		"comment in quote": {`PlainLoginModule required a="https://host/*";`, Module{"PlainLoginModule", map[string]string{"a": "https://host/*"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Line(c.text)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
			if !got.Is("PlainLoginModule") || got.Is("LoginModule") {
				t.Error("its name")
			}
		})
	}
}

func TestWrongLines(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty":           {"  ", "it names no login module"},
		"no flag":         {"Module", "want one of required, requisite, sufficient, optional behind Module, got the end"},
		"another flag":    {"Module hush;", "behind Module, got another word"},
		"no semicolon":    {`Module required password="hush"`, "want an option of Module or a semicolon, got the end"},
		"no value":        {"Module required password=;", "want the value of password, in quotes if"},
		"no equals":       {`Module required password "hush";`, "want = behind password, got another word"},
		"quotes open":     {"Module required\npassword=\"hush\n;", "line 2: want the value of password, in quotes if it has more than letters, digits and . - _ $, got quotes that do not end on their line"},
		"unquoted":        {"Module required password=p@hush;", "want an option of Module or a semicolon, got @"},
		"two modules":     {"Module required; Module required;", "there is more behind the first login module"},
		"two semicolons":  {"Module required;;", "than one semicolon"},
		"comment for all": {"// Module required;", "it names no login module"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Line(c.text)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hush") {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}

func TestFile(t *testing.T) {
	got, err := File(`// of the worker
KafkaConnect {
  org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule required
  file="/etc/users.properties";
};
KafkaClient {
    A required; B optional x='1';
};
Nothing { };
`)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]Module{
		"KafkaConnect": {{"org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule", map[string]string{"file": "/etc/users.properties"}}},
		"KafkaClient":  {{"A", map[string]string{}}, {"B", map[string]string{"x": "1"}}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for name, c := range map[string]struct{ text, want string }{
		"no name":      {"{ };", "want the name of an entry, got {"},
		"no brace":     {"A B", "want { behind A"},
		"no semicolon": {"A { M required; }", "want ; behind the } of A, got the end"},
		"open":         {"A {\n M required;", "A: line 2: want the class of a login module, got the end"},
		"twice":        {"A { M required; };\nA { };", "line 2: a second entry A"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := File(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}

func FuzzLine(f *testing.F) {
	f.Add(`M required a="\1" b='x';`)
	f.Fuzz(func(_ *testing.T, text string) {
		_, _ = Line(text)
		_, _ = File(text)
	})
}
