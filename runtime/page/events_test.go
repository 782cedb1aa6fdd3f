package page

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/test/wait"
	"github.com/axiom-data-science/hydraulics/runtime/internal/rights"
)

// event is one of a stream.
type event struct {
	ID   string
	Data update
}

// stream is one that a browser reads.
type stream struct {
	t     *testing.T
	lines *bufio.Scanner
	stop  context.CancelFunc
}

// follow opens a stream, from the event on that the browser has.
func follow(t *testing.T, url, last string) stream {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), wait.Patience)
	t.Cleanup(stop)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || got != "text/event-stream" {
		t.Fatalf("%s, %s", resp.Status, got)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	return stream{t, lines, stop}
}

// next reads an event; without one the stream has ended.
func (s stream) next() (e event, ok bool) {
	s.t.Helper()
	for s.lines.Scan() {
		switch field, text, _ := strings.Cut(s.lines.Text(), ": "); field {
		case "id":
			e.ID = text
		case "data":
			if err := json.Unmarshal([]byte(text), &e.Data); err != nil {
				s.t.Fatal(err)
			}
		case "":
			return e, true
		}
	}
	return e, false
}

// TestWithoutConnectors tells browsers of a worker that has none.
func TestWithoutConnectors(t *testing.T) {
	f := newFeed()
	if err := f.put(worker{}); err != nil {
		t.Fatal(err)
	}
	u, _ := f.after(0)
	if !strings.Contains(string(u.Worker), `"names":[]`) {
		t.Errorf("a browser finds no list of names in %s", u.Worker)
	}
}

// names gives the connectors that an event says something of.
func (e event) names(t *testing.T) (list []string) {
	t.Helper()
	for _, text := range e.Data.Connectors {
		var c connected
		if err := json.Unmarshal(text, &c); err != nil {
			t.Fatal(err)
		}
		list = append(list, c.Name)
	}
	return list
}

// unsaid tells that an event says nothing of the worker.
func unsaid(e event) bool { return string(e.Data.Worker) == "null" }

func serve(t *testing.T, p *Page) string {
	t.Helper()
	server := httptest.NewServer(p)
	t.Cleanup(func() {
		p.Close()
		server.Close()
	})
	return server.URL
}

// TestStreamResumes: a browser that comes back is sent what has changed since, and one
// of before a restart everything.
func TestStreamResumes(t *testing.T) {
	p := newPage(t)
	url := serve(t, p)
	first, _ := follow(t, url, "").next()
	if d := cmp.Diff([]string{"images", "stats"}, first.names(t)); d != "" || unsaid(first) || first.Data.Role != "configure" {
		t.Fatalf("%s, worker %s, role %q", d, first.Data.Worker, first.Data.Role)
	}
	again, _ := follow(t, url, first.ID).next()
	if len(again.Data.Connectors) != 0 || !unsaid(again) {
		t.Errorf("what is known comes again: %v, %s", again.names(t), again.Data.Worker)
	}
	p.o.Herder = fakeHerder{trace: "images/0: poll: no such dashboard"}
	p.feed.at = time.Time{} // the last look is a while ago
	changed, _ := follow(t, url, first.ID).next()
	if d := cmp.Diff([]string{"images"}, changed.names(t)); d != "" || !unsaid(changed) {
		t.Errorf("%s, worker %s", d, changed.Data.Worker)
	}
	for _, last := range []string{"another0-7", "nonsense", p.feed.boot + "-x", p.feed.boot + "--3"} {
		if all, _ := follow(t, url, last).next(); len(all.Data.Connectors) != 2 || unsaid(all) {
			t.Errorf("%s: %v, %s", last, all.names(t), all.Data.Worker)
		}
	}
}

// TestStreamsSayWhatChanges while they last, and end with the page.
func TestStreamsSayWhatChanges(t *testing.T) {
	p := newPage(t)
	url := serve(t, p)
	p.Start()
	s := follow(t, url, "")
	first, _ := s.next()
	second, ok := s.next()
	if !ok || len(second.Data.Connectors) != 0 || !second.Data.Now.After(first.Data.Now) {
		t.Errorf("the next look: %v at %s after %s", second.names(t), second.Data.Now, first.Data.Now)
	}
	p.Close()
	p.Close()
	for ok {
		_, ok = s.next()
	}
	if w := get(t, p, "/events", nil); w.Code != http.StatusServiceUnavailable {
		t.Errorf("after the end a stream is answered with %d", w.Code)
	}
}

func TestStreamsAreBounded(t *testing.T) {
	p := newPage(t)
	url := serve(t, p)
	var last stream
	for range maxStreams {
		last = follow(t, url, "")
	}
	w := get(t, p, "/events", nil)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("one too many is answered with %d, %v", w.Code, w.Header())
	}
	last.stop()
	wait.Until(t, "a stream that ends makes room", func() bool {
		p.feed.mu.Lock()
		defer p.feed.mu.Unlock()
		return len(p.feed.streams) < maxStreams
	})
}

// TestStreamSaysTheRole of the one who looks, which the door has found.
func TestStreamSaysTheRole(t *testing.T) {
	p := newPage(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.ServeHTTP(w, r.WithContext(rights.With(r.Context(), rights.Who{Role: rights.View})))
	}))
	t.Cleanup(func() {
		p.Close()
		server.Close()
	})
	if e, _ := follow(t, server.URL, "").next(); e.Data.Role != "view" {
		t.Errorf("role %q", e.Data.Role)
	}
}
