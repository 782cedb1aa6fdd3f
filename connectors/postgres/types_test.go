package postgres

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
)

// one gives a record of a key and one field v.
func one(schema *connector.Schema, id int32, v any) connector.Record {
	s := connector.StructOf("one", connector.F("id", connector.Int32Schema), connector.F("v", schema.AsOptional()))
	return connector.NewRecord("t", nil, nil, s, connector.StructFrom(s, []any{id, v}))
}

// Clauses: R9, T3, Y1, Y4, Y5, Y7.
func TestCreatedTypes(t *testing.T) {
	noon := time.Date(2020, 2, 29, 12, 30, 15, 123e6, time.UTC)
	tests := []struct {
		name   string
		schema *connector.Schema
		kind   string
		values []any
		want   []string
	}{
		{"int8", connector.Int8Schema, "smallint", []any{int8(-128), int8(127), nil}, []string{"-128", "127", "<null>"}},
		{"int16", connector.Int16Schema, "smallint", []any{int16(math.MinInt16), int16(math.MaxInt16)}, []string{"-32768", "32767"}},
		{"int32", connector.Int32Schema, "integer", []any{int32(math.MinInt32), int32(math.MaxInt32)}, []string{"-2147483648", "2147483647"}},
		{"int64", connector.Int64Schema, "bigint", []any{int64(math.MinInt64), int64(math.MaxInt64)}, []string{"-9223372036854775808", "9223372036854775807"}},
		{"float32", connector.Float32Schema, "real", []any{float32(0.1), float32(math.MaxFloat32), float32(math.SmallestNonzeroFloat32)}, []string{"0.1", "3.4028235e+38", "1e-45"}},
		{"float64", connector.Float64Schema, "double precision", []any{0.1, math.MaxFloat64, math.SmallestNonzeroFloat64, math.NaN(), math.Inf(1), math.Inf(-1)},
			[]string{"0.1", "1.7976931348623157e+308", "5e-324", "NaN", "Infinity", "-Infinity"}},
		{"boolean", connector.BooleanSchema, "boolean", []any{true, false, nil}, []string{"t", "f", "<null>"}},
		{"string", connector.StringSchema, "text", []any{"", `NULL`, "{\"a\\,\n'é\U0001F9A0", nil}, []string{"", "NULL", "{\"a\\,\n'é\U0001F9A0", "<null>"}},
		{"bytes", connector.BytesSchema, "bytea", []any{[]byte{}, []byte{0, 255}, nil}, []string{`\x`, `\x00ff`, "<null>"}},
		{"decimal", connector.DecimalSchema(2), "numeric", []any{connector.NewDecimal(-12345, 2)}, []string{"-123.45"}},
		{"date", connector.DateSchema, "date", []any{noon.Truncate(24 * time.Hour)}, []string{"2020-02-29"}},
		{"time", connector.TimeSchema, "time without time zone", []any{noon}, []string{"12:30:15.123"}},
		{"timestamp", connector.TimestampSchema, "timestamp without time zone", []any{noon, time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1582, 10, 10, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(-43, 3, 15, 0, 0, 0, 0, time.UTC), time.Date(12345, 1, 1, 0, 0, 0, 0, time.UTC)},
			[]string{"2020-02-29 12:30:15.123", "0001-01-01 00:00:00", "1582-10-10 00:00:00", "9999-12-31 23:59:59", "0044-03-15 00:00:00 BC", "12345-01-01 00:00:00"}},
		{"array of int8", connector.ArrayOf(connector.Int8Schema), "smallint[]", []any{[]any{int8(1), nil, int8(-1)}, []any{}, nil}, []string{"{1,NULL,-1}", "{}", "<null>"}},
		{"array of int64", connector.ArrayOf(connector.Int64Schema), "bigint[]", []any{[]any{int64(math.MaxInt64)}}, []string{"{9223372036854775807}"}},
		{"array of float32", connector.ArrayOf(connector.Float32Schema), "real[]", []any{[]any{float32(0.1), float32(math.Inf(1))}}, []string{"{0.1,Infinity}"}},
		{"array of boolean", connector.ArrayOf(connector.BooleanSchema), "boolean[]", []any{[]any{true, false}}, []string{"{t,f}"}},
		{"array of string", connector.ArrayOf(connector.StringSchema), "text[]", []any{[]any{"", `a"b\c,}`, nil, "NULL"}}, []string{`{"","a\"b\\c,}",NULL,"NULL"}`}},
		{"array of bytes", connector.ArrayOf(connector.BytesSchema), "bytea[]", []any{[]any{[]byte{1}}}, []string{`{"\\x01"}`}},
		{"array of date", connector.ArrayOf(connector.DateSchema), "date[]", []any{[]any{noon}}, []string{`{2020-02-29}`}},
		{"map", connector.MapOf(connector.StringSchema, connector.Float64Schema), "jsonb", []any{map[string]any{"a": 1.5}}, []string{`{"a": 1.5}`}},
		{"struct", pairSchema, "jsonb", []any{connector.StructFrom(pairSchema, []any{int32(1), "x"})}, []string{`{"id": 1, "name": "x"}`}},
	}
	d := newDatabase(t, "")
	s, reporter := d.start(t, with(upsert, "table.name.format", "${topic}"))
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var records []connector.Record
			for i, v := range test.values {
				r := one(test.schema, int32(i), v)
				r.Topic = strings.ReplaceAll(test.name, " ", "_")
				records = append(records, r)
			}
			put(t, s, records...)
			if _, causes := reporter.Reported(); len(causes) > 0 {
				t.Fatal(causes)
			}
			table := `"` + records[0].Topic + `"`
			wantRows(t, d, "SELECT v FROM "+table+" ORDER BY id", test.want...)
			wantRows(t, d, "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attname = 'v' AND attrelid = '"+table+"'::regclass", test.kind)
		})
	}
}

