//go:build unix

package pg_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/axiom-data-science/hydraulics/internal/pg/migrations"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
)

// oldTables are tables and views as they were before the ledger told of sample types.
const oldTables = `
	CREATE TABLE ifcb_sample_stats (time INT NOT NULL, ifcb_id VARCHAR(7) NOT NULL, roi INT NOT NULL, name VARCHAR NOT NULL, prob FLOAT NOT NULL,
		classifier VARCHAR NOT NULL, classification_time INT NOT NULL, biovolume FLOAT NOT NULL, carbon FLOAT NOT NULL, hab BOOLEAN NOT NULL,
		PRIMARY KEY (time, ifcb_id, roi));
	CREATE TABLE ifcb_bins (time INT NOT NULL, ifcb_id VARCHAR(7) NOT NULL, pid VARCHAR NOT NULL, dataset VARCHAR NOT NULL, dashboard VARCHAR NOT NULL,
		status VARCHAR NOT NULL, reason VARCHAR, expected INT, ingested INT NOT NULL, failed INT NOT NULL, ml_analyzed FLOAT, latitude FLOAT,
		longitude FLOAT, depth FLOAT, tags VARCHAR, updated TIMESTAMP NOT NULL, PRIMARY KEY (time, ifcb_id));
	CREATE VIEW ifcb_bin_volumes AS SELECT time, ifcb_id, ml_analyzed FROM ifcb_bins WHERE ml_analyzed > 0;
	CREATE VIEW ifcb_concentration_bin AS SELECT to_timestamp(time) AS time, s.ifcb_id, b.pid, b.dataset, b.latitude, b.longitude, b.depth,
		s.name, s.hab, count(*) AS cells, sum(biovolume) AS biovolume, sum(carbon) AS carbon, b.ml_analyzed, 1::float AS cells_per_ml,
		1::float AS biovolume_per_ml, 1::float AS carbon_per_ml, b.expected, b.ingested, b.failed, ''::text AS reason
		FROM ifcb_sample_stats s LEFT JOIN ifcb_bins b USING (time, ifcb_id) GROUP BY time, s.ifcb_id, b.pid, b.dataset, b.latitude, b.longitude,
		b.depth, s.name, s.hab, b.ml_analyzed, b.expected, b.ingested, b.failed;
	INSERT INTO ifcb_bins VALUES (0, 'IFCB104', 'D19700101T000000_IFCB104', 'demo', 'http://x', 'complete', NULL, 1, 1, 0, 2, NULL, NULL, NULL, NULL, 'epoch');
	INSERT INTO ifcb_sample_stats VALUES (0, 'IFCB104', 2, 'a', 1, 'm:1', 0, 1, 1, false);`

// Concentrations leave out runs that are no samples of the water, and on request bins that failed their quality check;
// rows lead to their images. Tables of before go on.
func TestRunsAndQuality(t *testing.T) {
	conn, err := pgx.Connect(t.Context(), pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	pgtest.Exec(t, conn, oldTables)
	for range 2 { // it can be run again
		if err := migrations.Up(t.Context(), conn, os.DirFS("../../configs/migrations")); err != nil {
			t.Fatal(err)
		}
	}
	pgtest.Exec(t, conn, `
		INSERT INTO ifcb_bins (time, ifcb_id, pid, dataset, dashboard, status, ingested, failed, ml_analyzed, ml_analyzed_reason, run_flags, url, quality, quality_reasons, updated)
		SELECT t, 'IFCB104', ifcb_pid(t, 'IFCB104'), 'demo', 'http://x', 'complete', 1, 0, ml, why, flags, 'http://x/data/' || ifcb_pid(t, 'IFCB104'), q, reasons, 'epoch'
		FROM (VALUES (60, 2.0, NULL, NULL, 'pass', NULL), (120, 2.0, NULL, 'beads,fast', 'fail', 'it is a run of beads'), (180, 2.0, NULL, 'fast', 'fail', 'too humid'),
			(240, NULL, 'two witnesses', NULL, NULL, NULL)) v (t, ml, why, flags, q, reasons);
		INSERT INTO ifcb_sample_stats SELECT t, 'IFCB104', 123456, 'a', 1, 'm:1', 0, 1, 1, false FROM generate_series(60, 240, 60) t;
		INSERT INTO ifcb_sample_stats VALUES (0, 'IFCB5', 2, 'b', 1, 'm:1', 0, 1, 1, false)`)
	const byBin = "SELECT extract(epoch FROM time)::int || ': ' || coalesce(cells_per_ml::text, reason) FROM ifcb_concentration_bin WHERE name = 'a' ORDER BY time"
	const byHour = "SELECT cells || ' cells, ' || cells_per_ml || ' per ml, ' || bins || ' bins, ' || bins_without_volume || ' without volume' FROM ifcb_concentration_hour WHERE name = 'a'"
	for _, step := range []struct {
		name, change string
		bins, hour   []string
	}{
		{"by default", "SELECT", []string{"0: 0.5", "60: 0.5", "180: 0.5", "240: the volume is unknown: two witnesses"}, []string{"4 cells, 0.5 per ml, 4 bins, 1 without volume"}},
		{"without failed bins", "UPDATE ifcb_settings SET leave_out_failed = true",
			[]string{"0: 0.5", "60: 0.5", "180: the bin failed its quality check: too humid", "240: the volume is unknown: two witnesses"}, []string{"4 cells, 0.5 per ml, 4 bins, 2 without volume"}},
		{"with other runs", "UPDATE ifcb_settings SET leave_out_failed = false, count_other_runs = true",
			[]string{"0: 0.5", "60: 0.5", "120: 0.5", "180: 0.5", "240: the volume is unknown: two witnesses"}, []string{"5 cells, 0.5 per ml, 5 bins, 1 without volume"}},
	} {
		pgtest.Exec(t, conn, step.change)
		if d := cmp.Diff(step.bins, pgtest.Rows(t, conn, byBin)); d != "" {
			t.Errorf("%s, bins (-want +got):\n%s", step.name, d)
		}
		if d := cmp.Diff(step.hour, pgtest.Rows(t, conn, byHour)); d != "" {
			t.Errorf("%s, hour (-want +got):\n%s", step.name, d)
		}
	}
	want := []string{"D19700101T000000_IFCB104 none", "D19700101T000100_IFCB104 http://x/data/D19700101T000100_IFCB104_123456.png", "IFCB5_1970_001_000000 none"}
	if d := cmp.Diff(want, pgtest.Rows(t, conn, "SELECT pid || ' ' || coalesce(url, 'none') FROM ifcb_images WHERE time <= to_timestamp(60) ORDER BY pid")); d != "" {
		t.Errorf("images (-want +got):\n%s", d)
	}
	views := pgtest.Rows(t, conn, `SELECT table_name || '' FROM information_schema.views v WHERE table_schema = 'public' AND NOT EXISTS (
		SELECT FROM information_schema.columns c WHERE c.table_name = v.table_name AND data_type = 'timestamp with time zone')`)
	if len(views) > 0 {
		t.Errorf("views without a timestamp: %v", views)
	}
}
