package postgres

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
)

var (
	sourceSchema   = connector.StructOf("io.debezium.connector.postgresql.Source", connector.F("schema", connector.StringSchema), connector.F("table", connector.StringSchema))
	envelopeSchema = connector.StructOf("sea.t.Envelope", connector.F("before", pairSchema.AsOptional()), connector.F("after", pairSchema.AsOptional()),
		connector.F("source", sourceSchema), connector.F("op", connector.StringSchema))
)

// enveloped gives a record of an operation; a name that is absent means no row after it.
func enveloped(op string, id int32, name any) connector.Record {
	v := connector.NewStruct(envelopeSchema).Set("op", op).Set("source", connector.StructFrom(sourceSchema, []any{"public", "t"}))
	if op != "d" && op != "t" {
		v.Set("after", connector.StructFrom(pairSchema, []any{id, name}))
	}
	r := connector.NewRecord("server.t", idSchema, connector.StructFrom(idSchema, []any{id}), envelopeSchema, v)
	if op == "t" {
		r.KeySchema, r.Key = nil, nil
	}
	return r
}

// Each operation of an envelope does to the row what it did at the source.
func TestEnvelopes(t *testing.T) {
	base := connector.Props{"insert.mode": "upsert", "pk.mode": "record_key", "delete.enabled": "true", "truncate.enabled": "true", "table.name.format": "t"}
	gone := tombstone(1)
	all := []connector.Record{enveloped("c", 1, "a"), enveloped("r", 2, "b"), enveloped("u", 1, "c"), enveloped("u", 2, unavailable), enveloped("d", 1, nil), gone,
		enveloped("t", 0, nil), enveloped("c", 3, "d"), enveloped("c", 4, "e"), enveloped("d", 4, nil)}
	tests := []struct {
		name    string
		props   connector.Props
		records []connector.Record
		want    []string
		refused string // part of the one cause
	}{
		{"created, read, updated", base, all[:3], []string{"1|c", "2|b"}, ""},
		{"a value that the update does not say stays", base, all[:4], []string{"1|c", "2|b"}, ""},
		{"deleted", base, all[:5], []string{"2|b"}, ""},
		{"truncated, what comes behind stays", base, all, []string{"3|d"}, ""},
		{"truncations passed over", with(base, "truncate.enabled", "false"), all, []string{"2|b", "3|d"}, ""},
		{"flat records beside envelopes", base, []connector.Record{enveloped("c", 1, "a"), keyed(1, "flat"), keyed(2, "flat")}, []string{"1|flat", "2|flat"}, ""},
		{"another operation", base, []connector.Record{enveloped("x", 1, "a"), enveloped("c", 2, "b")}, []string{"2|b"}, `operation is "x"`},
		{"no row", base, []connector.Record{func() connector.Record {
			r := enveloped("d", 1, nil)
			r.Value = r.Value.(*connector.Struct).Clone().Set("op", "u")
			return r
		}()}, nil, "no row after it"},
		{"deletions are an error without delete.enabled", with(base, "delete.enabled", "false"), all[4:5], nil, "delete.enabled=false"},
		{"rows without a key, truncated", connector.Props{"insert.mode": "insert", "truncate.enabled": "true", "table.name.format": "t"},
			[]connector.Record{enveloped("c", 1, "a"), enveloped("t", 0, nil), enveloped("c", 2, "b")}, []string{"2|b"}, ""},
		{"the source's table", with(base, "table.name.format", "${source.schema}.${source.table}"), all[:2], []string{"1|a", "2|b"}, ""},
		{"a flat record has no source", with(base, "table.name.format", "${source.table}"), []connector.Record{enveloped("c", 1, "a"), keyed(2, "flat")}, []string{"1|a"}, "only envelopes of Debezium's have a source"},
		{"a field that the source does not have", with(base, "table.name.format", "${source.shelf}"), all[:1], nil, "${source.shelf}"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, size := range []int{1, len(test.records)} {
				d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, name text)")
				s, reporter := d.start(t, test.props)
				records := numbered(test.records...)
				for i := 0; i < len(records); i += size {
					if err := s.Put(t.Context(), records[i:i+size]); err != nil {
						t.Fatal(err)
					}
				}
				wantRows(t, d, "SELECT * FROM t ORDER BY id", test.want...)
				_, causes := reporter.Reported()
				if got := fmt.Sprint(causes); len(causes) > 1 || !strings.Contains(got, test.refused) || (test.refused == "") != (len(causes) == 0) {
					t.Errorf("reported %s, want %q", got, test.refused)
				}
			}
		})
	}
}

