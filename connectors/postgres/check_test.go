package postgres

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/internal/pg"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
)

// looked gives what a check finds that is not in order: state, code, and the error.
func looked(t *testing.T, url string, props connector.Props) []string {
	t.Helper()
	props = props.Clone()
	props["connection.url"], props["topics"] = url, "t"
	var list []string
	s := new(Sink)
	s.Check(t.Context(), connectortest.Context(t), connectortest.Configure(t, s, props), func(f connector.Finding) {
		switch {
		case f.Warning:
			list = append(list, "warn "+connector.CodeOf(f.Err)+" "+f.Err.Error())
		case f.Err != nil:
			list = append(list, "fail "+connector.CodeOf(f.Err)+" "+f.Err.Error())
		}
	})
	return list
}

// A check finds what a start would, and what it would only log.
func TestCheck(t *testing.T) {
	const version = "CREATE TABLE " + pg.VersionTable + " (version_id bigint, is_applied bool); INSERT INTO " + pg.VersionTable + " VALUES (0, true), (1, true);"
	tests := []struct {
		name, sql string
		props     connector.Props
		want      []string
	}{
		{"in order", plainTable, connector.Props{}, nil},
		{"no table", "", connector.Props{"auto.create": "false"}, []string{`fail H5006 table t is missing and auto-creation is disabled: create it, or set auto.create=true`}},
		{"a table of this database", plainTable, connector.Props{"table.name.format": "DATABASE.public.${topic}"}, nil},
		{"a version", plainTable + version, connector.Props{"database.version": "1"}, nil},
		{"an older version", plainTable + version, connector.Props{"database.version": "2"}, []string{"fail H5008 the database has version 1, and database.version is 2: run hydraulics database up"}},
		{"no version", plainTable, connector.Props{"database.version": "1"}, []string{"warn H5008 no version of the database is noted: run hydraulics database up"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDatabase(t, tt.sql)
			props := tt.props.Clone()
			if format, ok := props.Text("table.name.format"); ok {
				props["table.name.format"] = strings.Replace(format, "DATABASE", pgtest.Rows(t, d, "SELECT current_database()")[0], 1)
			}
			if diff := cmp.Diff(tt.want, looked(t, d.url, props)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Who may insert into some columns is warned: records may have only those.
func TestCheckOfPrivileges(t *testing.T) {
	d := newDatabase(t, plainTable)
	user := d.user(t)
	lacks := "H5004 the user lacks privileges: run GRANT INSERT ON \"public\".\"t\" TO \"" + user + "\""
	for _, tt := range []struct {
		name, grant string
		want        []string
	}{
		{"none", "SELECT (id, name)", []string{"fail " + lacks}},
		{"of columns", "INSERT (id, name)", []string{"warn " + lacks + ", unless it may in the columns that records have"}},
		{"of the table", "INSERT", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pgtest.Exec(t, d, "GRANT "+tt.grant+" ON t TO "+user)
			if diff := cmp.Diff(tt.want, looked(t, d.url, connector.Props{"connection.user": user})); diff != "" {
				t.Error(diff)
			}
		})
	}
}
