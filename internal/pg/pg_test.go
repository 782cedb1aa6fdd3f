package pg

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func TestParseOptions(t *testing.T) {
	tests := []struct {
		name    string
		options Options
		want    string // user:password@host:port/database
		params  map[string]string
		tls     bool
		remarks []string
	}{
		{"the original's line", Options{URL: "jdbc:postgresql://localhost:5441/topics?stringtype=unspecified", User: "kafka", Password: "p"},
			"kafka:p@localhost:5441/topics", map[string]string{}, true, nil},
		{"every emulated parameter", Options{URL: "jdbc:postgresql://h/d?user=u&password=s%26x&currentSchema=a,b&ApplicationName=app&options=-c%20statement_timeout%3D5&sslmode=disable&connectTimeout=3&readOnly=true&targetServerType=any&prepareThreshold=0&reWriteBatchedInserts=true"},
			"u:s&x@h:5432/d", map[string]string{"search_path": "a,b", "application_name": "app", "options": "-c statement_timeout=5", "default_transaction_read_only": "on"}, false, nil},
		{"properties count more than the URL", Options{URL: "jdbc:postgresql://h/d?user=u&password=x&sslmode=disable", User: "v", Password: "y"},
			"v:y@h:5432/d", map[string]string{}, false, nil},
		{"ssl=true verifies", Options{URL: "jdbc:postgresql://h/d?ssl=true", User: "u"}, "u:@h:5432/d", map[string]string{}, true, nil},
		{"no host", Options{URL: "jdbc:postgresql:d?sslmode=disable", User: "u"}, "u:@localhost:5432/d", map[string]string{}, false, nil},
		{"an unknown parameter", Options{URL: "jdbc:postgresql://h/d?sslmode=disable&speed=11", User: "u"}, "u:@h:5432/d", map[string]string{}, false,
			[]string{"parameter speed of the JDBC URL has no effect"}},
		{"a postgres URL", Options{URL: "postgres://u:p@h:6000/d?sslmode=disable", ApplicationName: "hydraulics"},
			"u:p@h:6000/d", map[string]string{"application_name": "hydraulics"}, false, nil},
		{"two hosts", Options{URL: "jdbc:postgresql://a:1,b:2/d?sslmode=disable", User: "u"}, "u:@a:1/d", map[string]string{}, false, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			conf, remarks, err := ParseOptions(test.options)
			if err != nil {
				t.Fatal(err)
			}
			c := conf.ConnConfig
			if got := fmt.Sprintf("%s:%s@%s:%d/%s", c.User, c.Password, c.Host, c.Port, c.Database); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if d := cmp.Diff(test.params, c.RuntimeParams); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(test.remarks, remarks); d != "" {
				t.Error(d)
			}
			if (c.TLSConfig != nil) != test.tls {
				t.Errorf("TLS %v, want %v", c.TLSConfig != nil, test.tls)
			}
		})
	}
}

func TestParseOptionsRefuses(t *testing.T) {
	tests := map[string]string{
		"":                                       "the URL is empty",
		"http://h/d":                             "neither jdbc:postgresql:// nor postgres://",
		"jdbc:mysql://h/d":                       "jdbc:mysql is no PostgreSQL URL",
		"jdbc:postgresql://u:secret@h/d":         "a JDBC URL has no user before the host",
		"jdbc:postgresql://h/d?password=secret%": "the parameters of the JDBC URL are malformed",
		"jdbc:postgresql://h/d?targetServerType=x": "targetServerType: \"x\" is not any",
		"jdbc:postgresql://h/d?prepareThreshold=x": "prepareThreshold: \"x\" is not an integer",
		"postgres://u:secret@h:port/d":             "malformed",
		"postgres://u:secret@h/d?sslmode=maybe":    "sslmode is invalid",
	}
	for text, want := range tests {
		_, _, err := ParseOptions(Options{URL: text})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error tells the password: %v", text, err)
		}
	}
}

