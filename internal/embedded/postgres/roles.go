package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// makeRoles makes the user, who owns the database and nothing else: no superuser,
// so that whoever has its password can neither run programs nor read files as the
// server's account. The password is set anew each time.
func (s *Server) makeRoles(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.AdminDSN())
	if err != nil {
		return fmt.Errorf("as superuser: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	user := pgx.Identifier{s.options.User}.Sanitize()
	run := func(statements ...string) error {
		for _, text := range statements {
			if _, err := conn.Exec(ctx, text); err != nil {
				return fmt.Errorf("role %s: %w", s.options.User, err)
			}
		}
		return nil
	}
	for _, role := range append([]string{s.options.User}, s.options.Roles...) {
		var there bool
		if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", role).Scan(&there); err != nil {
			return err
		}
		name := pgx.Identifier{role}.Sanitize()
		if !there {
			if err := run("CREATE ROLE " + name); err != nil {
				return err
			}
		}
		if role != s.options.User {
			if err := run("GRANT " + name + " TO " + user); err != nil {
				return err
			}
		}
	}
	return run(
		"ALTER ROLE "+user+" LOGIN PASSWORD '"+strings.ReplaceAll(s.password.Secret(), "'", "''")+"'",
		"ALTER DATABASE "+pgx.Identifier{s.options.Database}.Sanitize()+" OWNER TO "+user)
}
