package postgres

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const (
	serverFolder = "server"   // within Options.Dir
	locationFile = "location" // within Options.Dir, where the server folder is elsewhere
	dataFolder   = "data"
	freshFolder  = "data.new" // a cluster that is not complete yet
	logFolder    = "log"      // within the data
	rootHomes    = "/var/lib/hydraulics"
	rootCache    = "/var/cache/hydraulics"
)

// account is who the server runs as; the zero value is ourselves.
type account struct {
	name     string
	uid, gid int
}

// home is the folder of a server: data, scratch, nothing else.
type home struct {
	base string
	as   account
}

func (h home) data() string  { return filepath.Join(h.base, dataFolder) }
func (h home) fresh() string { return filepath.Join(h.base, freshFolder) }

// openHome finds or makes the server's folder.
func openHome(ctx context.Context, dir string) (home, error) {
	if os.Geteuid() != 0 {
		h := home{base: filepath.Join(dir, serverFolder)}
		return h, os.MkdirAll(h.base, 0o700)
	}
	as, err := unprivileged()
	if err != nil {
		return home{}, err
	}
	h := home{as: as}
	if h.base, err = recorded(dir); err != nil {
		return h, err
	}
	if h.base == "" {
		if h.base, err = placeFor(ctx, dir, as); err != nil {
			return h, err
		}
	}
	if err := os.MkdirAll(h.base, 0o700); err != nil {
		return h, err
	}
	return h, os.Chown(h.base, as.uid, as.gid)
}

// unprivileged gives the account that the server runs as where we are root. It
// must be one that the system knows: initdb asks for its name.
func unprivileged() (account, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err := errors.Join(err1, err2); err != nil {
			return account{}, fmt.Errorf("account %s: %w", name, err)
		}
		return account{name, uid, gid}, nil
	}
	return account{}, fmt.Errorf("PostgreSQL does not run as root and the system has no account postgres or nobody: run as another user")
}

// recorded gives the server folder that was chosen before, empty without one.
func recorded(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, locationFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(text)), err
}

// placeFor gives the server folder for a new data folder, and records it where
// the account cannot reach the data folder itself. It has the same name each
// time: what a data folder that was deleted has left there is removed.
func placeFor(ctx context.Context, dir string, as account) (string, error) {
	if reachable(filepath.Dir(dir), as) {
		return filepath.Join(dir, serverFolder), os.Chmod(dir, 0o711) // the account passes through, and cannot write there
	}
	homes := rootHomes
	if temp := os.TempDir(); strings.HasPrefix(dir, temp+string(filepath.Separator)) {
		homes = temp // what is temporary there is temporary elsewhere
	} else if err := os.MkdirAll(homes, 0o755); err != nil {
		return "", err
	}
	if !reachable(homes, as) {
		return "", fmt.Errorf("account %s can enter neither %s nor %s: choose another folder", as.name, dir, homes)
	}
	name := sha256.Sum256([]byte(dir))
	base := filepath.Join(homes, fmt.Sprintf("hydraulics-postgres-%x", name[:8]))
	if err := stopOrphan(ctx, filepath.Join(base, dataFolder)); err != nil {
		return "", err
	}
	if err := os.RemoveAll(base); err != nil {
		return "", err
	}
	if err := os.Mkdir(base, 0o700); err != nil {
		return "", err
	}
	return base, os.WriteFile(filepath.Join(dir, locationFile), []byte(base+"\n"), 0o644)
}

// reachable tells whether an account may enter a folder and all above it.
func reachable(dir string, as account) bool {
	for {
		info, err := os.Stat(dir)
		if err != nil {
			return false
		}
		enter := fs.FileMode(0o001)
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			switch {
			case int(st.Uid) == as.uid:
				enter = 0o100
			case int(st.Gid) == as.gid:
				enter = 0o010
			}
		}
		if info.Mode()&enter == 0 {
			return false
		}
		above := filepath.Dir(dir)
		if above == dir {
			return true
		}
		dir = above
	}
}
