package protobuf

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const head = "syntax = \"proto3\";\n"

func TestIncompatibilities(t *testing.T) {
	for name, c := range map[string]struct{ earlier, later, want string }{
		"the same":                 {"message M { int32 a = 1; }", "message M { int32 a = 1; }", ""},
		"a field more":             {"message M { int32 a = 1; }", "message M { int32 a = 1; string b = 2; }", ""},
		"a field less":             {"message M { int32 a = 1; string b = 2; }", "message M { int32 a = 1; }", ""},
		"another name":             {"message M { int32 a = 1; }", "message M { int32 b = 1; }", ""},
		"a number of its kind":     {"message M { int32 a = 1; }", "message M { uint64 a = 1; }", ""},
		"a number of another":      {"message M { int32 a = 1; }", "message M { sint32 a = 1; }", "FIELD_SCALAR_KIND_CHANGED at #/M/1"},
		"text for bytes":           {"message M { bytes a = 1; }", "message M { string a = 1; }", ""},
		"text for a number":        {"message M { int32 a = 1; }", "message M { string a = 1; }", "FIELD_SCALAR_KIND_CHANGED"},
		"a message for a number":   {"message M { int32 a = 1; }", "message M { N a = 1; } message N {}", "FIELD_KIND_CHANGED"},
		"an enum for a number":     {"message M { int32 a = 1; }", "message M { E a = 1; } enum E { Z = 0; }", ""},
		"another message":          {"message M { N a = 1; } message N {} message O {}", "message M { O a = 1; } message N {} message O {}", "FIELD_NAMED_TYPE_CHANGED"},
		"a message less":           {"message M {} message N {}", "message M {}", "MESSAGE_REMOVED at #/N"},
		"another package":          {"package a; message M {}", "package b; message M {}", "PACKAGE_CHANGED"},
		"the values of a map":      {"message M { map<string, int32> a = 1; }", "message M { map<string, string> a = 1; }", "FIELD_SCALAR_KIND_CHANGED"},
		"one of a oneof less":      {"message M { oneof o { int32 a = 1; string b = 2; } }", "message M { oneof o { int32 a = 1; } }", "ONEOF_FIELD_REMOVED at #/M/2"},
		"a oneof less":             {"message M { oneof o { int32 a = 1; string b = 2; } }", "message M { }", ""},
		"one comes into a oneof":   {"message M { int32 a = 1; }", "message M { oneof o { int32 a = 1; string b = 2; } }", ""},
		"two come into a oneof":    {"message M { int32 a = 1; string b = 2; }", "message M { oneof o { int32 a = 1; string b = 2; } }", "MULTIPLE_FIELDS_MOVED_TO_ONEOF"},
		"a nested one":             {"message M { message N { int32 a = 1; } }", "message M { message N { string a = 1; } }", "FIELD_SCALAR_KIND_CHANGED at #/M/N/1"},
		"messages with each other": {"message M { M m = 1; int32 a = 2; }", "message M { M m = 1; string a = 2; }", "FIELD_SCALAR_KIND_CHANGED"},
	} {
		t.Run(name, func(t *testing.T) {
			earlier, err := Parse(head + c.earlier)
			if err != nil {
				t.Fatal(err)
			}
			later, err := Parse(head + c.later)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(Incompatibilities(earlier, later), "; ")
			if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestMessages(t *testing.T) {
	file, err := Parse(head + `package p; message A { map<string, int32> m = 1; message B { message C {} } message D {} } message E {}`)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		indexes []int
		want    string
	}{
		"the first":    {nil, "p.A"},
		"the second":   {[]int{1}, "p.E"},
		"nested":       {[]int{0, 1}, "p.A.B"},
		"nested twice": {[]int{0, 1, 0}, "p.A.B.C"},
		"behind a map": {[]int{0, 2}, "p.A.D"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := Message(file, c.indexes)
			if err != nil || string(m.FullName()) != c.want {
				t.Fatalf("got %v, %v, want %s", m, err, c.want)
			}
			if c.indexes != nil {
				if diff := cmp.Diff(c.indexes, Indexes(m)); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
	if m, err := Message(file, []int{0, 0}); err != nil || m.FullName() != "p.A.B" {
		t.Errorf("of one who does not count the entries of maps: %v, %v", m, err)
	}
	for _, indexes := range [][]int{{2}, {-1}, {1, 0}} {
		if m, err := Message(file, indexes); err == nil {
			t.Errorf("%v is %s", indexes, m.FullName())
		}
	}
}

func TestParseErrors(t *testing.T) {
	for want, text := range map[string]string{
		`import "x.proto": it is neither known nor among the references`: head + `import "x.proto";`,
		"syntax error": "message {",
		"unknown type": head + "message M { N a = 1; }",
		"already":      head + "message M {} message M {}",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// TestMapEntries reads a map as Confluent's registry writes it.
func TestMapEntries(t *testing.T) {
	file, err := Parse(head + "message M { repeated MEntry m = 1; message MEntry { option map_entry = true; string key = 1; int32 value = 2; } }")
	if err != nil || file.Messages().Get(0).Messages().Len() != 1 {
		t.Errorf("%v, %v", file, err)
	}
}

func TestParameters(t *testing.T) {
	file, err := Parse(head + `import "confluent/meta.proto"; import "confluent/type/decimal.proto";
message M { confluent.type.Decimal d = 1 [(confluent.field_meta) = { params: [ { key: "precision", value: "5" }, { key: "scale", value: "2" } ] }]; int32 a = 2; }`)
	if err != nil {
		t.Fatal(err)
	}
	fields := file.Messages().Get(0).Fields()
	if diff := cmp.Diff(map[string]string{"precision": "5", "scale": "2"}, Parameters(fields.Get(0))); diff != "" {
		t.Error(diff)
	}
	if got := Parameters(fields.Get(1)); len(got) > 0 {
		t.Errorf("a field without: %v", got)
	}
}

// FuzzParse reads whatever comes without a panic.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"", head, head + "message M { oneof o { int32 a = 1; } }", "CgFhEg==", fmt.Sprintf("%smessage M {%s", head, strings.Repeat("message N {", 50))} {
		f.Add(text)
	}
	f.Fuzz(func(_ *testing.T, text string) {
		if file, err := Parse(text); err == nil {
			_ = Incompatibilities(file, file)
			_, _ = Text(text, file)
		}
	})
}
