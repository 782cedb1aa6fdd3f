package rest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Clauses: N6.
func TestAnswers(t *testing.T) {
	tests := []struct {
		code  int
		path  string
		kind  connector.Kind
		after time.Duration
	}{
		{408, "", connector.KindRetriable, time.Second},
		{429, "", connector.KindRetriable, 7 * time.Second},
		{500, "", connector.KindRetriable, time.Second},
		{503, "", connector.KindRetriable, time.Second},
		{302, "", connector.KindFatal, 0},
		{401, "", connector.KindFatal, 0},
		{403, "", connector.KindFatal, 0},
		{404, "", connector.KindFatal, 0},
		{404, "/${key}", connector.KindData, 0},
		{400, "", connector.KindData, 0},
		{409, "", connector.KindData, 0},
		{422, "", connector.KindData, 0},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.code, test.path), func(t *testing.T) {
			service := newService(t, func(int, *http.Request, string) int { return test.code })
			s := start(t, nil, "url", service.URL+test.path+"?token=secret", "retry.backoff.ms", "1000", "max.retries", "4")
			err := s.Put(t.Context(), records(1))
			if connector.KindOf(err) != test.kind {
				t.Fatalf("%v is %s, want %s", err, connector.KindOf(err), test.kind)
			}
			if strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "no: because") || !strings.Contains(err.Error(), fmt.Sprint(test.code)) {
				t.Error(err)
			}
			if mark, ok := err.(*connector.Error); ok && test.kind == connector.KindRetriable && (mark.After != test.after || mark.Attempts != 4) {
				t.Errorf("%+v", mark)
			}
		})
	}
}

// Clauses: N6.
func TestRetriedAnswers(t *testing.T) {
	service := newService(t, func(int, *http.Request, string) int { return 404 })
	for _, tt := range []struct {
		props    []string
		kind     connector.Kind
		attempts int
	}{
		{nil, connector.KindFatal, 0},
		{[]string{"retry.on.status.codes", "410,400-404"}, connector.KindRetriable, extraAttempts},
		{[]string{"retry.on.status.codes", "404-", "max.retries", "3"}, connector.KindRetriable, 3},
	} {
		err := start(t, nil, append([]string{"url", service.URL}, tt.props...)...).Put(t.Context(), texts(1, 1))
		if connector.KindOf(err) != tt.kind {
			t.Errorf("%v: %v", tt.props, err)
		}
		if mark, ok := err.(*connector.Error); ok && tt.kind == connector.KindRetriable && mark.Attempts != tt.attempts {
			t.Errorf("%v: %d attempts, want %d", tt.props, mark.Attempts, tt.attempts)
		}
	}
}

// Clauses: N6.
func TestRetryAfter(t *testing.T) {
	now := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "soon": 0, "9999999999": 24 * time.Hour,
		"Wed, 01 Jan 2020 00:01:00 GMT": time.Minute, "Tue, 31 Dec 2019 00:00:00 GMT": 0,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

// Clauses: N6.
func TestNoServer(t *testing.T) {
	service := newService(t, nil)
	s := start(t, nil, "url", service.URL+"/?token=secret")
	service.Close()
	if err := s.Put(t.Context(), records(1)); connector.KindOf(err) != connector.KindRetriable || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

// Clauses: N6.
func TestSilentServer(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	s := start(t, nil, "url", server.URL, "request.timeout.ms", "50")
	if err := s.Put(t.Context(), records(1)); connector.KindOf(err) != connector.KindRetriable {
		t.Errorf("got %v", err)
	}
}
