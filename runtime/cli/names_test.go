package cli

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
)

// TestOtherNames asks a worker as a page does whose own name was made to mean
// this machine.
func TestOtherNames(t *testing.T) {
	w := start(t, write(t, "flow.yaml", `
worker:
  bootstrap.servers: `+kafkatest.Start(t)+`
  listeners: http://127.0.0.1:0
  page.listener: http://127.0.0.1:0
  listeners.allowed.hosts: connect.example
connectors:
  lines: {connector.class: file-source, topic: lines, file: `+filepath.ToSlash(filepath.Join(t.TempDir(), "in.txt"))+`}
`))
	defer stop(t, w)
	for _, c := range []struct {
		method, url, host string
		want              int
	}{
		{"POST", w.RESTURL() + "/connectors", "elsewhere.example:8083", 403}, {"DELETE", w.RESTURL() + "/connectors/x", "elsewhere.example:8083", 403},
		{"GET", w.RESTURL() + "/connectors", "elsewhere.example", 403}, {"GET", w.RESTURL() + "/metrics", "elsewhere.example", 403},
		{"GET", w.PageURL() + "/state", "elsewhere.example:6066", 403},
		{"DELETE", w.RESTURL() + "/connectors/x", "localhost:18083", 404}, {"DELETE", w.RESTURL() + "/connectors/x", "connect.example", 404},
		{"GET", w.PageURL() + "/state", "localhost:16066", 200}, {"GET", w.PageURL() + "/state", "connect.example", 200},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, c.url, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = c.host
		r.Header.Set("Origin", "http://"+c.host)
		r.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := res.Body.Close(); err != nil {
			t.Error(err)
		}
		if res.StatusCode != c.want {
			t.Errorf("%s %s as %s: %d, want %d", c.method, c.url, c.host, res.StatusCode, c.want)
		}
	}
}
