package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	embedded "github.com/fergusstrange/embedded-postgres"
)

// binaries are a PostgreSQL's programs.
type binaries struct {
	dir     string // above bin; empty where they are to be fetched
	version string
	cache   string // of bundles, where they are to be fetched
}

// places are where systems keep PostgreSQL, beside PATH.
var places = []string{
	"/usr/lib/postgresql/*", "/usr/pgsql-*", "/usr/local/pgsql", "/opt/homebrew/opt/postgresql*", "/usr/local/opt/postgresql*",
	"/Applications/Postgres.app/Contents/Versions/*",
}

// bundles are the versions that can be fetched, by their major number.
var bundles = map[int]embedded.PostgresVersion{14: embedded.V14, 15: embedded.V15, 16: embedded.V16, 17: embedded.V17, 18: embedded.V18}

// newestBundle is fetched for new data.
const newestBundle = 18

// chooseBinaries gives the programs for the data: those of their version, or the
// newest for new data.
func chooseBinaries(ctx context.Context, o Options, data string) (binaries, error) {
	want, err := dataVersion(data)
	if err != nil {
		return binaries{}, err
	}
	if o.Binaries != "" {
		b := examine(ctx, o.Binaries)
		switch {
		case b.version == "":
			return b, fmt.Errorf("%s has no bin with postgres, initdb and pg_ctl", o.Binaries)
		case want != 0 && major(b.version) != want:
			return b, fmt.Errorf("the data in %s are of PostgreSQL %d, %s is %s: choose binaries of version %d, or another folder", data, want, o.Binaries, b.version, want)
		}
		return b, nil
	}
	if !o.Download {
		if b := newest(ctx, onSystem(), want); b.dir != "" {
			return b, nil
		}
	}
	if want == 0 {
		want = newestBundle
	}
	version, ok := bundles[want]
	if !ok {
		return binaries{}, fmt.Errorf("the data in %s are of PostgreSQL %d, which is not on the system: install it, or choose another folder", data, want)
	}
	cache, err := cacheFolder(o.Cache)
	return binaries{version: string(version), cache: cache}, err
}

// dataVersion gives the major version of a cluster, 0 without one.
func dataVersion(data string) (int, error) {
	text, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("%s holds a cluster of version %q, which is not supported", data, strings.TrimSpace(string(text)))
	}
	return n, nil
}

func cacheFolder(asked string) (string, error) {
	if asked != "" {
		return filepath.Abs(asked)
	}
	if os.Geteuid() == 0 {
		return rootCache, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("there is no folder to keep a fetched PostgreSQL in: %w; set one of them, or install PostgreSQL", err)
	}
	return filepath.Join(dir, "hydraulics", "postgresql"), nil
}

// onSystem lists the folders that may have a PostgreSQL.
func onSystem() []string {
	var dirs []string
	if p, err := exec.LookPath("postgres"); err == nil {
		if real, err := filepath.EvalSymlinks(p); err == nil {
			dirs = append(dirs, filepath.Dir(filepath.Dir(real)))
		}
	}
	for _, place := range places {
		found, err := filepath.Glob(place)
		if err == nil { // the patterns are ours
			dirs = append(dirs, found...)
		}
	}
	return dirs
}

// leastMajor is the oldest version that the server's settings are for.
const leastMajor = 14

// newest gives the newest complete PostgreSQL of some folders; with want not 0
// one of that major version.
func newest(ctx context.Context, dirs []string, want int) binaries {
	var best binaries
	for _, dir := range dirs {
		b := examine(ctx, dir)
		n := major(b.version)
		if n < leastMajor || want != 0 && n != want || n <= major(best.version) {
			continue
		}
		best = b
	}
	return best
}

var versionText = regexp.MustCompile(`\(PostgreSQL\) ([0-9]+(?:\.[0-9]+)*)`)

// examine gives the version of the programs in a folder, none when not all are
// there.
func examine(ctx context.Context, dir string) binaries {
	for _, program := range []string{"postgres", "initdb", "pg_ctl"} {
		if info, err := os.Stat(filepath.Join(dir, "bin", program)); err != nil || info.Mode()&0o111 == 0 {
			return binaries{}
		}
	}
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "bin", "postgres"), "--version").Output()
	if err != nil {
		return binaries{}
	}
	m := versionText.FindSubmatch(out)
	if m == nil {
		return binaries{}
	}
	return binaries{dir: dir, version: string(m[1])}
}

func major(version string) int {
	head, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(head)
	if err != nil {
		return 0
	}
	return n
}
