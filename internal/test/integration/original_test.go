//go:build integration

package integration

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/axiom-data-science/hydraulics/internal/pg"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// The addresses and names of the original's development set-up, which its files
// hold.
const (
	originalKafka    = "127.0.0.1:9092"
	originalRegistry = "127.0.0.1:8081"
	originalPostgres = "127.0.0.1:5441"
	originalConnect  = "http://localhost:8100"
	originalStats    = "ifcb-sample-stats"
)

// original is a stack at the original's addresses.
type original struct {
	*stack
	dsn    string        // of the database topics
	pool   *pgxpool.Pool // to it
	site   *site
	images string // topic
	since  int64  // time of the first bin, unix seconds
}

func newOriginal(s *stack) *original {
	s.t.Helper()
	for _, addr := range []string{originalKafka, originalRegistry, originalPostgres} {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			s.t.Fatalf("the original's files name %s, which another process has: %v", addr, err)
		}
		check(s.t, l.Close())
	}
	newGate(s.t, originalKafka, s.broker)
	forward(s.t, originalRegistry, s.registry)
	newGate(s.t, originalPostgres, s.gate.target)
	o := &original{stack: s, dsn: "postgres://kafka:somepassword@" + originalPostgres + "/topics?sslmode=disable",
		site: newSyntheticSite(s.t, 2, 6, 10), images: s.name("images")}
	bin, err := ifcb.ParseBinID(o.site.images[0][:len(o.site.images[0])-6])
	check(s.t, err)
	o.since = bin.Time().Unix()
	// The original's container made them.
	ctx := s.t.Context()
	for _, sql := range []string{
		"DO $$ BEGIN CREATE ROLE kafka LOGIN SUPERUSER PASSWORD 'somepassword'; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
		"DROP DATABASE IF EXISTS topics WITH (FORCE)", "CREATE DATABASE topics OWNER kafka",
	} {
		_, err := s.pool.Exec(ctx, sql)
		check(s.t, err)
	}
	o.pool, _, err = pg.Open(ctx, pg.Options{URL: o.dsn, MaxConns: 2})
	check(s.t, err)
	s.t.Cleanup(func() {
		o.pool.Close()
		ctx, cancel := wait.Context()
		defer cancel()
		if _, err := s.pool.Exec(ctx, "DROP DATABASE IF EXISTS topics WITH (FORCE)"); err != nil {
			s.t.Error(err)
		}
	})
	return o
}

// forward serves a registry, whose URL may have a path, at an address.
func forward(t *testing.T, addr, target string) {
	t.Helper()
	u, err := url.Parse(target)
	check(t, err)
	l, err := net.Listen("tcp", addr)
	check(t, err)
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(u) }}}}
	server.Start()
	t.Cleanup(server.Close)
}

// originalFiles copies the original's two files, byte for byte, into a folder;
// without HYDRAULICS_SEED those of testdata, which say the same.
func originalFiles(t *testing.T, dir string) (worker, connector string) {
	t.Helper()
	from := [2]string{"testdata/connect.properties", "testdata/connector.properties"}
	if seed := os.Getenv("HYDRAULICS_SEED"); seed != "" {
		from = [2]string{filepath.Join(seed, "connect-linux.properties"), filepath.Join(seed, "connector-linux.properties")}
	}
	var to [2]string
	for i, name := range from {
		data, err := os.ReadFile(name)
		check(t, err)
		to[i] = filepath.Join(dir, filepath.Base(name))
		check(t, os.WriteFile(to[i], data, 0o644))
	}
	return to[0], to[1]
}
