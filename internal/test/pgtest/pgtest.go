//go:build unix

package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/axiom-data-science/hydraulics/internal/pg"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// urlVariable names a server to use instead of one of our own. Its user must be
// allowed to create databases and roles.
const urlVariable = "HYDRAULICS_POSTGRES_URL"

// errNone says that there is neither a server nor binaries to start one.
var errNone = errors.New("no PostgreSQL: install it (Debian: postgresql), or set " + urlVariable)

// shared is the server of the test process.
var shared struct {
	once   sync.Once
	url    string
	server *Server
	err    error
}

// poolerVariable names a PgBouncer in front of that server, which shares few
// connections among transactions.
const poolerVariable = "HYDRAULICS_POOLER_ADDRESS"

// Pooled gives the address of a database of URL by way of a pooler. Without one
// the test is skipped.
func Pooled(t testing.TB, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	if u.Host = os.Getenv(poolerVariable); u.Host == "" {
		t.Skip("no pooler: set " + poolerVariable)
	}
	return u.String()
}

var databases atomic.Int64

// Main runs a package's tests and ends the server they used. Call it from
// TestMain: os.Exit(pgtest.Main(m)).
func Main(m *testing.M) int {
	code := m.Run()
	if shared.server != nil {
		if err := shared.server.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "pgtest:", err)
			return max(code, 1)
		}
	}
	return code
}

// URL gives the address of a new, empty database on the process's server. The
// database goes when the test ends.
func URL(t testing.TB) string {
	t.Helper()
	return databaseURL(t, func(name string) {
		t.Cleanup(func() { administer(t, "DROP DATABASE "+pg.Quote(name)+" WITH (FORCE)") })
	})
}

func databaseURL(t testing.TB, made func(name string)) string {
	t.Helper()
	shared.once.Do(func() {
		if shared.url = os.Getenv(urlVariable); shared.url != "" {
			return
		}
		if shared.server, shared.err = Start(); shared.err == nil {
			shared.url = shared.server.URL()
		}
	})
	if errors.Is(shared.err, errNone) {
		t.Skip(shared.err)
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	name := fmt.Sprintf("t%d_%d", os.Getpid(), databases.Add(1))
	administer(t, "CREATE DATABASE "+pg.Quote(name))
	administer(t, "ALTER DATABASE "+pg.Quote(name)+" SET timezone = 'UTC'")
	made(name)
	u, err := url.Parse(shared.url)
	if err != nil {
		t.Fatalf("%s is no URL", urlVariable)
	}
	u.Path = "/" + name
	return u.String()
}

func administer(t testing.TB, sql string) {
	t.Helper()
	ctx, cancel := wait.Context()
	defer cancel()
	conn, err := pgx.Connect(ctx, shared.url)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, sql); err != nil {
		t.Fatalf("pgtest: %s: %v", sql, err)
	}
}

// Open gives a pool on a database. It is closed when the test ends.
func Open(t testing.TB, address string) *pgxpool.Pool {
	t.Helper()
	pool, _, err := pg.Open(t.Context(), pg.Options{URL: address, MaxConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// Exec runs statements.
func Exec(t testing.TB, q interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}, sql string, args ...any) {
	t.Helper()
	if len(args) == 0 {
		args = []any{pgx.QueryExecModeSimpleProtocol} // several statements at once
	}
	rows, err := q.Query(t.Context(), sql, args...)
	if err == nil {
		for rows.Next() {
			continue
		}
		rows.Close()
		err = rows.Err()
	}
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// Rows gives the rows of a query as text, values parted by |, null as <null>.
func Rows(t testing.TB, q interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}, sql string) []string {
	t.Helper()
	rows, err := q.Query(t.Context(), sql, pgx.QueryExecModeDescribeExec, pgx.QueryResultFormats{pgx.TextFormatCode})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	lines, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		var cells []string
		for _, v := range row.RawValues() {
			if v == nil {
				v = []byte("<null>")
			}
			cells = append(cells, string(v))
		}
		return strings.Join(cells, "|"), nil
	})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return lines
}

// Lasting is URL for a database that goes with the server only.
func Lasting(t testing.TB) string {
	t.Helper()
	return databaseURL(t, func(string) {})
}
