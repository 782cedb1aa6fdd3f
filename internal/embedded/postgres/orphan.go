package postgres

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is what a cluster's postmaster.pid says.
type process struct {
	pid, port int
}

// readPidFile reads a cluster's postmaster.pid: pid, data folder, start time,
// port, one to a line. A file that is not complete yet names no server.
func readPidFile(data string) (process, bool) {
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return process{}, false
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) < 4 {
		return process{}, false
	}
	pid, err1 := strconv.Atoi(strings.TrimSpace(lines[0]))
	port, err2 := strconv.Atoi(strings.TrimSpace(lines[3]))
	return process{pid, port}, err1 == nil && err2 == nil && pid > 0
}

// orphan gives the server that runs on the data. A pid file alone is no proof:
// after a crash of the machine its number may be another program's.
func orphan(data string) (process, bool) {
	p, ok := readPidFile(data)
	return p, ok && serves(p.pid, data)
}

// serves tells whether a process is a server on the data.
func serves(pid int, data string) bool {
	if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) {
		return false
	}
	args, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if errors.Is(err, fs.ErrNotExist) { // no such process, or no Linux
		if args, err = exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output(); err != nil {
			return false
		}
	}
	return bytes.Contains(args, []byte(data)) && bytes.Contains(args, []byte("postgres"))
}

// stopOrphan ends the server that runs on the data, if there is one.
func stopOrphan(ctx context.Context, data string) error {
	for _, s := range []struct {
		signal   syscall.Signal // PostgreSQL's fast and its immediate shutdown
		patience time.Duration
	}{{syscall.SIGINT, 20 * time.Second}, {syscall.SIGQUIT, 10 * time.Second}} {
		p, ok := orphan(data)
		if !ok {
			return nil
		}
		if err := syscall.Kill(p.pid, s.signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stopping pid %d: %w", p.pid, err)
		}
		if gone(ctx, data, s.patience) {
			return nil
		}
	}
	p, _ := readPidFile(data)
	return fmt.Errorf("the server with pid %d does not stop", p.pid)
}

// dropStalePidFile removes the pid file of a server that is no more. PostgreSQL
// does so itself, unless its number is that of another process by now, or of a
// dead one that nobody has asked after; then it would not start. What is left of
// a killed server must have ended first, since two servers destroy the data.
func dropStalePidFile(ctx context.Context, data string) error {
	p, ok := readPidFile(data)
	if !ok || errors.Is(syscall.Kill(p.pid, 0), syscall.ESRCH) || serves(p.pid, data) {
		return nil
	}
	if _, err := os.Stat("/proc/self/cwd"); err != nil {
		return nil // no way to know what runs in the folder: PostgreSQL decides
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for worksIn(data) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("processes of a server that was killed still run in %s: stop them", data)
		case <-tick.C:
		}
	}
	return os.Remove(filepath.Join(data, "postmaster.pid"))
}

// worksIn tells whether any process has a folder for its own, as every one of
// PostgreSQL's has its cluster's.
func worksIn(dir string) bool {
	folders, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		return false // the pattern is ours
	}
	for _, f := range folders {
		if at, err := os.Readlink(f); err == nil && at == dir {
			return true
		}
	}
	return false
}

// gone waits for the server on the data to end.
func gone(ctx context.Context, data string, patience time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, ok := orphan(data); !ok {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}

// answers waits until something that speaks PostgreSQL's protocol listens on a
// port of 127.0.0.1: asked for TLS it says yes or no in one letter.
func answers(ctx context.Context, port int) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := askTLS(ctx, port)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

func askTLS(ctx context.Context, port int) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	const sslRequest = 80877103
	if _, err := conn.Write(binary.BigEndian.AppendUint32([]byte{0, 0, 0, 8}, sslRequest)); err != nil {
		return err
	}
	var letter [1]byte
	if _, err := conn.Read(letter[:]); err != nil {
		return err
	}
	if letter[0] != 'N' && letter[0] != 'S' {
		return fmt.Errorf("what listens there is not PostgreSQL")
	}
	return nil
}
