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

// Write writes whole lines.
func (a *appended) Write(lines []byte) (n int, err error) {
	err = a.whole(func(bool) error { n, err = a.add(lines); return err })
	return n, err
}

// WriteLine writes one line of any length, without a copy of it: the lock keeps
// others from writing between its pieces.
func (a *appended) WriteLine(text string) error {
	return a.whole(func(locked bool) error {
		size := writeSize
		if !locked {
			size = len(text)
		}
		piece := make([]byte, 0, size+1)
		for {
			n := min(size, len(text))
			piece, text = append(piece[:0], text[:n]...), text[n:]
			if text == "" {
				piece = append(piece, '\n')
			}
			if _, err := a.add(piece); err != nil || text == "" {
				return err
			}
		}
	})
}

// whole locks the file for a write of whole lines, and ends half a line before.
// Where the file system has no locks it knows of its own half lines alone.
func (a *appended) whole(write func(locked bool) error) error {
	locked := a.lock.Lock() == nil
	if locked {
		defer func() { _ = a.lock.Unlock() }()
		a.torn = endsInALine(a.name)
	}
	if a.torn {
		if _, err := a.add([]byte{'\n'}); err != nil {
			return err
		}
	}
	return write(locked)
}

func (a *appended) add(part []byte) (int, error) {
	n, err := a.output.Write(part)
	if n > 0 {
		a.torn = part[n-1] != '\n'
	}
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
