package postgres

import (
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/internal/pg"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
)

// A task ends at its start where the flow's database is older than it needs, and
// changes nothing about that.
func TestDatabaseVersion(t *testing.T) {
	const noted = "CREATE TABLE " + pg.VersionTable + " (version_id bigint, is_applied bool); INSERT INTO " + pg.VersionTable + " VALUES (0, true), (1, true)"
	tests := []struct{ name, sql, asked, want string }{
		{"old enough", noted, "1", ""},
		{"older", noted, "2", "the database has version 1, and database.version is 2: run hydraulics database up"},
		{"none noted", "SELECT", "2", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newDatabase(t, test.sql)
			before := pgtest.Rows(t, d, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1")
			s := new(Sink)
			err := s.Start(t.Context(), connectortest.Context(t), connectortest.Configure(t, s, connector.Props{"connection.url": d.url, "database.version": test.asked}))
			defer func() { _ = s.Stop() }()
			if (err == nil) != (test.want == "") || err != nil && (!strings.Contains(err.Error(), test.want) || connector.KindOf(err) != connector.KindFatal) {
				t.Errorf("%v, want %s", err, test.want)
			}
			wantRows(t, d, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1", before...)
		})
	}
}
