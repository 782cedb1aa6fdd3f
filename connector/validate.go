package connector

import (
	"fmt"
	"strings"
	"time"
)

// Validate checks a value against a schema, parts and all. Its error is data:
// it names the field and what was expected. A nil schema takes every value.
// As in Kafka Connect a default does not make null valid: it stands for the
// value only in a struct that was left unset.
//
// Invariant 5: nothing is changed to make it fit.
func Validate(s *Schema, v any) error { return validateNamed("", s, v) }

func validateNamed(name string, s *Schema, v any) error {
	if s == nil {
		return nil
	}
	if v == nil {
		if s.optional {
			return nil
		}
		return Data(fmt.Errorf("Invalid value: null used for required %s, schema type: %s",
			place(name), strings.ToUpper(s.typ.String())))
	}
	if !fits(s, v) {
		return misfit(name, "expected %s, got %s", describe(s), describeValue(v))
	}
	switch x := v.(type) {
	case []any:
		for i, e := range x {
			if err := validateNamed(fmt.Sprintf("%s[%d]", name, i), s.elem, e); err != nil {
				return err
			}
		}
	case map[string]any:
		for k, e := range x {
			if err := validateNamed(fmt.Sprintf("%s[%q]", name, k), s.elem, e); err != nil {
				return err
			}
		}
	case map[any]any:
		for k, e := range x {
			if err := validateNamed(name+" key", s.key, k); err != nil {
				return err
			}
			if err := validateNamed(fmt.Sprintf("%s[%v]", name, k), s.elem, e); err != nil {
				return err
			}
		}
	case *Struct:
		if x.schema != s.whole() && !sameShape(x.schema, s.whole()) {
			return misfit(name, "struct schemas do not match: expected %s, got %s", describe(s), describe(x.schema))
		}
		return validateFields(name, x)
	}
	return nil
}

// validateFields checks every value of a struct. A required field that nobody
// set is null, and StructFrom takes values unseen. An unset field that has a
// default is fine.
func validateFields(name string, x *Struct) error {
	if name != "" {
		name += "."
	}
	for i, f := range x.schema.fields {
		if x.values[i] == nil && f.Schema.hasDefault {
			continue
		}
		if err := validateNamed(name+f.Name, f.Schema, x.values[i]); err != nil {
			return err
		}
	}
	return nil
}

// sameShape compares what makes struct values interchangeable: the optional
// flag and default of the place do not count, those of the fields do.
func sameShape(a, b *Schema) bool {
	if len(a.fields) != len(b.fields) || a.name != b.name {
		return false
	}
	for i := range a.fields {
		if a.fields[i].Name != b.fields[i].Name || !a.fields[i].Schema.Equal(b.fields[i].Schema) {
			return false
		}
	}
	return true
}

func place(name string) string {
	if name == "" {
		return "value"
	}
	return `field: "` + name + `"`
}

func misfit(name, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if name != "" {
		text = "field " + name + ": " + text
	}
	return Data(fmt.Errorf("%s", text))
}

func describe(s *Schema) string {
	if s.Name() != "" {
		return s.typ.String() + " " + s.Name()
	}
	return s.typ.String()
}

// describeValue names a value's type, never the value, which may be private.
func describeValue(v any) string {
	switch x := v.(type) {
	case *Struct:
		return describe(x.schema)
	case time.Time:
		return "time"
	case Decimal:
		return "decimal"
	case []byte:
		return "bytes"
	case []any:
		return "array"
	case map[string]any, map[any]any:
		return "map"
	case bool:
		return "boolean"
	}
	return fmt.Sprintf("%T", v)
}

func fits(s *Schema, v any) bool {
	switch s.name {
	case DecimalName:
		_, ok := v.(Decimal)
		return ok
	case DateName, TimeName, TimestampName:
		_, ok := v.(time.Time)
		return ok
	}
	switch v.(type) {
	case int8:
		return s.typ == Int8
	case int16:
		return s.typ == Int16
	case int32:
		return s.typ == Int32
	case int64:
		return s.typ == Int64
	case float32:
		return s.typ == Float32
	case float64:
		return s.typ == Float64
	case bool:
		return s.typ == Boolean
	case string:
		return s.typ == String
	case []byte:
		return s.typ == Bytes
	case []any:
		return s.typ == Array
	case map[string]any:
		return s.typ == Map && (s.key == nil || s.key.typ == String)
	case map[any]any:
		return s.typ == Map
	case *Struct:
		return s.typ == Object
	}
	return false
}
