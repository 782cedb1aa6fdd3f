package page

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
	"github.com/axiom-data-science/hydraulics/runtime/internal/rights"
)

// route is a request that the page answers itself.
type route struct {
	pattern string // of http.ServeMux
	takes   rights.Role
	answer  http.HandlerFunc
}

// routes are those below api/ that the REST API does not have: it answers everybody
// where Java's does, and nobody is to look into topics there.
func (p *Page) routes() []route {
	list := []route{
		{"GET /favicon.ico", rights.View, icon}, // which browsers ask for beside JSON and CSV
		{"GET /state", rights.View, p.state},
		{"GET /events", rights.View, p.events},
		{"GET /others", rights.View, p.others},
		{"GET /stages/{connector}", rights.View, p.stages},
		{"GET /rates.json/{connector}", rights.View, p.ratesJSON},
		{"GET /rates.csv/{connector}", rights.View, p.ratesCSV},
		{"GET /log/{connector}", rights.View, p.log},
		{"GET /records/{connector}", rights.View, p.asking(p.records)},
		{"GET /picture/{name}", rights.View, p.picture},
		{"GET /config/{connector}", rights.View, p.config},
		{"GET " + api + "/topics", rights.View, p.asking(p.topics)},
		{"GET " + api + "/topics/{topic}", rights.View, p.asking(p.topic)},
		{"GET " + api + "/topics/{topic}/records", rights.View, p.asking(p.tail)},
		{"GET " + api + "/dead-letters", rights.View, p.asking(p.letterTopics)},
		{"GET " + api + "/dead-letters/{topic}", rights.View, p.asking(p.causes)},
		{"GET " + api + "/dead-letters/{topic}/letters", rights.View, p.asking(p.letters)},
		{"GET " + api + "/dead-letters/{topic}/replay", rights.View, p.asking(p.replayed)},
		{"POST " + api + "/dead-letters/{topic}/replay", rights.Operate, p.asking(p.replay)},
		{"GET " + api + "/edit/{connector}", rights.Configure, p.asking(p.edit)},
		{"POST " + api + "/text", rights.Configure, p.asking(p.text)},
		{"POST " + api + "/diff", rights.Configure, p.asking(p.diff)},
		{"POST " + api + "/preview", rights.Configure, p.asking(p.preview)},
		{"PUT " + api + "/files/{connector}", rights.Configure, p.asking(p.write)},
	}
	if p.o.API != nil {
		list = append(list,
			route{"GET " + api + "/connectors/{connector}/tap", rights.View, p.tap},
			route{"PUT " + api + "/connectors/{connector}/config", rights.Configure, p.put},
			route{"PUT " + api + "/connector-plugins/{plugin}/config/validate", rights.Configure, p.validate})
	}
	return list
}

// Patterns gives what the page answers itself, in the words of http.ServeMux.
func (p *Page) Patterns() []string { return slices.Sorted(maps.Keys(p.takes)) }

// failure is an error with the status to answer with.
type failure struct {
	status int
	error
}

func failed(status int, format string, args ...any) error {
	return failure{status, fmt.Errorf(format, args...)}
}

// asking makes a handler of one that gives what to answer as JSON, or an error.
func (p *Page) asking(ask func(r *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := ask(r)
		if err != nil {
			p.fail(w, err)
			return
		}
		p.reply(w, v)
	}
}

// fail answers with an error, as the REST API does.
func (p *Page) fail(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	var own failure
	var refused *herder.Error
	switch {
	case errors.As(err, &own):
		status = own.status
	case errors.As(err, &refused) && refused.Reason == herder.NotFound, errors.Is(err, kafka.ErrUnknownTopic):
		status = http.StatusNotFound
	case errors.As(err, &refused):
		status = http.StatusConflict
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	p.sent(json.NewEncoder(w).Encode(map[string]any{"error_code": status, "message": err.Error()}))
}

// sent notes that an answer did not arrive.
func (p *Page) sent(err error) {
	if err != nil {
		p.o.Log.Debug("page: answer not sent", "error", err.Error())
	}
}

// longestBody is how large the body of a request may be, bytes.
const longestBody = 16 << 20

// body reads a request's body, which only a page of ours sends: it is JSON.
func body(r *http.Request, into any) error {
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); kind != "application/json" {
		return failed(http.StatusUnsupportedMediaType, "want a body of the type application/json")
	}
	d := json.NewDecoder(io.LimitReader(r.Body, longestBody))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return failed(http.StatusBadRequest, "the body: %w", err)
	}
	return nil
}

// whole reads a whole number of a request's filters, which has to be within bounds.
func whole(r *http.Request, name string, otherwise, least, most int) (int, error) {
	text := r.FormValue(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, failed(http.StatusBadRequest, "%s=%s: want a whole number from %d to %d", name, text, least, most)
	}
	return n, nil
}

// open connects to Kafka in a role of clients.
func (p *Page) open(ctx context.Context, role string) (*kafka.Client, error) {
	c, err := p.o.Kafka(ctx, role)
	if err != nil {
		return nil, failed(http.StatusBadGateway, "kafka: %w", err)
	}
	return c, nil
}

func icon(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/icon.svg", http.StatusFound)
}
