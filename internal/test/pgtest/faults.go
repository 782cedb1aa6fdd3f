//go:build unix

package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// Kill ends the server as kill -9 does. Restart brings it back, and fails for as long as
// its orphans have not noticed.
func (s *Server) Kill() error {
	if err := s.cmd.Process.Kill(); err != nil {
		return err
	}
	<-s.ended
	return nil
}

// Standby makes and starts a server that follows this one, to which it answers only
// once the other has what was committed.
func (s *Server) Standby() (*Server, error) {
	b := &Server{bin: s.bin, owner: s.owner}
	if err := b.begin("pg_basebackup", "-h", "127.0.0.1", "-p", strconv.Itoa(s.port), "-U", "postgres", "-D", dataFolder, "-R", "-c", "fast"); err != nil {
		return nil, err
	}
	err := s.do("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()",
		"DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync') LOOP PERFORM pg_sleep(0.02), pg_stat_clear_snapshot(); END LOOP; END $$")
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// Promote makes a standby a server that takes writes.
func (s *Server) Promote() error { return s.do("SELECT pg_promote()") }

func (s *Server) do(statements ...string) error {
	ctx, cancel := wait.Context()
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

// Disk mounts a file system of its own in the server's folder, of a size as mount says
// it, for as long as the server lasts. Root alone may do that.
func (s *Server) Disk(size string) (folder string, err error) {
	folder = filepath.Join(s.dir, "disk")
	if err := os.Mkdir(folder, 0o755); err != nil {
		return "", err
	}
	options := "size=" + size
	if s.owner != nil {
		options += fmt.Sprintf(",uid=%d,gid=%d", s.owner.Uid, s.owner.Gid)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", options, "tmpfs", folder).CombinedOutput(); err != nil {
		return "", fmt.Errorf("mount: %w: %s", err, out)
	}
	s.disk = folder
	return folder, nil
}

// Unmount takes the disk away again.
func (s *Server) Unmount() error {
	folder := s.disk
	if folder == "" {
		return nil
	}
	s.disk = ""
	if out, err := exec.Command("umount", folder).CombinedOutput(); err != nil {
		return fmt.Errorf("umount: %w: %s", err, out)
	}
	return os.Remove(folder)
}