func TestName(t *testing.T) {
	tests := []struct{ text, want, err string }{
		{"stats", `"stats"`, ""},
		{"s.stats", `"s"."stats"`, ""},
		{"d.s.stats", `"s"."stats"`, ""},
		{`"a.b"`, `"a.b"`, ""},
		{`s."a.""b"`, `"s"."a.""b"`, ""},
		{strings.Repeat("é", 40), `"` + strings.Repeat("é", 31) + `"`, ""},
		{"a.b.c.d", "", "4 parts"},
		{"a..b", "", "a part is empty"},
		{"", "", "a part is empty"},
		{`"a`, "", "a quote is not closed"},
		{`"a"b`, "", "text after a closing quote"},
	}
	for _, test := range tests {
		n, err := ParseName(test.text)
		switch {
		case test.err != "":
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: got %v, want %s", test.text, err, test.err)
			}
		case err != nil:
			t.Errorf("%s: %v", test.text, err)
		case n.SQL() != test.want:
			t.Errorf("%s: got %s, want %s", test.text, n.SQL(), test.want)
		}
	}
}

// Clauses: W6.
func TestClassify(t *testing.T) {
	tests := []struct {
		err  error
		want Class
	}{
		{nil, Other},
		{&pgconn.PgError{Code: "22P02"}, Record},
		{&pgconn.PgError{Code: "23502"}, Record},
		{&pgconn.PgError{Code: "21000"}, Record},
		{fmt.Errorf("put: %w", &pgconn.PgError{Code: "42804"}), Record},
		{&pgconn.PgError{Code: "54000"}, Record},
		{&pgconn.PgError{Code: "40P01"}, Environment},
		{&pgconn.PgError{Code: "53100"}, Environment},
		{&pgconn.PgError{Code: "57P01"}, Environment},
		{&pgconn.PgError{Code: "08006"}, Environment},
		{&pgconn.PgError{Code: "58030"}, Environment},
		{&pgconn.PgError{Code: "25006"}, Environment},
		{&pgconn.PgError{Code: "42703"}, Structure},
		{&pgconn.PgError{Code: "42P01"}, Structure},
		{&pgconn.PgError{Code: "42501"}, Record},
		{&pgconn.PgError{Code: "P0001"}, Record},
		{&pgconn.PgError{Code: "44000"}, Record},
		{&pgconn.PgError{Code: "428C9"}, Record},
		{&pgconn.PgError{Code: "ABC12"}, Record},
		{&pgconn.PgError{Code: ""}, Record},
		{&pgconn.PgError{Code: "57014"}, Environment},
		{&pgconn.PgError{Code: "HV00N"}, Environment},
		{&pgconn.PgError{Code: "42P05"}, Environment},
		{&pgconn.PgError{Code: "26000"}, Environment},
		{&pgconn.PgError{Code: "28P01"}, Other},
		{&pgconn.PgError{Code: "3D000"}, Other},
		{io.ErrUnexpectedEOF, Environment},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, Environment},
		{context.DeadlineExceeded, Environment},
		{errors.New("something"), Other},
	}
	for _, test := range tests {
		if got := Classify(test.err); got != test.want {
			t.Errorf("%v: got %s, want %s", test.err, got, test.want)
		}
	}
	refused, _, err := Open(t.Context(), Options{URL: "postgres://u:secret@127.0.0.1:1/d"})
	if refused != nil || Classify(err) != Environment || !strings.Contains(err.Error(), "refused") || strings.ContainsAny(err.Error(), "\n\t") ||
		strings.Contains(err.Error(), "secret") {
		t.Errorf("a port where nobody listens: %v (%s)", err, Classify(err))
	}
}

