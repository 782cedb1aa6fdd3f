package postgres

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// The operations of Debezium's envelopes, and the suffix of their schemas' names.
const (
	opCreate, opUpdate, opRead, opDelete, opTruncate = "c", "u", "r", "d", "t"

	envelopeSuffix = ".Envelope"
)

// unavailable is what Debezium puts in place of a long value that an update left as
// it was, and that PostgreSQL therefore did not say.
const unavailable = "__debezium_unavailable_value"

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
				e.left = unsaid(after)
			}
		case map[string]any:
			e.flat.Value = after
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
// source does not say.
func unsaid(row *connector.Struct) string {
	var names []string
	for i, f := range row.Schema().Fields() {
		found := false
		switch v := row.At(i).(type) {
		case string:
			found = v == unavailable
		case []byte:
			found = string(v) == unavailable
		case []any:
			found = len(v) == 1 && v[0] == unavailable
		}
		if found {
			names = append(names, f.Name)
		}
	}
	return strings.Join(names, "\x00")
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
