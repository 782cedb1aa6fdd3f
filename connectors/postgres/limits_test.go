package postgres

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/pg"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
)

// limitsSchema are the types of the test's own.
const limitsSchema = `CREATE TYPE mood AS ENUM ('', 'sad', '` + longLabel + `');
	CREATE DOMAIN percent AS numeric(5, 2) CHECK (VALUE BETWEEN 0 AND 100);
	CREATE DOMAIN few AS int[] CHECK (cardinality(VALUE) < 3);
	CREATE TYPE pairs AS (n bigint, name text);`

// longLabel is as long as a name can be.
const longLabel = "a23456789b23456789c23456789d23456789e23456789f23456789g23456789"

// limits are values at the ends of types and beyond, in the server's own words.
var limits = []struct {
	kind   string
	values []string
}{
	{"smallint", []string{"-32768", "32767", "32768"}},
	{"integer", []string{"-2147483648", "2147483647", "2147483648", ""}},
	{"bigint", []string{"-9223372036854775808", "9223372036854775807", "9223372036854775808"}},
	{"numeric", []string{"1e131071", "-1e-16383", "NaN", "Infinity", "1e131072"}},
	{"numeric(5,2)", []string{"999.99", "999.995", "-999.99", "NaN"}},
	{"real", []string{"3.4028235e38", "1e-45", "3.5e38", "-Infinity", "NaN"}},
	{"double precision", []string{"1.7976931348623157e308", "5e-324", "1e309", "NaN"}},
	{"boolean", []string{"t", "off", "1", "2"}},
	{"text", []string{"", strings.Repeat("é", 1<<20), `\N`, "NULL"}},
	{"varchar(3)", []string{"äöü", "abcd", "abc   "}},
	{"char(3)", []string{"", "abc", "abcd", "ab "}},
	{"bytea", []string{`\x`, `\x00ff`, `\xf`, `a\000b`}},
	{"date", []string{"4713-01-01 BC", "5874897-12-31", "5874898-01-01", "infinity", "2021-02-29"}},
	{"timestamp", []string{"4713-01-01 00:00:00 BC", "294276-12-31 23:59:59.999999", "294277-01-01", "-infinity", "2016-12-31 23:59:60", "1999-12-31 24:00:00"}},
	{"timestamptz", []string{"294276-12-31 23:59:59.999999+00", "2020-01-01 00:00:00+15:59", "2020-01-01 00:00:00+16", "epoch"}},
	{"time", []string{"00:00:00", "24:00:00", "23:59:59.9999999", "24:00:01"}},
	{"timetz", []string{"24:00:00-15:59", "00:00:00+15:59"}},
	{"interval", []string{"178000000 years", "-178000000 years", "178956971 years", "P1Y2M3DT4H5M6.789012S"}},
	{"uuid", []string{"ffffffff-ffff-ffff-ffff-ffffffffffff", "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}", "a0eebc99"}},
	{"inet", []string{"0.0.0.0/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::ffff:1.2.3.4/128", "256.0.0.1"}},
	{"cidr", []string{"10.0.0.0/8", "10.0.0.1/8"}},
	{"macaddr8", []string{"ff:ff:ff:ff:ff:ff:ff:ff", "08-00-2b-01-02-03"}},
	{"json", []string{`{"a": 1e400, "a": 2}`, "null", `""`, "{", strings.Repeat("[", 5000) + strings.Repeat("]", 5000)}},
	{"jsonb", []string{`{"b": 1, "a": 2, "b": 3}`, `"\u0000"`, "1e131071", "1e400"}},
	{"xml", []string{"<a/>", "<a>"}},
	{"bit(3)", []string{"101", "10", "1012"}},
	{"bit varying(3)", []string{"", "101", "1010"}},
	{"money", []string{"-92233720368547758.08", "92233720368547758.07", "92233720368547758.08"}},
	{"oid", []string{"4294967295", "4294967296"}},
	{"tsvector", []string{"a:1A fat:2 cat:16383", "'"}},
	{"point", []string{"(1e308,-1e308)", "(1)"}},
	{"polygon", []string{"((0,0),(1,1),(2,0))", "((0,0)"}},
	{"int4range", []string{"empty", "(,)", "[1,2147483646]", "[1,2147483647]", "[2,1]"}},
	{"numrange", []string{"[1e100,Infinity)", "(NaN,1)"}},
	{"tstzrange", []string{`["2020-01-01 00:00+00",infinity)`, "[a,b]"}},
	{"int4multirange", []string{"{}", "{[1,3),[5,8)}", "{[1,3"}},
	{"integer[]", []string{"{}", "{NULL,-2147483648}", "{{1,2},{3,4}}", "[2:3]={1,2}", "{2147483648}", "{1"}},
	{"text[]", []string{`{"","\"\\,{}",NULL,"NULL"}`}},
	{"mood", []string{"", longLabel, "angry"}},
	{"percent", []string{"0", "100", "100.004", "100.01", "-0.01"}},
	{"few", []string{"{1,2}", "{1,2,3}"}},
	{"pairs", []string{`(9223372036854775807,"a ""b"", c")`, "(,)", "(1)"}},
	{"mood[]", []string{"{sad," + longLabel + "}", "{angry}"}},
	{"citext", []string{"Ab", "aB", ""}},
	{"hstore", []string{`"a"=>NULL, "b"=>"c"`, `"a"`}},
	{"ltree", []string{"a.b_c.D", "a..b"}},
	{"geometry", []string{"POINT(1 2)", "SRID=4326;POINT(180 90)", "POINT(1)"}},
	{"geography", []string{"POINT(180 90)", "POINT(1)"}},
}

