package file

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
)

// mark is a place in a file, and what tells whether a file is the one that was
// read up to there.
type mark struct {
	position int64
	// inode and fingerprint are empty in the offsets of Kafka Connect.
	inode, fingerprint string
}

// offset is the source offset of a mark.
func (m mark) offset() map[string]any {
	return map[string]any{"position": m.position, "inode": m.inode, "fingerprint": m.fingerprint}
}

// markOf reads a source offset; without one it is the start of any file.
func markOf(offset map[string]any) (m mark, err error) {
	switch v := offset["position"].(type) {
	case nil:
	case json.Number:
		if m.position, err = v.Int64(); err != nil {
			return mark{}, fmt.Errorf("position: %w", err)
		}
		if m.position < 0 {
			return mark{}, fmt.Errorf("position: %d is negative", m.position)
		}
	default:
		return mark{}, fmt.Errorf("position is a %T, expected a number", v)
	}
	m.inode, _ = offset["inode"].(string)
	m.fingerprint, _ = offset["fingerprint"].(string)
	return m, nil
}

const (
	headSize = 1024 // the bytes at the start of a file that tell it from others
	lastSize = 64   // the bytes before a place that tell it from others
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// trace is what was read of a file from its start, as much of it as tells later
// whether a file still begins with it.
type trace struct {
	size       int64
	head, last []byte
}

// add notes what was read next.
func (t *trace) add(read []byte) {
	t.size += int64(len(read))
	if room := headSize - len(t.head); room > 0 {
		t.head = append(t.head, read[:min(room, len(read))]...)
	}
	if over := len(t.last) + len(read) - lastSize; over > 0 {
		t.last = append(t.last[:0], t.last[min(over, len(t.last)):]...)
		read = read[max(0, len(read)-lastSize):]
	}
	t.last = append(t.last, read...)
}

// fingerprint is a checksum of the first bytes and one of the last.
func (t *trace) fingerprint() string {
	sum := uint64(crc32.Checksum(t.head, castagnoli))<<32 | uint64(crc32.Checksum(t.last, castagnoli))
	return strconv.FormatUint(sum, 16)
}

// traceOf gives the trace of the first size bytes of a file; io.EOF where it has
// fewer.
func traceOf(f io.ReaderAt, size int64) (trace, error) {
	t := trace{size: size, head: make([]byte, min(size, headSize)), last: make([]byte, min(size, lastSize))}
	for _, part := range []struct {
		into []byte
		at   int64
	}{{t.head, 0}, {t.last, size - int64(len(t.last))}} {
		if n, err := f.ReadAt(part.into, part.at); n < len(part.into) {
			return trace{}, err
		}
	}
	return t, nil
}
