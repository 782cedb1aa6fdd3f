//go:build integration

package integration

import (
	"context"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/axiom-data-science/hydraulics/configs"
	"github.com/axiom-data-science/hydraulics/internal/embedded/broker"
	"github.com/axiom-data-science/hydraulics/internal/embedded/postgres"
	"github.com/axiom-data-science/hydraulics/internal/embedded/registryd"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/pg"
	"github.com/axiom-data-science/hydraulics/internal/pg/migrations"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// stack is what a flow runs on. Names of topics and connectors come from
// [stack.name], since a real broker remembers those of other runs.
type stack struct {
	t        *testing.T
	kind     string // embedded or real
	broker   string // bootstrap.servers
	registry string // URL
	database string // URL of a database with the migrations, through the gate
	gate     *gate
	kafka    *kafka.Client
	pool     *pgxpool.Pool // past the gate
	// stop and start end and begin the database's service.
	stopDatabase, startDatabase func()
}

// each runs a test on both stacks.
func each(t *testing.T, test func(t *testing.T, s *stack)) {
	t.Run("embedded", func(t *testing.T) { test(t, newEmbedded(t)) })
	t.Run("real", func(t *testing.T) { test(t, newReal(t)) })
}

var (
	run     = strconv.FormatInt(time.Now().Unix(), 36)
	numbers sync.Mutex
	number  int
)

// within gives the stack to a part of a test.
func (s *stack) within(t *testing.T) *stack {
	part := *s
	part.t = t
	return &part
}

// name makes a name unique, among runs as well.
func (s *stack) name(what string) string {
	numbers.Lock()
	defer numbers.Unlock()
	number++
	return fmt.Sprintf("it-%s-%d-%s", run, number, what)
}

// shared is the embedded PostgreSQL of the test process: it takes a second to
// make, and a test needs a database only.
var shared struct {
	server  *postgres.Server
	options postgres.Options
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.server != nil {
		if err := shared.server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
		if err := postgres.Remove(shared.options.Dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

func embeddedPostgres(t *testing.T) *postgres.Server {
	t.Helper()
	if shared.server != nil {
		return shared.server
	}
	dir, err := os.MkdirTemp("", "hydraulics-integration-")
	check(t, err)
	shared.options = postgres.Options{Dir: filepath.Join(dir, "postgres"), User: "flow", Database: "postgres"}
	shared.server, err = postgres.Start(t.Context(), shared.options)
	check(t, err)
	shared.options.Port = shared.server.Port()
	return shared.server
}

// newEmbedded starts embedded servers, which end with the test.
func newEmbedded(t *testing.T) *stack {
	t.Helper()
	s := &stack{t: t, kind: "embedded"}
	b, err := broker.Start(broker.Options{Dir: t.TempDir(), MinSessionTimeout: time.Second})
	check(t, err)
	t.Cleanup(b.Stop)
	s.broker = b.Addr()
	log, err := b.OpenLog(t.Context(), "_schemas")
	check(t, err)
	t.Cleanup(log.Close)
	r, err := registryd.Start(t.Context(), log, registryd.Options{})
	check(t, err)
	t.Cleanup(r.Stop)
	s.registry = r.URL()
	s.connect(embeddedPostgres(t).AdminDSN())
	stopped := false
	s.stopDatabase = func() {
		stopped = true
		check(t, shared.server.Stop())
	}
	s.startDatabase = func() {
		if stopped {
			var err error
			shared.server, err = postgres.Start(context.Background(), shared.options)
			check(t, err)
			stopped = false
		}
	}
	t.Cleanup(s.startDatabase) // for the tests that follow
	return s
}

// newReal uses the servers that the environment names.
func newReal(t *testing.T) *stack {
	t.Helper()
	s := &stack{t: t, kind: "real", broker: os.Getenv("HYDRAULICS_KAFKA_BOOTSTRAP"), registry: os.Getenv("HYDRAULICS_REGISTRY_URL")}
	dsn := os.Getenv("HYDRAULICS_POSTGRES_URL")
	if s.broker == "" || s.registry == "" || dsn == "" {
		t.Skip("HYDRAULICS_KAFKA_BOOTSTRAP, HYDRAULICS_REGISTRY_URL and HYDRAULICS_POSTGRES_URL are not all set: no real servers, make integration starts them")
	}
	s.connect(dsn)
	// The server is others' too: what goes through the gate is cut.
	s.stopDatabase, s.startDatabase = s.gate.cut, s.gate.open
	return s
}

// connect makes the clients of the test and a database of its own, which goes
// with it.
func (s *stack) connect(server string) {
	s.t.Helper()
	var err error
	s.kafka, err = kafka.Open(s.t.Context(), kafka.Options{Bootstrap: []string{s.broker}, ClientID: "integration"})
	check(s.t, err)
	s.t.Cleanup(s.kafka.Close)

	admin, _, err := pg.Open(s.t.Context(), pg.Options{URL: server, MaxConns: 1})
	check(s.t, err)
	name := s.name("db")
	_, err = admin.Exec(s.t.Context(), "CREATE DATABASE "+pg.Quote(name))
	check(s.t, err)
	s.t.Cleanup(func() {
		ctx, cancel := wait.Context()
		defer cancel()
		s.pool.Close()
		if _, err := admin.Exec(ctx, "DROP DATABASE "+pg.Quote(name)+" WITH (FORCE)"); err != nil {
			s.t.Error(err)
		}
		admin.Close()
	})
	u, err := url.Parse(server)
	check(s.t, err)
	u.Path = "/" + name
	s.pool, _, err = pg.Open(s.t.Context(), pg.Options{URL: u.String(), MaxConns: 4})
	check(s.t, err)
	files, err := fs.Sub(configs.FS, "migrations")
	check(s.t, err)
	conn, err := s.pool.Acquire(s.t.Context())
	check(s.t, err)
	defer conn.Release()
	check(s.t, migrations.Up(s.t.Context(), conn.Conn(), files))
	s.gate = newGate(s.t, "127.0.0.1:0", u.Host)
	u.Host = s.gate.addr
	s.database = u.String()
}

// check ends a test that cannot go on.
func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