// Under Debezium's name what deletes is passed over where it is not asked for, and
// counted.
//
// Clauses: W13.
func TestDebeziumPassesDeletionsOver(t *testing.T) {
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, name text)")
	s, c := new(DebeziumSink), connectortest.Context(t)
	props := connector.Props{"connection.url": d.url, "insert.mode": "upsert", "primary.key.mode": "record_key", "collection.name.format": "t"}
	if err := s.Start(t.Context(), c, connectortest.Configure(t, s, props)); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Stop() }()
	put(t, &s.Sink, enveloped("c", 1, "a"), enveloped("d", 1, nil), tombstone(1), enveloped("t", 0, nil))
	wantRows(t, d, "SELECT * FROM t", "1|a")
	if got := c.Metrics.(*connectortest.Metrics).Value("postgres_skipped_records_total"); got != 3 {
		t.Errorf("%g records were passed over, want 3", got)
	}
}

// An envelope in JSON without schema is one, too.
func TestEnvelopesWithoutSchema(t *testing.T) {
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, name text)")
	s, reporter := d.start(t, connector.Props{"insert.mode": "upsert", "pk.mode": "record_key", "delete.enabled": "true", "schema.from": "table", "table.name.format": "${source.table}"})
	plain := func(op string, id int64, after any) connector.Record {
		return connector.NewRecord("x", nil, map[string]any{"id": id}, nil, map[string]any{"before": nil, "after": after, "op": op, "source": map[string]any{"table": "t"}})
	}
	put(t, s, plain("c", 1, map[string]any{"id": int64(1), "name": "a"}), plain("c", 2, map[string]any{"id": int64(2), "name": "b"}), plain("d", 1, nil))
	wantRows(t, d, "SELECT * FROM t", "2|b")
	if _, causes := reporter.Reported(); len(causes) > 0 {
		t.Error(causes)
	}
}

// A task that may truncate is refused at the start where the user may not.
func TestTruncateNeedsThePrivilege(t *testing.T) {
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, name text)")
	const role = "truncates_nothing"
	pgtest.Exec(t, d, "DO $$ BEGIN CREATE ROLE "+role+" LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$; GRANT SELECT, INSERT, UPDATE ON t TO "+role)
	s := new(Sink)
	props := connector.Props{"connection.url": strings.Replace(d.url, "postgres@", role+"@", 1), "topics": "t", "insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id", "truncate.enabled": "true"}
	err := s.Start(t.Context(), connectortest.Context(t), connectortest.Configure(t, s, props))
	defer func() { _ = s.Stop() }()
	if err == nil || !strings.Contains(err.Error(), "GRANT TRUNCATE ON") {
		t.Errorf("%v, want the privilege that lacks", err)
	}
}

