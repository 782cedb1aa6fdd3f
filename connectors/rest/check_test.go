package rest

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

// checkOf gives what a check of the sink finds.
func checkOf(t *testing.T, url string) (found connector.Finding) {
	t.Helper()
	s := new(Sink)
	s.Check(t.Context(), connectortest.Context(t), connectortest.Configure(t, s, connector.Props{"url": url}), func(f connector.Finding) { found = f })
	return found
}

// A service's clock is told where the answer is its own, not one that a cache kept.
func TestCheckTellsTheClock(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for age, want := range map[string]time.Time{"": at, "60": {}} {
		service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", at.Format(http.TimeFormat))
			if age != "" {
				w.Header().Set("Age", age)
			}
		}))
		if f := checkOf(t, service.URL); f.Err != nil || !f.Clock.Equal(want) {
			t.Errorf("age %q: %+v", age, f)
		}
		service.Close()
	}
}

// Where records say more than the host, that is asked.
func TestQuestion(t *testing.T) {
	for url, want := range map[string]string{
		"http://host/a":           "http://host/a",
		"http://host/a/${topic}":  "http://host/",
		"HTTP://host/${topic}":    "http://host/",
		"http://host:80?${topic}": "http://host:80/",
	} {
		if q, err := start(t, nil, "url", url).question(); err != nil || q.url.String() != want {
			t.Errorf("%s: %v, want %s (%v)", url, q, want, err)
		}
	}
}
