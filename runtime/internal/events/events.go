// Package events writes and reads server-sent events, as browsers read them with
// EventSource.
package events

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	// Type is the content type of a stream of events.
	Type = "text/event-stream"
	// maxLine bounds a line of one.
	maxLine = 64 << 20
)

// Event is data of one line, with a name, or with a number to go on from.
type Event struct {
	Name string
	Data []byte

	ID    string        // where a browser that comes again goes on
	Retry time.Duration // after which it comes again
}

// Writer writes a stream as an answer to a request.
type Writer struct {
	w        http.ResponseWriter
	conn     *http.ResponseController
	patience time.Duration
}

// NewWriter begins the answer. patience is how long a reader may take to take an
// event in.
func NewWriter(w http.ResponseWriter, patience time.Duration) (*Writer, error) {
	h := w.Header()
	h.Set("Content-Type", Type)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // of a proxy before it
	w.WriteHeader(http.StatusOK)
	e := &Writer{w, http.NewResponseController(w), patience}
	return e, e.conn.Flush()
}

// Text gives an event as it is sent.
func (v Event) Text() []byte {
	var text bytes.Buffer
	if v.Retry > 0 {
		fmt.Fprintf(&text, "retry: %d\n", v.Retry.Milliseconds())
	}
	if v.ID != "" {
		fmt.Fprintf(&text, "id: %s\n", v.ID)
	}
	if v.Name != "" {
		fmt.Fprintf(&text, "event: %s\n", v.Name)
	}
	fmt.Fprintf(&text, "data: %s\n\n", v.Data)
	return text.Bytes()
}

// Write sends an event, in one piece. A reader that takes none in for long is an error.
func (e *Writer) Write(v Event) error { return e.send(v.Text()) }

// Beat sends what readers pass over: it tells that the stream goes on.
func (e *Writer) Beat() error { return e.send([]byte(":\n\n")) }

func (e *Writer) send(text []byte) error {
	if err := e.conn.SetWriteDeadline(time.Now().Add(e.patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := e.w.Write(text); err != nil {
		return err
	}
	return e.conn.Flush()
}

// Read calls each for the events of a stream until it ends, or each gives an error.
func Read(r io.Reader, each func(Event) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	var e Event
	for lines.Scan() {
		field, value, _ := bytes.Cut(lines.Bytes(), []byte(": "))
		switch string(field) {
		case "event":
			e.Name = string(value)
		case "data":
			e.Data = bytes.Clone(value)
		case "":
			if e.Name != "" {
				if err := each(e); err != nil {
					return err
				}
			}
			e = Event{}
		}
	}
	return lines.Err()
}
