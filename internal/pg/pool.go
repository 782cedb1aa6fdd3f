package pg

import (
	"context"
	"fmt"
	"strings"

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
		return nil, remarks, fmt.Errorf("database %s: %w", Place(conf), OneLine(err))
	}
	return pool, remarks, nil
}

// Place names a server and database for people, without secrets.
func Place(conf *pgxpool.Config) string {
	c := conf.ConnConfig
	return fmt.Sprintf("%s on %s:%d", c.Database, c.Host, c.Port)
}

// oneLine is an error whose text has one line.
type oneLine struct{ error }

// Error gives the text with semicolons for line feeds.
func (e oneLine) Error() string {
	text := strings.ReplaceAll(e.error.Error(), ":\n\t", ": ")
	return strings.ReplaceAll(text, "\n\t", "; ")
}

// Unwrap gives the error.
func (e oneLine) Unwrap() error { return e.error }

// OneLine gives an error of pgx with its text in one line: each way to a server
// that was tried has a line there, and who shows the first line alone would
// show none of the reasons. Class and state stay.
func OneLine(err error) error {
	if err == nil || !strings.Contains(err.Error(), "\n\t") {
		return err
	}
	return oneLine{err}
}
