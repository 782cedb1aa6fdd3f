package preview

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/plainjson"
)

// leaf is one field of a record, nested ones too.
type leaf struct {
	name   string
	schema *connector.Schema
	value  any
}

// Diff gives the fields in which two records differ, in the order of the first one,
// then those that the second one has besides.
func Diff(before, after connector.Record) []Change {
	was, is := leaves(before), leaves(after)
	changes := []Change{}
	now := map[string]leaf{}
	for _, l := range is {
		now[l.name] = l
	}
	seen := map[string]bool{}
	for _, a := range was {
		seen[a.name] = true
		b, there := now[a.name]
		switch {
		case !there:
			changes = append(changes, Change{Field: a.name, Before: text(a)})
		case typeOf(a) != typeOf(b) && !blank(a) && !blank(b):
			changes = append(changes, Change{Field: a.name, Before: text(a), After: text(b), BeforeType: typeOf(a), AfterType: typeOf(b)})
		case !connector.ValuesEqual(a.value, b.value):
			changes = append(changes, Change{Field: a.name, Before: text(a), After: text(b)})
		}
	}
	for _, b := range is {
		if !seen[b.name] {
			changes = append(changes, Change{Field: b.name, After: text(b)})
		}
	}
	return changes
}

// blank tells that a field is null and has no schema: its type says nothing.
func blank(l leaf) bool { return l.schema == nil && l.value == nil }

// typeOf names a field's type: by its schema, or what its value is without one.
func typeOf(l leaf) string {
	switch {
	case l.schema == nil:
		return kindOf(l.value)
	case l.schema.Name() != "":
		return l.schema.Type().String() + " " + l.schema.Name()
	}
	return l.schema.Type().String()
}

// kindOf names the type of a value without schema as a schema's.
func kindOf(v any) string {
	switch v.(type) {
	case bool:
		return connector.Boolean.String()
	case []byte:
		return connector.Bytes.String()
	case []any:
		return connector.Array.String()
	case map[string]any, map[any]any:
		return connector.Map.String()
	}
	return fmt.Sprintf("%T", v)
}

// leaves gives the fields of a record. What it has nothing of is left out.
func leaves(r connector.Record) []leaf {
	var list []leaf
	add := func(name string, v any) { list = append(list, leaf{name: name, value: v}) }
	if r.Topic != "" {
		add("topic", r.Topic)
	}
	if r.Partition != connector.AnyPartition {
		add("partition", r.Partition)
	}
	if r.Timestamp != connector.NoTimestamp {
		add("timestamp", time.UnixMilli(r.Timestamp).UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	list = part(list, "key", r.KeySchema, r.Key)
	list = part(list, "value", r.ValueSchema, r.Value)
	times := map[string]int{}
	for _, h := range r.Headers {
		name := "header." + h.Key
		if times[h.Key]++; times[h.Key] > 1 {
			name = fmt.Sprintf("%s#%d", name, times[h.Key])
		}
		list = append(list, leaf{name, h.Schema, h.Value})
	}
	return list
}

// part adds the fields of a key or value: its own, those of a struct or map, and the
// name of its schema.
func part(list []leaf, name string, schema *connector.Schema, v any) []leaf {
	if schema == nil && v == nil {
		return list
	}
	if schema != nil && schema.Type() == connector.Object && schema.Name() != "" {
		list = append(list, leaf{name: name + " schema", value: schema.Name()})
	}
	return inside(list, name, schema, v)
}

func inside(list []leaf, name string, schema *connector.Schema, v any) []leaf {
	switch v := v.(type) {
	case *connector.Struct:
		for i, f := range v.Schema().Fields() {
			list = inside(list, name+"."+f.Name, f.Schema, v.At(i))
		}
		return list
	case map[string]any:
		if schema != nil && schema.Type() == connector.Map {
			break // its keys are data
		}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			list = inside(list, name+"."+k, nil, v[k])
		}
		return list
	}
	return append(list, leaf{name, schema, v})
}

// text gives a field's value as JSON.
func text(l leaf) json.RawMessage {
	b, err := plainjson.Append(nil, l.schema, l.value)
	if err != nil {
		b, _ = json.Marshal(err.Error()) // of a text alone
	}
	return b
}