// Clauses: R7, T3.
func TestCreatedDefaultsAndOrder(t *testing.T) {
	d := newDatabase(t, "")
	s, _ := d.start(t, connector.Props{"insert.mode": "upsert", "pk.mode": "record_key", "pk.fields": "zz", "auto.create": "true"})
	schema := connector.StructOf("s",
		connector.F("b", connector.StringSchema.WithDefault(`it's \ "x"`)),
		connector.F("A", connector.OptionalInt32Schema.WithDefault(int32(-7))),
		connector.F("d", connector.DateSchema.WithDefault(time.Date(2020, 1, 2, 0, 0, 0, 0, time.UTC))),
		connector.F("l", connector.ArrayOf(connector.Float32Schema).WithDefault([]any{float32(0.5)})),
		connector.F("y", connector.BytesSchema.WithDefault([]byte{1, 2})))
	r := connector.NewRecord("t", connector.StringSchema, "key", schema, connector.NewStruct(schema))
	put(t, s, r)
	wantRows(t, d, "SELECT * FROM t", `it's \ "x"|-7|2020-01-02|{0.5}|\x0102|key`)
	pgtest.Exec(t, d, "INSERT INTO t (zz) VALUES ('other')")
	wantRows(t, d, "SELECT * FROM t WHERE zz = 'other'", `it's \ "x"|-7|2020-01-02|{0.5}|\x0102|other`)
	wantRows(t, d, "SELECT attname FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 AND NOT attnotnull", "A")
}

