// Package files makes files and folders that others rely on.
package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Replace puts a file of this content and mode in the place of the one of its
// name, if there is one. It is there as a whole or not at all, after a crash too.
func Replace(name string, data []byte, mode fs.FileMode) error {
	part, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".part-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = part.Write(data)
	err = errors.Join(err, part.Chmod(mode), part.Sync(), part.Close())
	if err == nil {
		err = os.Rename(part.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(part.Name()))
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close()) // else the renaming may be lost
}

// Look gives what files look like from outside, their times and sizes, as a text
// that is another one when one of them has changed, come or gone.
func Look(names ...string) string {
	var b strings.Builder
	for _, name := range names {
		if info, err := os.Stat(name); err == nil {
			fmt.Fprintln(&b, info.ModTime().UnixNano(), info.Size())
		} else {
			fmt.Fprintln(&b, "none")
		}
	}
	return b.String()
}

// PrivateFolder makes a folder that only its owner can enter, and those above it,
// or makes a folder so that is there.
func PrivateFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.Chmod(dir, 0o700)
}
