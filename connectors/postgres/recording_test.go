package postgres

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/converter/json"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
)

// recording is the folder of what .ci/record-debezium.sh makes.
const recording = "testdata/debezium/"

// recorded gives the records of topics that a real Debezium connector wrote.
func recorded(t *testing.T, prefix string) []connector.Record {
	t.Helper()
	file, err := os.Open(recording + "records.tsv.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	conv := new(json.Converter)
	conf := connectortest.Configure(t, conv, connector.Props{"schemas.enable": "true", "replace.null.with.default": "false", "strict": "true"})
	if err := conv.Configure(connectortest.Context(t), conf, false); err != nil {
		t.Fatal(err)
	}
	decode := func(topic, text string) (*connector.Schema, any) {
		if text == "null" {
			return nil, nil
		}
		schema, v, err := conv.ToConnect(t.Context(), topic, []byte(text))
		if err != nil {
			t.Fatalf("%s: %v", topic, err)
		}
		return schema, v
	}
	var records []connector.Record
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		cells := strings.Split(lines.Text(), "\t") // topic, Partition:n, Offset:n, key, value
		if !strings.HasPrefix(cells[0], prefix) {
			continue
		}
		offset, err := strconv.ParseInt(strings.TrimPrefix(cells[2], "Offset:"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		r := connector.Record{Topic: cells[0], Origin: connector.Origin{Topic: cells[0], Offset: offset}}
		r.KeySchema, r.Key = decode(r.Topic, cells[3])
		r.ValueSchema, r.Value = decode(r.Topic, cells[4])
		records = append(records, r)
	}
	if err := lines.Err(); err != nil || len(records) == 0 {
		t.Fatalf("%d records of %s: %v", len(records), prefix, err)
	}
	return records
}

// recordedRows gives the rows of a table as the source's server said them.
func recordedRows(t *testing.T, table string) []string {
	t.Helper()
	text, err := os.ReadFile(recording + "rows.txt")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for line := range strings.Lines(string(text)) {
		if row, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), table+"|"); ok {
			rows = append(rows, row)
		}
	}
	return rows
}

// recordedTables makes the source's tables, and gives their names. Where the server
// has no PostGIS the places are left out.
func recordedTables(t *testing.T, d database) []string {
	t.Helper()
	run := func(name string) {
		text, err := os.ReadFile(recording + name)
		if err != nil {
			t.Fatal(err)
		}
		pgtest.Exec(t, d, string(text))
	}
	run("schema.sql")
	tables := []string{"buoys", "casts", "kinds"}
	if pgtest.Rows(t, d, "SELECT count(*) FROM pg_available_extensions WHERE name = 'postgis'")[0] == "1" {
		run("postgis.sql")
		tables = append(tables, "places")
	}
	return tables
}

func of(tables []string, records []connector.Record) []connector.Record {
	return slices.DeleteFunc(slices.Clone(records), func(r connector.Record) bool {
		return !slices.Contains(tables, r.Topic[strings.LastIndexByte(r.Topic, '.')+1:])
	})
}