// Logical types go into the columns that they are for, whatever the connector's
// settings, into text as it is read, and into numbers as they are.
//
// Clauses: Y6.
func TestLogicalTypes(t *testing.T) {
	named := func(s *connector.Schema, name string) *connector.Schema { return s.WithName("io.debezium." + name) }
	point := connector.StructOf("io.debezium.data.geometry.Point", connector.F("x", connector.Float64Schema), connector.F("y", connector.Float64Schema))
	scaled := connector.StructOf("io.debezium.data.VariableScaleDecimal", connector.F("scale", connector.Int32Schema), connector.F("value", connector.BytesSchema))
	tests := []struct {
		name, column string
		schema       *connector.Schema
		value        any
		want         string
	}{
		{"days", "date", named(connector.Int32Schema, "time.Date"), int32(-1), "1969-12-31"},
		{"days into an instant", "timestamptz", named(connector.Int32Schema, "time.Date"), int32(1), "1970-01-02 05:00:00+00"},
		{"days into a number", "int", named(connector.Int32Schema, "time.Date"), int32(18321), "18321"},
		{"days into text", "text", named(connector.Int32Schema, "time.Date"), int32(18321), "2020-02-29"},
		{"time in milliseconds", "time", named(connector.Int32Schema, "time.Time"), int32(45015123), "12:30:15.123"},
		{"time in nanoseconds", "time", named(connector.Int64Schema, "time.NanoTime"), int64(45015123456789), "12:30:15.123457"},
		{"milliseconds", "timestamp", named(connector.Int64Schema, "time.Timestamp"), int64(-1), "1969-12-31 23:59:59.999"},
		{"nanoseconds", "timestamp", named(connector.Int64Schema, "time.NanoTimestamp"), int64(-1000), "1969-12-31 23:59:59.999999"},
		{"a clock's time in the zone", "timestamptz", named(connector.Int64Schema, "time.MicroTimestamp"), int64(1593604800000000), "2020-07-01 16:00:00+00"},
		{"an instant in the zone", "timestamp", named(connector.StringSchema, "time.ZonedTimestamp"), "2020-07-01T12:00:00Z", "2020-07-01 08:00:00"},
		{"an instant with an offset", "timestamptz", named(connector.StringSchema, "time.ZonedTimestamp"), "2020-07-01T12:00:00.5+02:00", "2020-07-01 10:00:00.5+00"},
		{"an instant as text", "text", named(connector.StringSchema, "time.ZonedTimestamp"), "2020-07-01T12:00:00Z", "2020-07-01T12:00:00Z"},
		{"no instant", "timestamptz", named(connector.StringSchema, "time.ZonedTimestamp"), "never", ""},
		{"a duration", "interval", named(connector.Int64Schema, "time.NanoDuration"), int64(-1500000000), "-00:00:01.5"},
		{"a year", "int", named(connector.Int32Schema, "time.Year"), int32(2020), "2020"},
		{"bits into bytes", "bytea", named(connector.BytesSchema, "data.Bits").WithParameter("length", "9"), []byte{1, 1}, `\x0101`},
		{"bits", "bit(12)", named(connector.BytesSchema, "data.Bits").WithParameter("length", "12"), []byte{5, 1}, "000100000101"},
		{"a point", "point", point, connector.StructFrom(point, []any{1.5, -2.0}), "(1.5,-2)"},
		{"a point as JSON", "jsonb", point, connector.StructFrom(point, []any{1.5, -2.0}), `{"x": 1.5, "y": -2}`},
		{"a point into a number", "int", point, connector.StructFrom(point, []any{1.5, -2.0}), ""},
		{"a decimal of any scale", "numeric", scaled, connector.StructFrom(scaled, []any{int32(3), []byte{0xff}}), "-0.001"},
		{"a decimal's text", "text", scaled, connector.StructFrom(scaled, []any{int32(-2), []byte{1}}), "100"},
		{"a word of a set", "text", named(connector.StringSchema, "data.EnumSet"), "a,b", "a,b"},
		{"a vector as numbers", "real[]", connector.ArrayOf(connector.Float32Schema).WithName("io.debezium.data.FloatVector"), []any{float32(0.5), float32(2)}, "{0.5,2}"},
		{"a boolean into a bit", "bit", connector.BooleanSchema, true, "1"},
	}
	d := newDatabase(t, "")
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			pgtest.Exec(t, d, "DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, v "+test.column+")")
			s, reporter := d.start(t, with(upsert, "db.timezone", "America/New_York"))
			put(t, s, one(test.schema, 1, test.value))
			_, causes := reporter.Reported()
			if (test.want == "") != (len(causes) == 1) {
				t.Fatalf("reported %v", causes)
			}
			if test.want != "" {
				wantRows(t, d, "SELECT v FROM t", test.want)
			}
		})
	}
}

