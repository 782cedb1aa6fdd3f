// Package files makes files and folders that others rely on.
package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
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

// PrivateFolder makes a folder that only its owner can enter, and those above it,
// or makes a folder so that is there.
func PrivateFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.Chmod(dir, 0o700)
}
