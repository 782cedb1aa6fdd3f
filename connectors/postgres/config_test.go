package postgres

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

// Clauses: R3, R4, R8, W12.
func TestValidate(t *testing.T) {
	good := connector.Props{"connection.url": "jdbc:postgresql://localhost/d"}
	tests := []struct {
		name  string
		props connector.Props
		want  []string // key: a part of the message
	}{
		{"the least", good, nil},
		{"nothing", connector.Props{}, []string{`connection.url: Missing required configuration "connection.url"`}},
		{"everything wrong at once", with(good, "connection.url", "jdbc:mysql://u:secret@h/d", "batch.size", "many", "insert.mode", "merge", "db.timezone", "Mars/Olympus", "max.retries", "-1",
			"table.name.format", "a..b", "topics.to.tables.mapping", "t", "table.types", "INDEX", "dialect.name", "OracleDatabaseDialect"),
			[]string{"dialect.name: String must be one of", "insert.mode: String must be one of: insert, upsert, update", "batch.size: Not a number of type INT", "batch.size: Value must be non-null", "max.retries: Value must be at least 0",
				"table.types: String must be one of", "db.timezone: is no time zone",
				"connection.url: Invalid value [hidden] for configuration connection.url: jdbc:mysql is no PostgreSQL URL",
				"topics.to.tables.mapping: expected topic:table", "table.name.format: a part is empty"}},
		{"deletes without a record key", with(good, "delete.enabled", "true", "pk.mode", "record_value", "pk.fields", "id"), []string{"delete.enabled: Deletes are only supported for pk.mode=record_key", "pk.mode: Deletes are only supported"}},
		{"upsert without a key", with(good, "insert.mode", "upsert"), []string{"insert.mode: insert.mode=upsert needs the key of a row", "pk.mode: insert.mode=upsert needs the key of a row"}},
		{"two Kafka fields", with(good, "pk.mode", "kafka", "pk.fields", "a,b"), []string{"pk.mode: pk.mode=kafka takes no pk.fields or the names of three", "pk.fields: pk.mode=kafka takes"}},
		{"three Kafka fields", with(good, "pk.mode", "kafka", "pk.fields", "a,b,c"), nil},
		{"tables from plain JSON", with(good, "schema.from", "table", "auto.create", "true"), []string{"schema.from: schema.from=table takes the columns from the table", "auto.create: schema.from=table"}},
		{"plain JSON", with(good, "value.converter", jsonClass, "value.converter.schemas.enable", "False"), []string{"value.converter: value.converter: JSON without schema (schemas.enable=false) does not say what the columns are: set schemas.enable=true, use avro, or set schema.from=table"}},
		{"plain JSON for new tables", with(good, "value.converter", jsonClass, "value.converter.schemas.enable", "false", "auto.create", "true"), []string{"value.converter: use avro, or create the table, and set schema.from=table and auto.create=false"}},
		{"plain JSON as keys", with(good, "key.converter", jsonClass, "key.converter.schemas.enable", "false", "pk.mode", "record_key"), []string{"key.converter: JSON without schema"}},
		{"plain JSON as keys that nobody looks at", with(good, "key.converter", jsonClass, "key.converter.schemas.enable", "false"), nil},
		{"plain JSON for the columns of a table", with(good, "value.converter", jsonClass, "value.converter.schemas.enable", "false", "schema.from", "table"), nil},
		{"plain JSON that a transform may give a schema", with(good, "value.converter", jsonClass, "value.converter.schemas.enable", "false", "transforms", "x"), nil},
		{"JSON with a schema of its own", with(good, "value.converter", jsonClass, "value.converter.schemas.enable", "false", "value.converter.schema.content", "{}"), nil},
		{"Aiven's words", with(good, "insert.mode", "multi", "sql.quote.identifiers", "false"), nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, problems := connector.CheckPlugin(new(Sink), test.props)
			var got []string
			for _, p := range problems.List() {
				got = append(got, p.Key+": "+p.Message)
				if strings.Contains(p.Message, "secret") {
					t.Errorf("a secret: %s", p.Message)
				}
			}
			if len(got) != len(test.want) {
				t.Fatalf("got %q, want %q", got, test.want)
			}
			for i, want := range test.want {
				key, part, _ := strings.Cut(want, ": ")
				if !strings.HasPrefix(got[i], key+": ") || !strings.Contains(got[i], part) {
					t.Errorf("got %q, want %q", got[i], want)
				}
			}
		})
	}
}

// Clauses: B10.
func TestAliases(t *testing.T) {
	for _, name := range []string{"postgres", "io.confluent.connect.jdbc.JdbcSinkConnector", "io.aiven.connect.jdbc.JdbcSinkConnector", "JdbcSinkConnector"} {
		if _, err := connector.Plugins.New(connector.SinkType, name); err != nil {
			t.Error(err)
		}
	}
}

// offline gives a sink that is configured and not started.
func offline(t *testing.T, props connector.Props) *Sink {
	t.Helper()
	s := new(Sink)
	conf := connectortest.Configure(t, s, with(props, "connection.url", "jdbc:postgresql://localhost/d"))
	var err error
	if s.set, err = newSettings(conf); err != nil {
		t.Fatal(err)
	}
	s.forget()
	return s
}

