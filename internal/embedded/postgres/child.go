package postgres

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	embedded "github.com/fergusstrange/embedded-postgres"
	"github.com/gofrs/flock"
)

// childEnv marks a process that is to do one job and end.
const childEnv = "HYDRAULICS_EMBEDDED_POSTGRES_JOB"

// job is what the child does: make the cluster where it is missing, and start
// the server. It comes over the child's standard input, since others can read a
// command line.
type job struct {
	Binaries, Version, Cache string
	Base                     string
	Port                     int
	Password, Database       string // the superuser's
}

// init makes this very program the child: a program that imports the package
// need not know of it, and the account of the child needs no right to find a
// program file.
func init() {
	if os.Getenv(childEnv) == "" {
		return
	}
	var j job
	err := json.NewDecoder(os.Stdin).Decode(&j)
	if err == nil {
		err = j.do()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// childTimeout covers a download over a slow line.
const childTimeout = 10 * time.Minute

// runChild runs the job in a child process, under the home's account.
func runChild(ctx context.Context, h home, j job) error {
	if j.Cache != "" {
		if err := os.MkdirAll(j.Cache, 0o755); err != nil {
			return err
		}
		if h.as.uid != 0 {
			if err := os.Chown(j.Cache, h.as.uid, h.as.gid); err != nil {
				return err
			}
		}
	}
	program := "/proc/self/exe" // which can be run even where its folder cannot be entered
	if runtime.GOOS != "linux" {
		var err error
		if program, err = os.Executable(); err != nil {
			return err
		}
	}
	input, err := json.Marshal(j)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, childTimeout)
	defer cancel()
	var output bytes.Buffer
	cmd := exec.CommandContext(ctx, program)
	cmd.Dir, cmd.Env = h.base, append(childEnvironment(h.base), childEnv+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), io.Discard, &output
	// The child's group has what it starts in turn, but for the server, which
	// leaves it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if h.as.uid != 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(h.as.uid), Gid: uint32(h.as.gid)}
	}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		said := strings.TrimSpace(strings.ReplaceAll(output.String(), j.Password, "[hidden]"))
		return fmt.Errorf("%w: %s", err, said)
	}
	return nil
}

// childEnvironment lets nothing of ours through to the server but the way to the
// network and to programs: variables such as PGDATA would change what it does.
func childEnvironment(base string) []string {
	env := []string{"HOME=" + base, "TMPDIR=" + filepath.Join(base, "tmp"), "LC_ALL=C", "TZ=UTC"}
	for _, name := range []string{"PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
		"http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// do is the child's work.
func (j job) do() error {
	scratch := filepath.Join(j.Base, "tmp")
	if err := os.RemoveAll(scratch); err != nil {
		return err
	}
	if err := os.MkdirAll(scratch, 0o700); err != nil {
		return err
	}
	release, err := j.prepareBundle()
	if err != nil {
		return err
	}
	err = j.serve()
	return errors.Join(err, release(err == nil))
}

// serve starts the server, on a new cluster where there is none.
func (j job) serve() error {
	if _, err := os.Stat(filepath.Join(j.Base, dataFolder)); errors.Is(err, os.ErrNotExist) {
		if err := j.makeCluster(); err != nil {
			return err
		}
	}
	return j.server(dataFolder).Start()
}

// server gives the library's server on one of the base's folders. The library
// deletes data whose version it does not expect; it is told the version that was
// found to be right.
func (j job) server(folder string) *embedded.EmbeddedPostgres {
	return embedded.NewDatabase(embedded.DefaultConfig().
		BinariesPath(j.binaries()).CachePath(j.Cache).Version(embedded.PostgresVersion(j.Version)).
		DataPath(filepath.Join(j.Base, folder)).RuntimePath(filepath.Join(j.Base, "tmp", "run")).
		Port(uint32(j.Port)).Username(superuser).Password(j.Password).Database(j.Database).
		Locale("C").Encoding("UTF8").Logger(os.Stderr).StartTimeout(time.Minute).
		StartParameters(map[string]string{
			"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "timezone": "UTC",
			"logging_collector": "on", "log_directory": logFolder, "log_filename": "postgresql-%a.log",
			"log_truncate_on_rotation": "on", "log_rotation_age": "1d", "log_rotation_size": "0",
		}))
}

// binaries gives the folder above bin, of the bundle where none is on the system.
func (j job) binaries() string {
	if j.Binaries != "" {
		return j.Binaries
	}
	return filepath.Join(j.Cache, j.Version)
}

// completeFile is in a bundle's folder once all of it is.
const completeFile = "complete"

// prepareBundle makes sure that a bundle is whole or will be fetched anew: a
// download or an extraction that was cut off is started again. The lock keeps
// two processes from doing so at once. Whoever calls release says whether the
// bundle has proved itself.
func (j job) prepareBundle() (release func(whole bool) error, err error) {
	if j.Binaries != "" {
		return func(bool) error { return nil }, nil
	}
	lock := flock.New(filepath.Join(j.Cache, "lock"))
	if err := lock.Lock(); err != nil {
		return nil, err
	}
	mark := filepath.Join(j.binaries(), completeFile)
	if _, err := os.Stat(mark); err == nil {
		return func(bool) error { return lock.Unlock() }, nil
	}
	if err := os.RemoveAll(j.binaries()); err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	return func(whole bool) error {
		var err error
		if whole {
			err = os.WriteFile(mark, nil, 0o644)
		}
		return errors.Join(err, lock.Unlock())
	}, nil
}

// makeCluster makes a cluster with its database in a folder of its own
// and puts it in place when it is complete: a kill on the way leaves nothing
// that looks like one.
func (j job) makeCluster() error {
	fresh := filepath.Join(j.Base, freshFolder)
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	s := j.server(freshFolder)
	if err := s.Start(); err != nil {
		return err
	}
	if err := s.Stop(); err != nil {
		return err
	}
	const hba = "# Connections from this machine over TCP only, with a password that is not sent in the clear.\n" +
		"host all all 127.0.0.1/32 scram-sha-256\n"
	if err := os.WriteFile(filepath.Join(fresh, "pg_hba.conf"), []byte(hba), 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, filepath.Join(j.Base, dataFolder))
}
