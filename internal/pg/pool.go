package pg

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
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
	if pool, err = NewPool(ctx, conf); err != nil {
		return nil, remarks, fmt.Errorf("database %s: %w", Place(conf), err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, remarks, fmt.Errorf("database %s: %w", Place(conf), OneLine(err))
	}
	return pool, remarks, nil
}

// NewPool makes a pool of a configuration of ParseOptions. An error that
// condemns one connection, such as that the server is a standby now, drops them
// all: the next ones are made anew, wherever the address leads by then.
func NewPool(ctx context.Context, conf *pgxpool.Config) (*pgxpool.Pool, error) {
	var made atomic.Pointer[pgxpool.Pool]
	usable := conf.ConnConfig.OnPgError
	conf.ConnConfig.OnPgError = func(conn *pgconn.PgConn, e *pgconn.PgError) bool {
		if pool := made.Load(); pool != nil && condemns(e.Code) {
			pool.Reset()
		}
		return usable(conn, e)
	}
	pool, err := pgxpool.NewWithConfig(ctx, conf)
	made.Store(pool)
	return pool, err
}

// renewed has a new connection log in as the options say by then, which may be
// with a password that was changed, and does then what was to be done before.
func renewed(now func() (Options, error), then func(context.Context, *pgx.ConnConfig) error) func(context.Context, *pgx.ConnConfig) error {
	return func(ctx context.Context, c *pgx.ConnConfig) error {
		o, err := now()
		if err != nil {
			return err
		}
		conf, _, err := ParseOptions(o)
		if err != nil {
			return err
		}
		c.User, c.Password = conf.ConnConfig.User, conf.ConnConfig.Password
		if then == nil {
			return nil
		}
		return then(ctx, c)
	}
}

// onError says to pgx whether a connection is fit for use after an error.
func onError(usable pgconn.PgErrorHandler) pgconn.PgErrorHandler {
	return func(conn *pgconn.PgConn, e *pgconn.PgError) bool {
		return usable(conn, e) && !condemns(e.Code) && e.SeverityUnlocalized != "FATAL" && e.SeverityUnlocalized != "PANIC"
	}
}

// condemns tells whether a connection is of no more use after an error with this
// SQLSTATE, nor are those made along with it.
func condemns(state string) bool {
	switch state {
	case "25006", "25P03", "25P04", "57P01", "57P02", "57P03", "57P04", "57P05":
		return true
	}
	return strings.HasPrefix(state, "08")
}

// Place names a server and database for people, without secrets.
func Place(conf *pgxpool.Config) string {
	c := conf.ConnConfig
	return fmt.Sprintf("%s on %s:%d", c.Database, c.Host, c.Port)
}

// oneLine is an error whose text has one line.
type oneLine struct {
	error
	text string
}

// Error gives the text.
func (e oneLine) Error() string { return e.text }

// Unwrap gives the error.
func (e oneLine) Unwrap() error { return e.error }

// OneLine gives an error of pgx with its text in one line: each way to a server
// that was tried has a line there, and who shows the first line alone would
// show none of the reasons. Where a server answered, its answer is the reason,
// and not what was tried besides, such as TLS. Class and state stay.
func OneLine(err error) error {
	if err == nil {
		return nil
	}
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && connecting {
		return oneLine{err, e.Error()}
	}
	if !strings.Contains(err.Error(), "\n\t") {
		return err
	}
	lines := strings.Split(err.Error(), "\n\t")
	var ways []string
	for _, way := range lines[1:] {
		if !slices.Contains(ways, way) {
			ways = append(ways, way)
		}
	}
	return oneLine{err, strings.TrimSuffix(lines[0], ":") + ": " + strings.Join(ways, "; ")}
}
