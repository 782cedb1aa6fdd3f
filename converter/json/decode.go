package json

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// fieldError names the field that an error is about.
func fieldError(name string, err error) error { return fmt.Errorf("field %s: %w", name, err) }

// schemaless gives a decoded value in Connect's types: whole numbers are int64,
// others float64.
func (r *reader) schemaless(v any) (any, error) {
	var err error
	switch x := v.(type) {
	case json.Number:
		if !strings.ContainsAny(x.String(), ".eE") {
			n, err := strconv.ParseInt(x.String(), 10, 64)
			if err != nil {
				return r.otherwise("", lowBits(x), dataf("number %s does not fit 64 bits: write it as a string, or with schema as a Decimal", x))
			}
			return n, nil
		}
		f, err := strconv.ParseFloat(x.String(), 64)
		if err != nil && !math.IsInf(f, 0) {
			return nil, dataf("number %s: %w", x, err)
		}
		return f, nil
	case []any:
		for i := range x {
			if x[i], err = r.schemaless(x[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for k := range x {
			if x[k], err = r.schemaless(x[k]); err != nil {
				return nil, fieldError(k, err)
			}
		}
	}
	return v, nil
}

// fromJSON gives a decoded value of a schema.
func (r *reader) fromJSON(field string, s *connector.Schema, v any) (any, error) {
	if s == nil {
		return r.schemaless(v)
	}
	if v == nil {
		if def, ok := s.Default(); ok && def != nil && r.replaceNull {
			return def, nil
		}
		if s.Optional() {
			return nil, nil
		}
		return nil, dataf("Invalid null value for required %s field%s", strings.ToUpper(s.Type().String()), named(field))
	}
	switch s.Name() {
	case connector.DecimalName:
		return decimal(s, v)
	case connector.DateName, connector.TimeName, connector.TimestampName:
		return r.timeValue(field, s, v)
	}
	switch s.Type() {
	case connector.Array:
		list, ok := v.([]any)
		if !ok {
			if _, err := r.otherwise(field, nil, misfit(field, "an array", v)); err != nil {
				return nil, err
			}
			list = members(v)
		}
		out := make([]any, len(list))
		for i, e := range list {
			var err error
			if out[i], err = r.fromJSON(fmt.Sprintf("%s[%d]", field, i), s.Elem(), e); err != nil {
				return nil, err
			}
		}
		return out, nil
	case connector.Map:
		return r.mapValue(field, s, v)
	case connector.Object:
		return r.structValue(field, s, v)
	}
	return r.scalar(field, s.Type(), v)
}

func named(field string) string {
	if field == "" {
		return ""
	}
	return " " + field
}

func misfit(field, want string, v any) error {
	return dataf("field%s: expected %s, got %s", named(field), want, kind(v))
}

// kind names a JSON value's type, in Jackson's words.
func kind(v any) string {
	switch v.(type) {
	case nil:
		return "NULL"
	case string:
		return "STRING"
	case json.Number:
		return "NUMBER"
	case bool:
		return "BOOLEAN"
	case []any:
		return "ARRAY"
	case missing:
		return "MISSING"
	}
	return "OBJECT"
}

func (r *reader) scalar(field string, t connector.Type, v any) (any, error) {
	switch x := v.(type) {
	case bool:
		if t == connector.Boolean {
			return x, nil
		}
	case string:
		if out, err := r.text(field, t, x); out != nil || err != nil {
			return out, err
		}
	case json.Number:
		if zeros[t] != nil && t != connector.Boolean {
			return r.numeric(field, t, x)
		}
	}
	return r.otherwise(field, zeros[t], misfit(field, t.String(), v))
}

// text reads a JSON string: a string, bytes in base64, or, if strict, a float that
// JSON has no number for; nil is none of them.
func (r *reader) text(field string, t connector.Type, x string) (any, error) {
	switch t {
	case connector.String:
		return x, nil
	case connector.Bytes:
		b, err := base64.StdEncoding.DecodeString(x)
		if err != nil {
			return nil, dataf("Invalid bytes field%s: %w", named(field), err)
		}
		return b, nil
	case connector.Float32, connector.Float64:
		f, ok := map[string]float64{"NaN": math.NaN(), "Infinity": math.Inf(1), "-Infinity": math.Inf(-1)}[x]
		ok = ok && r.strict
		if ok && t == connector.Float32 {
			return float32(f), nil
		}
		if ok {
			return f, nil
		}
	}
	return nil, nil
}

func (r *reader) numeric(field string, t connector.Type, x json.Number) (any, error) {
	switch t {
	case connector.Float32:
		f, err := strconv.ParseFloat(x.String(), 32)
		if err != nil {
			return r.otherwise(field, float32(f), dataf("field%s: number %s is beyond a float32", named(field), x))
		}
		return float32(f), nil
	case connector.Float64:
		f, err := strconv.ParseFloat(x.String(), 64)
		if err != nil {
			return r.otherwise(field, f, dataf("field%s: number %s is beyond a float64", named(field), x))
		}
		return f, nil
	}
	bits := map[connector.Type]int{connector.Int8: 8, connector.Int16: 16, connector.Int32: 32, connector.Int64: 64}[t]
	n, err := strconv.ParseInt(whole(x.String()), 10, bits)
	if err != nil {
		return r.otherwise(field, integer(t, lowBits(x)), dataf("field%s: number %s is not an %s", named(field), x, t))
	}
	return integer(t, n), nil
}

// integer gives the lower bits of a number that make one of a type.
func integer(t connector.Type, n int64) any {
	switch t {
	case connector.Int8:
		return int8(n)
	case connector.Int16:
		return int16(n)
	case connector.Int32:
		return int32(n)
	}
	return n
}

// whole rewrites a whole number that was written with a point or exponent, such
// as 1e3, in digits alone; other numbers stay as they are.
func whole(text string) string {
	if !strings.ContainsAny(text, ".eE") {
		return text
	}
	r, ok := new(big.Rat).SetString(text)
	if len(text) > 40 || !ok || !r.IsInt() {
		return text
	}
	return r.Num().String()
}

func decimal(s *connector.Schema, v any) (any, error) {
	switch x := v.(type) {
	case json.Number:
		return parseDecimal(x.String())
	case string:
		scale, err := connector.DecimalScale(s)
		if err != nil {
			return nil, dataf("Invalid bytes for Decimal field: %w", err)
		}
		b, err := base64.StdEncoding.DecodeString(x)
		if err != nil || len(b) == 0 {
			return nil, dataf("Invalid bytes for Decimal field")
		}
		return connector.DecimalFromBytes(b, scale), nil
	}
	return nil, dataf("Invalid type for Decimal, underlying representation should be numeric or bytes but was %s", kind(v))
}

// parseDecimal reads a JSON number without loss: 1.50 has scale 2, 1E+2 scale -2.
func parseDecimal(text string) (any, error) {
	digits, exp, hasExp := strings.Cut(strings.ToUpper(text), "E")
	scale := 0
	if whole, frac, ok := strings.Cut(digits, "."); ok {
		digits, scale = whole+frac, len(frac)
	}
	if hasExp {
		n, err := strconv.Atoi(exp)
		if err != nil || n < -1e6 || n > 1e6 {
			return nil, dataf("number %s has an exponent beyond a million", text)
		}
		scale -= n
	}
	unscaled, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		return nil, dataf("number %s is not a decimal", text)
	}
	return connector.Decimal{Unscaled: unscaled, Scale: scale}, nil
}

func (r *reader) timeValue(field string, s *connector.Schema, v any) (any, error) {
	name := s.Name()[strings.LastIndexByte(s.Name(), '.')+1:]
	bits, want := 32, "integer"
	if s.Name() == connector.TimestampName {
		bits, want = 64, "integral"
	}
	x, ok := v.(json.Number)
	if !ok {
		return nil, dataf("Invalid type for %s, underlying representation should be %s but was %s", name, want, kind(v))
	}
	n, err := strconv.ParseInt(x.String(), 10, bits)
	if err != nil {
		misfit := dataf("Invalid type for %s, underlying representation should be %s but was %s %s", name, want, kind(x), x)
		if bits < 64 || strings.ContainsAny(x.String(), ".eE") {
			return nil, misfit
		}
		if _, err := r.otherwise(field, nil, misfit); err != nil {
			return nil, err
		}
		n = lowBits(x)
	}
	switch {
	case name == "Date":
		n *= dayMillis
	case name == "Time" && (n < 0 || n > dayMillis):
		return nil, dataf("Time values must use number of milliseconds greater than 0 and less than 86400000")
	}
	return time.UnixMilli(n).UTC(), nil
}

func (r *reader) mapValue(field string, s *connector.Schema, v any) (any, error) {
	if s.Key() == nil || s.Key().Type() == connector.String {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, dataf("Maps with string fields should be encoded as JSON objects, but found %s", kind(v))
		}
		out := make(map[string]any, len(m))
		for k, e := range m {
			var err error
			if out[k], err = r.fromJSON(fmt.Sprintf("%s[%q]", field, k), s.Elem(), e); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	pairs, ok := v.([]any)
	if !ok {
		return nil, dataf("Maps with non-string fields should be encoded as JSON array of tuples, but found %s", kind(v))
	}
	out := make(map[any]any, len(pairs))
	for _, p := range pairs {
		pair, ok := p.([]any)
		if !ok {
			return nil, dataf("Found invalid map entry instead of array tuple: %s", kind(p))
		}
		if len(pair) != 2 {
			return nil, dataf("Found invalid map entry, expected length 2 but found :%d", len(pair))
		}
		k, err := r.fromJSON(field+" key", s.Key(), pair[0])
		if err != nil {
			return nil, err
		}
		switch k.(type) {
		case []byte, []any, map[string]any, map[any]any:
			return nil, dataf("field%s: a map with keys of type %s cannot be held", named(field), s.Key().Type())
		}
		if out[k], err = r.fromJSON(field, s.Elem(), pair[1]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *reader) structValue(field string, s *connector.Schema, v any) (any, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, dataf("Structs should be encoded as JSON objects, but found %s", kind(v))
	}
	values := make([]any, len(s.Fields()))
	for i, f := range s.Fields() {
		path := f.Name
		if field != "" {
			path = field + "." + f.Name
		}
		var err error
		before := r.notes
		if values[i], err = r.fromJSON(path, f.Schema, m[f.Name]); err != nil {
			return nil, err
		}
		if r.notes > before { // a struct, unlike an array, takes no null where one is required
			if err := connector.NewStruct(s).Put(f.Name, values[i]); err != nil {
				return nil, err
			}
		}
	}
	return connector.StructFrom(s, values), nil
}
