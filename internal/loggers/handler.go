package loggers

import (
	"context"
	"log/slog"
	"runtime"
	"strings"
	"sync"
)

// Handler passes records on to another handler that are of the level of the
// package that logs them. The other one's own level does not count any more.
type Handler struct {
	registry *Registry
	next     slog.Handler
}

var _ slog.Handler = (*Handler)(nil)

// Wrap gives a handler with levels before another one, whose level is root's. A
// Handler is given as it is.
func Wrap(next slog.Handler) *Handler {
	if h, ok := next.(*Handler); ok {
		return h
	}
	return &Handler{newRegistry(enabled(next)), next}
}

// Registry gives the levels that the handler goes by.
func (h *Handler) Registry() *Registry { return h.registry }

// Around gives a handler with the same levels, and with another one around that which
// records are passed on to.
func (h *Handler) Around(with func(slog.Handler) slog.Handler) *Handler {
	return &Handler{h.registry, with(h.next)}
}

// Enabled tells whether any package logs at a level.
func (h *Handler) Enabled(_ context.Context, at slog.Level) bool {
	return at >= h.registry.view.Load().least
}

// Handle passes a record on if its package logs at its level.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	if !h.registry.logs(packageAt(r.PC), r.Level) {
		return nil
	}
	return h.next.Handle(ctx, r)
}

// WithAttrs gives a handler with the same levels.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &Handler{h.registry, h.next.WithAttrs(attrs)}
}

// WithGroup gives a handler with the same levels.
func (h *Handler) WithGroup(name string) slog.Handler {
	return &Handler{h.registry, h.next.WithGroup(name)}
}

// packages are the packages of the places that have logged, by program counter.
var packages sync.Map

// packageAt gives the path of the package that a place is in.
func packageAt(pc uintptr) string {
	if path, ok := packages.Load(pc); ok {
		return path.(string)
	}
	frame, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	path := frame.Function
	last := strings.LastIndexByte(path, '/') + 1
	if dot := strings.IndexByte(path[last:], '.'); dot >= 0 {
		path = path[:last+dot]
	}
	packages.Store(pc, path)
	return path
}
