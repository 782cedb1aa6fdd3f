package pg

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// migrationLock keeps two migrations from running at once.
const migrationLock = 0x68796472 // "hydr"

// Migrate runs the .sql files of a folder in the order of their names, each in
// a transaction of its own. The files can be run again without effect: nothing
// notes what was run. The error names the file.
func Migrate(ctx context.Context, conn *pgx.Conn, files fs.FS) error {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	slices.Sort(names)
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return fmt.Errorf("migration %s: %w", name, err)
		}
		if strings.TrimSpace(string(text)) == "" {
			continue
		}
		err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "SELECT pg_catalog.pg_advisory_xact_lock($1)", migrationLock); err != nil {
				return err
			}
			// Several statements without parameters: the simple protocol.
			_, err := tx.Exec(ctx, string(text), pgx.QueryExecModeSimpleProtocol)
			return err
		})
		if err != nil {
			return fmt.Errorf("migration %s: %w", name, err)
		}
	}
	return nil
}
