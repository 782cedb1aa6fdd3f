package avro

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Values are read as those of another schema by Avro's rules of resolution.
//
// Clauses: C7.
func TestResolution(t *testing.T) {
	record := func(fields string) string {
		return `{"type":"record","name":"n.R","fields":[` + fields + `]}`
	}
	const a, b = `{"name":"a","type":"int"}`, `{"name":"b","type":"string"}`
	enum := func(symbols string) string { return `{"type":"enum","name":"E","symbols":[` + symbols + `]}` }
	entries := func(value string) string {
		return `{"type":"array","items":{"type":"record","name":"MapEntry","namespace":"io.confluent.connect.avro","fields":[{"name":"key","type":"int"},{"name":"value","type":"` + value + `"}]}}`
	}
	for name, c := range map[string]struct {
		written, read string
		value         any
		want          any // a text that begins with ! is an error
	}{
		"the same":                    {record(a), record(a), map[string]any{"a": int32(1)}, "Struct{1}"},
		"a field less":                {record(b + "," + a), record(a), map[string]any{"a": int32(1), "b": "x"}, "Struct{1}"},
		"a field more":                {record(a), record(a + `,{"name":"c","type":["null","string"],"default":null},{"name":"d","type":"long","default":7}`), map[string]any{"a": int32(1)}, "Struct{1 <nil> 7}"},
		"a field more, no default":    {record(a), record(a + "," + b), map[string]any{"a": int32(1)}, "!field b: it was not written, and has no default"},
		"another order":               {record(a + "," + b), record(b + "," + a), map[string]any{"a": int32(1), "b": "x"}, "Struct{x 1}"},
		"another name":                {record(a), record(`{"name":"z","aliases":["y","a"],"type":"int"}`), map[string]any{"a": int32(1)}, "Struct{1}"},
		"int as long":                 {`"int"`, `"long"`, int32(5), int64(5)},
		"int as double":               {`"int"`, `"double"`, int32(5), float64(5)},
		"long as float":               {`"long"`, `"float"`, int64(5), float32(5)},
		"float as double":             {`"float"`, `"double"`, float32(0.5), 0.5},
		"long as int":                 {`"long"`, `"int"`, int64(5), "!it was written as long, and is to be read as int"},
		"double as float":             {`"double"`, `"float"`, 0.5, "!it was written as double"},
		"text as bytes":               {`"string"`, `"bytes"`, "x", []byte("x")},
		"bytes as text":               {`"bytes"`, `"string"`, []byte("x"), "x"},
		"text as int":                 {record(`{"name":"a","type":"string"}`), record(a), map[string]any{"a": "x"}, "!field a: it was written as string, and is to be read as int"},
		"a long as a time":            {`"long"`, `{"type":"long","logicalType":"timestamp-millis"}`, int64(0), "1970-01-01 00:00:00 +0000 UTC"},
		"a symbol":                    {enum(`"X","Y"`), enum(`"Y","Z","X"`), "Y", "Y"},
		"a symbol that is gone":       {enum(`"X","Y"`), enum(`"X"`), "Y", "!none of enum E"},
		"may be null now":             {record(a), record(`{"name":"a","type":["null","long"]}`), map[string]any{"a": int32(1)}, "Struct{1}"},
		"may not be null now":         {record(`{"name":"a","type":["null","int"]}`), record(a), map[string]any{"a": int32(1)}, "Struct{1}"},
		"is null and may not be":      {record(`{"name":"a","type":["null","int"]}`), record(a), map[string]any{"a": nil}, "!field a: it was written as null"},
		"null in another place":       {`["null","int"]`, `["int","null"]`, nil, nil},
		"one of a union":              {`"int"`, `["string","double","int"]`, int32(3), "Struct{<nil> <nil> 3}"},
		"one of a union, widened":     {`"int"`, `["string","double"]`, int32(3), "Struct{<nil> 3}"},
		"none of a union":             {`"boolean"`, `["string","double"]`, true, "!no branch of the union takes it"},
		"a list":                      {`{"type":"array","items":"int"}`, `{"type":"array","items":"long"}`, []any{int32(1), int32(2)}, []any{int64(1), int64(2)}},
		"a map":                       {`{"type":"map","values":"int"}`, `{"type":"map","values":"double"}`, map[string]any{"k": int32(1)}, map[string]any{"k": 1.0}},
		"a map with keys of its own":  {entries("int"), entries("long"), map[any]any{int32(1): int32(2)}, map[any]any{int32(1): int64(2)}},
		"a record that holds itself":  {recursive["optional"], strings.Replace(recursive["optional"], `"int"`, `"long"`, 1), map[string]any{"v": int32(1), "next": map[string]any{"v": int32(2)}}, "Struct{1 Struct{2 <nil>}}"},
		"a list as a map":             {`{"type":"array","items":"int"}`, `{"type":"map","values":"int"}`, []any{}, "!it was written as array"},
		"a decimal of another scale":  {`{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}`, `{"type":"bytes","logicalType":"decimal","precision":9,"scale":3}`, connector.NewDecimal(1, 2), "!it was written as bytes (decimal)"},
		"a fixed of another size":     {`{"type":"fixed","name":"F","size":2}`, `{"type":"fixed","name":"F","size":3}`, []byte{1, 2}, "!it was written as fixed F"},
		"a record left out in a list": {record(`{"name":"l","type":{"type":"array","items":` + strings.Replace(record(b), "n.R", "n.S", 1) + `}},` + a), record(a), map[string]any{"a": int32(1), "l": []any{map[string]any{"b": "x"}}}, "Struct{1}"},
	} {
		t.Run(name, func(t *testing.T) {
			written, newest := parse(t, c.written), parse(t, c.read)
			data, err := written.Append(nil, c.value)
			if err != nil {
				t.Fatal(err)
			}
			as, err := written.As(newest)
			var got any
			if err == nil {
				got, err = as.Decode(data)
			}
			want, text := c.want.(string)
			if text && strings.HasPrefix(want, "!") {
				if connector.KindOf(err) != connector.KindData || !strings.Contains(err.Error(), want[1:]) {
					t.Errorf("got %v, %v, want data with %s", got, err, want[1:])
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := connector.Validate(as.Connect(), got); err != nil || !as.Connect().Equal(newest.Connect()) {
				t.Errorf("%v does not fit the newest schema: %v", got, err)
			}
			if _, plain := got.(string); text && !plain {
				got = valueText(got)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// valueText shows a value with the fields of structs in their order.
func valueText(v any) string {
	s, ok := v.(*connector.Struct)
	if !ok {
		return fmt.Sprint(v)
	}
	parts := make([]string, len(s.Values()))
	for i, e := range s.Values() {
		parts[i] = valueText(e)
	}
	return "Struct{" + strings.Join(parts, " ") + "}"
}
