package dashboard

import (
	"context"
	"sync"
)

// hosts counts the requests under way at each host, over all tasks of the process.
var hosts = &hostCount{busy: map[string]int{}, change: make(chan struct{})}

// hostCount lets so many requests in at a time.
type hostCount struct {
	mu     sync.Mutex
	busy   map[string]int
	change chan struct{} // closed, and made anew, when a request has left
}

// enter waits until fewer than limit requests are under way at a host. leave is to be called once.
func (h *hostCount) enter(ctx context.Context, host string, limit int) (leave func(), err error) {
	for {
		h.mu.Lock()
		if h.busy[host] < limit {
			h.busy[host]++
			h.mu.Unlock()
			return sync.OnceFunc(func() { h.leave(host) }), nil
		}
		change := h.change
		h.mu.Unlock()
		select {
		case <-change:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (h *hostCount) leave(host string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.busy[host]--; h.busy[host] == 0 {
		delete(h.busy, host)
	}
	close(h.change)
	h.change = make(chan struct{})
}
