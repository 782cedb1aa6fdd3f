//go:build unix

package pg_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"

	"github.com/axiom-data-science/hydraulics/internal/pg/migrations"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
)

// The views of concentrations say what testdata/concentration.py computes.
func TestConcentrations(t *testing.T) {
	conn, err := pgx.Connect(t.Context(), pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if err := migrations.Up(t.Context(), conn, os.DirFS("../../configs/migrations")); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("testdata/concentration.json")
	if err != nil {
		t.Fatal(err)
	}
	var world map[string][]map[string]any
	if err := json.Unmarshal(text, &world); err != nil {
		t.Fatal(err)
	}
	fill := func(statement string, rows []map[string]any) {
		t.Helper()
		data, err := json.Marshal(rows)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), statement, string(data)); err != nil {
			t.Fatal(err)
		}
	}
	fill(`INSERT INTO ifcb_bins SELECT time, ifcb_id, 'bin ' || time, 'demo', 'http://dashboard', status, NULL, NULL, ingested, failed, ml_analyzed,
		NULL, NULL, NULL, NULL, 'epoch' FROM json_populate_recordset(NULL::ifcb_bins, $1)`, world["bins"])
	fill(`INSERT INTO ifcb_sample_stats SELECT time, ifcb_id, roi, name, 1, 'm:1', 0, biovolume, carbon, hab
		FROM json_populate_recordset(NULL::ifcb_sample_stats, $1)`, world["stats"])

	for _, view := range []string{"concentration_bin", "concentration_hour", "concentration_day"} {
		t.Run(view, func(t *testing.T) {
			want := world[view]
			var columns []string
			for name := range want[0] {
				if name != "time" {
					columns = append(columns, name)
				}
			}
			var got []map[string]any
			var answer string
			if err := conn.QueryRow(t.Context(), "SELECT json_agg(r ORDER BY r.time, ifcb_id, name) FROM (SELECT extract(epoch FROM time)::int AS time, "+
				strings.Join(columns, ", ")+" FROM ifcb_"+view+") r").Scan(&answer); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(answer), &got); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got, cmpopts.EquateApprox(1e-12, 0)); d != "" {
				t.Error(d)
			}
		})
	}
}

// A condition on a view's time is answered by the original's primary key: a day's question does not read the years
// before. Particles whose bin is not known are there too, also those of before 1970.
func TestConcentrationsUseTheIndex(t *testing.T) {
	conn, err := pgx.Connect(t.Context(), pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if err := migrations.Up(t.Context(), conn, os.DirFS("../../configs/migrations")); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, conn, `INSERT INTO ifcb_sample_stats
		SELECT 1500000000 + i * 60, 'IFCB104', 2, 'a', 1, 'm:1', 0, 1, 1, false FROM generate_series(1, 50000) i;
		INSERT INTO ifcb_sample_stats VALUES (-5, 'IFCB104', 2, 'a', 1, 'm:1', 0, 1, 1, false);
		ANALYZE ifcb_sample_stats`)
	for view, periods := range map[string]int{"ifcb_concentration_hour": 24, "ifcb_concentration_day": 1} {
		question := "FROM " + view + " WHERE time >= '2017-07-20' AND time < '2017-07-21'"
		plan := strings.Join(pgtest.Rows(t, conn, "EXPLAIN SELECT * "+question), "\n")
		if !strings.Contains(plan, `"time" >= p.start`) || !strings.Contains(plan, "ifcb_sample_stats_pkey") || strings.Contains(plan, "Seq Scan on ifcb_sample_stats") {
			t.Errorf("%s is not answered with the primary key:\n%s", view, plan)
		}
		want := []string{fmt.Sprintf("%d of 1440 cells, reason: no bin of the period is in ifcb_bins", periods)}
		got := pgtest.Rows(t, conn, "SELECT count(*) || ' of ' || sum(cells) || ' cells, reason: ' || min(reason) "+question)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", view, d)
		}
		if d := cmp.Diff([]string{"50001"}, pgtest.Rows(t, conn, "SELECT sum(cells)::text FROM "+view)); d != "" {
			t.Errorf("all of %s: %s", view, d)
		}
	}
}
