package page

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/runtime/internal/events"
	"github.com/axiom-data-science/hydraulics/runtime/internal/rights"
)

const (
	// lookEvery is the time between two looks at the worker while a stream is open.
	lookEvery = 2 * time.Second
	// streamTime is how long a stream lasts. The browser goes on with another one, for
	// which the door asks again who it is.
	streamTime = time.Minute
	// maxStreams is how many there may be; who comes later asks from time to time.
	maxStreams = 64
	// writePatience is how long a browser may take to read an event.
	writePatience = 10 * time.Second
)

// feed tells streams what has changed. Each part of what is shown has the number of
// the change that made it so: whoever has seen a number is sent what came after it.
type feed struct {
	boot   string // numbers of another start of the worker mean nothing
	closed chan struct{}

	mu      sync.Mutex
	ended   bool
	number  int64 // of the last change
	at      time.Time
	head    part
	names   []string // of the connectors, in their order
	of      map[string]part
	streams map[chan struct{}]bool // told of each look
}

// part is something that is shown, as JSON.
type part struct {
	number int64
	text   []byte
}

func newFeed() *feed {
	return &feed{boot: rand.Text()[:8], closed: make(chan struct{}), of: map[string]part{}, streams: map[chan struct{}]bool{}}
}

// put takes note of how things are.
func (f *feed) put(w worker) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	connectors := w.Connectors
	f.at, f.names = w.Now, []string{} // a browser takes no null for a list
	of := make(map[string]part, len(connectors))
	number := f.number + 1
	for _, c := range connectors {
		text, err := json.Marshal(c)
		if err != nil {
			return err
		}
		f.names = append(f.names, c.Name)
		of[c.Name] = newer(f.of[c.Name], text, number)
	}
	w.Connectors, w.Now, w.Role = nil, time.Time{}, ""
	text, err := json.Marshal(struct {
		worker
		Names []string `json:"names"`
	}{w, f.names})
	if err != nil {
		return err
	}
	f.head, f.of = newer(f.head, text, number), of
	f.number = number
	for wake := range f.streams {
		select {
		case wake <- struct{}{}:
		default: // it has not taken the last one yet, and will see this one then
		}
	}
	return nil
}

// newer gives a part with a text: the one before if it is the same.
func newer(before part, text []byte, number int64) part {
	if bytes.Equal(before.text, text) {
		return before
	}
	return part{number, text}
}

// update is what an event says.
type update struct {
	Now  time.Time `json:"now"`
	Role string    `json:"role"` // of the one who looks
	// Worker is all but the connectors, and their names in order; null where it is as it was.
	Worker json.RawMessage `json:"worker"`
	// Connectors are those that have changed.
	Connectors []json.RawMessage `json:"connectors"`
}

// after gives what has changed after a number, and the number of the last change.
func (f *feed) after(number int64) (update, int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	u := update{Now: f.at, Connectors: []json.RawMessage{}}
	if f.head.number > number {
		u.Worker = f.head.text
	}
	for _, name := range f.names {
		if p := f.of[name]; p.number > number {
			u.Connectors = append(u.Connectors, p.text)
		}
	}
	return u, f.number
}

// join opens a stream, if there may be one more.
func (f *feed) join() (wake chan struct{}, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended || len(f.streams) >= maxStreams {
		return nil, false
	}
	wake = make(chan struct{}, 1)
	f.streams[wake] = true
	return wake, true
}

func (f *feed) leave(wake chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.streams, wake)
}

// wants tells whether a stream is open whose last look is a while ago.
func (f *feed) wants(now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.streams) > 0 && now.Sub(f.at) >= lookEvery/2
}

// end ends all streams. It may be called again.
func (f *feed) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.ended {
		f.ended = true
		close(f.closed)
	}
}

// seen gives the number of the last event that a browser has, 0 for none of this start.
func (f *feed) seen(r *http.Request) int64 {
	id := cmp.Or(r.Header.Get("Last-Event-ID"), r.URL.Query().Get("last"))
	boot, number, _ := strings.Cut(id, "-")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || boot != f.boot || n < 0 {
		return 0
	}
	return n
}

// events answers with a stream of what changes, from the event on that the browser has.
// It ends with the request, its time or the page.
func (p *Page) events(w http.ResponseWriter, r *http.Request) {
	wake, ok := p.feed.join()
	if !ok {
		w.Header().Set("Retry-After", "30")
		http.Error(w, fmt.Sprintf("%d browsers follow already: ask for state from time to time", maxStreams), http.StatusServiceUnavailable)
		return
	}
	defer p.feed.leave(wake)
	out, err := events.NewWriter(w, writePatience)
	if err != nil {
		p.o.Log.Debug("page: a stream ends", "error", err.Error())
		return
	}
	p.look(time.Now())
	select {
	case <-wake: // of this look, which the first event tells
	default:
	}
	seen, role := p.feed.seen(r), rights.Of(r.Context()).Role.String()
	over := time.NewTimer(streamTime)
	defer over.Stop()
	for {
		u, number := p.feed.after(seen)
		u.Role, seen = role, number
		if err := p.send(out, u, number); err != nil {
			p.o.Log.Debug("page: a stream ends", "error", err.Error())
			return
		}
		select {
		case <-wake:
		case <-over.C:
			return
		case <-p.feed.closed:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// send writes one event.
func (p *Page) send(out *events.Writer, u update, number int64) error {
	text, err := json.Marshal(u)
	if err != nil {
		return err
	}
	return out.Write(events.Event{Data: text, ID: fmt.Sprintf("%s-%d", p.feed.boot, number), Retry: time.Second})
}

// Start has the page remember what connectors do, and tell it to those who follow. Its
// goroutine ends with Close.
func (p *Page) Start() {
	p.follows.Go(func() {
		ticks := time.NewTicker(lookEvery)
		defer ticks.Stop()
		for {
			p.look(time.Now())
			select {
			case <-ticks.C:
			case <-p.feed.closed:
				return
			}
		}
	})
}

// End ends streams, which have no end of their own, and breaks replays off. It waits for
// nothing, and is safe to call twice, and on none.
func (p *Page) End() {
	if p == nil {
		return
	}
	p.feed.end()
	p.replaysOf.end()
}

// Close ends what the page has begun, and waits for it: a replay commits what has
// arrived. It is safe to call twice, and on none.
func (p *Page) Close() {
	if p == nil {
		return
	}
	p.End()
	p.replaysOf.running.Wait()
	p.follows.Wait()
}

// look takes a sample when one is due, and tells streams how things are.
func (p *Page) look(now time.Time) {
	p.looks.Lock()
	defer p.looks.Unlock()
	if p.o.Rates.Due(now) {
		p.o.Rates.Take(now, slices.Clone(p.o.Herder.Connectors()), p.o.Herder.Snapshots())
	}
	if !p.feed.wants(now) {
		return
	}
	if err := p.feed.put(p.now(now)); err != nil {
		p.o.Log.Warn("page: what is shown is not up to date", "error", err.Error())
	}
}
