package connector_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/javavectors"
)

// keyCase is a key of a recorded definition.
type keyCase struct {
	Name      string            `json:"name"`
	Type      connector.KeyType `json:"type"`
	Default   json.RawMessage   `json:"default"`
	Validator *checkCase        `json:"validator"`
}

type checkCase struct {
	Kind         string          `json:"kind"`
	Min          json.RawMessage `json:"min"`
	Max          json.RawMessage `json:"max"`
	Values       []*string       `json:"values"`
	Of           []checkCase     `json:"of"`
	EmptyAllowed *bool           `json:"emptyAllowed"`
	NullAllowed  bool            `json:"nullAllowed"`
}

func (c checkCase) check(t *testing.T) connector.Check {
	values := make([]string, len(c.Values))
	for i, v := range c.Values {
		if v == nil {
			return nil // a choice of null is not a check of ours
		}
		values[i] = *v
	}
	number := func(raw json.RawMessage) float64 {
		v, err := javavectors.Value(nil, raw)
		if err != nil {
			t.Fatal(err)
		}
		switch n := v.(type) {
		case int32:
			return float64(n)
		case int64:
			return float64(n)
		}
		return v.(float64)
	}
	switch c.Kind {
	case "Range.atLeast":
		return connector.AtLeast(number(c.Min))
	case "Range.between":
		return connector.Between(number(c.Min), number(c.Max))
	case "ValidString":
		return connector.OneOf(values...)
	case "CaseInsensitiveValidString":
		if len(values) == 3 { // Java lists them in the order of their hashes
			values = []string{values[2], values[0], values[1]}
		}
		return connector.OneOfFold(values...)
	case "ValidList":
		return connector.ListOf(c.EmptyAllowed == nil || *c.EmptyAllowed, values...)
	case "ValidList.anyNonDuplicateValues":
		return connector.Distinct(*c.EmptyAllowed, c.NullAllowed)
	case "NonNull":
		return connector.NotNull
	case "NonEmptyString":
		return connector.NotEmpty
	case "NonEmptyStringWithoutControlChars":
		return connector.NoControls
	case "ListSize":
		var n int
		if err := json.Unmarshal(c.Max, &n); err != nil {
			t.Fatal(err)
		}
		return connector.MaxLen(n)
	case "Lambda":
		return func(_ string, v any) error {
			if v == "reject" {
				return errors.New("told to")
			}
			return nil
		}
	case "Composite":
		var all []connector.Check
		for _, sub := range c.Of {
			all = append(all, sub.check(t))
		}
		return connector.All(all...)
	}
	t.Fatalf("unknown validator %s", c.Kind)
	return nil
}

// definition makes the recorded definition; a panic is its error.
func definition(t *testing.T, keys []keyCase) (def *connector.ConfigDef, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = errors.New(strings.TrimPrefix(fmt.Sprint(v), "connector: default: "))
		}
	}()
	var list []connector.Key
	for _, k := range keys {
		key := connector.Key{Name: k.Name, Type: k.Type, Required: k.Default == nil}
		if k.Default != nil {
			if key.Default, err = javavectors.Value(nil, k.Default); err != nil {
				t.Fatal(err)
			}
		}
		if k.Validator != nil {
			key.Distinct = strings.HasPrefix(k.Validator.Kind, "ValidList")
			if key.Check = k.Validator.check(t); key.Check == nil {
				t.Skip("a choice of null is not a check of ours")
			}
		}
		list = append(list, key)
	}
	return connector.NewConfigDef(list...), nil
}

// ours names the cases where hydraulics differs on purpose.
func ours(c javavectors.Case) string {
	text := string(c.Input)
	switch {
	case c.Expect.Error != nil && strings.Contains(c.Expect.Error.Message, "could not be found"),
		strings.Contains(string(c.Expect.Output), "could not be found"), strings.Contains(text, `"CLASS"`):
		return "a class is a plugin's name: whether it exists is the registry's to say"
	case strings.Contains(text, `"default":null`) && c.Expect.Error != nil && c.Expect.Error.Phase == "configure":
		return "a key that may be absent is not checked where it is"
	case strings.Contains(text, `"PASSWORD"`) && c.Expect.Error != nil && strings.Contains(c.Expect.Error.Message, "to be a string"):
		return "a secret of the wrong type is not printed"
	case strings.Contains(text, `"bytes"`), strings.Contains(text, `"decimal"`), strings.Contains(text, `[null]`):
		return "no file and no request can hold such a value"
	case strings.Contains(text, `"DOUBLE"`) && strings.Contains(text, `"min":{"int32"`), strings.Contains(text, `"INT"`) && strings.Contains(text, `"min":{"float64"`):
		return "a bound has the type of its key"
	case c.Note == "defined twice":
		return "a key that is defined twice is a mistake in the program: a panic"
	case strings.Contains(c.Note, "dependent"):
		return "dependents are names to show, not keys to evaluate"
	}
	return ""
}