// Clauses: R1, R2, R4, R5, R6, R7.
func TestShape(t *testing.T) {
	abc := connector.StructOf("abc", connector.F("b", connector.StringSchema), connector.F("a", connector.StringSchema), connector.F("c", connector.StringSchema))
	values := func(s *connector.Schema) *connector.Struct { return connector.NewStruct(s) }
	record := func(ks *connector.Schema, k any, vs *connector.Schema, v any) connector.Record {
		r := connector.NewRecord("t", ks, k, vs, v)
		r.Origin = connector.Origin{Topic: "t", Partition: 2, Offset: 9}
		r.Timestamp = 5
		return r
	}
	plain := record(nil, nil, abc, values(abc))
	byKey := record(abc, values(abc), pairSchema, values(pairSchema))
	byText := record(connector.StringSchema, "k", abc, values(abc))
	tests := []struct {
		name   string
		props  connector.Props
		record connector.Record
		want   string // columns, those of the key in brackets
		err    string
	}{
		{"no key", connector.Props{}, plain, "b a c", ""},
		{"whitelist", connector.Props{"fields.whitelist": "c,b"}, plain, "b c", ""},
		{"whitelist leaves none", connector.Props{"fields.whitelist": "x"}, plain, "", "no fields found using key and value schemas for topic t"},
		{"kafka", connector.Props{"pk.mode": "kafka"}, plain, "[__connect_topic] [__connect_partition] [__connect_offset] b a c", ""},
		{"kafka by names", connector.Props{"pk.mode": "kafka", "pk.fields": "x,a,z"}, plain, "[x] [a] [z] b c", ""},
		{"fields of the value", connector.Props{"pk.mode": "record_value", "pk.fields": "c,b"}, plain, "[b] a [c]", ""},
		{"all fields of the value", connector.Props{"pk.mode": "record_value"}, plain, "[b] [a] [c]", ""},
		{"the whitelist keeps the key", connector.Props{"pk.mode": "record_value", "pk.fields": "c", "fields.whitelist": "a"}, plain, "a [c]", ""},
		{"an unknown field of the value", connector.Props{"pk.mode": "record_value", "pk.fields": "c,d"}, plain, "", "record t[2]@9: pk.fields names d, which the record's value does not have; it has b, a, c"},
		{"fields of the key", connector.Props{"pk.mode": "record_key", "pk.fields": "c,a"}, byKey, "id name [a] [c]", ""},
		{"all fields of the key", connector.Props{"pk.mode": "record_key"}, byKey, "id name [a] [b] [c]", ""},
		{"an unknown field of the key", connector.Props{"pk.mode": "record_key", "pk.fields": "id"}, byKey, "", "pk.fields names id, which the record's key does not have; it has b, a, c"},
		{"a primitive key", connector.Props{"pk.mode": "record_key", "pk.fields": "z"}, byText, "b a c [z]", ""},
		{"a primitive key over a field", connector.Props{"pk.mode": "record_key", "pk.fields": "a"}, byText, "b [a] c", ""},
		{"a primitive key without a name", connector.Props{"pk.mode": "record_key"}, byText, "", "the key is primitive, so pk.fields must name exactly one column, but there are 0"},
		{"an array as key", connector.Props{"pk.mode": "record_key"}, record(connector.ArrayOf(connector.StringSchema), []any{}, abc, values(abc)), "", "the key is of type array"},
		{"a null key", connector.Props{"pk.mode": "record_key"}, plain, "", "is configured with 'delete.enabled=false' and 'pk.mode=record_key' and therefore requires records with a non-null key, but found record at (topic='t',partition=2,offset=9,timestamp=5) with null key and no schema"},
		{"a null value", connector.Props{"pk.mode": "record_key"}, record(abc, values(abc), nil, nil), "", "requires records with a non-null value"},
		{"a null value that deletes", connector.Props{"pk.mode": "record_key", "delete.enabled": "true"}, record(abc, values(abc), nil, nil), "[a] [b] [c]", ""},
		{"a text as value", connector.Props{}, record(nil, nil, connector.StringSchema, "x"), "", "requires records with a value that is a struct with a schema"},
		{"a map as value", connector.Props{}, record(nil, nil, nil, map[string]any{"a": "x"}), "", "with map value and no schema"},
		{"a map and the table", connector.Props{"schema.from": "table", "pk.mode": "record_value", "pk.fields": "b"}, record(nil, nil, nil, map[string]any{"c": "x", "b": "y"}), "[b] c", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			sh, _, err := offline(t, test.props).shapeOf(&event{row: &test.record})
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) || connector.KindOf(err) != connector.KindData {
					t.Errorf("got %v (%s), want %s", err, connector.KindOf(err), test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, f := range sh.fields {
				if f.key {
					names = append(names, "["+f.name+"]")
				} else {
					names = append(names, f.name)
				}
			}
			if d := cmp.Diff(test.want, strings.Join(names, " ")); d != "" {
				t.Error(d)
			}
		})
	}
}
