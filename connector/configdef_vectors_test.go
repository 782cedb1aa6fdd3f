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
	Name       string            `json:"name"`
	Type       connector.KeyType `json:"type"`
	Default    json.RawMessage   `json:"default"`
	Validator  *checkCase        `json:"validator"`
	Dependents []string          `json:"dependents"`
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
	var values []string
	null := false
	for _, v := range c.Values {
		if v != nil {
			values = append(values, *v)
		}
		null = null || v == nil
	}
	switch c.Kind {
	case "Composite":
		all := make([]connector.Check, len(c.Of))
		for i, sub := range c.Of {
			all[i] = sub.check(t)
		}
		return connector.All(all...)
	case "Range.atLeast", "Range.between":
		return c.bounds(t)
	case "ValidString":
		if null {
			return connector.OneOfOrNull(values...)
		}
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
	}
	t.Fatalf("unknown validator %s", c.Kind)
	return nil
}

// bounds makes the check of a range, whose bounds have their own type.
func (c checkCase) bounds(t *testing.T) connector.Check {
	low, err := javavectors.Value(nil, c.Min)
	if err != nil {
		t.Fatal(err)
	}
	high, err := javavectors.Value(nil, c.Max)
	if err != nil {
		t.Fatal(err)
	}
	switch low := low.(type) {
	case int32:
		return within(low, high)
	case int64:
		return within(low, high)
	}
	return within(low.(float64), high)
}

// within makes a check with a lower bound, and an upper one where there is one.
func within[N connector.Number](low N, high any) connector.Check {
	if high == nil {
		return connector.AtLeast(low)
	}
	return connector.Between(low, high.(N))
}

// definition makes the recorded definition; a panic is its error.
func definition(t *testing.T, keys []keyCase) (def *connector.ConfigDef, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = errors.New(fmt.Sprint(v))
		}
	}()
	var list []connector.Key
	for _, k := range keys {
		key := connector.Key{Name: k.Name, Type: k.Type, Required: k.Default == nil, Dependents: k.Dependents}
		if k.Default != nil {
			if key.Default, err = javavectors.Value(nil, k.Default); err != nil {
				t.Fatal(err)
			}
		}
		if k.Validator != nil {
			key.Distinct = strings.HasPrefix(k.Validator.Kind, "ValidList")
			key.Check = k.Validator.check(t)
		}
		list = append(list, key)
	}
	return connector.NewConfigDef(list...), nil
}

// typed decodes a case of one value of a type.
func typed(c javavectors.Case) (value any, typ connector.KeyType, err error) {
	var in struct {
		Type  connector.KeyType
		Value json.RawMessage
	}
	if err := json.Unmarshal(c.Input, &in); err != nil {
		return nil, "", err
	}
	value, err = javavectors.Value(nil, in.Value)
	return value, in.Type, err
}

// Clauses: B1.
func TestParseTypeVectors(t *testing.T) {
	javavectors.Replay(t, func(_ *testing.T, c javavectors.Case) error {
		v, typ, err := typed(c)
		if err != nil {
			return err
		}
		got, err := connector.ParseType("name", v, typ)
		if c.Expect.Error != nil {
			return c.Expect.Error.CheckError(err)
		}
		if err != nil {
			return err
		}
		return compare(got, c.Expect.Output)
	}, "configdef.parseType")
}

// compare tells where a parsed value differs from the recorded one.
func compare(got any, raw json.RawMessage) error {
	want, err := javavectors.Value(nil, raw)
	if err != nil {
		return err
	}
	if list, ok := want.([]any); ok {
		texts := make([]string, len(list))
		for i, v := range list {
			texts[i] = fmt.Sprint(v)
		}
		if l, ok := got.([]string); ok && slices.Equal(l, texts) {
			return nil
		}
	}
	if !connector.ValuesEqual(got, want) {
		return fmt.Errorf("%#v, want %#v", got, want)
	}
	return nil
}

// Clauses: B1.
func TestConvertToStringVectors(t *testing.T) {
	javavectors.Replay(t, func(_ *testing.T, c javavectors.Case) error {
		v, typ, err := typed(c)
		if err != nil {
			return err
		}
		parsed, err := connector.ParseType("name", v, typ)
		if err != nil {
			return err
		}
		var want *string
		if err := json.Unmarshal(c.Expect.Output, &want); err != nil {
			return err
		}
		if got, ok := connector.FormatValue(parsed); ok != (want != nil) || ok && got != *want {
			return fmt.Errorf("%q, want %s", got, c.Expect.Output)
		}
		return nil
	}, "configdef.convertToString")
}

// Clauses: B2, B3.
func TestConfigDefVectors(t *testing.T) {
	javavectors.Replay(t, func(t *testing.T, c javavectors.Case) error {
		var in struct {
			Definition []keyCase
			Props      connector.Props
		}
		if err := json.Unmarshal(c.Input, &in); err != nil {
			return err
		}
		def, err := definition(t, in.Definition)
		if err == nil && c.Component == "configdef.validate" && c.Expect.Error == nil {
			return checkValidate(c, def.Validate(in.Props))
		}
		var conf connector.Config
		if err == nil {
			conf, err = def.Parse(in.Props)
		}
		if c.Expect.Error != nil {
			return c.Expect.Error.CheckError(err)
		}
		if err != nil {
			return err
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(c.Expect.Output, &want); err != nil {
			return err
		}
		for k, raw := range want {
			if err := compare(conf.Value(k), raw); err != nil {
				return fmt.Errorf("%s: %w", k, err)
			}
		}
		return nil
	}, "configdef.parse", "configdef.validate")
}

func checkValidate(c javavectors.Case, got []connector.Value) error {
	var want []struct {
		Name    string
		Value   json.RawMessage
		Errors  []string
		Visible bool
	}
	if err := json.Unmarshal(c.Expect.Output, &want); err != nil {
		return err
	}
	if len(got) != len(want) {
		return fmt.Errorf("%d keys, want %d", len(got), len(want))
	}
	for _, w := range want {
		i := slices.IndexFunc(got, func(v connector.Value) bool { return v.Key == w.Name })
		if i < 0 {
			return fmt.Errorf("no key %s", w.Name)
		}
		if err := compare(got[i].Value, w.Value); err != nil {
			return fmt.Errorf("%s: %w", w.Name, err)
		}
		if !slices.Equal(got[i].Errors, w.Errors) || got[i].Visible != w.Visible {
			return fmt.Errorf("%s says %q (visible: %v), want %q (%v)", w.Name, got[i].Errors, got[i].Visible, w.Errors, w.Visible)
		}
	}
	return nil
}
