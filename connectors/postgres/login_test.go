package postgres

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/internal/pg"
	"github.com/axiom-data-science/hydraulics/internal/test/certs"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// guarded is a server of the test's own with rules for logins, and TLS where it is
// given a certificate.
func guarded(t *testing.T, sql string, rules ...string) (admin *pgxpool.Pool, url string) {
	t.Helper()
	server, err := pgtest.Start()
	if err != nil {
		t.Skip(err)
	}
	admin = pgtest.Open(t, server.URL())
	t.Cleanup(func() {
		admin.Close()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	pgtest.Exec(t, admin, sql)
	serverFile(t, admin, pgtest.Rows(t, admin, "SHOW hba_file")[0], strings.Join(append(rules, "host all postgres all trust"), "\n"))
	pgtest.Exec(t, admin, "SELECT pg_reload_conf()")
	return admin, server.URL()
}

// serverFile has the server write a file, which is its own then, and nobody else's.
func serverFile(t *testing.T, admin *pgxpool.Pool, name, text string) {
	t.Helper()
	pgtest.Exec(t, admin, "COPY (SELECT unnest(string_to_array("+pg.QuoteLiteral(strings.TrimSpace(text))+", E'\n'))) TO PROGRAM "+pg.QuoteLiteral("umask 077 && cat >'"+name+"'"))
}

// jdbc gives a server's address with other parameters.
func jdbc(url string, parameters ...string) string {
	host, _, _ := strings.Cut(strings.TrimPrefix(url, "postgres://postgres@"), "?")
	return "jdbc:postgresql://" + host + "?" + strings.Join(parameters, "&")
}

// A server and a client prove who they are, as the URL asks.
//
// Clauses: W7.
func TestLoginsOverTLS(t *testing.T) {
	ours, others := certs.Authority(t), certs.Authority(t)
	there, client := ours.Issue(t, "server", "127.0.0.1"), ours.Issue(t, "cert_user")
	admin, url := guarded(t, plainTable+"CREATE ROLE cert_user LOGIN; CREATE ROLE word_user LOGIN PASSWORD 'it''s: secret'; CREATE ROLE full_user LOGIN CONNECTION LIMIT 0; GRANT ALL ON t TO PUBLIC",
		"hostssl all cert_user all cert", "hostssl all word_user all scram-sha-256", "hostssl all full_user all trust")
	dir := pgtest.Rows(t, admin, "SHOW data_directory")[0]
	for name, text := range map[string]string{"server.crt": there.PEM(), "server.key": there.KeyPEM(t), "ca.crt": ours.PEM()} {
		serverFile(t, admin, filepath.Join(dir, name), text)
	}
	for _, sql := range []string{"ALTER SYSTEM SET ssl_ca_file = 'ca.crt'", "ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()"} {
		pgtest.Exec(t, admin, sql)
	}
	wait.Until(t, "TLS", func() bool {
		conn, err := pgx.Connect(t.Context(), strings.Replace(url, "sslmode=disable", "sslmode=require", 1))
		return err == nil && conn.Close(t.Context()) == nil
	})
	ca, wrongCA := "sslrootcert="+certs.File(t, "ca.pem", []byte(ours.PEM())), "sslrootcert="+certs.File(t, "other.pem", []byte(others.PEM()))
	proof := "sslcert=" + certs.File(t, "client.pem", []byte(client.PEM())) + "&sslkey=" + certs.File(t, "client.key", []byte(client.KeyPEM(t)))
	words := "passfile=" + certs.File(t, "pgpass", []byte(`*:*:postgres:word_user:it's\: secret`+"\n"))
	elsewhere := func(url string) string { return strings.Replace(url, "127.0.0.1", "localhost", 1) }
	tests := []struct {
		name, url string
		want      string // of the error; "" is that it is let in
		kind      connector.Kind
	}{
		{"a password file and a verified server", jdbc(url, "user=word_user", "sslmode=verify-full", ca, words), "", 0},
		{"the same in libpq's words", strings.Replace(jdbc(url, "user=word_user", "sslmode=verify-full", ca, words), "jdbc:", "", 1), "", 0},
		{"a client's certificate", jdbc(url, "user=cert_user", "sslmode=verify-full", ca, proof), "", 0},
		{"no certificate", jdbc(url, "user=cert_user", "sslmode=verify-full", ca), "28000", connector.KindFatal},
		{"another's certificate", jdbc(url, "user=word_user", "password=x", "sslmode=verify-full", ca, proof), "28P01", connector.KindFatal},
		{"no password", jdbc(url, "user=word_user", "sslmode=verify-full", ca), "", connector.KindFatal},
		{"a server that another has signed", jdbc(url, "user=word_user", "sslmode=verify-ca", wrongCA, words), "unknown authority", connector.KindRetriable},
		{"another server's certificate", elsewhere(jdbc(url, "user=word_user", "sslmode=verify-full", ca, words)), "localhost", connector.KindRetriable},
		{"another server's certificate, whose signature is enough", elsewhere(jdbc(url, "user=word_user", "sslmode=verify-ca", ca, words)), "", 0},
		{"no TLS where the server wants it", jdbc(url, "user=word_user", "sslmode=disable", words), "28000", connector.KindFatal},
		{"no connection left", jdbc(url, "user=full_user", "sslmode=require"), "53300", connector.KindRetriable},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := database{admin, test.url}
			s, err := d.bare(t, upsert)
			if test.kind != 0 {
				if connector.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
					t.Errorf("got %v (%s), want %s", err, connector.KindOf(err), test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			put(t, s, pair(1, test.name))
			wantRows(t, d, "SELECT name FROM t", test.name)
			wantRows(t, d, "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename <> 'postgres'", "t")
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A password that is changed while the sink runs is taken for new connections, from
// the key and from the URL, under either name.
func TestPasswordThatIsChanged(t *testing.T) {
	admin, u := guarded(t, plainTable+"CREATE ROLE u LOGIN; GRANT ALL ON t TO u", "host all u all scram-sha-256")
	tests := []struct {
		name     string
		sink     connector.Sink
		password func(p connector.Props, word string) connector.Props
	}{
		{"by its key", new(Sink), func(p connector.Props, word string) connector.Props {
			return with(p, "connection.url", u, "connection.user", "u", "connection.password", word)
		}},
		{"in the URL", new(Sink), func(p connector.Props, word string) connector.Props {
			return with(p, "connection.url", jdbc(u, "sslmode=disable", "user=u", "password="+word))
		}},
		{"by Debezium's key", new(DebeziumSink), func(p connector.Props, word string) connector.Props {
			return connector.Props{"connection.url": u, "connection.username": "u", "connection.password": word, "insert.mode": "upsert", "primary.key.mode": "record_value", "primary.key.fields": "id"}
		}},
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			word := "before"
			change := func(to string) {
				word = to
				pgtest.Exec(t, admin, "ALTER ROLE u PASSWORD "+pg.QuoteLiteral(to))
			}
			change(word)
			c := connectortest.Context(t)
			c.Configs = func() (connector.Config, error) { return connector.ParsePlugin(test.sink, test.password(upsert, word)) }
			if err := test.sink.Start(t.Context(), c, connectortest.Configure(t, test.sink, test.password(upsert, word))); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = test.sink.Stop() }()
			change("after")
			pgtest.Exec(t, admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'u'")
			wait.Until(t, "a row", func() bool {
				err := test.sink.Put(t.Context(), numbered(pair(int32(i), "a")))
				if err != nil && connector.KindOf(err) != connector.KindRetriable {
					t.Fatalf("%v (%s)", err, connector.KindOf(err))
				}
				return err == nil
			})
			if got := pgtest.Rows(t, admin, "SELECT count(*) FROM t")[0]; got != string(rune('1'+i)) {
				t.Errorf("%s rows", got)
			}
		})
	}
}
