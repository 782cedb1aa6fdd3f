package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/axiom-data-science/hydraulics/connector"
)

func sortedKeys(p connector.Props) []string { return slices.Sorted(maps.Keys(p)) }

// Path gives the place on disk of a path in a configuration: relative ones
// start from the file that names them; what is not there may be an embedded
// default, which is put into cacheDir. A path that is nowhere stays what it
// is beside its file, so that the error of whoever opens it names it. A URL is
// no path and stays what it is.
func (r *Resolver) Path(path string, from Origin) (string, error) {
	if path == "" || filepath.IsAbs(path) || strings.Contains(path, "://") {
		return path, nil
	}
	beside := filepath.Join(from.Dir, path)
	if _, err := os.Stat(beside); err == nil || r.Embedded == nil {
		return beside, nil
	}
	name := filepath.ToSlash(filepath.Clean(path))
	data, err := fs.ReadFile(r.Embedded, name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return beside, nil
	}
	if err != nil {
		return "", fmt.Errorf("embedded %s: %w", name, err)
	}
	return r.unpack(name, data)
}

// missing tells that a path is neither on disk nor among the embedded files.
func (r *Resolver) missing(path string, from Origin) bool {
	if path == "" || strings.Contains(path, "://") {
		return false
	}
	if !filepath.IsAbs(path) {
		if r.Embedded != nil {
			if _, err := fs.Stat(r.Embedded, filepath.ToSlash(filepath.Clean(path))); err == nil {
				return false
			}
		}
		path = filepath.Join(from.Dir, path)
	}
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// spareDir is a folder for embedded files where the user has no cache folder
// that can be written, as services often have none. It is the process's own: in
// a shared one another user could replace what is in it.
var spareDir = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "hydraulics-embedded-") })

// unpack writes an embedded file into cacheDir, else below the user's cache
// folder, else into a temporary one.
func (r *Resolver) unpack(name string, data []byte) (string, error) {
	if r.cacheDir != "" {
		return unpackInto(r.cacheDir, name, data)
	}
	base, err := os.UserCacheDir()
	if err == nil {
		var file string
		if file, err = unpackInto(filepath.Join(base, "hydraulics", "embedded"), name, data); err == nil {
			return file, nil
		}
	}
	dir, spareErr := spareDir()
	if spareErr != nil {
		return "", fmt.Errorf("embedded %s: %w; set XDG_CACHE_HOME or TMPDIR to a folder that can be written", name, errors.Join(err, spareErr))
	}
	return unpackInto(dir, name, data)
}

// unpackInto writes an embedded file below a folder named by its content, so
// that programs of different versions do not disturb each other.
func unpackInto(dir, name string, data []byte) (string, error) {
	sum := sha256.Sum256(data)
	file := filepath.Join(dir, hex.EncodeToString(sum[:8]), filepath.FromSlash(name))
	if have, err := os.ReadFile(file); err == nil && sha256.Sum256(have) == sum {
		return file, nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", fmt.Errorf("embedded %s: %w", name, err)
	}
	part, err := os.CreateTemp(filepath.Dir(file), ".part-*")
	if err != nil {
		return "", fmt.Errorf("embedded %s: %w", name, err)
	}
	_, err = part.Write(data)
	if err := errors.Join(err, part.Close()); err != nil {
		return "", fmt.Errorf("embedded %s: %w", name, errors.Join(err, os.Remove(part.Name())))
	}
	if err := os.Rename(part.Name(), file); err != nil {
		return "", fmt.Errorf("embedded %s: %w", name, err)
	}
	return file, nil
}