// With schema.validate a table that does not go with the records ends the task before
// a row is written.
//
// Clauses: T7.
func TestValidateOnly(t *testing.T) {
	props := connector.Props{"insert.mode": "insert", "schema.validate": "true", "topics": "t"}
	tests := []struct {
		name, table string
		schema      *connector.Schema
		value       any
		want        string // empty: it goes
	}{
		{"fine", "v text", connector.Int32Schema, int32(1), ""},
		{"json takes anything", "v jsonb", pairSchema, connector.StructFrom(pairSchema, []any{int32(1), nil}), ""},
		{"a struct into text", "v text", pairSchema, connector.StructFrom(pairSchema, []any{int32(1), nil}), "column v of type text takes no value of field v, which is of type pair"},
		{"a number into a date", "v date", connector.Int32Schema, int32(1), "column v of type date"},
		{"days into a date", "v date", connector.Int32Schema.WithName("io.debezium.time.Date"), int32(1), ""},
		{"a timestamp into a number", "v bigint", connector.TimestampSchema, nil, "column v of type bigint"},
		{"bytes into text", "v text", connector.BytesSchema, []byte{1}, "column v of type text"},
		{"an array into text", "v text", connector.ArrayOf(connector.Int32Schema), []any{int32(1)}, "column v of type text"},
		{"an array of booleans into dates", "v date[]", connector.ArrayOf(connector.BooleanSchema), []any{true}, "column v of type date[]"},
		{"an array", "v int[]", connector.ArrayOf(connector.Int32Schema), []any{int32(1)}, ""},
		{"a column that is missing", "w int", connector.Int32Schema, int32(1), "missing the fields v"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newDatabase(t, "CREATE TABLE t (id int, "+test.table+")")
			s, reporter := d.start(t, props)
			err := s.Put(t.Context(), numbered(one(test.schema, 1, test.value)))
			if (err == nil) != (test.want == "") || err != nil && (!strings.Contains(err.Error(), test.want) || connector.KindOf(err) != connector.KindFatal) {
				t.Errorf("%v, want %s", err, test.want)
			}
			if _, causes := reporter.Reported(); len(causes) > 0 {
				t.Errorf("reported %v", causes)
			}
		})
	}
	t.Run("a table that is missing", func(t *testing.T) {
		s, c := new(DebeziumSink), connectortest.Context(t)
		conf := connector.Props{"connection.url": pgtest.URL(t), "topics": "not.there", "schema.evolution": "validate-only"}
		err := s.Start(t.Context(), c, connectortest.Configure(t, s, conf))
		defer func() { _ = s.Stop() }()
		if err == nil || !strings.Contains(err.Error(), "table not_there is missing") {
			t.Errorf("%v, want the table that is missing", err)
		}
	})
}

// Debezium's placeholder in the forms that it has by a column's type.
func TestUnsaidValues(t *testing.T) {
	bytes := make([]any, len(unavailable))
	for i := range bytes {
		bytes[i] = int32(unavailable[i])
	}
	for _, v := range []any{unavailable, []byte(unavailable), unavailable64, []any{unavailable}, bytes, map[string]any{unavailable: unavailable},
		map[any]any{unavailable: unavailable}, `{"` + unavailable + `":"` + unavailable + `"}`} {
		if !isUnsaid(v) {
			t.Errorf("%v is taken for a value", v)
		}
	}
	other := slices.Clone(bytes)
	other[3] = int32(1)
	for _, v := range []any{nil, "", unavailable[1:], []byte{}, []any{}, []any{unavailable, unavailable}, other, map[string]any{"a": unavailable}, int64(1)} {
		if isUnsaid(v) {
			t.Errorf("%v is not taken for a value", v)
		}
	}
}

func TestDebeziumPreview(t *testing.T) {
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, name text)")
	s, c := new(DebeziumSink), connectortest.Context(t)
	var does []string
	c.Preview = &connector.Preview{Would: func(e connector.Effect) { does = append(does, e.Does) }}
	conf := connectortest.Configure(t, s, connector.Props{"connection.url": d.url, "insert.mode": "upsert", "primary.key.mode": "record_key", "collection.name.format": "t"})
	if err := s.Preview(t.Context(), c, conf, []connector.Record{enveloped("c", 1, "a"), enveloped("d", 2, nil)}); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"upsert 1 rows: table public.t"}, does); d != "" {
		t.Error(d) // what deletes is passed over under this name
	}
}
