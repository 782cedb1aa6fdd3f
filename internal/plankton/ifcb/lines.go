package ifcb

import (
	"bufio"
	"errors"
	"io"
)

// lineReader gives the lines of a file. Of a line that is longer than its buffer it gives the beginning.
type lineReader struct {
	in     *bufio.Reader
	line   []byte // valid until the next call
	number int    // from 1
	long   bool   // the line was longer
	ended  bool   // it had a line end
	err    error  // of the file; its end is none
}

// next reads a line. It returns false behind the last one.
func (l *lineReader) next() bool {
	line, err := l.in.ReadSlice('\n')
	l.line, l.long = line, errors.Is(err, bufio.ErrBufferFull)
	if l.long {
		l.line = append([]byte(nil), line...) // the buffer is read on into
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = l.in.ReadSlice('\n')
		}
	}
	l.ended = err == nil
	if err != nil && !errors.Is(err, io.EOF) {
		l.number, l.err = l.number+1, err
		return false
	}
	if len(l.line) == 0 {
		return false
	}
	l.number++
	return true
}