// Clauses: W12.
func TestRedacted(t *testing.T) {
	tests := []struct {
		name    string
		in      pgconn.PgError
		message string
	}{
		{"a constraint", pgconn.PgError{Code: "23505", Message: `duplicate key violates "t_pkey"`, Detail: "Key (a)=(private)"}, `duplicate key violates "t_pkey"`},
		{"a value in quotes", pgconn.PgError{Code: "22P02", Message: `invalid input syntax for type uuid: "pri"vate"`}, "invalid input syntax for type uuid: [hidden]"},
		{"a value in the quotes of another language", pgconn.PgError{Code: "22P02", Message: "syntaxe en entrée invalide pour le type uuid : « private »"}, "[hidden]"},
		{"raised by a function", pgconn.PgError{Code: "P0001", Message: "private is negative", Hint: "not private", Where: "PL/pgSQL function f() line 1 at RAISE"}, "[hidden]"},
		{"raised by a function as a constraint's", pgconn.PgError{Code: "23514", Message: "private is negative", Where: "PL/pgSQL function f() line 1 at RAISE"}, "[hidden]"},
		{"run by a function", pgconn.PgError{Code: "42601", Message: `syntax error at or near "private"`, InternalQuery: "private", Where: "private"}, "[hidden]"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.in.Severity = "ERROR"
			want := &pgconn.PgError{Severity: "ERROR", Code: test.in.Code, Message: test.message}
			if d := cmp.Diff(error(want), Redacted(fmt.Errorf("put: %w", &test.in))); d != "" {
				t.Error(d)
			}
		})
	}
	if Redacted(pgx.ErrNoRows) != pgx.ErrNoRows {
		t.Error("another error was changed")
	}
}