func (d database) startDebezium(t *testing.T, props connector.Props) (*DebeziumSink, *connectortest.Reporter) {
	t.Helper()
	s, c, reporter := new(DebeziumSink), connectortest.Context(t), new(connectortest.Reporter)
	c.Reporter = reporter
	if err := s.Start(t.Context(), c, connectortest.Configure(t, s, with(props, "connection.url", d.url))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	return s, reporter
}

// mirror is how a table is kept like the one that envelopes tell of.
var mirror = connector.Props{"insert.mode": "upsert", "primary.key.mode": "record_key", "delete.enabled": "true", "truncate.enabled": "true",
	"collection.name.format": "${source.schema}.${source.table}", "schema.evolution": "basic"}

// What a real connector wrote makes the rows that its tables had, in batches of any
// size.
//
// Clauses: Y6.
func TestDebeziumRecording(t *testing.T) {
	records := recorded(t, "plain.")
	for _, size := range []int{1, 7, len(records)} {
		t.Run(fmt.Sprint("batches of ", size), func(t *testing.T) {
			d := newDatabase(t, "")
			tables := recordedTables(t, d)
			s, reporter := d.startDebezium(t, mirror)
			for batch := range slices.Chunk(of(tables, records), size) {
				if err := s.Put(t.Context(), batch); err != nil {
					t.Fatal(err)
				}
			}
			if _, causes := reporter.Reported(); len(causes) > 0 {
				t.Error(causes)
			}
			for _, table := range tables {
				wantRows(t, d, "SELECT * FROM sea."+table+" ORDER BY 1, 2", recordedRows(t, table)...)
			}
		})
	}
}

// The connector says intervals, times and hstore in another form, too. What it reads
// of rows that are there already, and not of changes, has dates of before 1582 shifted,
// no end of a day (24:00), and money as a double: the rows that have those are left out.
//
// Clauses: Y6.
func TestDebeziumRecordingInWords(t *testing.T) {
	d := newDatabase(t, "")
	recordedTables(t, d)
	s, reporter := d.startDebezium(t, mirror)
	if err := s.Put(t.Context(), recorded(t, "words.")); err != nil {
		t.Fatal(err)
	}
	if _, causes := reporter.Reported(); len(causes) > 0 {
		t.Error(causes)
	}
	wantRows(t, d, "SELECT * FROM sea.spans ORDER BY 1", recordedRows(t, "spans")...)
	pgtest.Exec(t, d, "UPDATE sea.kinds SET i4 = 80 WHERE id IN (1, 3, 4, 5, 6, 7, 8)") // what happened later
	want := slices.DeleteFunc(recordedRows(t, "kinds"), func(row string) bool {
		return slices.Contains([]string{"3", "4", "7"}, row[:strings.IndexByte(row, '|')])
	})
	wantRows(t, d, "SELECT * FROM sea.kinds WHERE id NOT IN (3, 4, 7) ORDER BY 1", want...)
}

// Tables that are made for envelopes have the types that Debezium's sink makes, but
// where docs/postgres.md says so, and take the values.
//
// Clauses: Y6, Y7.
func TestDebeziumTablesCreated(t *testing.T) {
	d := newDatabase(t, "CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION ltree; CREATE SCHEMA sea")
	s, reporter := d.startDebezium(t, mirror)
	if err := s.Put(t.Context(), of([]string{"kinds", "casts"}, recorded(t, "plain."))); err != nil {
		t.Fatal(err)
	}
	if _, causes := reporter.Reported(); len(causes) > 0 {
		t.Error(causes)
	}
	want := map[string]string{
		"yes": "boolean", "i2": "smallint", "i4": "integer", "i8": "bigint", "r": "real", "d": "double precision",
		"n": "numeric(20,5)", "nv": "numeric", "cash": "money", "txt": "text", "vc": "text", "c": "text", "ci": "citext", "by": "bytea",
		"bit1": "boolean", "bit9": "bit(9)", "vb": "bit varying(12)", "vbx": "bit varying",
		"da": "date", "ti": "time without time zone", "ti3": "time without time zone", "tiz": "time with time zone",
		"ts": "timestamp without time zone", "ts3": "timestamp without time zone", "tsz": "timestamp with time zone", "hours": "interval",
		"u": "uuid", "j": "json", "jb": "jsonb", "x": "xml", "mood": "text", "ip": "inet", "net": "cidr", "mac": "macaddr",
		"i4r": "int4range", "i8r": "int8range", "nr": "numrange", "tsr": "tsrange", "tszr": "tstzrange", "dr": "daterange",
		"pt": "point", "hs": "hstore", "lt": "ltree", "o": "oid",
		"ia": "integer[]", "ba": "bigint[]", "ta": "text[]", "na": "numeric(6,2)[]", "tsa": "timestamp without time zone[]", "tsza": "timestamp with time zone[]", "daa": "date[]", "ua": "uuid[]", "ma": "text[]",
	}
	var lines []string
	for name, kind := range want {
		lines = append(lines, name+"|"+kind)
	}
	got := pgtest.Rows(t, d, "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'sea.kinds'::regclass AND attnum > 0 AND attname <> 'id'")
	slices.Sort(lines)
	slices.Sort(got)
	if diff := cmp.Diff(lines, got); diff != "" {
		t.Error(diff)
	}
	wantRows(t, d, "SELECT * FROM sea.casts ORDER BY 1, 2", recordedRows(t, "casts")...)
	const same = "SELECT id, i8, d, n, nv, cash, ci, by, da, ti, tiz, ts, tsz, hours, u, jb, i8r, tszr, pt, hs, lt, o FROM sea.kinds ORDER BY id"
	rows := pgtest.Rows(t, d, same)
	source := newDatabase(t, "")
	recordedTables(t, source)
	in, _ := source.startDebezium(t, mirror)
	if err := in.Put(t.Context(), of([]string{"kinds"}, recorded(t, "plain."))); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(pgtest.Rows(t, source, same), rows); diff != "" { // which TestDebeziumRecording holds to the source's
		t.Error(diff)
	}
}
