//go:build unix

package pgtest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/axiom-data-science/hydraulics/internal/test/port"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// Server is a PostgreSQL of a test's own, on a loopback port, with its data in
// a temporary folder.
type Server struct {
	bin, dir string
	port     int
	owner    *syscall.Credential // nil: this process's own user
	cmd      *exec.Cmd
	ended    chan struct{} // closed when the process has ended
	disk     string        // that is mounted, empty for none
}

// Start makes a new cluster and starts a server on it. Close ends it. When
// there are no PostgreSQL binaries the error says so.
func Start() (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin}
	if s.owner, err = unprivileged(); err != nil {
		return nil, err
	}
	return s, s.begin("initdb", "-D", dataFolder, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
}

// begin has a command make the server's data, and starts the server.
func (s *Server) begin(name string, args ...string) (err error) {
	if s.dir, err = os.MkdirTemp("", "hydraulics-pgtest-"); err != nil {
		return err
	}
	if err = s.create(name, args...); err == nil {
		err = s.Restart()
	}
	if err != nil {
		_ = os.RemoveAll(s.dir)
	}
	return err
}

// binaries finds the newest PostgreSQL of the system.
func binaries() (string, error) {
	if found, err := exec.LookPath("initdb"); err == nil {
		found, err = filepath.EvalSymlinks(found) // the other programs are where it is
		return filepath.Dir(found), err
	}
	var found []string
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/initdb", "/usr/pgsql-*/bin/initdb", "/opt/homebrew/opt/postgresql@*/bin/initdb", "/usr/local/opt/postgresql@*/bin/initdb"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			return "", err
		}
		found = append(found, names...)
	}
	if len(found) == 0 {
		return "", errNone
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return cmp.Compare(major(a), major(b)) })), nil
}

var number = regexp.MustCompile(`[0-9]+`)

// major gives the major version that a path names, 0 for none.
func major(path string) int {
	n, err := strconv.Atoi(number.FindString(path))
	if err != nil {
		return 0
	}
	return n
}

// unprivileged gives another user to run as when this one is root, which
// PostgreSQL refuses.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(errUID, errGID); err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as")
}

// dataFolder is the cluster's, in the server's own folder.
const dataFolder = "data"

func (s *Server) data() string { return filepath.Join(s.dir, dataFolder) }

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = attributes(s.owner)
	return cmd
}

func (s *Server) create(name string, args ...string) error {
	if s.owner != nil {
		if err := os.Chown(s.dir, int(s.owner.Uid), int(s.owner.Gid)); err != nil {
			return err
		}
	}
	if out, err := s.command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(out))
	}
	return nil
}

// URL gives the server's address.
func (s *Server) URL() string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", s.port)
}

// Restart starts the server, on the same port as before, and waits until it answers.
func (s *Server) Restart() error {
	if s.port == 0 {
		var err error
		if s.port, err = port.Lasting(); err != nil {
			return err
		}
	}
	log, err := os.OpenFile(filepath.Join(s.dir, "server.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	s.cmd = s.command("postgres", "-D", s.data(), "-p", strconv.Itoa(s.port), "-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=60")
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	s.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) { // ends with the server
		_ = cmd.Wait()
		close(ended)
	}(s.cmd, s.ended)
	return s.wait()
}

func (s *Server) wait() error {
	ctx, cancel := wait.Context()
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.URL())
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-s.ended:
			text, _ := os.ReadFile(filepath.Join(s.dir, "server.log"))
			return fmt.Errorf("postgres ended: %s", bytes.TrimSpace(text))
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("postgres does not answer: %w", err), s.Stop())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Stop stops the server at once, connections and all; Restart brings it back.
func (s *Server) Stop() error {
	select {
	case <-s.ended:
		return nil
	default:
	}
	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil { // fast shutdown
		return err
	}
	<-s.ended
	return nil
}

// Demote restarts the server as a standby: it answers questions and takes no
// writes.
func (s *Server) Demote() error {
	if err := s.Stop(); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.data(), "standby.signal"), nil, 0o644); err != nil {
		return err
	}
	return s.Restart()
}

// Close stops the server and removes its data.
func (s *Server) Close() error {
	return errors.Join(s.Stop(), s.Unmount(), os.RemoveAll(s.dir))
}
