package debezium

import (
	"fmt"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// The modes of delete.tombstone.handling.mode.
const (
	drop                 = "drop"
	tombstone            = "tombstone"
	rewrite              = "rewrite"
	rewriteWithTombstone = "rewrite-with-tombstone"
	deleteToTombstone    = "delete-to-tombstone"
)

const addsDoc = "Adds each field listed, prefixed with __ (or __<struct>_ if the struct is specified). " +
	"Example: 'version,connector,source.ts_ms' would add __version, __connector and __source_ts_ms. " +
	"Optionally one can also map new field name like version:VERSION,connector:CONNECTOR,source.ts_ms:EVENT_TIMESTAMP. " +
	"Please note that the new field name is case-sensitive."

// ConfigDef gives Debezium's keys.
func (*ExtractNewRecordState) ConfigDef() *connector.ConfigDef {
	text := func(name, def, doc string) connector.Key {
		return connector.Key{Name: name, Type: connector.StringKey, Default: def, Importance: connector.Low, Doc: doc}
	}
	list := func(name, doc string) connector.Key {
		return connector.Key{Name: name, Type: connector.ListKey, Default: []string{}, Importance: connector.Low, Check: validReferences, Doc: doc}
	}
	flag := func(name string, def bool, doc string) connector.Key {
		return connector.Key{Name: name, Type: connector.BooleanKey, Default: def, Importance: connector.Low, Doc: doc}
	}
	return connector.NewConfigDef(
		connector.Key{Name: "delete.tombstone.handling.mode", Type: connector.StringKey, Default: tombstone,
			Check: connector.OneOfFold(drop, tombstone, rewrite, rewriteWithTombstone, deleteToTombstone),
			Doc: "How to handle delete records. Options are: drop - Remove the delete event and tombstone from the stream. " +
				"tombstone (default) - For each delete event, leave only a tombstone in the stream. " +
				"rewrite - Remove tombstone from the record, and add a `__deleted` field with the value `true`. " +
				"rewrite-with-tombstone - Retain tombstone in record and add a `__deleted` field with the value `true`. " +
				"delete-to-tombstone - Convert delete events to tombstone events and drop tombstone events."},
		text("route.by.field", "", "The column which determines how the events will be routed, the value will replace the topic name."),
		text("add.fields.prefix", "__", "Adds this prefix to each field listed."),
		list("add.fields", addsDoc),
		text("add.headers.prefix", "__", "Adds this prefix listed to each header."),
		list("add.headers", addsDoc),
		connector.Key{Name: "drop.fields.header.name", Type: connector.StringKey, Importance: connector.Low,
			Doc: "Specifies the name of a header that contains a list of fields to be removed from the event value."},
		flag("drop.fields.from.key", false, "Specifies whether to apply the drop fields behavior to the event key as well as the value."),
		flag("drop.fields.keep.schema.compatible", true, "Controls the output event's schema compatibility when using the drop fields feature. "+
			"`true`: dropped fields are removed if the schema indicates its optional leaving the schemas unchanged, "+
			"`false`: dropped fields are removed from the key/value schemas, regardless of optionality."),
		flag("replace.null.with.default", true,
			"When this option is enabled, null field values are replaced by source-defined defaults when rewriting the record."),
	)
}

// Validate points out keys of Debezium 2, which would be ignored otherwise:
// deletes would then not become what was asked for.
func (*ExtractNewRecordState) Validate(conf connector.Config, p *connector.Problems) {
	for _, key := range []string{"drop.tombstones", "delete.handling.mode"} {
		if conf.Given(key) {
			p.Add(key, "%s", connector.Invalid(key, conf.Props()[key], "Debezium 3 has delete.tombstone.handling.mode in its place"))
		}
	}
}

// reference is a field of the envelope to add, and the name it gets.
type reference struct {
	parent string // the struct in the envelope; empty for the envelope itself
	field  string
	name   string
}

// parseReference reads field, struct.field or either with :name.
func parseReference(prefix, text string) (reference, error) {
	from, name, renamed := strings.Cut(strings.TrimSpace(text), ":")
	parent, field, nested := strings.Cut(from, ".")
	r := reference{parent: parent, field: field}
	if !nested {
		r.parent, r.field = parentOf(from), from
	}
	switch {
	case r.field == "" || strings.Contains(r.field, ".") || renamed && (name == "" || strings.Contains(name, ":")):
		return r, fmt.Errorf("Unexpected field name: %s", text)
	case renamed:
		r.name = prefix + name
	case nested:
		r.name = prefix + parent + "_" + field
	default:
		r.name = prefix + from
	}
	return r, nil
}

// parentOf gives the struct that a field stands in when none is named.
func parentOf(field string) string {
	switch field {
	case "id", "data_collection_order", "total_order":
		return "transaction"
	case "op", "ts_ms", "ts_us", "ts_ns":
		return ""
	case "updateDescription":
		return "updateDescription"
	}
	return "source"
}

func parseReferences(prefix string, list []string) ([]reference, error) {
	all := make([]reference, len(list))
	for i, text := range list {
		var err error
		if all[i], err = parseReference(prefix, text); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func validReferences(_ string, v any) error {
	list, _ := v.([]string)
	_, err := parseReferences("", list)
	return err
}

// schema gives the schema of the field in an envelope's, optional; nil where it
// is not there. What another transform has put beside it counts too.
func (r reference) schema(envelope *connector.Schema) *connector.Schema {
	f, ok := envelope.Field(r.parent)
	if r.parent != "" && ok && f.Schema.Type() == connector.Object {
		f, ok = f.Schema.Field(r.field)
	} else {
		ok = false
	}
	if !ok {
		f, ok = envelope.Field(r.field)
	}
	if !ok {
		return nil
	}
	return f.Schema.WithoutDefault().AsOptional()
}

// value reads the field as it is, null where the struct around it is.
func (r reference) value(envelope *connector.Struct) any {
	if r.parent != "" {
		f, ok := envelope.Schema().Field(r.parent)
		if ok {
			parent, _ := envelope.At(f.Index).(*connector.Struct)
			if parent == nil {
				return nil
			}
			if f, ok := parent.Schema().Field(r.field); ok {
				return parent.At(f.Index)
			}
		}
	}
	if f, ok := envelope.Schema().Field(r.field); ok {
		return envelope.At(f.Index)
	}
	return nil
}