// extensions are those of the types that PostgreSQL has not by itself.
var extensions = map[string]string{"citext": "citext", "hstore": "hstore", "ltree": "ltree", "geometry": "postgis", "geography": "postgis"}

// Text for a column is what PostgreSQL says that it is: as an input of the column,
// in rows and in keys, at the limits of each type and beyond.
//
// Clauses: Y2.
func TestValuesAtTheirLimits(t *testing.T) {
	d := newDatabase(t, limitsSchema)
	s, reporter := d.start(t, connector.Props{"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id"})
	keys, keyReporter := d.start(t, connector.Props{"insert.mode": "upsert", "pk.mode": "record_key", "pk.fields": "id", "delete.enabled": "true", "table.name.format": "k"})
	for _, test := range limits {
		t.Run(test.kind, func(t *testing.T) {
			if e, extra := extensions[test.kind]; extra {
				if _, err := d.Exec(t.Context(), "CREATE EXTENSION IF NOT EXISTS "+e+" CASCADE"); err != nil {
					t.Skipf("the server has no extension %s: %v", e, err)
				}
			}
			pgtest.Exec(t, d, "DROP TABLE IF EXISTS t, k, want; CREATE TABLE t (id int PRIMARY KEY, v "+test.kind+"); CREATE TABLE want (LIKE t)")
			s.forget()
			keys.forget()
			refused := 0
			var records []connector.Record
			for i, v := range test.values {
				if _, err := d.Exec(t.Context(), "INSERT INTO want VALUES ($1, "+pg.QuoteLiteral(v)+")", i); err != nil {
					refused++
				}
				records = append(records, one(connector.StringSchema, int32(i), v))
			}
			before, _ := reporter.Reported()
			put(t, s, records...)
			const rows = "SELECT id, md5(v::text), left(v::text, 60) FROM "
			if diff := cmp.Diff(pgtest.Rows(t, d, rows+"want ORDER BY id"), pgtest.Rows(t, d, rows+"t ORDER BY id")); diff != "" {
				t.Errorf("(-PostgreSQL's own +the sink's)\n%s", diff)
			}
			if after, causes := reporter.Reported(); len(after)-len(before) != refused {
				t.Errorf("%d were refused, PostgreSQL refuses %d: %v", len(after)-len(before), refused, causes[len(before):])
			}
			if _, err := d.Exec(t.Context(), "CREATE TABLE k (id "+test.kind+" PRIMARY KEY, n int)"); err != nil {
				return // the type has no order
			}
			n := connector.StructOf("n", connector.F("n", connector.Int32Schema))
			var written, gone []connector.Record
			for _, v := range indexable(t, d, test.values) {
				written = append(written, connector.NewRecord("k", connector.StringSchema, v, n, connector.StructFrom(n, []any{int32(1)})))
				gone = append(gone, connector.NewRecord("k", connector.StringSchema, v, nil, nil))
			}
			put(t, keys, written...)
			put(t, keys, written...)
			if len(written) > 0 {
				wantRows(t, d, "SELECT count(*) > 0 FROM k", "t")
			}
			put(t, keys, gone...)
			wantRows(t, d, "SELECT count(*) FROM k", "0")
			if _, causes := keyReporter.Reported(); len(causes) > 0 {
				t.Errorf("as keys: %v", causes)
			}
		})
	}
}

// indexable gives the values that the server has taken, and that fit an index. One
// whose blanks it has cut off finds no row as a key, nor does it by pgjdbc.
func indexable(t *testing.T, d database, values []string) []string {
	t.Helper()
	var fine []string
	for i, v := range values {
		whole := fmt.Sprintf("SELECT 1 FROM want WHERE id = %d AND length(v::text) < 2000 AND NOT (pg_typeof(v) = 'varchar'::regtype AND v::text <> %s)", i, pg.QuoteLiteral(v))
		if len(pgtest.Rows(t, d, whole)) > 0 {
			fine = append(fine, v)
		}
	}
	return fine
}
