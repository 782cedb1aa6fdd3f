package file

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/axiom-data-science/hydraulics/connector"
)

// opened is an open file: an *os.File, or one that fails in a test.
type opened interface {
	io.ReaderAt
	io.Closer
	Stat() (fs.FileInfo, error)
}

// line is one line without its end, and the place behind it.
type line struct {
	text string
	mark mark
}

// tail reads the whole lines of a file that grows, and may come later, be
// truncated, or be replaced by another of its name.
type tail struct {
	name string
	log  *slog.Logger
	open func(name string) (opened, error)
	from mark // where the next file that is opened is read from

	file  opened
	inode string
	// read is what was read of the file. Its end is partial, the beginning of a
	// line: the line after the last one that was given.
	read    trace
	partial strings.Builder
	// reader reads on behind read; nil after an error, which may leave it anywhere,
	// and where there is nothing more.
	reader  *bufio.Reader
	lately  int  // lines were given
	missing bool // it was said that the file is not there
	leaving bool // the file was found replaced, and had nothing more to give
}

// next gives up to n lines; none when there are none now. An error, which is
// retriable, comes alone: what was read before it was given, and what was not
// given is read again.
func (t *tail) next(n int) ([]line, error) {
	if t.file == nil {
		if ok, err := t.begin(); err != nil || !ok {
			return nil, err
		}
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	lines, err := t.lines(n)
	if len(lines) > 0 {
		t.leaving = false
		return lines, nil // an error that lasts comes again
	}
	if err != nil {
		return nil, err
	}
	return t.leave()
}

// begin opens the file where it is to be read from; false while there is none.
func (t *tail) begin() (bool, error) {
	f, err := t.open(t.name)
	if errors.Is(err, fs.ErrNotExist) {
		if !t.missing {
			t.missing = true
			t.say("the file is not there, waiting for it")
		}
		return false, nil
	}
	if err != nil {
		return false, connector.Coded("H7007", connector.Retriable(err))
	}
	t.missing = false
	info, err := f.Stat()
	if err == nil {
		t.inode = inode(info)
		err = t.resume(f)
	}
	if err != nil {
		return false, connector.Retriable(errors.Join(t.failed(err), f.Close()))
	}
	t.file, t.reader, t.leaving = f, nil, false
	t.partial.Reset()
	return true, nil
}

// resume goes to where reading is to go on: the mark, if this is still the file
// it was made in, else the start.
func (t *tail) resume(f opened) error {
	m := t.from
	read, err := traceOf(f, m.position)
	why := ""
	switch {
	case m.inode != "" && t.inode != "" && m.inode != t.inode:
		why = "another file has taken its place"
	case errors.Is(err, io.EOF):
		why = "it is shorter than what was read of it"
	case err != nil:
		return err
	case m.fingerprint != "" && m.fingerprint != read.fingerprint():
		why = "it was written anew"
	case m.fingerprint == "" && m.position > 0 && !bytes.HasSuffix(read.last, []byte("\n")) && !bytes.HasSuffix(read.last, []byte("\r")):
		why = "where reading ended is not the end of a line"
	}
	if why != "" {
		t.say("the file is not the one that was read before: "+why+"; reading it from its start", "position", m.position)
		read = trace{}
	}
	t.read = read
	return nil
}

// check notices that the open file no longer begins with what was read of it,
// and goes back to its start then.
func (t *tail) check() error {
	now, err := traceOf(t.file, t.read.size)
	why := "it was written anew"
	switch {
	case errors.Is(err, io.EOF):
		why = "it was truncated"
	case err != nil:
		return connector.Retriable(t.failed(err))
	case now.fingerprint() == t.read.fingerprint():
		return nil
	}
	t.say("the file changed while it was read: "+why+"; reading it from its start", "position", t.read.size-int64(t.partial.Len()))
	t.read, t.reader = trace{}, nil
	t.partial.Reset()
	return nil
}

// batchBytes is about how many bytes of lines are given at once, so that memory
// does not depend on how long lines are.
const batchBytes = 1 << 20

// readers are for files of which something is to be read; those at their end share.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 64<<10) }}

// idle gives the reader back, which is at the end of the file.
func (t *tail) idle() {
	t.reader.Reset(nil)
	readers.Put(t.reader)
	t.reader = nil
}

// lines reads up to n lines, as many as there are before an error and as have
// room in a batch; one comes however long it is.
func (t *tail) lines(n int) ([]line, error) {
	if t.reader == nil {
		t.reader = readers.Get().(*bufio.Reader)
		t.reader.Reset(io.NewSectionReader(t.file, t.read.size, 1<<62))
	}
	lines := make([]line, 0, min(n, t.lately+1))
	defer func() { t.lately = len(lines) }()
	given := func() int64 { return t.read.size - int64(t.partial.Len()) }
	for start := given(); len(lines) < n && (len(lines) == 0 || given()-start < batchBytes); {
		chunk, err := t.reader.ReadSlice('\n')
		t.read.add(chunk)
		if errors.Is(err, bufio.ErrBufferFull) && t.partial.Len() == 0 {
			t.partial.Grow(len(chunk) + t.ahead())
		}
		t.partial.Write(chunk)
		switch {
		case err == nil:
			lines = append(lines, t.take())
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			if len(lines) == 0 {
				t.idle()
			}
			return lines, nil
		default:
			t.reader = nil
			return lines, connector.Coded("H7007", connector.Retriable(t.failed(err)))
		}
	}
	return lines, nil
}

// take gives what was read since the last line as a line.
func (t *tail) take() line {
	l := line{strings.TrimRight(t.partial.String(), "\r\n"), mark{t.read.size, t.inode, t.read.fingerprint()}}
	t.partial.Reset()
	return l
}

// ahead measures what is left of a long line, so that it is read into memory of
// its size. An error comes again when it is read.
func (t *tail) ahead() (n int) {
	piece := make([]byte, 64<<10)
	for {
		read, err := t.file.ReadAt(piece, t.read.size+int64(n))
		if end := bytes.IndexByte(piece[:read], '\n'); end >= 0 {
			return n + end + 1
		}
		if n += read; err != nil {
			return n
		}
	}
}

// leave goes over to the file that has taken the place of this one, which is at
// its end. Its writer may not know yet, so it has one more wait. What follows
// the last line feed will never be a whole line, and is given as it is.
func (t *tail) leave() ([]line, error) {
	there, err := os.Stat(t.name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // it may still grow, until another one comes
	}
	var here fs.FileInfo
	if err == nil {
		here, err = t.file.Stat()
	}
	if err != nil {
		return nil, connector.Retriable(t.failed(err))
	}
	if os.SameFile(here, there) {
		return nil, nil
	}
	if !t.leaving {
		t.leaving = true
		return nil, nil
	}
	t.say("another file has taken the place of the file, which was read to its end; reading the new one from its start", "position", t.read.size)
	var last []line
	if t.partial.Len() > 0 {
		last = append(last, t.take())
	}
	t.from = mark{}
	return last, t.close()
}

func (t *tail) close() error {
	f := t.file
	t.file = nil
	if f == nil {
		return nil
	}
	return f.Close()
}

// say logs an event of the file, with its place: a name may be relative to where
// the worker runs, as in Java.
func (t *tail) say(event string, more ...any) {
	place, err := filepath.Abs(t.name)
	if err != nil {
		place = t.name
	}
	t.log.Warn(event, append([]any{"file", place}, more...)...)
}

// failed names the file in an error that may lack it.
func (t *tail) failed(err error) error { return fmt.Errorf("%s: %w", t.name, err) }
