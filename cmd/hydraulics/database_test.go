package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/pg/migrations"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
)

func TestDatabase(t *testing.T) {
	address := pgtest.URL(t)
	pool := pgtest.Open(t, address)
	run := func(args ...string) (string, error) {
		var out bytes.Buffer
		cmd := newDatabaseCommand()
		cmd.SetArgs(args)
		cmd.SetOut(&out)
		cmd.SetErr(&out)
		err := cmd.ExecuteContext(t.Context())
		return out.String(), err
	}
	status := func() []migrations.State {
		t.Helper()
		out, err := run("status", "-o", "json", "--url", address)
		var states []migrations.State
		if err == nil {
			err = json.Unmarshal([]byte(out), &states)
		}
		if err != nil {
			t.Fatalf("%s: %v", out, err)
		}
		return states
	}
	if _, err := run("up"); err == nil || !strings.Contains(err.Error(), "--url") {
		t.Errorf("%v, want the flag that lacks", err)
	}
	if s := status(); len(s) != 2 || s[0].Since != nil {
		t.Errorf("before: %v", s)
	}
	if got := pgtest.Rows(t, pool, "SELECT to_regclass('hydraulics_versions')"); got[0] != "<null>" {
		t.Error("status has changed the database")
	}
	t.Setenv(databaseVariable, address)
	if out, err := run("up"); err != nil || out != "ran 001_ifcb_sample_stats.sql\nran 002_ifcb_bins.sql\n" {
		t.Fatalf("%s (%v)", out, err)
	}
	if out, err := run("up"); err != nil || !strings.Contains(out, "newest version") {
		t.Errorf("%s (%v)", out, err)
	}
	if s := status(); s[0].Since == nil || s[1].Since == nil {
		t.Errorf("after: %v", s)
	}
	pgtest.Exec(t, pool, "INSERT INTO ifcb_bins (time, ifcb_id, pid, dataset, dashboard, status, ingested, failed, updated) VALUES (0, 'IFCB104', 'p', 'd', 'x', 'empty', 0, 0, 'epoch')")
	if _, err := run("down"); err == nil || !strings.Contains(err.Error(), "the rows of ifcb_bins") {
		t.Errorf("%v, want a refusal", err)
	}
	if out, err := run("down", "--drop-data"); err != nil || out != "left 002_ifcb_bins.sql\n" {
		t.Errorf("%s (%v)", out, err)
	}
}
