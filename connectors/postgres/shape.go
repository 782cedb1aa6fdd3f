package postgres

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// origin says where in a record a field's value is.
type origin uint8

const (
	kafkaTopic origin = iota
	kafkaPartition
	kafkaOffset
	wholeKey   // a primitive key
	keyField   // of a struct
	keyEntry   // of a schemaless map
	valueField // of a struct
	valueEntry // of a schemaless map
)

// field is one column of the rows that records of one shape become.
type field struct {
	name    string
	schema  *connector.Schema // nil for an entry of a schemaless map
	logical *logical          // Debezium's type, nil for none
	key     bool
	from    origin
	index   int // of keyField and valueField
}

// value gives the field's value of a record.
func (f *field) value(r *connector.Record, defaults bool) any {
	var v any
	switch f.from {
	case kafkaTopic:
		return r.Origin.Topic
	case kafkaPartition:
		return r.Origin.Partition
	case kafkaOffset:
		return r.Origin.Offset
	case wholeKey:
		return r.Key
	case keyField:
		v = r.Key.(*connector.Struct).At(f.index)
	case valueField:
		v = r.Value.(*connector.Struct).At(f.index)
	case keyEntry:
		return r.Key.(map[string]any)[f.name]
	case valueEntry:
		return r.Value.(map[string]any)[f.name]
	}
	if v == nil && defaults {
		v, _ = f.schema.Default()
	}
	return v
}

// shape is what records of the same topic and schemas have in common.
type shape struct {
	topic    string
	table    string // what table.name.format is for the source of envelopes, if it names one
	delete   bool
	truncate bool
	partial  bool    // an update that leaves columns out
	fields   []field // in the order of columns
}

func (s *shape) keys() []string {
	var names []string
	for _, f := range s.fields {
		if f.key {
			names = append(names, f.name)
		}
	}
	return names
}

// shapeKey tells the shapes of records apart. Schemas are compared by pointer:
// converters give the records of one schema the same one.
type shapeKey struct {
	topic       string
	key, value  *connector.Schema
	delete      bool
	truncate    bool
	entries     string // the keys of schemaless maps
	table, left string // of an event
}

// maxShapes bounds the cache for converters that make a schema per record.
const maxShapes = 1000

// shapeOf gives the shape of what a record says. Its errors are about this record.
func (s *Sink) shapeOf(e *event) (*shape, shapeKey, error) {
	r := e.row
	if err := s.check(e); err != nil {
		return nil, shapeKey{}, err
	}
	k := shapeKey{topic: r.Topic, key: r.KeySchema, value: r.ValueSchema, delete: r.Value == nil, truncate: e.truncate, left: e.left}
	if s.set.fromSource {
		var err error
		if k.table, err = s.sourced(e); err != nil {
			return nil, k, s.at(r, err)
		}
	}
	if s.set.fromTable {
		k.entries = entries(r.Key) + "\x00" + entries(r.Value)
	}
	if known, ok := s.shapes[k]; ok {
		return known, k, nil
	}
	made := &shape{topic: r.Topic, table: k.table, truncate: true}
	if !e.truncate {
		var err error
		if made, err = s.newShape(r, k); err != nil {
			return nil, k, s.at(r, err)
		}
	}
	if len(s.shapes) >= maxShapes {
		clear(s.shapes)
		clear(s.plans)
	}
	s.shapes[k] = made
	return made, k, nil
}

// entries lists the keys of a schemaless map.
func entries(v any) string {
	m, ok := v.(map[string]any)
	if !ok {
		return ""
	}
	return strings.Join(slices.Sorted(maps.Keys(m)), "\x01")
}

// at says where in Kafka a record is.
func (s *Sink) at(r *connector.Record, err error) error {
	return connector.Coded("H5005", connector.Data(fmt.Errorf("record %s[%d]@%d: %w", r.Origin.Topic, r.Origin.Partition, r.Origin.Offset, err)))
}

// timestamp writes a record's time as Java does.
func timestamp(r *connector.Record) string {
	if r.Timestamp == connector.NoTimestamp {
		return "null"
	}
	return strconv.FormatInt(r.Timestamp, 10)
}

// check tells whether key and value are there as the configuration needs them.
func (s *Sink) check(e *event) error {
	if e.truncate {
		return nil
	}
	r := e.row
	needs := func(what, part string, v any, schema *connector.Schema) error {
		return connector.Data(fmt.Errorf("sink connector '%s' is configured with 'delete.enabled=%t' and 'pk.mode=%s' and therefore requires records with %s, "+
			"but found record at (topic='%s',partition=%d,offset=%d,timestamp=%s) with %s %s and %s",
			s.name, s.set.deletes, s.set.pkMode, what, r.Origin.Topic, r.Origin.Partition, r.Origin.Offset, timestamp(r), describe(v), part, describeSchema(schema)))
	}
	if s.set.pkMode == pkRecordKey {
		switch {
		case r.Key == nil:
			return needs("a non-null key", "key", r.Key, r.KeySchema)
		case isMap(r.Key) && !s.set.fromTable:
			return needs("a key that is a struct or primitive with a schema (or set schema.from=table, which excludes auto.create=true)", "key", r.Key, r.KeySchema)
		case r.KeySchema == nil && !s.set.fromTable:
			return needs("a key with a schema", "key", r.Key, r.KeySchema)
		}
	}
	if r.Value == nil {
		if s.set.deletes {
			return nil
		}
		return needs("a non-null value (null values delete with delete.enabled=true and pk.mode=record_key)", "value", r.Value, r.ValueSchema)
	}
	if _, ok := r.Value.(*connector.Struct); ok || isMap(r.Value) && s.set.fromTable {
		return nil
	}
	remedy := "schema.from=table for plain JSON"
	if s.set.create { // which the two exclude
		remedy += ", with auto.create=false and a table that is there"
	}
	return needs("a value that is a struct with a schema: use a converter with schemas (avro, or json with schemas.enable=true), or "+remedy, "value", r.Value, r.ValueSchema)
}

