package rest

import (
	"cmp"
	"context"
	"encoding/binary"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/axiom-data-science/hydraulics/connector"
)

// mostAnswer is how much of an answer is read.
const mostAnswer = 64 << 10

// deliver sends a group; when the service refuses it, in halves.
func (w *work) deliver(ctx context.Context, g group) error {
	w.begin(g)
	said, err := w.request(ctx, g)
	if connector.KindOf(err) != connector.KindData && err != nil {
		return err
	}
	if err == nil {
		w.s.mu.Lock()
		defer w.s.mu.Unlock()
		for _, m := range w.messages[g.first:g.last] {
			w.fates[m.record] = fate{true, nil, said}
		}
		return nil
	}
	n := g.last - g.first
	if n == 1 {
		w.s.mu.Lock()
		defer w.s.mu.Unlock()
		return w.refuse(w.messages[g.first].record, err)
	}
	if codeOf(err) == http.StatusRequestEntityTooLarge {
		w.s.tooLarge(w.size(g))
	}
	for _, half := range []group{{g.first, g.first + n/2}, {g.first + n/2, g.last}} {
		if err := w.deliver(ctx, half); err != nil {
			return err
		}
	}
	return nil
}

// begin notes that these messages go together.
func (w *work) begin(g group) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	w.begun = append(w.begun, g.first, g.last)
}

// size is the bytes of a group's records.
func (w *work) size(g group) int {
	return w.messages[g.last-1].till.bytes - w.messages[g.first].from.bytes
}

// tooLarge remembers that a request was too large, for the next batches.
func (s *Sink) tooLarge(size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if half := max(size/2, 1); s.fits == 0 || half < s.fits {
		s.fits = half
		s.log.Info("the service takes no request of this size: the next ones are half as large", "bytes", size)
	}
}

// request makes one request. Its error has its kind.
func (w *work) request(ctx context.Context, g group) (reply, error) {
	s, to := w.s, w.messages[g.first].to
	b, id := w.body(g), w.id(g)
	for renewed := false; ; renewed = true {
		login, err := s.login.current(ctx)
		if err != nil {
			return reply{}, s.withoutLogin(ctx, err)
		}
		began := time.Now()
		answer, err := s.client.Do(s.newRequest(ctx, to, login, id, b))
		if err != nil {
			return reply{}, s.masked(s.broken(ctx, to.method, s.where(to.url, to), err), w.secrets(login, g))
		}
		said, err := io.ReadAll(io.LimitReader(answer.Body, mostAnswer))
		_ = answer.Body.Close()
		s.counters.seconds.Observe(time.Since(began).Seconds())
		switch code := answer.StatusCode; {
		case code/100 == 2 || to.method == http.MethodDelete && (code == http.StatusNotFound || code == http.StatusGone) && s.url.byKey():
			// The service has taken it, whatever became of the rest of its answer.
			s.mu.Lock()
			s.probed = 0
			s.mu.Unlock()
			return s.reply(code, said, login), nil
		case code == http.StatusUnauthorized && !renewed && s.login.renew(ctx, login):
			continue
		}
		if err != nil {
			said = nil
		}
		return reply{}, s.judge(to, answer, said, login, w.secrets(login, g))
	}
}

// body gives what a group's request brings, nil for a DELETE.
func (w *work) body(g group) *body {
	if w.messages[g.first].delete {
		return nil
	}
	return &body{of: &w.buffer, from: w.messages[g.first].from, till: w.messages[g.last-1].till, prefix: w.s.prefix, suffix: w.s.suffix}
}

// withoutLogin judges that there is no token.
func (s *Sink) withoutLogin(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	err = s.masked(err, s.secrets)
	if connector.KindOf(err) == connector.KindRetriable {
		return s.retriable(err, 0, s.retries)
	}
	return err
}

// newRequest makes a request; without a body it brings no data.
func (s *Sink) newRequest(ctx context.Context, to *destination, login, id string, b *body) *http.Request {
	r := (&http.Request{Method: to.method, URL: to.url, Host: cmp.Or(s.host, to.url.Host), Header: to.header.Clone(),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}).WithContext(ctx)
	if s.login.header != "" {
		r.Header.Set(s.login.header, login)
	}
	if id != "" {
		r.Header.Set(s.idempotency, id)
	}
	if b == nil {
		r.Header.Del("Content-Type")
		return r
	}
	if r.ContentLength = b.size(); r.ContentLength == 0 {
		r.Body = http.NoBody
		return r
	}
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(b.reader()), nil }
	r.Body, _ = r.GetBody()
	return r
}

// space is that of the idempotency keys.
var space = uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://github.com/axiom-data-science/hydraulics/rest"))

// id gives a group's idempotency key, where one is wanted: of the same records it is
// the same.
func (w *work) id(g group) string {
	if w.s.idempotency == "" {
		return ""
	}
	name := []byte(strconv.Quote(w.s.name))
	for _, m := range w.messages[g.first:g.last] {
		o := w.records[m.record].Origin
		name = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(append(append(name, o.Topic...), 0), uint32(o.Partition)), uint64(o.Offset))
	}
	return uuid.NewSHA1(space, name).String()
}

// where names a URL without its query, which may hold a secret. What a record has
// filled is shown as its template.
func (s *Sink) where(asked *url.URL, to *destination) string {
	if s.trim && s.keyed && asked.String() == to.url.String() {
		pattern, _, _ := strings.Cut(s.url.text, "?")
		return pattern
	}
	return place(asked)
}

// place names a URL without its query.
func place(u *url.URL) string { return u.Scheme + "://" + u.Host + u.EscapedPath() }
