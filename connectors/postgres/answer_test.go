package postgres

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/pg"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
)

// A database that takes what it is sent and never answers is one that is away. The
// bounds are also those of the healthy answers before and after it.
func TestDatabaseThatNeverAnswers(t *testing.T) {
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, name text)")
	u, err := url.Parse(d.url)
	if err != nil {
		t.Fatal(err)
	}
	l := pgtest.NewLine(t, u.Host)
	slow := database{d.Pool, "jdbc:postgresql://" + l.Addr().String() + u.Path + "?user=postgres&sslmode=disable&connectTimeout=5"}
	props := with(upsert, "auto.create", "false")
	tests := []struct {
		name, url string
		props     connector.Props
		want      string
	}{
		{"as configured", slow.url, with(props, "statement.timeout.ms", "5000"), "no answer within 5s: database t"},
		{"as the URL says", slow.url + "&socketTimeout=6", props, "no answer within 6s: database t"},
		{"the configuration counts more", slow.url + "&socketTimeout=600", with(props, "statement.timeout.ms", "5000"), "no answer within 5s: database t"},
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, reporter := database{d.Pool, test.url}.start(t, test.props)
			put(t, s, pair(int32(10*i), "a"))
			l.Freeze(true)
			err := s.Put(t.Context(), numbered(pair(int32(10*i+1), "b")))
			if connector.KindOf(err) != connector.KindRetriable || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "table public.t: upsert") {
				t.Errorf("got %v (%s)", err, connector.KindOf(err))
			}
			l.Freeze(false)
			put(t, s, pair(int32(10*i+1), "b"))
			wantRows(t, d, fmt.Sprintf("SELECT id FROM t WHERE id BETWEEN %d AND %d ORDER BY id", 10*i, 10*i+9), fmt.Sprint(10*i), fmt.Sprint(10*i+1))
			if _, causes := reporter.Reported(); len(causes) > 0 {
				t.Errorf("reported %v", causes)
			}
		})
	}
	t.Run("from the start", func(t *testing.T) {
		l.Freeze(true)
		defer l.Freeze(false)
		if _, err := slow.bare(t, props); connector.KindOf(err) != connector.KindRetriable {
			t.Errorf("got %v (%s)", err, connector.KindOf(err))
		}
	})
}

// Much work is no silence: the time is that of one answer.
func TestLongStatements(t *testing.T) {
	d := newDatabase(t, plainTable+raising("PERFORM pg_sleep(0.3); RAISE 'no'"))
	s, reporter := d.start(t, with(upsert, "batch.size", "1", "statement.timeout.ms", "2000"))
	var records []connector.Record
	for i := range int32(10) {
		records = append(records, pair(i, "bad"))
	}
	put(t, s, append(records, pair(99, "a"))...)
	if _, causes := reporter.Reported(); len(causes) != 10 {
		t.Errorf("reported %v", causes)
	}
}

// A server that became a standby is left, with every connection to it.
func TestServerThatBecameReadOnly(t *testing.T) {
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, name text)")
	name := pgtest.Rows(t, d, "SELECT current_database()")[0]
	pgtest.Exec(t, d, "ALTER DATABASE "+name+" SET default_transaction_read_only = on") // for sessions to come
	s, reporter := d.start(t, upsert)
	err := s.Put(t.Context(), numbered(pair(1, "a")))
	if connector.KindOf(err) != connector.KindRetriable || pg.State(err) != "25006" {
		t.Fatalf("got %v (%s)", err, connector.KindOf(err))
	}
	pgtest.Exec(t, d, "ALTER DATABASE "+name+" RESET default_transaction_read_only")
	put(t, s, pair(1, "a"))
	wantRows(t, d, "SELECT * FROM t", "1|a")
	if _, causes := reporter.Reported(); len(causes) > 0 {
		t.Errorf("reported %v", causes)
	}
}

// Of several servers the sink takes the one that takes writes.
func TestTakesThePrimary(t *testing.T) {
	var servers [2]*pgtest.Server
	for i := range servers {
		var err error
		if servers[i], err = pgtest.Start(); err != nil {
			t.Skip(err)
		}
		defer func() {
			if err := servers[i].Close(); err != nil {
				t.Error(err)
			}
		}()
	}
	if err := servers[0].Demote(); err != nil {
		t.Fatal(err)
	}
	host := func(s *pgtest.Server) string { return strings.Split(strings.Split(s.URL(), "@")[1], "/")[0] }
	both := "jdbc:postgresql://" + host(servers[0]) + "," + host(servers[1]) + "/postgres?user=postgres&sslmode=disable"
	primary := database{pgtest.Open(t, servers[1].URL()), ""}
	for i, parameter := range []string{"", "&targetServerType=primary", "&targetServerType=preferPrimary", "&targetServerType=master"} {
		s, _ := database{primary.Pool, both + parameter}.start(t, upsert)
		put(t, s, pair(int32(i), "a"))
		wantRows(t, primary, fmt.Sprintf("SELECT name FROM t WHERE id = %d", i), "a")
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	}
	s, _ := database{primary.Pool, both + "&targetServerType=secondary"}.start(t, upsert)
	if err := s.Put(t.Context(), numbered(pair(9, "a"))); pg.State(err) != "25006" {
		t.Errorf("a standby was asked for: %v", err)
	}
	if _, err := primary.only(host(servers[0]), "targetServerType=primary").bare(t, upsert); connector.KindOf(err) != connector.KindRetriable {
		t.Errorf("no primary: %v", err)
	}
	alone := primary.only(host(servers[0]), "targetServerType=preferPrimary")
	if _, err := alone.bare(t, upsert); err != nil {
		t.Errorf("a primary is preferred, and none is there: %v", err)
	}
	primary.Close()
}

func (d database) only(host, parameter string) database {
	return database{d.Pool, "jdbc:postgresql://" + host + "/postgres?user=postgres&sslmode=disable&" + parameter}
}
