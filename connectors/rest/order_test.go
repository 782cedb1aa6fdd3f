package rest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Clauses: N8.
func TestOrderOfKeys(t *testing.T) {
	const requests, keys = 120, 7
	var mu sync.Mutex
	var got []string
	busy, most := 0, 0
	busyKeys := map[string]bool{}
	service := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		key := r.Header.Get("X-Key")
		mu.Lock()
		if busyKeys[key] {
			t.Errorf("two requests of %s are on their way", key)
		}
		busyKeys[key], busy = true, busy+1
		most = max(most, busy)
		mu.Unlock()
		time.Sleep(time.Millisecond)
		mu.Lock()
		defer mu.Unlock()
		busyKeys[key], busy = false, busy-1
		got = append(got, key+" "+string(body))
	}))
	defer service.Close()
	s := start(t, nil, "url", service.URL, "format", "raw", "headers", "X-Key: ${key}", "max.in.flight.requests", "5")
	if err := s.Put(t.Context(), texts(requests, keys)); err != nil {
		t.Fatal(err)
	}
	last := map[string]string{}
	for _, line := range got {
		key, value, _ := strings.Cut(line, " ")
		if value < last[key] {
			t.Errorf("%s came after %s of %s", value, last[key], key)
		}
		last[key] = value
	}
	if len(got) != requests || most > 5 {
		t.Errorf("%d requests, at most %d at once", len(got), most)
	}
}

// So many requests are on their way at once, and no more; records without a key wait
// for none.
//
// Clauses: N8.
func TestBoundedConcurrency(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	service := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-release
	}))
	defer service.Close()
	s := start(t, nil, "url", service.URL, "format", "raw", "max.in.flight.requests", "3")
	batch := texts(6, 1)
	for i := range batch {
		batch[i].Key = nil
	}
	ended := make(chan error)
	go func() { ended <- s.Put(t.Context(), batch) }()
	for range 3 {
		<-arrived
	}
	for range 3 {
		release <- struct{}{}
		<-arrived
	}
	for range 3 {
		release <- struct{}{}
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// After an error those that are on their way are waited for, and what waits for the
// key of one that failed is not sent before it.
//
// Clauses: N8.
func TestOrderAfterAnError(t *testing.T) {
	down := true
	var got []string
	service := newService(t, func(_ int, _ *http.Request, body string) int {
		if down && body == "000" {
			down = false
			return 503
		}
		got = append(got, body)
		return 0
	})
	s := start(t, nil, "url", service.URL, "format", "raw", "max.in.flight.requests", "8", "retry.backoff.ms", "0")
	deliver(t, s, texts(40, 4))
	last := map[int]string{}
	for _, body := range got {
		n, _ := strconv.Atoi(body)
		if last[n%4] >= body {
			t.Errorf("%s came after %s", body, last[n%4])
		}
		last[n%4] = body
	}
	if len(got) != 40 {
		t.Errorf("%d of 40 arrived, or more than once: %v", len(got), got)
	}
}

// A Put that is broken off ends, with several requests on their way too.
//
// Clauses: N8.
func TestCancelled(t *testing.T) {
	release, arrived := make(chan struct{}), make(chan struct{}, 9)
	service := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived <- struct{}{}; <-release }))
	defer service.Close()
	defer close(release)
	s := start(t, nil, "url", service.URL, "format", "raw", "max.in.flight.requests", "3")
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	if err := s.Put(ctx, texts(9, 9)); err != context.Canceled {
		t.Errorf("got %v", err)
	}
}
