package rest

import (
	"bytes"
	"context"
	"io"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/axiom-data-science/hydraulics/internal/data/plainjson"
)

// leastSplice is the size from which a value is not copied.
const leastSplice = 32 << 10

// mostJoined is the size of a request up to which its body is put together from its
// parts, so that it leaves with its head, in one write: net/http sends the head of a body
// that it does not know to be in memory by itself, and each part after it.
const mostJoined = 64 << 10

// buffer holds the bodies of a Put's records one after the other, with what stands
// between two of one request: a run of records is a run of bytes. Large values are
// not copied into it.
type buffer struct {
	writer  *plainjson.Writer
	flat    []byte
	splices []splice
	large   int          // bytes of the splices
	sending atomic.Int32 // requests whose bodies may still be read

	mu     sync.Mutex
	joined []byte // bodies that were put together
}

// splice is a large value in its place: bytes or a text.
type splice struct {
	at    int // in flat
	bytes []byte
	text  string
}

// mark is a place in a buffer.
type mark struct{ flat, splices, bytes int }

func (b *buffer) mark() mark { return mark{len(b.flat), len(b.splices), len(b.flat) + b.large} }

// cut forgets what came after a mark.
func (b *buffer) cut(m mark) {
	b.flat, b.splices = b.flat[:m.flat], b.splices[:m.splices]
	b.large = m.bytes - m.flat
}

// text adds a text.
func (b *buffer) text(s string) {
	if len(s) < leastSplice {
		b.flat = append(b.flat, s...)
		return
	}
	b.splices, b.large = append(b.splices, splice{at: len(b.flat), text: s}), b.large+len(s)
}

// bytes adds bytes, which must not change any more.
func (b *buffer) bytes(p []byte) {
	if len(p) < leastSplice {
		b.flat = append(b.flat, p...)
		return
	}
	b.splices, b.large = append(b.splices, splice{at: len(b.flat), bytes: p}), b.large+len(p)
}

// watch has net/http tell when it begins to send a request and when it is done with the
// body, which may be after the answer.
func (b *buffer) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:      func(httptrace.GotConnInfo) { b.sending.Add(1) },
		WroteRequest: func(httptrace.WroteRequestInfo) { b.sending.Add(-1) },
	})
}

// room gives room for a body that is put together.
func (b *buffer) room(size int) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := len(b.joined)
	if cap(b.joined)-n < size {
		return make([]byte, 0, size)
	}
	b.joined = b.joined[:n+size]
	return b.joined[n : n : n+size]
}

// body is what stands between two marks, and around it.
type body struct {
	of             *buffer
	from, till     mark
	prefix, suffix string
}

func (b *body) size() int64 {
	return int64(b.till.bytes - b.from.bytes + len(b.prefix) + len(b.suffix))
}

// reader reads the body; there may be several at once.
func (b *body) reader() io.Reader {
	whole := b.from.splices == b.till.splices
	flat := b.of.flat[b.from.flat:b.till.flat]
	if size := b.size(); whole && size <= mostJoined {
		joined := append(b.of.room(int(size)), b.prefix...)
		return bytes.NewReader(append(append(joined, flat...), b.suffix...))
	}
	if whole && b.prefix == "" && b.suffix == "" {
		return bytes.NewReader(flat)
	}
	readers := make([]io.Reader, 0, 3+2*(b.till.splices-b.from.splices))
	readers = append(readers, strings.NewReader(b.prefix))
	at := b.from.flat
	for _, s := range b.of.splices[b.from.splices:b.till.splices] {
		readers = append(readers, bytes.NewReader(b.of.flat[at:s.at]), bytes.NewReader(s.bytes), strings.NewReader(s.text))
		at = s.at
	}
	readers = append(readers, bytes.NewReader(b.of.flat[at:b.till.flat]), strings.NewReader(b.suffix))
	return io.MultiReader(readers...)
}
