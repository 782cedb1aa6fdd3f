package connector

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestProps(t *testing.T) {
	p := Props{"a.b": "1", "a.c": nil, "a.": "x", "n": 5}
	if d := cmp.Diff(Props{"b": "1", "c": nil}, p.WithPrefix("a.")); d != "" {
		t.Error(d)
	}
	for key, want := range map[string]string{"a.b": "1", "n": "5"} {
		if text, ok := p.Text(key); text != want || !ok {
			t.Errorf("%s is %q, %v", key, text, ok)
		}
	}
	for _, key := range []string{"a.c", "missing"} {
		if text, ok := p.Text(key); ok {
			t.Errorf("%s has the text %q", key, text)
		}
	}
	c := p.Clone()
	c["n"] = 6
	if p["n"] != 5 {
		t.Error("a clone shares its keys")
	}
}

// Clauses: B5.
func TestConfigGetters(t *testing.T) {
	def := NewConfigDef(
		Key{Name: "text", Type: StringKey, Default: "a"},
		Key{Name: "short", Type: ShortKey, Default: 1},
		Key{Name: "int", Type: IntKey, Default: 2},
		Key{Name: "long", Type: LongKey, Default: 3},
		Key{Name: "double", Type: DoubleKey, Default: 1.5},
		Key{Name: "bool", Type: BooleanKey, Default: true},
		Key{Name: "list", Type: ListKey, Default: []string{"a", "b"}},
		Key{Name: "secret", Type: PasswordKey},
	)
	given := Props{"secret": " pss ", "other": "x"}
	c, err := def.Parse(given)
	if err != nil {
		t.Fatal(err)
	}
	got := []any{c.String("text"), c.Int("short"), c.Int("int"), c.Int64("long"), c.Float64("double"), c.Bool("bool"), c.List("list"),
		c.Password("secret").Secret(), c.Value("int"), c.Has("text"), c.Given("text"), c.Given("other"), c.Props()}
	want := []any{"a", 1, 2, int64(3), 1.5, true, []string{"a", "b"}, "pss", int32(2), true, false, true, given}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	data, err := json.Marshal(c.Password("secret"))
	if err != nil || string(data) != `"[hidden]"` {
		t.Errorf("a secret in JSON: %s, %v", data, err)
	}
	null, err := def.Parse(Props{"text": nil, "short": nil, "double": nil, "bool": nil, "list": nil})
	if err != nil {
		t.Fatal(err)
	}
	if null.String("text") != "" || null.Int("short") != 0 || null.Float64("double") != 0 || null.Bool("bool") || null.List("list") != nil ||
		null.Password("secret") != "" || null.Has("text") || !null.Given("text") {
		t.Errorf("null is not the zero value: %v", null)
	}
	if nulls, err := def.Parse(Props{"list": []any{"a", nil}}); err != nil || !slices.Equal(nulls.List("list"), []string{"a", ""}) {
		t.Errorf("a list with null: %v, %v", nulls.List("list"), err)
	}
	for name, f := range map[string]func(){
		"no key missing in the definition": func() { c.String("missing") },
		"key text is a string":             func() { c.Int("text") },
		"key int is a int32":               func() { c.String("int") },
	} {
		if text := panicOf(f); text != "connector: "+name {
			t.Errorf("%q, want %q", text, name)
		}
	}
}

// Clauses: B2.
func TestConfigDefWith(t *testing.T) {
	base := NewConfigDef(Key{Name: "a", Type: StringKey, Group: "g"})
	more := base.With(Key{Name: "b", Type: StringKey, Group: "g"})
	if _, ok := base.Key("b"); ok || len(base.Keys()) != 1 {
		t.Error("the definition itself has the further key")
	}
	if k, ok := more.Key("b"); !ok || k.Order != 1 || k.Importance != Medium || k.Width != "NONE" || k.DisplayName != "b" {
		t.Errorf("key b is %+v, %v", k, ok)
	}
	for want, f := range map[string]func(){
		"Configuration a is defined twice.":                                            func() { base.With(Key{Name: "a", Type: StringKey}) },
		"default: Invalid value x for configuration n: Not a number of type INT":       func() { NewConfigDef(Key{Name: "n", Type: IntKey, Default: "x"}) },
		"default: Invalid value 0 for configuration n: Value must be at least 1":       func() { NewConfigDef(Key{Name: "n", Type: IntKey, Default: 0, Check: AtLeast(1)}) },
		"default: Invalid value null for configuration n: Value must be non-null":      func() { NewConfigDef(Key{Name: "n", Type: IntKey, Check: AtLeast(1)}) },
		"default: configuration n has the unknown type FLAG":                           func() { NewConfigDef(Key{Name: "n", Type: "FLAG", Default: 0}) },
		"default: Invalid value 40000 for configuration n: Not a number of type SHORT": func() { NewConfigDef(Key{Name: "n", Type: ShortKey, Default: 40000}) },
	} {
		if text := panicOf(f); text != "connector: "+want {
			t.Errorf("%q, want %q", text, want)
		}
	}
}

