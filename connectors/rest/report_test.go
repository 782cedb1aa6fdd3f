package rest

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

// Clauses: N17.
func TestAnswersToTopics(t *testing.T) {
	down := true
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch key := r.Header.Get("X-Key"); {
		case key == "key-1":
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = fmt.Fprint(w, "no, t0psecret")
		case key == "key-2" && down:
			down = false
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			w.WriteHeader(http.StatusCreated)
			_, _ = fmt.Fprintf(w, `{"id": %q}`, key)
		}
	}))
	defer service.Close()
	var got []string
	s, c := new(Sink), connectortest.Context(t)
	c.Publish = func(_ context.Context, m connector.Message) error {
		got = append(got, fmt.Sprintf("%s %s %s", m.Topic, m.Key, m.Value))
		return nil
	}
	conf := connectortest.Configure(t, s, connector.Props{"url": service.URL, "headers": "X-Key: ${key}", "headers.secret": "X-Secret: t0psecret", "behavior.on.null.values": "ignore",
		"report.topic": "${connector}.taken", "report.errors.topic": "refused"})
	if !s.Publishes(conf) || s.Publishes(connectortest.Configure(t, s, connector.Props{"url": service.URL})) {
		t.Error("it does not know whether it publishes")
	}
	c.Connector = "c"
	if err := s.Start(t.Context(), c, conf); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Stop() }()
	batch := texts(5, 5)
	batch[3].Value = nil
	batch[4].Key = int32(7)
	deliver(t, s, batch)
	want := []string{
		`c.taken key-0 {"topic":"t","partition":1,"offset":0,"status":201,"answer":"{\"id\": \"key-0\"}"}`,
		`refused key-1 {"topic":"t","partition":1,"offset":1,"status":422,"answer":"no, [hidden]","error":"record t[1]@1: POST ` + service.URL + `: 422 Unprocessable Entity: no, [hidden]"}`,
		`c.taken key-2 {"topic":"t","partition":1,"offset":2,"status":201,"answer":"{\"id\": \"key-2\"}"}`,
		`c.taken 7 {"topic":"t","partition":1,"offset":4,"status":201,"answer":"{\"id\": \"7\"}"}`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
