package avro

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
)

// recursive are schemas of records that can hold themselves, each in another way.
var recursive = map[string]string{
	"optional":           `{"type":"record","name":"n.Node","doc":"one","fields":[{"name":"v","type":"int"},{"name":"next","type":["null","Node"],"doc":"the next","default":null}]}`,
	"array":              `{"type":"record","name":"Tree","fields":[{"name":"v","type":"int"},{"name":"children","type":{"type":"array","items":"Tree"},"default":[]}]}`,
	"map":                `{"type":"record","name":"Tree","fields":[{"name":"v","type":"int"},{"name":"by","type":{"type":"map","values":"Tree"}}]}`,
	"union":              `{"type":"record","name":"E","fields":[{"name":"of","type":["int","string",{"type":"array","items":"E"},"E"]}]}`,
	"by way of another":  `{"type":"record","name":"A","fields":[{"name":"b","type":["null",{"type":"record","name":"B","fields":[{"name":"a","type":["null","A"]},{"name":"s","type":"string"}]}]}]}`,
	"twice, and outside": `{"type":"record","name":"Pair","fields":[{"name":"first","type":{"type":"record","name":"T","fields":[{"name":"l","type":["null","T"]},{"name":"r","type":["null","T"]}]}},{"name":"second","type":"T"}]}`,
}

// What Connect's schema says of a record that can hold itself makes that Avro schema
// again, and is the same when it is parsed again.
//
// Clauses: C7.
func TestRecursiveSchemas(t *testing.T) {
	for name, text := range recursive {
		t.Run(name, func(t *testing.T) {
			s := parse(t, text)
			if err := s.Check(s.Connect()); err != nil {
				t.Error(err)
			}
			again, err := FromConnect(s.Connect(), Options{})
			if err != nil {
				t.Fatal(err)
			}
			other := parse(t, again)
			if !other.Connect().Equal(s.Connect()) || !s.Connect().Equal(other.Connect()) {
				t.Errorf("another schema is read from %s", again)
			}
			if third, err := FromConnect(other.Connect(), Options{}); err != nil || third != again {
				t.Errorf("%s, %v, want %s", third, err, again)
			}
			if s.Connect().Equal(parse(t, strings.Replace(text, `"int"`, `"long"`, 1)).Connect()) == strings.Contains(text, `"int"`) {
				t.Error("schemas that differ are equal")
			}
		})
	}
}

// Clauses: C7.
func TestRecursiveValues(t *testing.T) {
	for _, c := range []struct {
		name  string
		value any
		want  []byte
	}{
		{"optional", map[string]any{"v": int32(1), "next": map[string]any{"v": int32(2)}}, []byte{2, 2, 4, 0}},
		{"array", map[string]any{"v": int32(1), "children": []any{map[string]any{"v": int32(2)}, map[string]any{"v": int32(3), "children": []any{map[string]any{"v": int32(4)}}}}},
			[]byte{2, 4, 4, 0, 6, 2, 8, 0, 0, 0}},
		{"map", map[string]any{"v": int32(1), "by": map[string]any{"k": map[string]any{"v": int32(2), "by": map[string]any{}}}}, []byte{2, 2, 2, 'k', 4, 0, 0}},
		{"by way of another", map[string]any{"b": map[string]any{"a": map[string]any{"b": nil}, "s": "x"}}, []byte{2, 2, 0, 2, 'x'}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := parse(t, recursive[c.name])
			data, err := s.Append(nil, c.value)
			if diff := cmp.Diff(c.want, data); diff != "" || err != nil {
				t.Fatal(err, diff)
			}
			v, err := s.Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			if err := connector.Validate(s.Connect(), v); err != nil {
				t.Error(err)
			}
			back, err := s.Append(nil, v)
			if diff := cmp.Diff(data, back); diff != "" || err != nil {
				t.Error(err, diff)
			}
			other, err := parse(t, recursive[c.name]).Decode(data)
			if err != nil || !connector.ValuesEqual(v, other) {
				t.Errorf("%v: %v is not %v", err, other, v)
			}
		})
	}
}

// Bad data that holds itself without end is an error, and not the end of the program.
func TestRecursiveValuesAreBounded(t *testing.T) {
	s := parse(t, recursive["optional"])
	for name, data := range map[string][]byte{
		"without end": bytes.Repeat([]byte{2, 2}, 4<<20),
		"cut off":     bytes.Repeat([]byte{2, 2}, maxNested-1),
	} {
		_, err := s.Decode(data)
		if connector.KindOf(err) != connector.KindData || !strings.HasPrefix(err.Error(), "field next.next.") || len(err.Error()) > 2*maxPath {
			t.Errorf("%s: %v", name, err)
		}
	}
	if v, err := s.Decode(append(bytes.Repeat([]byte{2, 2}, maxNested-1), 2, 0)); err != nil {
		t.Error(err)
	} else if _, err := s.Append(nil, v); err != nil {
		t.Error(err)
	}
}
