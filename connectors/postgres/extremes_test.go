package postgres

import (
	"fmt"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

// texts is a record of text fields, the key first.
func texts(value string, fields ...string) connector.Record {
	list := []connector.Field{connector.F("id", connector.Int32Schema)}
	for _, f := range fields {
		list = append(list, connector.F(f, connector.StringSchema))
	}
	schema := connector.StructOf("row", list...)
	v := connector.NewStruct(schema).Set("id", int32(1))
	for i, f := range fields {
		v.Set(f, fmt.Sprint(value, i))
	}
	return connector.NewRecord("t", nil, nil, schema, v)
}

// Fields whose names differ in case alone are columns of their own.
//
// Clauses: T5.
func TestNamesThatDifferInCase(t *testing.T) {
	d := newDatabase(t, "")
	s, reporter := d.start(t, upsert)
	put(t, s, texts("a", "name", "Name", "NAME"))
	put(t, s, texts("b", "name", "Name", "NAME"))
	wantRows(t, d, `SELECT id, name, "Name", "NAME" FROM t`, "1|b0|b1|b2")
	if records, causes := reporter.Reported(); len(records) > 0 {
		t.Errorf("reported %v", causes)
	}
}

// A record of more fields than a table can have columns ends the task with the
// server's reason: no record is to blame for what no table can hold.
func TestTooManyFieldsForATable(t *testing.T) {
	fields := make([]string, 2000)
	for i := range fields {
		fields[i] = fmt.Sprint("field_", i)
	}
	d := newDatabase(t, "")
	s, reporter := d.start(t, upsert)
	err := s.Put(t.Context(), numbered(texts("a", fields...)))
	if connector.KindOf(err) != connector.KindFatal && connector.KindOf(err) != connector.KindUnmarked || err == nil || !strings.Contains(err.Error(), "1600 columns") {
		t.Errorf("%v is %s", err, connector.KindOf(err))
	}
	if records, causes := reporter.Reported(); len(records) > 0 {
		t.Errorf("reported %v", causes)
	}
	put(t, s, texts("a", "few"))
	wantRows(t, d, "SELECT id, few FROM t", "1|a0")
}

// A point of two fields is a column that the server computes.
//
// Clauses: Y7.
func TestPointOfTwoFields(t *testing.T) {
	place := connector.StructOf("place", connector.F("id", connector.Int32Schema), connector.F("lon", connector.Float64Schema), connector.F("lat", connector.Float64Schema))
	at := func(lon, lat float64) connector.Record {
		return connector.NewRecord("t", nil, nil, place, connector.StructFrom(place, []any{int32(1), lon, lat}))
	}
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, lon float8, lat float8); ALTER TABLE t ADD place point GENERATED ALWAYS AS (point(lon, lat)) STORED")
	s, _ := d.start(t, with(upsert, "auto.create", "false"))
	for _, r := range []connector.Record{at(-70.5, 41.5), at(180, -90)} {
		put(t, s, r)
	}
	wantRows(t, d, "SELECT * FROM t", "1|180|-90|(180,-90)")
}

// A value of many megabytes is written as any other.
//
// Clauses: Y1.
func TestLargeValues(t *testing.T) {
	const size = 64 << 20
	large := connector.StructOf("large", connector.F("id", connector.Int32Schema), connector.F("name", connector.StringSchema), connector.F("data", connector.BytesSchema))
	record := func(id int32, n int) connector.Record {
		return connector.NewRecord("t", nil, nil, large, connector.StructFrom(large, []any{id, strings.Repeat("x", n), make([]byte, n)}))
	}
	d := newDatabase(t, "")
	s, reporter := d.start(t, upsert)
	put(t, s, record(1, 1), record(2, size), record(3, 1))
	wantRows(t, d, "SELECT id, length(name), length(data) FROM t ORDER BY id", "1|1|1", fmt.Sprintf("2|%d|%d", size, size), "3|1|1")
	if _, causes := reporter.Reported(); len(causes) > 0 {
		t.Errorf("reported %v", causes)
	}
}
