package postgres

import (
	"encoding/base64"
	"fmt"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/fields"
)

// The operations of Debezium's envelopes, and the suffix of their schemas' names.
const (
	opCreate, opUpdate, opRead, opDelete, opTruncate = "c", "u", "r", "d", "t"

	envelopeSuffix = ".Envelope"
)

// unavailable is what Debezium puts in place of a long value that an update left as
// it was, and that PostgreSQL therefore did not say.
const unavailable = "__debezium_unavailable_value"

// unavailable64 is the same as schemaless JSON has it of bytes.
var unavailable64 = base64.StdEncoding.EncodeToString([]byte(unavailable))

// event is a record as the sink takes it: of one in Debezium's envelope the row.
type event struct {
	row      *connector.Record // its value is nil where the row is gone
	truncate bool
	enclosed bool   // it came in an envelope
	source   any    // the envelope's, a struct or a map
	left     string // the fields whose value an update does not say, joined
	flat     connector.Record
}

// open takes a record out of its envelope; one that has none is the row itself. Its
// errors are about this record.
func (s *Sink) open(r *connector.Record, e *event) error {
	*e = event{row: r}
	switch v := r.Value.(type) {
	case *connector.Struct:
		if !isEnvelope(v.Schema()) {
			return nil
		}
		return e.unwrap(r, func(name string) any { x, _ := v.Get(name); return x })
	case map[string]any:
		_, row := v["after"]
		if _, op := v["op"].(string); !op || !row || v["source"] == nil || !s.set.fromTable {
			return nil
		}
		return e.unwrap(r, func(name string) any { return v[name] })
	}
	return nil
}

// isEnvelope tells Debezium's envelopes, whose schemas lose their name in some
// converters.
func isEnvelope(schema *connector.Schema) bool {
	if name := schema.Name(); name != "" {
		return strings.HasSuffix(name, envelopeSuffix)
	}
	for _, name := range []string{"op", "source", "after"} {
		if _, ok := schema.Field(name); !ok {
			return false
		}
	}
	return true
}

func (e *event) unwrap(r *connector.Record, get func(string) any) error {
	e.flat, e.enclosed, e.source = *r, true, get("source")
	e.flat.ValueSchema, e.flat.Value = nil, nil
	e.row = &e.flat
	switch op, _ := get("op").(string); op {
	case opCreate, opRead, opUpdate:
		switch after := get("after").(type) {
		case *connector.Struct:
			e.flat.ValueSchema, e.flat.Value = after.Schema(), after
			if op == opUpdate {
				e.left = unsaid(fieldsOf(after))
			}
		case map[string]any:
			e.flat.Value = after
			if op == opUpdate {
				e.left = unsaid(maps.All(after))
			}
		default:
			return connector.Data(fmt.Errorf("the envelope's operation is %s, but it has no row after it", op))
		}
	case opDelete:
	case opTruncate:
		e.truncate = true
	default:
		return connector.Data(fmt.Errorf("the envelope's operation is %q, expected c, r, u, d or t", op))
	}
	return nil
}

// unsaid lists the fields of a row that have the placeholder of values that the
// source does not say, sorted.
func unsaid(row iter.Seq2[string, any]) string {
	var left []string
	for name, v := range row {
		if isUnsaid(v) {
			left = append(left, name)
		}
	}
	slices.Sort(left)
	return strings.Join(left, "\x00")
}

// fieldsOf gives a struct's fields with their values.
func fieldsOf(s *connector.Struct) iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for i, f := range s.Schema().Fields() {
			if !yield(f.Name, s.At(i)) {
				return
			}
		}
	}
}

// isUnsaid tells Debezium's placeholder, in the forms that it has by the column's type:
// a text, or bytes, which schemaless JSON has in base64; a list of one of these, or of
// a number per byte; a map of hstore, or its JSON.
func isUnsaid(v any) bool {
	switch v := v.(type) {
	case string:
		return v == unavailable || v == unavailable64 || v == `{"`+unavailable+`":"`+unavailable+`"}`
	case []byte:
		return string(v) == unavailable
	case map[string]any:
		return len(v) == 1 && v[unavailable] == unavailable
	case map[any]any:
		return len(v) == 1 && v[unavailable] == unavailable
	case []any:
		return len(v) == 1 && isUnsaid(v[0]) || spellsUnsaid(v)
	}
	return false
}

// spellsUnsaid tells a list of numbers that are the placeholder's bytes.
func spellsUnsaid(list []any) bool {
	if len(list) != len(unavailable) {
		return false
	}
	for i, v := range list {
		if n, ok := fields.Int64(v); !ok || n != int64(unavailable[i]) {
			return false
		}
	}
	return true
}

// skips tells what the configuration leaves out: truncations, and under Debezium's
// name what deletes. A tombstone behind an envelope's deletion says nothing of the
// table that the envelope's source names.
func (s *Sink) skips(e *event) bool {
	switch {
	case e.truncate:
		return !s.set.truncates
	case e.row.Value != nil:
		return false
	}
	return !s.set.deletes && s.passDeletes || !e.enclosed && s.set.fromSource
}

// sourceField is a field of an envelope's source in table.name.format.
var sourceField = regexp.MustCompile(`\$\{source\.([^}]*)\}`)

// sourced puts the fields of an envelope's source into table.name.format.
func (s *Sink) sourced(e *event) (string, error) {
	var err error
	text := sourceField.ReplaceAllStringFunc(s.set.format, func(ref string) string {
		name := sourceField.FindStringSubmatch(ref)[1]
		var v any
		switch source := e.source.(type) {
		case *connector.Struct:
			v, _ = source.Get(name)
		case map[string]any:
			v = source[name]
		}
		text, ok := v.(string)
		if !ok && err == nil {
			err = connector.Data(fmt.Errorf("table.name.format names ${source.%s}, a text that this record does not have: only envelopes of Debezium's have a source", name))
		}
		return text
	})
	return text, err
}