// Values are read as the live column's type, in rows and in keys.
//
// Clauses: R9, Y2, Y3, Y5.
func TestLiveColumnTypes(t *testing.T) {
	when := time.Date(2020, 7, 1, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name, column string
		schema       *connector.Schema
		value        any
		want         string // empty: refused
	}{
		{"text to uuid", "uuid", connector.StringSchema, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
		{"text to json", "json", connector.StringSchema, `{"a": 1}`, `{"a": 1}`},
		{"text to jsonb", "jsonb", connector.StringSchema, `[1,2]`, `[1, 2]`},
		{"text to timestamp", "timestamp", connector.StringSchema, "2020-01-02T03:04:05", "2020-01-02 03:04:05"},
		{"text to timestamptz", "timestamptz", connector.StringSchema, "2020-01-02T03:04:05Z", "2020-01-02 03:04:05+00"},
		{"text to date", "date", connector.StringSchema, "2020-01-02", "2020-01-02"},
		{"text to inet", "inet", connector.StringSchema, "10.0.0.1", "10.0.0.1"},
		{"text to numeric", "numeric(6,2)", connector.StringSchema, "1.5", "1.50"},
		{"text to enum", "mood", connector.StringSchema, "happy", "happy"},
		{"text to another word", "mood", connector.StringSchema, "hungry", ""},
		{"text to boolean", "boolean", connector.StringSchema, "yes", "t"},
		{"text to integer", "int", connector.StringSchema, "42", "42"},
		{"text to array", "int[]", connector.StringSchema, "{1,2}", "{1,2}"},
		{"text to domain", "short", connector.StringSchema, "abc", "abc"},
		{"text too long for a domain", "short", connector.StringSchema, "abcd", ""},
		{"text too long", "varchar(3)", connector.StringSchema, "abcd", ""},
		{"text too long for char", "char(3)", connector.StringSchema, "abcd", ""},
		{"text to char", "char(3)", connector.StringSchema, "ab", "ab "},
		{"text to interval", "interval", connector.StringSchema, "2 days", "2 days"},
		{"text to range", "int4range", connector.StringSchema, "[1,5)", "[1,5)"},
		{"text to composite", "point2", connector.StringSchema, "(1,2)", "(1,2)"},
		{"text to bit", "bit(3)", connector.StringSchema, "101", "101"},
		{"int to numeric", "numeric", connector.Int64Schema, int64(7), "7"},
		{"int to text", "text", connector.Int32Schema, int32(7), "7"},
		{"int to double", "float8", connector.Int32Schema, int32(7), "7"},
		{"int too large", "int2", connector.Int32Schema, int32(70000), ""},
		{"int to boolean", "boolean", connector.Int32Schema, int32(1), ""},
		{"int to timestamp", "timestamp", connector.Int64Schema, int64(20200101), ""},
		{"int to interval", "interval", connector.Int32Schema, int32(5), ""},
		{"a whole float to int", "int", connector.Float64Schema, 3.0, "3"},
		{"a float to int", "int", connector.Float64Schema, 3.5, ""},
		{"float32 to double", "float8", connector.Float32Schema, float32(0.1), "0.10000000149011612"},
		{"float32 to numeric", "numeric", connector.Float32Schema, float32(0.1), "0.1"},
		{"boolean to text", "text", connector.BooleanSchema, true, "true"},
		{"boolean to int", "int", connector.BooleanSchema, true, ""},
		{"bytes to text", "text", connector.BytesSchema, []byte("a"), ""},
		{"struct to text", "text", pairSchema, connector.StructFrom(pairSchema, []any{int32(1), "x"}), ""},
		{"timestamp to timestamptz", "timestamptz", connector.TimestampSchema, when, "2020-07-01 12:00:00+00"},
		{"timestamp in the zone", "timestamp", connector.TimestampSchema, when, "2020-07-01 08:00:00"},
		{"timestamp to text", "text", connector.TimestampSchema, when, "2020-07-01 08:00:00"},
		{"date stays", "date", connector.DateSchema, when.Truncate(24 * time.Hour), "2020-07-01"},
		{"array to jsonb", "jsonb", connector.ArrayOf(connector.Int32Schema), []any{int32(1)}, "[1]"},
		{"array to text", "text", connector.ArrayOf(connector.Int32Schema), []any{int32(1)}, ""},
		{"array of text to uuids", "uuid[]", connector.ArrayOf(connector.StringSchema), []any{"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}, "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"},
	}
	d := newDatabase(t, "CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TYPE point2 AS (x int, y int); CREATE DOMAIN short AS varchar(3)")
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			pgtest.Exec(t, d, "DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, v "+test.column+")")
			s, reporter := d.start(t, with(upsert, "db.timezone", "America/New_York", "date.timezone", "UTC"))
			put(t, s, one(test.schema, 1, test.value))
			_, causes := reporter.Reported()
			if test.want == "" {
				if len(causes) != 1 {
					t.Errorf("was not refused: %v", pgtest.Rows(t, d, "SELECT v FROM t"))
				}
				return
			}
			if len(causes) > 0 {
				t.Fatal(causes)
			}
			wantRows(t, d, "SELECT v FROM t", test.want)
		})
	}
}

