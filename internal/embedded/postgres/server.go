package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/files"
)

// Options say where and how the server runs.
type Options struct {
	// Dir is made if missing, for its owner's eyes alone; a second process cannot
	// use it at the same time.
	Dir string
	// Port on 127.0.0.1; 0 takes a free one.
	Port int
	// Database belongs to User, who is no superuser.
	User, Database string
	// Password is the user's; without one, that of [PasswordsFile] is.
	Password connector.Password
	// Roles are made for the user to take on.
	Roles []string
	// Binaries is the folder above bin/postgres; empty looks for the newest on the
	// system, then fetches a bundle.
	Binaries string
	// Cache holds fetched bundles; empty is the user's cache folder, or
	// /var/cache/hydraulics for root.
	Cache string
	// Download takes the bundle even where the system has binaries.
	Download bool
	Log      *slog.Logger
}

// Server is a running server.
type Server struct {
	options Options
	home    home
	cache   string // of the programs, where they were fetched
	port    int
	pid     int
	lock    *flock.Flock
	stop    sync.Once
	stopErr error

	password, adminPassword connector.Password
}

// Start runs a server, or takes over the one that a killed process left behind
// in the folder. It returns when the server answers. A new cluster takes about a
// second; a bundle has to be fetched once.
func Start(ctx context.Context, o Options) (*Server, error) {
	s, err := start(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("embedded postgresql: %w", err)
	}
	return s, nil
}

func start(ctx context.Context, o Options) (*Server, error) {
	if o.Dir == "" || o.User == "" || o.User == superuser || o.Database == "" {
		return nil, fmt.Errorf("a folder, a user that is not %s and a database are needed", superuser)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	if err := files.PrivateFolder(dir); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(dir, "lock"))
	if ok, err := lock.TryLock(); err != nil {
		return nil, err
	} else if !ok {
		return nil, fmt.Errorf("%s is in use by another process: stop it, or choose another folder", dir)
	}
	s := &Server{options: o, lock: lock}
	if err := s.run(ctx, dir); err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	return s, nil
}

func (s *Server) run(ctx context.Context, dir string) error {
	var err error
	if s.home, err = openHome(ctx, dir); err != nil {
		return err
	}
	if s.adminPassword, s.password, err = passwords(dir, s.home, s.options.User); err != nil {
		return err
	}
	if s.options.Password != "" {
		s.password = s.options.Password
	}
	if err := stopOrphan(ctx, s.home.fresh()); err != nil {
		return err
	}
	if err := s.serve(ctx); err != nil {
		return err
	}
	if err := s.makeRoles(ctx); err != nil {
		return errors.Join(err, stopOrphan(context.WithoutCancel(ctx), s.home.data()))
	}
	return nil
}

// serve has a server on the data: the one that runs already, or a new one.
func (s *Server) serve(ctx context.Context) error {
	if taken, err := s.takeOver(ctx); taken || err != nil {
		return err
	}
	if err := dropStalePidFile(ctx, s.home.data()); err != nil {
		return err
	}
	bin, err := chooseBinaries(ctx, s.options, s.home.data())
	if err != nil {
		return err
	}
	s.cache = bin.cache
	return s.launch(ctx, bin)
}

// takeOver looks for a server that runs on the data already.
func (s *Server) takeOver(ctx context.Context) (bool, error) {
	p, ok := orphan(s.home.data())
	if !ok {
		return false, nil
	}
	if s.options.Port != 0 && s.options.Port != p.port {
		s.options.Log.Info("embedded postgresql: stopping the server of an earlier run, which listens on another port", "pid", p.pid, "port", p.port)
		return false, stopOrphan(ctx, s.home.data())
	}
	if err := answers(ctx, p.port); err != nil {
		return false, fmt.Errorf("the server of an earlier run (pid %d) does not answer on port %d: %w", p.pid, p.port, err)
	}
	s.options.Log.Info("embedded postgresql: taking over the server of an earlier run", "pid", p.pid, "port", p.port)
	s.port, s.pid = p.port, p.pid
	return true, nil
}

// launch starts the server, on another free port when somebody else took the
// one that was free a moment ago.
func (s *Server) launch(ctx context.Context, bin binaries) error {
	const attempts = 3
	for i := 1; ; i++ {
		port := s.options.Port
		if port == 0 {
			var err error
			if port, err = freePort(); err != nil {
				return err
			}
		}
		err := runChild(ctx, s.home, job{Binaries: bin.dir, Version: bin.version, Cache: bin.cache, Base: s.home.base, Port: port,
			Password: s.adminPassword.Secret(), Database: s.options.Database})
		if err == nil {
			p, ok := orphan(s.home.data())
			if !ok {
				return fmt.Errorf("the server ended at once: see %s", filepath.Join(s.home.data(), logFolder))
			}
			s.port, s.pid = p.port, p.pid
			return nil
		}
		// What the child began goes with it.
		clean := context.WithoutCancel(ctx)
		err = errors.Join(err, stopOrphan(clean, s.home.fresh()), stopOrphan(clean, s.home.data()))
		if s.options.Port != 0 || i == attempts || ctx.Err() != nil || portIsFree(port) {
			return err
		}
	}
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

func portIsFree(port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	return err == nil && l.Close() == nil
}

// Port gives the port on 127.0.0.1.
func (s *Server) Port() int { return s.port }

// Folder gives the folder that the data are in.
func (s *Server) Folder() string { return s.home.base }

// Programs gives the folder that PostgreSQL was fetched into; empty where the
// system's is used.
func (s *Server) Programs() string { return s.cache }

// DSN gives the address of the database, password and all.
func (s *Server) DSN() string { return s.dsn(s.options.User, s.password) }

// AdminDSN is the superuser's.
func (s *Server) AdminDSN() string { return s.dsn(superuser, s.adminPassword) }

func (s *Server) dsn(user string, password connector.Password) string {
	u := url.URL{Scheme: "postgresql", User: url.UserPassword(user, password.Secret()),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)), Path: "/" + s.options.Database, RawQuery: "sslmode=disable"}
	return u.String()
}

// Stop ends the server: open transactions are rolled back, nothing that was
// committed is lost. It is safe twice.
func (s *Server) Stop() error {
	s.stop.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		err := errors.Join(stopOrphan(ctx, s.home.data()), s.lock.Unlock())
		if err != nil {
			s.stopErr = fmt.Errorf("embedded postgresql: %w", err)
		}
	})
	return s.stopErr
}

// Remove deletes a stopped server's folder and its data, wherever they are.
func Remove(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("embedded postgresql: %w", err)
	}
	base, err := recorded(dir)
	if err != nil {
		return fmt.Errorf("embedded postgresql: %w", err)
	}
	if base == "" {
		base = filepath.Join(dir, serverFolder)
	}
	if p, running := orphan(filepath.Join(base, dataFolder)); running {
		return fmt.Errorf("embedded postgresql: the server in %s still runs (pid %d): stop it first", base, p.pid)
	}
	return errors.Join(os.RemoveAll(base), os.RemoveAll(dir))
}
