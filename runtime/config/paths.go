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

	"github.com/axiom-data-science/hydraulics/connector"
)

func sortedKeys(p connector.Props) []string { return slices.Sorted(maps.Keys(p)) }

// Path gives the place on disk of a path in a configuration: relative ones
// start from the file that names them; what is not there may be an embedded
// default, which is put into CacheDir. A path that is nowhere stays what it
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

// unpack writes an embedded file below a folder named by its content, so that
// programs of different versions do not disturb each other.
func (r *Resolver) unpack(name string, data []byte) (string, error) {
	dir := r.CacheDir
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("embedded %s: %w", name, err)
		}
		dir = filepath.Join(base, "hydraulics", "embedded")
	}
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