// Clauses: Y2.
func TestKeysOfOtherTypes(t *testing.T) {
	const id = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
	d := newDatabase(t, "CREATE TABLE t (id uuid PRIMARY KEY, n int)")
	schema := connector.StructOf("n", connector.F("n", connector.Int32Schema))
	row := connector.NewRecord("t", connector.StringSchema, id, schema, connector.StructFrom(schema, []any{int32(1)}))
	gone := connector.NewRecord("t", connector.StringSchema, id, nil, nil)
	for _, mode := range []string{"upsert", "update"} {
		s, _ := d.start(t, connector.Props{"insert.mode": mode, "pk.mode": "record_key", "pk.fields": "id", "delete.enabled": "true"})
		pgtest.Exec(t, d, "DELETE FROM t; INSERT INTO t VALUES ('"+id+"', 0)")
		put(t, s, row)
		wantRows(t, d, "SELECT n FROM t", "1")
		put(t, s, gone)
		wantRows(t, d, "SELECT n FROM t")
	}
}

// Clauses: Y2.
func TestTimestampFields(t *testing.T) {
	schema := connector.StructOf("s", connector.F("id", connector.Int32Schema), connector.F("at", connector.Int64Schema), connector.F("said", connector.StringSchema))
	r := connector.NewRecord("t", nil, nil, schema, connector.StructFrom(schema, []any{int32(1), int64(1564349199000001), "2019-07-28 21:26:39"}))
	d := newDatabase(t, "")
	s, _ := d.start(t, with(upsert, "timestamp.fields.list", "at,said"))
	put(t, s, r)
	wantRows(t, d, "SELECT at, said FROM t", "2019-07-28 21:26:39.000001|2019-07-28 21:26:39")
	wantRows(t, d, "SELECT DISTINCT pg_typeof(at)::text || pg_typeof(said)::text FROM t", "timestamp without time zonetimestamp without time zone")
}

// Clauses: T1, T5, T6, T9.
func TestNames(t *testing.T) {
	d := newDatabase(t, `CREATE TABLE t (id int PRIMARY KEY, name text, extra int); CREATE SCHEMA s; CREATE TABLE "mIxed" ("ID" int PRIMARY KEY, "Name" text)`)
	topic := func(r connector.Record, name string) connector.Record { r.Topic = name; return r }
	tests := []struct {
		name  string
		topic string
		props connector.Props
		table string
	}{
		{"schema", "s.x", upsert, `s.x`},
		{"quotes keep dots", "s.x", with(upsert, "table.name.format", `"${topic}"`), `"s.x"`},
		{"normalised", "a-b.c", with(upsert, "table.name.normalize", "true"), `a_b_c`},
		{"mapped", "some.topic", with(upsert, "topics.to.tables.mapping", "some.topic:s.mapped"), `s.mapped`},
		{"not mapped", "rest", with(upsert, "topics.to.tables.mapping", "some.topic:s.mapped"), `rest`},
		{"folded", "LOUD", with(upsert, "quote.sql.identifiers", "never"), `loud`},
		{"folded as Aiven says it", "LOUDER", with(upsert, "sql.quote.identifiers", "false"), `louder`},
		{"kept", "LOUD", upsert, `"LOUD"`},
		{"cut", strings.Repeat("x", 70), upsert, strings.Repeat("x", 63)},
		{"columns ignoring case", "mIxed", upsert, `"mIxed"`},
		{"hostile", `x"; DROP TABLE t; --`, with(upsert, "table.name.format", "s.${topic}"), `s."x""; DROP TABLE t; --"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, _ := d.start(t, test.props)
			put(t, s, topic(pair(1, "a"), test.topic))
			wantRows(t, d, "SELECT * FROM "+test.table, "1|a")
		})
	}
	wantRows(t, d, "SELECT count(*) FROM t", "0")
}
