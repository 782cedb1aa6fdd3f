package migrations

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/axiom-data-science/hydraulics/internal/pg"
)

// migrationLock keeps two migrations from running at once.
const migrationLock = 0x68796472 // "hydr"

// The second tries for the lock, every second for half an hour.
const lockEvery, lockTries = 1, 1800

// Database is a database and the versions that it can have.
type Database struct {
	db       *sql.DB
	provider *goose.Provider
	versions map[int64]version
	dropData bool // a way back may drop rows
}

// version is a migration's files.
type version struct {
	name     string // of the file that reaches it
	up, down string // statements
}

// drops are the tables that go with a version.
func (v version) drops() []string {
	first, _, _ := strings.Cut(v.down, "\n")
	list, ok := strings.CutPrefix(first, "-- drops: ")
	if !ok {
		return nil
	}
	names := strings.Split(list, ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	return names
}

// State is a version, and since when a database has it.
type State struct {
	Version int64      `json:"version"`
	Name    string     `json:"name"`
	Since   *time.Time `json:"since,omitempty"` // nil: it has not
}

// Open reads the migrations of a folder for a database. Close ends its connections.
func Open(conf *pgx.ConnConfig, files fs.FS) (*Database, error) {
	d := &Database{versions: map[int64]version{}}
	steps, err := d.read(files)
	if err != nil {
		return nil, err
	}
	conf = conf.Copy()
	conf.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol // a file has several statements
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockID(migrationLock), lock.WithLockTimeout(lockEvery, lockTries))
	if err != nil {
		return nil, err
	}
	d.db = stdlib.OpenDB(*conf)
	d.provider, err = goose.NewProvider(goose.DialectPostgres, d.db, nil, goose.WithGoMigrations(steps...), goose.WithTableName(pg.VersionTable),
		goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("migrations: %w", err), d.db.Close())
	}
	return d, nil
}

// read gives the folder's migrations as steps.
func (d *Database) read(files fs.FS) ([]*goose.Migration, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	var steps []*goose.Migration
	for _, name := range names {
		number, _, _ := strings.Cut(strings.TrimSuffix(name, ".sql"), "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("migration %s: its name begins with no number", name)
		}
		up, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("migration %s: %w", name, err)
		}
		down, err := fs.ReadFile(files, path.Join("down", name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("migration %s: %w", name, err)
		}
		v := version{name, string(up), string(down)}
		d.versions[n] = v
		steps = append(steps, goose.NewGoMigration(n, run(name, v.up, nil), run(path.Join("down", name), v.down, func(ctx context.Context, tx *sql.Tx) error { return d.refuse(ctx, tx, v) })))
	}
	return steps, nil
}

// run runs a file's statements in a step's transaction, unless it is refused there first.
func run(name, statements string, refuse func(ctx context.Context, tx *sql.Tx) error) *goose.GoFunc {
	return &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
		if refuse != nil {
			if err := refuse(ctx, tx); err != nil {
				return err
			}
		}
		if strings.TrimSpace(statements) == "" {
			return nil
		}
		if _, err := tx.ExecContext(ctx, statements); err != nil {
			return &fileError{name, err}
		}
		return nil
	}}
}

// Close ends the connections.
func (d *Database) Close() error { return d.db.Close() }

// Up runs what the database has not, and gives the files' names.
func (d *Database) Up(ctx context.Context) ([]string, error) {
	results, err := d.provider.Up(ctx)
	if part, ok := errors.AsType[*goose.PartialError](err); ok {
		results = part.Applied
	}
	if err == nil { // sinks ask for it, with other users
		_, err = d.db.ExecContext(ctx, fmt.Sprintf("SELECT pg_advisory_xact_lock(%d); GRANT SELECT ON %s TO PUBLIC", migrationLock, pg.VersionTable))
	}
	var names []string
	for _, r := range results {
		names = append(names, d.versions[r.Source.Version].name)
	}
	return names, plain(err)
}

