package cli

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
)

// What a worker's keys say of its REST API reaches it.
//
// Clauses: K9, K14.
func TestKeysOfTheAPI(t *testing.T) {
	broker := kafkatest.Start(t)
	for name, c := range map[string]struct {
		keys         string
		method, path string
		status       int
		body, header string // a part of each
	}{
		"no key":             {"", "PUT", "/connectors/c/topics/reset", http.StatusAccepted, "", ""},
		"no topics":          {"topic.tracking.enable: false", "GET", "/connectors/c/topics", http.StatusForbidden, "Topic tracking is disabled.", ""},
		"no reset of topics": {"topic.tracking.allow.reset: false", "PUT", "/connectors/c/topics/reset", http.StatusForbidden, "Topic tracking reset is disabled.", ""},
		"no admin endpoints": {"admin.listeners: ''", "GET", "/admin/loggers", http.StatusNotFound, "HTTP 404 Not Found", ""},
		"headers":            {"response.http.headers.config: 'set X-Frame-Options: deny'", "GET", "/connectors", http.StatusOK, `["c"]`, "deny"},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, write(t, "worker.yaml", `
worker:
  bootstrap.servers: `+broker+`
  listeners: http://127.0.0.1:0
  page.listener: ""
  key.converter: string
  value.converter: string
  `+c.keys+`
connectors:
  c: {connector.class: file-source, topic: lines, file: in.txt}
`))
			defer stop(t, w)
			r, err := http.NewRequestWithContext(t.Context(), c.method, w.RESTURL()+c.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			body, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != c.status || !strings.Contains(string(body), c.body) || res.Header.Get("X-Frame-Options") != c.header {
				t.Errorf("%d %s, %v (%v)", res.StatusCode, body, res.Header, err)
			}
		})
	}
}
