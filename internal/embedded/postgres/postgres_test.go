package postgres

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func TestPidFile(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want process
		ok   bool
	}{
		"running":    {"41\n/d\n1700000000\n5441\n\n127.0.0.1\n1 2\nready   \n", process{41, 5441}, true},
		"begun":      {"41\n/d\n", process{}, false},
		"not a pid":  {"x\n/d\n1\n5441\n", process{0, 5441}, false},
		"standalone": {"-41\n/d\n1\n5441\n", process{-41, 5441}, false},
		"empty":      {"", process{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "postmaster.pid"), c.text, 0o600)
			if got, ok := readPidFile(dir); got != c.want || ok != c.ok {
				t.Errorf("%+v, %t; want %+v, %t", got, ok, c.want, c.ok)
			}
		})
	}
	if _, ok := readPidFile(t.TempDir()); ok {
		t.Error("a folder without a pid file has a server")
	}
}

// TestStalePidFile holds pid files whose number is nobody's or another program's:
// nothing is taken over, nothing is stopped.
func TestStalePidFile(t *testing.T) {
	ended := exec.Command(os.Args[0], "-test.run=^$")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	for name, pid := range map[string]int{"ended": ended.Process.Pid, "another program": os.Getpid()} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "postmaster.pid"), strconv.Itoa(pid)+"\n"+dir+"\n1\n5441\n", 0o600)
			if p, ok := orphan(dir); ok {
				t.Errorf("%+v counts as a server", p)
			}
			if err := stopOrphan(t.Context(), dir); err != nil {
				t.Error(err)
			}
			if err := dropStalePidFile(t.Context(), dir); err != nil {
				t.Error(err)
			}
			_, err := os.Stat(filepath.Join(dir, "postmaster.pid"))
			if _, linux := os.Stat("/proc/self/cwd"); linux == nil && pid == os.Getpid() && err == nil {
				t.Error("the pid file that would keep PostgreSQL from starting is still there")
			}
		})
	}
}

// fakePostgres makes a folder with programs of a version.
func fakePostgres(t *testing.T, version string, programs ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, p := range programs {
		write(t, filepath.Join(dir, "bin", p), "#!/bin/sh\necho 'postgres (PostgreSQL) "+version+" (Debian)'\n", 0o755)
	}
	return dir
}

func TestNewestBinaries(t *testing.T) {
	all := []string{"postgres", "initdb", "pg_ctl"}
	old, new15, new17 := fakePostgres(t, "9.6.24", all...), fakePostgres(t, "15.18", all...), fakePostgres(t, "17.5", all...)
	partial := fakePostgres(t, "18.3", "postgres", "initdb")
	dirs := []string{old, new15, t.TempDir(), partial, new17}
	for want, dir := range map[int]string{0: new17, 15: new15, 17: new17, 16: "", 9: ""} {
		if got := newest(t.Context(), dirs, want); got.dir != dir {
			t.Errorf("version %d: %+v, want %s", want, got, dir)
		}
	}
	if got := newest(t.Context(), dirs, 15); got.version != "15.18" {
		t.Errorf("version %s", got.version)
	}
}

func TestChooseBinaries(t *testing.T) {
	data := t.TempDir()
	fifteen := fakePostgres(t, "15.18", "postgres", "initdb", "pg_ctl")
	if b, err := chooseBinaries(t.Context(), Options{Binaries: fifteen}, data); err != nil || b.dir != fifteen {
		t.Errorf("%+v, %v", b, err)
	}
	if _, err := chooseBinaries(t.Context(), Options{Binaries: data}, data); err == nil || !strings.Contains(err.Error(), "has no bin with postgres") {
		t.Errorf("%v", err)
	}
	if b, err := chooseBinaries(t.Context(), Options{Download: true, Cache: data}, data); err != nil || b.dir != "" || major(b.version) != newestBundle || b.cache != data {
		t.Errorf("%+v, %v", b, err)
	}
	write(t, filepath.Join(data, "PG_VERSION"), "17\n", 0o600)
	if _, err := chooseBinaries(t.Context(), Options{Binaries: fifteen}, data); err == nil || !strings.Contains(err.Error(), "are of PostgreSQL 17") {
		t.Errorf("%v", err)
	}
	if b, err := chooseBinaries(t.Context(), Options{Download: true, Cache: data}, data); err != nil || major(b.version) != 17 {
		t.Errorf("%+v, %v", b, err)
	}
	for text, want := range map[string]string{"12\n": "install it, or choose another folder", "9.6\n": "not supported"} {
		write(t, filepath.Join(data, "PG_VERSION"), text, 0o600)
		if _, err := chooseBinaries(t.Context(), Options{Download: true, Cache: data}, data); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestReachable(t *testing.T) {
	open, err := os.MkdirTemp("", "reach")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(open) })
	below := filepath.Join(open, "a", "b")
	if err := os.MkdirAll(below, 0o755); err != nil {
		t.Fatal(err)
	}
	stranger := account{"stranger", 4711, 4711}
	for name, c := range map[string]struct {
		mode os.FileMode
		as   account
		want bool
	}{
		"others may enter": {0o711, stranger, true},
		"private":          {0o700, stranger, false},
		"own":              {0o700, account{"me", os.Geteuid(), os.Getegid()}, true},
		"group":            {0o710, account{"ours", 4711, os.Getegid()}, true},
		"not the group":    {0o701, account{"ours", 4711, os.Getegid()}, false},
	} {
		if err := os.Chmod(open, c.mode); err != nil {
			t.Fatal(err)
		}
		if got := reachable(below, c.as); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}

func TestPlaceIsRecorded(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	base, err := placeFor(t.Context(), dir, account{"stranger", 4711, 4711})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	if again, err := recorded(dir); err != nil || again != base {
		t.Errorf("recorded %q (%v), want %q", again, err, base)
	}
	if err := Remove(dir); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{base, dir} {
		if _, err := os.Stat(d); !os.IsNotExist(err) {
			t.Errorf("%s is still there", d)
		}
	}
}

// TestBundleIsWhole keeps a bundle only after it has proved itself.
func TestBundleIsWhole(t *testing.T) {
	j := job{Cache: t.TempDir(), Version: "18.3.0"}
	part := filepath.Join(j.binaries(), "bin", "pg_ctl")
	for _, c := range []struct{ whole, kept bool }{{false, false}, {true, true}} {
		write(t, part, "", 0o755)
		release, err := j.prepareBundle()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(part); !os.IsNotExist(err) {
			t.Error("what is left of an extraction that was cut off is used")
		}
		write(t, part, "", 0o755)
		if err := release(c.whole); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(j.binaries(), completeFile)); (err == nil) != c.kept {
			t.Errorf("after success %t: %v", c.whole, err)
		}
	}
	release, err := j.prepareBundle()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(part); err != nil {
		t.Errorf("a whole bundle is thrown away: %v", err)
	}
	if err := release(true); err != nil {
		t.Fatal(err)
	}
}

func TestStartWants(t *testing.T) {
	if _, err := Start(t.Context(), Options{}); err == nil || !strings.Contains(err.Error(), "a folder, a user that is not postgres and a database") {
		t.Errorf("%v", err)
	}
}

func TestChildEnvironment(t *testing.T) {
	t.Setenv("PGDATA", "/elsewhere")
	t.Setenv("SECRET", "x")
	for _, v := range childEnvironment("/base") {
		if strings.HasPrefix(v, "PGDATA") || strings.HasPrefix(v, "SECRET") {
			t.Errorf("%s goes to the server", v)
		}
	}
}