// Down leaves the newest version, and gives its file's name, empty where there is
// none. It refuses to drop rows unless it is told to. It is for one goroutine at a time.
func (d *Database) Down(ctx context.Context, dropData bool) (string, error) {
	n, err := d.provider.GetDBVersion(ctx)
	if err != nil || n == 0 {
		return "", plain(err)
	}
	v, known := d.versions[n]
	switch {
	case !known:
		return "", fmt.Errorf("version %d of the database is none that this program knows: use the one that made it", n)
	case v.down == "":
		return "", fmt.Errorf("migration %s has no way back", v.name)
	}
	d.dropData = dropData
	before := int64(0)
	for other := range d.versions {
		if other < n {
			before = max(before, other)
		}
	}
	if _, err := d.provider.DownTo(ctx, before); err != nil { // another one may have done so meanwhile
		return "", plain(err)
	}
	return v.name, nil
}

// refuse is an error where tables that go with a version have rows, and are to keep
// them. From when it asks until they are gone nobody writes another one.
func (d *Database) refuse(ctx context.Context, tx *sql.Tx, v version) error {
	if d.dropData {
		return nil
	}
	// At another level it would look at what was there before it had the locks.
	if _, err := tx.ExecContext(ctx, "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"); err != nil {
		return &fileError{v.name, err}
	}
	var kept []string
	for _, table := range v.drops() {
		var there bool
		if err := tx.QueryRowContext(ctx, "SELECT pg_catalog.to_regclass("+pg.QuoteLiteral(pg.Quote(table))+") IS NOT NULL").Scan(&there); err != nil {
			return &fileError{v.name, err}
		}
		if !there {
			continue
		}
		rows, err := full(ctx, tx, table)
		if err != nil {
			return &fileError{v.name, err}
		}
		if rows {
			kept = append(kept, table)
		}
	}
	if len(kept) > 0 {
		return &fileError{v.name, fmt.Errorf("to leave it drops the rows of %s: --drop-data does that", strings.Join(kept, ", "))}
	}
	return nil
}

// full tells whether a table has rows. One that has none is locked then, as its drop
// locks it; one that has some is in use.
func full(ctx context.Context, tx *sql.Tx, table string) (rows bool, err error) {
	ask := func() error {
		return tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT FROM "+pg.Quote(table)+")").Scan(&rows)
	}
	if err := ask(); err != nil || rows {
		return rows, err
	}
	if _, err := tx.ExecContext(ctx, "LOCK TABLE "+pg.Quote(table)+" IN ACCESS EXCLUSIVE MODE"); err != nil {
		return false, err
	}
	return rows, ask()
}

// Status gives every version, in their order. It changes nothing.
func (d *Database) Status(ctx context.Context) ([]State, error) {
	since := map[int64]time.Time{}
	var there bool
	err := d.db.QueryRowContext(ctx, "SELECT pg_catalog.to_regclass('"+pg.VersionTable+"') IS NOT NULL").Scan(&there)
	if err == nil && there {
		since, err = d.noted(ctx)
	}
	if err != nil {
		return nil, err
	}
	var states []State
	for _, source := range d.provider.ListSources() {
		s := State{Version: source.Version, Name: d.versions[source.Version].name}
		if at, has := since[source.Version]; has {
			s.Since = &at
		}
		states = append(states, s)
	}
	return states, nil
}

// noted reads the table of versions.
func (d *Database) noted(ctx context.Context) (map[int64]time.Time, error) {
	rows, err := d.db.QueryContext(ctx, "SELECT version_id, tstamp FROM "+pg.VersionTable+" WHERE is_applied")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	since := map[int64]time.Time{}
	for rows.Next() {
		var n int64
		var at time.Time
		if err := rows.Scan(&n, &at); err != nil {
			return nil, err
		}
		since[n] = at
	}
	return since, rows.Err()
}

// fileError is what keeps a file from being run.
type fileError struct {
	name string
	err  error
}

// Error names the file.
func (e *fileError) Error() string { return fmt.Sprintf("migration %s: %v", e.name, e.err) }

// Unwrap gives the reason.
func (e *fileError) Unwrap() error { return e.err }

// plain gives a file's error without what goose says around it.
func plain(err error) error {
	if e, ok := errors.AsType[*fileError](err); ok {
		return e
	}
	return err
}

// Up brings the database of a connection to the newest version of a folder.
func Up(ctx context.Context, conn *pgx.Conn, files fs.FS) error {
	d, err := Open(conn.Config(), files)
	if err != nil {
		return err
	}
	_, err = d.Up(ctx)
	return errors.Join(err, d.Close())
}
