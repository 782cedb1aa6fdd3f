package door

import (
	"crypto/rand"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/runtime/internal/rights"
)

const (
	// sessionTime is how long a session lasts.
	sessionTime = 12 * time.Hour
	// ticketPath is where a ticket is given for a session.
	ticketPath = "/enter"
)

// sessions are those of browsers that came with a ticket, and of programs that were
// given one. They are safe for concurrent use.
type sessions struct {
	cookie string // its name: browsers send it to all ports of a machine

	mu      sync.Mutex
	tickets map[string]rights.Who // by the hash of a ticket, which is good once
	open    map[string]session    // by the hash of what its bearer holds
}

type session struct {
	who  rights.Who
	ends time.Time // zero is never
}

func newSessions() *sessions {
	return &sessions{cookie: "hydraulics-" + random()[:8], tickets: map[string]rights.Who{}, open: map[string]session{}}
}

// random gives a text that nobody guesses: 26 characters of 5 bits.
func random() string { return rand.Text() }

// ticket makes one for somebody.
func (s *sessions) ticket(who rights.Who) string {
	t := random()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tickets[hashToken(t)] = who
	return t
}

// enter takes a ticket and gives a session for it.
func (s *sessions) enter(ticket string) (id string, ok bool) {
	s.mu.Lock()
	who, ok := s.tickets[hashToken(ticket)]
	delete(s.tickets, hashToken(ticket))
	s.mu.Unlock()
	if !ok {
		return "", false
	}
	return s.add(who, time.Now().Add(sessionTime)), true
}

// add opens a session and gives what its bearer holds.
func (s *sessions) add(who rights.Who, ends time.Time) (id string) {
	id = random()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[hashToken(id)] = session{who, ends}
	return id
}

// of gives who has the session that a request comes with, as a cookie or a token.
func (s *sessions) of(r *http.Request) (rights.Who, bool) {
	id := bearer(r)
	if c, err := r.Cookie(s.cookie); err == nil {
		id = c.Value
	}
	if id == "" {
		return rights.Who{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	got, ok := s.open[hashToken(id)]
	if ok && !got.ends.IsZero() && time.Now().After(got.ends) {
		delete(s.open, hashToken(id))
		return rights.Who{}, false
	}
	got.who.Session = ok
	return got.who, ok
}

// bearer gives the token that a request comes with, if any.
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// guard has browsers come in with their tickets.
func (s *sessions) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != ticketPath {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Referrer-Policy", "no-referrer")
		if id, ok := s.enter(r.URL.Query().Get("ticket")); ok {
			http.SetCookie(w, &http.Cookie{Name: s.cookie, Value: id, Path: "/", MaxAge: int(sessionTime.Seconds()), HttpOnly: true,
				Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode})
		}
		http.Redirect(w, r, "/", http.StatusSeeOther) // with a ticket that was used: as one who did not log in
	})
}
