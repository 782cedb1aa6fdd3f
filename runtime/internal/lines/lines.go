// Package lines keeps the last lines that each connector of a worker has logged, without
// their secrets, for those who look at it and not into the worker's log.
package lines

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/runtime/config"
)

const (
	// most is how many lines a connector keeps.
	most = 200
	// longest is how much of a line is kept, bytes.
	longest = 1000
	// budget is what all lines may have, bytes.
	budget = 4 << 20
	// connectorKey is the attribute that says whose line it is.
	connectorKey = "connector"
)

// Line is one that was logged.
type Line struct {
	Time  time.Time
	Level slog.Level
	Text  string // the message, and what belongs to it as key=value
}

// Shown is a line as it is sent.
type Shown struct {
	Time   time.Time `json:"time"`
	Level  string    `json:"level"`
	Text   string    `json:"text"`
	Worker string    `json:"worker,omitempty"` // another one, which has logged it
}

// Lines keeps lines. It is safe for concurrent use.
type Lines struct {
	mu   sync.Mutex
	of   map[string][]Line // by connector, the oldest first
	size int               // of all texts, bytes
}

// New makes one without lines.
func New() *Lines { return &Lines{of: map[string][]Line{}} }

// Of gives a connector's lines, the oldest first.
func (l *Lines) Of(connector string) []Line {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Line(nil), l.of[connector]...)
}

// Shown gives a connector's lines as they may be seen, the newest first.
func (l *Lines) Shown(connector string, mask *strings.Replacer) []Shown {
	list := []Shown{}
	for _, line := range slices.Backward(l.Of(connector)) {
		list = append(list, Shown{Time: line.Time.UTC(), Level: line.Level.String(), Text: mask.Replace(line.Text)})
	}
	return list
}

// add keeps a line, and forgets the oldest of the connector, and of those with the most.
func (l *Lines) add(connector string, line Line) {
	if len(line.Text) > longest {
		line.Text = strings.ToValidUTF8(line.Text[:longest], "") + " ..."
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of[connector] = append(l.of[connector], line)
	l.size += len(line.Text)
	if len(l.of[connector]) > most {
		l.forget(connector)
	}
	for l.size > budget {
		largest := connector
		for name, list := range l.of {
			if len(list) > len(l.of[largest]) {
				largest = name
			}
		}
		l.forget(largest)
	}
}

// forget drops the oldest line of a connector.
func (l *Lines) forget(connector string) {
	list := l.of[connector]
	l.size -= len(list[0].Text)
	list[0] = Line{}
	if l.of[connector] = list[1:]; len(list) == 1 {
		delete(l.of, connector)
	}
}

// Handler gives a handler that passes records on to another one, whatever their level,
// and keeps those of connectors.
func (l *Lines) Handler(next slog.Handler) slog.Handler {
	out := new(writer)
	return &handler{next: next, lines: l, out: out, text: slog.NewTextHandler(out, &slog.HandlerOptions{ReplaceAttr: shown})}
}

// shown takes from a record's attributes what a line says apart, and secrets.
func shown(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey || a.Key == slog.MessageKey || a.Key == connectorKey) {
		return slog.Attr{}
	}
	if config.SecretName(a.Key) {
		return slog.String(a.Key, config.Hidden)
	}
	if v := a.Value.Resolve(); v.Kind() == slog.KindString || v.Kind() == slog.KindAny {
		a.Value = slog.StringValue(config.Mask(v.String()))
	}
	return a
}

// writer takes what a text handler writes. Handlers made of one another share it.
type writer struct {
	mu sync.Mutex
	bytes.Buffer
}

type handler struct {
	next, text slog.Handler
	out        *writer
	lines      *Lines
	connector  string
	grouped    bool
}

// Enabled tells whether the other handler takes a level.
func (h *handler) Enabled(ctx context.Context, at slog.Level) bool { return h.next.Enabled(ctx, at) }

// Handle keeps a record's line if it is a connector's.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	name := h.connector
	if !h.grouped {
		r.Attrs(func(a slog.Attr) bool {
			name = named(a, name)
			return true
		})
	}
	if name != "" {
		h.lines.add(name, Line{Time: r.Time, Level: r.Level, Text: h.line(ctx, r)})
	}
	return h.next.Handle(ctx, r)
}

// line gives the text of a record.
func (h *handler) line(ctx context.Context, r slog.Record) string {
	h.out.mu.Lock()
	defer h.out.mu.Unlock()
	h.out.Reset()
	_ = h.text.Handle(ctx, r) // a buffer takes all
	return strings.TrimSpace(config.Mask(r.Message) + " " + h.out.String())
}

// WithAttrs gives a handler with attributes, which may say whose lines it has.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	with.next, with.text = h.next.WithAttrs(attrs), h.text.WithAttrs(attrs)
	if !h.grouped {
		for _, a := range attrs {
			with.connector = named(a, with.connector)
		}
	}
	return &with
}

// WithGroup gives a handler whose attributes are in a group.
func (h *handler) WithGroup(name string) slog.Handler {
	with := *h
	with.next, with.text, with.grouped = h.next.WithGroup(name), h.text.WithGroup(name), true
	return &with
}

// named gives the connector that an attribute names, else the one known before.
func named(a slog.Attr, before string) string {
	if a.Key == connectorKey {
		return a.Value.Resolve().String()
	}
	return before
}
