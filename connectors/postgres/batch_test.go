package postgres

import (
	"encoding/binary"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgtype"
	"pgregory.net/rapid"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/pg"
)

// Whatever comes in a batch, writing its chunks in their order gives what the
// records one by one would have given, no statement has a key twice, and none
// has more rows than allowed.
//
// Clauses: W4.
func TestBatchKeepsTheOrderOfAKey(t *testing.T) {
	table := &pg.Table{Name: pg.Name{Schema: "s", Table: "t"}, Unique: [][]string{{"id"}}}
	for _, name := range []string{"id", "a", "b"} {
		table.Columns = append(table.Columns, pg.Column{Name: name, Type: "integer", OID: pgtype.Int4OID, Listable: true})
	}
	type kind struct {
		columns string
		id      *connector.Schema
	}
	plans := map[kind]*plan{}
	schemas := map[kind]*connector.Schema{}
	ids := []*connector.Schema{connector.Int32Schema, connector.StringSchema} // in two forms
	sets := []string{"a", "b", "ab", ""}
	for _, id := range ids {
		for _, columns := range sets {
			sh := &shape{delete: columns == "", fields: []field{{name: "id", schema: id, key: true, from: valueField}}}
			fields := []connector.Field{connector.F("id", id)}
			for i, c := range columns {
				fields = append(fields, connector.F(string(c), connector.Int32Schema))
				sh.fields = append(sh.fields, field{name: string(c), schema: connector.Int32Schema, from: valueField, index: i + 1})
			}
			p, err := newPlan(sh, table, modeUpsert)
			if err != nil {
				t.Fatal(err)
			}
			plans[kind{columns, id}], schemas[kind{columns, id}] = p, connector.StructOf("s", fields...)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		exact := rapid.Bool().Draw(t, "exact")
		limit := rapid.IntRange(1, 5).Draw(t, "limit")
		b := newBatch(&cells{zone: time.UTC, dateZone: time.UTC}, exact, 0)
		want := map[string]map[string]string{}
		for i := range rapid.IntRange(0, 40).Draw(t, "records") {
			k := kind{rapid.SampledFrom(sets).Draw(t, "columns"), rapid.SampledFrom(ids).Draw(t, "form")}
			id := rapid.Int32Range(0, 4).Draw(t, "id")
			values := []any{id}
			if k.id == connector.StringSchema {
				values[0] = fmt.Sprint(id)
			}
			for range k.columns {
				values = append(values, int32(i))
			}
			r := connector.NewRecord("t", nil, nil, schemas[k], connector.StructFrom(schemas[k], values))
			if err := b.add(plans[k], i, &r, true); err != nil {
				t.Fatal(err)
			}
			apply(want, k.columns, fmt.Sprint(id), func(int) string { return fmt.Sprint(i) })
		}
		got := map[string]map[string]string{}
		for _, c := range b.chunks(limit) {
			if len(c.rows) == 0 || len(c.rows) > limit {
				t.Fatalf("%d rows of at most %d", len(c.rows), limit)
			}
			seen := map[string]bool{}
			for _, r := range c.rows {
				id := number(c, r, 0)
				if seen[id] {
					t.Fatalf("key %s is twice in a statement", id)
				}
				seen[id] = true
				columns := ""
				for _, f := range c.group.plan.fields[1:] {
					columns += f.name
				}
				apply(got, columns, id, func(i int) string { return number(c, r, i+1) })
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
	})
}

// number reads an element that is an integer, in whichever form.
func number(c chunk, r row, column int) string {
	value := c.group.element(r, column)[4:]
	if c.group.plan.forms[column] == asInt4 {
		return fmt.Sprint(int32(binary.BigEndian.Uint32(value)))
	}
	return string(value)
}

// apply does to a table what an upsert of these columns, or without any a
// delete, does.
func apply(table map[string]map[string]string, columns, id string, value func(i int) string) {
	if columns == "" {
		delete(table, id)
		return
	}
	row := maps.Clone(table[id])
	if row == nil {
		row = map[string]string{}
	}
	for i, c := range columns {
		row[string(c)] = value(i)
	}
	table[id] = row
}

// A row that no statement takes is bad, before it costs the connection.
//
// Clauses: Y1.
func TestRowOfAGigabyte(t *testing.T) {
	r := pair(1, "four")
	sh := &shape{fields: []field{{name: "id", schema: connector.Int32Schema, from: valueField}, {name: "name", schema: connector.StringSchema, from: valueField, index: 1}}}
	table := &pg.Table{Columns: []pg.Column{{Name: "id", Type: "integer", OID: pgtype.Int4OID, Listable: true}, {Name: "name", Type: "text", OID: pgtype.TextOID, Listable: true}}}
	p, err := newPlan(sh, table, modeInsert)
	if err != nil {
		t.Fatal(err)
	}
	b := newBatch(&cells{zone: time.UTC, dateZone: time.UTC}, false, 0)
	const size = 4 + 4 + 4 + 4 // each value with its length
	for most, want := range map[int]connector.Kind{size: connector.KindUnmarked, size - 1: connector.KindData, 7: connector.KindData} {
		b.most = most
		if err := b.add(p, 0, &r, false); connector.KindOf(err) != want || (want == connector.KindUnmarked) != (err == nil) {
			t.Errorf("at most %d bytes: %v (%s)", most, err, connector.KindOf(err))
		}
	}
}

// Groups are made with the room that those before had, and have no more of it together
// than a batch has records: one key that is written in turn with two plans has a wave of
// each record.
func TestRoomOfManyGroups(t *testing.T) {
	sh := &shape{fields: []field{{name: "id", schema: connector.Int32Schema, key: true, from: valueField}, {name: "name", schema: connector.StringSchema, from: valueField, index: 1}}}
	table := &pg.Table{Unique: [][]string{{"id"}}, Columns: []pg.Column{{Name: "id", Type: "integer", OID: pgtype.Int4OID, Listable: true}, {Name: "name", Type: "text", OID: pgtype.TextOID, Listable: true}}}
	const records, large = 100, 1000
	var plans []*plan
	for _, mode := range []string{modeUpsert, modeUpdate} {
		p, err := newPlan(sh, table, mode)
		if err != nil {
			t.Fatal(err)
		}
		p.room = room{rows: large, bytes: 300 * large}
		plans = append(plans, p)
	}
	b := newBatch(&cells{zone: time.UTC, dateZone: time.UTC}, false, records)
	for i := range records {
		r := pair(1, "four")
		if err := b.add(plans[i%2], i, &r, false); err != nil {
			t.Fatal(err)
		}
	}
	rows, bytes := 0, 0
	for _, wave := range b.waves {
		for _, g := range wave {
			rows, bytes = rows+cap(g.rows), bytes+cap(g.bytes)
		}
	}
	if len(b.waves) != records || rows > 2*records || bytes > 2*300*records {
		t.Errorf("%d waves have room for %d rows and %d bytes", len(b.waves), rows, bytes)
	}
}