func isMap(v any) bool { _, ok := v.(map[string]any); return ok }

// describe names a value's kind, never the value.
func describe(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case *connector.Struct:
		return "struct"
	case map[string]any, map[any]any:
		return "map"
	}
	return fmt.Sprintf("%T", v)
}

func describeSchema(s *connector.Schema) string {
	if s == nil {
		return "no schema"
	}
	return s.Type().String() + " schema"
}

// newShape works out the columns of a record that was checked: the place in
// Kafka first, then the value's fields in their order, then the rest by name.
func (s *Sink) newShape(r *connector.Record, k shapeKey) (*shape, error) {
	sh := &shape{topic: r.Topic, table: k.table, delete: r.Value == nil, partial: k.left != ""}
	left := strings.Split(k.left, "\x00")
	keys, err := s.keyFields(r)
	if err != nil {
		return nil, err
	}
	isKey := map[string]*field{}
	for i := range keys {
		isKey[keys[i].name] = &keys[i]
	}
	take := func(f field) {
		if k := isKey[f.name]; k != nil {
			f = *k
			delete(isKey, f.name)
		} else if s.set.whitelist != nil && !s.set.whitelist[f.name] || slices.Contains(left, f.name) {
			return
		}
		sh.fields = append(sh.fields, f)
	}
	if s.set.pkMode == pkKafka {
		for _, k := range keys {
			take(k)
		}
	}
	if !sh.delete {
		for _, f := range valueFields(r) {
			if s.set.pkMode == pkKafka && slices.Contains(s.set.pkFields, f.name) {
				continue
			}
			take(f)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(isKey)) {
		take(*isKey[name])
	}
	if len(sh.fields) == 0 {
		return nil, fmt.Errorf("no fields found using key and value schemas for topic %s: fields.whitelist leaves none", r.Topic)
	}
	return sh, nil
}

func valueFields(r *connector.Record) []field {
	if m, ok := r.Value.(map[string]any); ok {
		return mapFields(m, valueEntry)
	}
	return structFields(r.Value.(*connector.Struct).Schema(), valueField)
}

func mapFields(m map[string]any, from origin) []field {
	fields := make([]field, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		fields = append(fields, field{name: name, from: from})
	}
	return fields
}

func structFields(schema *connector.Schema, from origin) []field {
	fields := make([]field, len(schema.Fields()))
	for i, f := range schema.Fields() {
		fields[i] = field{name: f.Name, schema: f.Schema, logical: logicalOf(f.Schema), from: from, index: i}
	}
	return fields
}

// keyFields gives the fields of the key by pk.mode and pk.fields.
func (s *Sink) keyFields(r *connector.Record) ([]field, error) {
	switch s.set.pkMode {
	case pkKafka:
		return []field{
			{name: s.set.pkFields[0], schema: connector.StringSchema, key: true, from: kafkaTopic},
			{name: s.set.pkFields[1], schema: connector.Int32Schema, key: true, from: kafkaPartition},
			{name: s.set.pkFields[2], schema: connector.Int64Schema, key: true, from: kafkaOffset},
		}, nil
	case pkRecordKey:
		return s.recordKey(r)
	case pkRecordValue:
		return pick("value", valueFields(r), s.set.pkFields)
	}
	return nil, nil
}

func (s *Sink) recordKey(r *connector.Record) ([]field, error) {
	switch k := r.Key.(type) {
	case *connector.Struct:
		return pick("key", structFields(k.Schema(), keyField), s.set.pkFields)
	case map[string]any:
		return pick("key", mapFields(k, keyEntry), s.set.pkFields)
	}
	if r.KeySchema != nil && !r.KeySchema.Type().Primitive() {
		return nil, fmt.Errorf("the key is of type %s, expected a struct or a primitive", r.KeySchema.Type())
	}
	if len(s.set.pkFields) != 1 {
		return nil, fmt.Errorf("the key is primitive, so pk.fields must name exactly one column, but there are %d: %s", len(s.set.pkFields), strings.Join(s.set.pkFields, ", "))
	}
	return []field{{name: s.set.pkFields[0], schema: r.KeySchema, logical: logicalOf(r.KeySchema), key: true, from: wholeKey}}, nil
}

// pick gives the named fields, all without names.
func pick(part string, all []field, names []string) ([]field, error) {
	var picked []field
	for i := range all {
		all[i].key = true
	}
	if len(names) == 0 {
		return all, nil
	}
	for _, name := range names {
		i := slices.IndexFunc(all, func(f field) bool { return f.name == name })
		if i < 0 {
			var have []string
			for _, f := range all {
				have = append(have, f.name)
			}
			return nil, fmt.Errorf("pk.fields names %s, which the record's %s does not have; it has %s", name, part, strings.Join(have, ", "))
		}
		picked = append(picked, all[i])
	}
	return picked, nil
}