// Clauses: B4.
func TestRecommendations(t *testing.T) {
	def := NewConfigDef(
		Key{Name: "mode", Type: StringKey, Default: "a"},
		Key{Name: "level", Type: IntKey, Default: 1, Recommend: func(values map[string]any) ([]any, bool) {
			return []any{int32(1), int32(2)}, values["mode"] == "a"
		}},
	)
	tests := []struct {
		name  string
		props Props
		want  Value
	}{
		{"recommended", Props{"level": "2"}, Value{Key: "level", Value: int32(2), Recommended: []any{int32(1), int32(2)}, Visible: true}},
		{"another value", Props{"level": "3"}, Value{Key: "level", Value: int32(3), Recommended: []any{int32(1), int32(2)}, Visible: true,
			Errors: []string{"Invalid value 3 for configuration level: Invalid value, recommended values are 1, 2"}}},
		{"not to be seen", Props{"mode": "b"}, Value{Key: "level", Value: int32(1), Recommended: []any{int32(1), int32(2)}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, def.Validate(tt.props)[1]); d != "" {
				t.Error(d)
			}
		})
	}
}

// across is a plugin with a rule over two keys.
type across struct{ thing }

func (across) ConfigDef() *ConfigDef {
	return NewConfigDef(Key{Name: "low", Type: IntKey, Default: 1}, Key{Name: "high", Type: IntKey, Default: 2})
}

func (across) Validate(conf Config, p *Problems) {
	if conf.Int("low") > conf.Int("high") {
		p.Add("low", "%s", Invalid("low", conf.Value("low"), "it is above high"))
	}
}

// Clauses: A7.
func TestParsePlugin(t *testing.T) {
	if conf, err := ParsePlugin(across{}, Props{"high": "3"}); err != nil || conf.Int("high") != 3 {
		t.Errorf("%v, %v", conf, err)
	}
	_, problems := CheckPlugin(across{}, Props{"low": "5", "high": "x"})
	want := []Problem{
		{Key: "high", Message: "Invalid value x for configuration high: Not a number of type INT"},
		{Key: "low", Message: "Invalid value 5 for configuration low: it is above high"},
	}
	if d := cmp.Diff(want, problems.List()); d != "" {
		t.Error(d)
	}
}

// Clauses: B3.
func TestOptionalCheck(t *testing.T) {
	check := Optional(Between(1, 2))
	if err := check("k", nil); err != nil {
		t.Errorf("null is refused: %v", err)
	}
	if err := check("k", int32(3)); err == nil || err.Error() != "Value must be no more than 2" {
		t.Errorf("3 of 1 to 2: %v", err)
	}
	if err := All(NotNull, AtLeast(1))("k", nil); err == nil || err.Error() != "entry must be non null" {
		t.Errorf("the first check is not the first to speak: %v", err)
	}
}

// TestInvalidShowsJavasTexts prints values as Kafka Connect does in a message.
func TestInvalidShowsJavasTexts(t *testing.T) {
	for want, v := range map[string]any{
		"null": nil, "[a, b]": []string{"a", "b"}, "[a, [1.0]]": []any{"a", []any{1.0}}, "{a=1.5, b=null}": map[string]any{"b": nil, "a": 1.5},
		"1.0E10": 1e10, "[hidden]": Password("pss"), "true": true,
	} {
		if text := Invalid("k", v, ""); text != "Invalid value "+want+" for configuration k" {
			t.Errorf("%q, want the value as %s", text, want)
		}
	}
}
