package file

import (
	"errors"
	"os"

	"github.com/gofrs/flock"
)

// appended is a file that several workers may append whole lines to. One that
// is killed, or whose disk is full, may leave half a line (the system checks for
// a kill between the pages of a write): the next writer ends that line first, so
// that it damages no other. Its record was not committed and comes again.
type appended struct {
	output
	name string
	lock *flock.Flock // keeps a write that is under way from looking like half a line
	torn bool         // our own last write broke off within a line
}

// appendTo makes lines whole that are written to a file; what is no regular file
// is left as it is.
func appendTo(out output, name string) output {
	if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
		return out
	}
	return &appended{output: out, name: name, lock: flock.New(name, flock.SetFlag(os.O_RDONLY))}
}

// Write writes whole lines. Where the file system has no locks it knows of its
// own half lines alone.
func (a *appended) Write(lines []byte) (int, error) {
	torn := a.torn
	if err := a.lock.Lock(); err == nil {
		defer func() { _ = a.lock.Unlock() }()
		torn = endsInALine(a.name)
	}
	if torn {
		if _, err := a.output.Write([]byte{'\n'}); err != nil {
			return 0, err
		}
	}
	n, err := a.output.Write(lines)
	a.torn = n > 0 && lines[n-1] != '\n'
	return n, err
}

// endsInALine tells whether a file ends in the middle of a line.
func endsInALine(name string) bool {
	info, err := os.Stat(name)
	if err != nil || info.Size() == 0 {
		return false
	}
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	var last [1]byte
	_, err = f.ReadAt(last[:], info.Size()-1)
	return errors.Join(err, f.Close()) == nil && last[0] != '\n'
}
