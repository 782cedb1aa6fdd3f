package pg

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Open makes a pool and checks that the server answers. The pool replaces
// connections that broke, so it outlives a restart of the server; the caller
// closes it. Remarks are on parts of the URL that have no effect.
func Open(ctx context.Context, o Options) (pool *pgxpool.Pool, remarks []string, err error) {
	conf, remarks, err := ParseOptions(o)
	if err != nil {
		return nil, nil, fmt.Errorf("database address: %w", err)
	}
	pool, err = pgxpool.NewWithConfig(ctx, conf)
	if err != nil {
		return nil, remarks, fmt.Errorf("database %s: %w", Place(conf), err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, remarks, fmt.Errorf("database %s: %w", Place(conf), err)
	}
	return pool, remarks, nil
}

// Place names a server and database for people, without secrets.
func Place(conf *pgxpool.Config) string {
	c := conf.ConnConfig
	return fmt.Sprintf("%s on %s:%d", c.Database, c.Host, c.Port)
}