func TestQuoteLiteral(t *testing.T) {
	for text, want := range map[string]string{"a'b": `'a''b'`, `a\'b`: ` E'a\\''b'`, "": "''"} {
		if got := QuoteLiteral(text); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// However a URL says that a pooler shares connections, or does not, no statement
// outlives its transaction. Only who asks for named ones gets them.
func TestStatementsAreUnnamed(t *testing.T) {
	tests := map[string]pgx.QueryExecMode{
		"jdbc:postgresql://h/d?user=u":                                                       pgx.QueryExecModeExec,
		"jdbc:postgresql://h/d?user=u&prepareThreshold=0":                                    pgx.QueryExecModeExec,
		"jdbc:postgresql://h/d?user=u&preferQueryMode=simple":                                pgx.QueryExecModeExec,
		"postgres://u@h/d":                                                                   pgx.QueryExecModeExec,
		"postgres://u@h/d?prepareThreshold=0":                                                pgx.QueryExecModeExec,
		"postgres://u@h/d?pgbouncer=true":                                                    pgx.QueryExecModeExec,
		"postgres://u@h/d?binary_parameters=yes":                                             pgx.QueryExecModeExec,
		"postgres://u@h/d?default_query_exec_mode=exec":                                      pgx.QueryExecModeExec,
		"postgres://u@h/d?default_query_exec_mode=describe_exec":                             pgx.QueryExecModeExec, // two round trips: not with every pooler
		"postgres://u@h/d?default_query_exec_mode=cache_describe":                            pgx.QueryExecModeExec,
		"postgres://u@h/d?default_query_exec_mode=simple_protocol":                           pgx.QueryExecModeSimpleProtocol,
		"postgres://u@h/d?default_query_exec_mode=cache_statement":                           pgx.QueryExecModeCacheStatement,
		"postgres://u@h/d?default_query_exec_mode=cache_statement&prepared_statements=false": pgx.QueryExecModeExec,
		"host=h user=u dbname=d prepare_threshold=0":                                         pgx.QueryExecModeExec,
		"host=h user=u dbname=d keepalives=1 keepalives_idle=5 tcp_user_timeout=500":         pgx.QueryExecModeExec,
		"postgres://u@h/d?keepalives_count=3&load_balance_hosts=random&gssencmode=disable":   pgx.QueryExecModeExec,
	}
	for text, want := range tests {
		conf, _, err := ParseOptions(Options{URL: text})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := conf.ConnConfig.DefaultQueryExecMode; got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
		if d := cmp.Diff(map[string]string{}, conf.ConnConfig.RuntimeParams); d != "" {
			t.Errorf("%s: the server is asked for\n%s", text, d)
		}
	}
}

func TestTimeouts(t *testing.T) {
	tests := []struct {
		url             string
		connect, answer time.Duration
	}{
		{"jdbc:postgresql://h/d?user=u", 10 * time.Second, 0},
		{"jdbc:postgresql://h/d?user=u&connectTimeout=3", 3 * time.Second, 0},
		{"jdbc:postgresql://h/d?user=u&connectTimeout=3&loginTimeout=7&socketTimeout=90", 7 * time.Second, 90 * time.Second},
		{"jdbc:postgresql://h/d?user=u&connectTimeout=0&loginTimeout=0&socketTimeout=0", 10 * time.Second, 0},
		{"postgres://u@h/d?connect_timeout=4", 4 * time.Second, 0},
	}
	for _, test := range tests {
		o := Options{URL: test.url}
		conf, _, err := ParseOptions(o)
		if err != nil {
			t.Fatal(err)
		}
		if got := conf.ConnConfig.ConnectTimeout; got != test.connect || o.AnswerTimeout() != test.answer {
			t.Errorf("%s: connect %s, answer %s, want %s, %s", test.url, got, o.AnswerTimeout(), test.connect, test.answer)
		}
	}
}

// An error tells whether its connection is of more use.
func TestErrorsOfConnections(t *testing.T) {
	conf, _, err := ParseOptions(Options{URL: "postgres://u@h/d"})
	if err != nil {
		t.Fatal(err)
	}
	for state, usable := range map[string]bool{"22P02": true, "42P05": true, "40001": true, "57014": true, "25006": false, "57P01": false, "57P02": false, "57P03": false, "57P04": false, "57P05": false, "08P01": false, "08006": false} {
		e := &pgconn.PgError{Code: state, Severity: "ERROR", Message: "m"}
		if got := conf.ConnConfig.OnPgError(nil, e); got != usable {
			t.Errorf("%s: usable %t", state, got)
		}
		if named := strings.Contains(Advice(e), "prepareThreshold=0"); named != (state == "42P05") {
			t.Errorf("%s: %s", state, Advice(e))
		}
	}
	if conf.ConnConfig.OnPgError(nil, &pgconn.PgError{Code: "28000", Severity: "FATALE", SeverityUnlocalized: "FATAL"}) {
		t.Error("a fatal error in another language")
	}
}

// A server without TLS that refuses the login: that it has no TLS is no reason.
func TestRefusedLoginIsTheReason(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			refuseLogin(conn)
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-ended })
	_, _, err = Open(t.Context(), Options{URL: "postgres://u:secret@" + l.Addr().String() + "/d"})
	want := fmt.Sprintf("database d on %s: FATAL: password authentication failed (SQLSTATE 28P01)", l.Addr())
	if err == nil || err.Error() != want || State(err) != "28P01" || Classify(err) != Other {
		t.Errorf("got %v (%s), want %s", err, Classify(err), want)
	}
}

// refuseLogin answers a client of PostgreSQL: no TLS, and no to the password.
func refuseLogin(conn net.Conn) {
	defer conn.Close()
	for {
		head := make([]byte, 4)
		if _, err := io.ReadFull(conn, head); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head)-4)
		if _, err := io.ReadFull(conn, body); err != nil {
			return
		}
		if binary.BigEndian.Uint32(body) != 80877103 { // the request for TLS
			break
		}
		if _, err := conn.Write([]byte("N")); err != nil {
			return
		}
	}
	fields := "SFATAL\x00VFATAL\x00C28P01\x00Mpassword authentication failed\x00\x00"
	_, _ = conn.Write(append(binary.BigEndian.AppendUint32([]byte("E"), uint32(4+len(fields))), fields...))
}