func TestParseTypeVectors(t *testing.T) {
	for _, c := range javavectors.Load(t, "configdef.jsonl", "configdef.parseType") {
		t.Run(c.ID, func(t *testing.T) {
			if why := ours(c); why != "" {
				t.Skip(why)
			}
			var in struct {
				Type  connector.KeyType
				Value json.RawMessage
			}
			if err := json.Unmarshal(c.Input, &in); err != nil {
				t.Fatal(err)
			}
			v, err := javavectors.Value(nil, in.Value)
			if err != nil {
				t.Fatal(err)
			}
			got, err := connector.ParseType("name", v, in.Type)
			if c.Expect.Error != nil {
				if err := c.Expect.Error.CheckError(err); err != nil {
					t.Errorf("%s %s: %v", c.Note, c.Input, err)
				}
				return
			}
			compare(t, c, got, c.Expect.Output, err)
		})
	}
}

// compare tells where a parsed value differs from the recorded one.
func compare(t *testing.T, c javavectors.Case, got any, raw json.RawMessage, err error) {
	t.Helper()
	want, werr := javavectors.Value(nil, raw)
	if werr != nil {
		t.Fatal(werr)
	}
	if list, ok := want.([]any); ok {
		texts := make([]string, len(list))
		for i, v := range list {
			texts[i] = fmt.Sprint(v)
		}
		if l, ok := got.([]string); ok && slices.Equal(l, texts) {
			return
		}
	}
	if err != nil || !connector.ValuesEqual(got, want) {
		t.Errorf("%s %s: %#v, %v, want %#v", c.Note, c.Input, got, err, want)
	}
}

func TestConvertToStringVectors(t *testing.T) {
	for _, c := range javavectors.Load(t, "configdef.jsonl", "configdef.convertToString") {
		var in struct {
			Type  connector.KeyType
			Value json.RawMessage
		}
		if err := json.Unmarshal(c.Input, &in); err != nil {
			t.Fatal(err)
		}
		v, err := javavectors.Value(nil, in.Value)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := connector.ParseType("name", v, in.Type)
		if err != nil {
			t.Fatal(err)
		}
		var want *string
		if err := json.Unmarshal(c.Expect.Output, &want); err != nil {
			t.Fatal(err)
		}
		got, ok := connector.FormatValue(parsed)
		if ok != (want != nil) || ok && got != *want {
			t.Errorf("%s: %q, want %s", c.Input, got, c.Expect.Output)
		}
	}
}

func TestConfigDefVectors(t *testing.T) {
	cases := slices.Concat(javavectors.Load(t, "configdef.jsonl", "configdef.parse"), javavectors.Load(t, "configdef.jsonl", "configdef.validate"))
	for _, c := range cases {
		if c.Component == "configdef.parseType" {
			continue
		}
		t.Run(c.ID, func(t *testing.T) {
			if why := ours(c); why != "" {
				t.Skip(why)
			}
			var in struct {
				Definition []keyCase
				Props      connector.Props
			}
			if err := json.Unmarshal(c.Input, &in); err != nil {
				t.Fatal(err)
			}
			def, err := definition(t, in.Definition)
			if err == nil && c.Component == "configdef.validate" && c.Expect.Error == nil {
				checkValidate(t, c, def.Validate(in.Props))
				return
			}
			var conf connector.Config
			if err == nil {
				conf, err = def.Parse(in.Props)
			}
			if c.Expect.Error != nil {
				if err := c.Expect.Error.CheckError(err); err != nil {
					t.Errorf("%s %s: %v", c.Note, c.Input, err)
				}
				return
			}
			var want map[string]json.RawMessage
			if err := json.Unmarshal(c.Expect.Output, &want); err != nil {
				t.Fatal(err)
			}
			if err != nil {
				t.Errorf("%s %s: %v", c.Note, c.Input, err)
				return
			}
			for k, raw := range want {
				compare(t, c, conf.Value(k), raw, err)
			}
		})
	}
}

func checkValidate(t *testing.T, c javavectors.Case, got []connector.Value) {
	t.Helper()
	var want []struct {
		Name    string
		Value   json.RawMessage
		Errors  []string
		Visible bool
	}
	if err := json.Unmarshal(c.Expect.Output, &want); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d keys, want %d", c.Input, len(got), len(want))
	}
	for _, w := range want {
		i := slices.IndexFunc(got, func(v connector.Value) bool { return v.Key == w.Name })
		if i < 0 {
			t.Errorf("%s: no key %s", c.Input, w.Name)
			continue
		}
		compare(t, c, got[i].Value, w.Value, nil)
		if !slices.Equal(got[i].Errors, w.Errors) || got[i].Visible != w.Visible {
			t.Errorf("%s %s: %s says %q, want %q", c.Note, c.Input, w.Name, got[i].Errors, w.Errors)
		}
	}
}
