package page

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/axiom-data-science/hydraulics/runtime/internal/events"
	"github.com/axiom-data-science/hydraulics/runtime/internal/preview"
)

// tap streams records on their way as the REST API does, each as previews show theirs. A
// stream ends after a while, as that of events does, and the browser goes on with another.
func (p *Page) tap(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), streamTime)
	defer cancel()
	http.StripPrefix(api, p.o.API).ServeHTTP(&tapWriter{ResponseWriter: w, page: p, status: http.StatusOK}, r.WithContext(ctx))
}

// tapWriter takes the answer of a tap, and writes its records as the page shows them.
type tapWriter struct {
	http.ResponseWriter
	page   *Page
	status int
}

// Unwrap is for http.ResponseController.
func (t *tapWriter) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// WriteHeader takes note of an answer that is no stream.
func (t *tapWriter) WriteHeader(status int) {
	t.status = status
	t.ResponseWriter.WriteHeader(status)
}

// Write takes an event, or a part of what says why there are none.
func (t *tapWriter) Write(b []byte) (int, error) {
	if t.status != http.StatusOK {
		return t.ResponseWriter.Write(b)
	}
	out := b // also what keeps the connection open
	err := events.Read(bytes.NewReader(b), func(e events.Event) (err error) {
		if e.Name == "record" {
			e.Data, err = t.page.sampled(e.Data)
			out = e.Text()
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	if _, err := t.ResponseWriter.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

// shownSample is a record on its way as the page shows it.
type shownSample struct {
	Time time.Time `json:"time"`
	Task int       `json:"task"`
	shownJourney
}

// sampled gives a record of a tap, as JSON, as the page shows it.
func (p *Page) sampled(data []byte) ([]byte, error) {
	var s preview.Sample
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, err
	}
	return json.Marshal(shownSample{s.Time, s.Task, p.journey(&s.Record)})
}
