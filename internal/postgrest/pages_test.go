package postgrest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
)

func TestPages(t *testing.T) {
	a := newAPI(t, func(o *Options) { o.MaxRows = 3 })
	tests := []struct {
		request string
		headers []string
		status  int
		content string
		first   int // id of the first row, 0 for none
	}{
		{"/items", nil, 200, "0-2/*", 1},
		{"/items?limit=2", nil, 200, "0-1/*", 1},
		{"/items?limit=2&offset=1", []string{"Prefer", "count=exact"}, 206, "1-2/4", 2},
		{"/items?id=lte.2", []string{"Prefer", "count=exact"}, 200, "0-1/2", 1},
		{"/items?id=gt.9", []string{"Prefer", "count=exact"}, 200, "*/0", 0},
		{"/items?id=gt.9", nil, 200, "*/*", 0},
		{"/items?limit=0", []string{"Prefer", "count=exact"}, 206, "*/4", 0},
		{"/items", []string{"Range", "1-2", "Range-Unit", "items"}, 200, "1-2/*", 2},
		{"/items", []string{"Range", "2-"}, 200, "2-3/*", 3},
		{"/items", []string{"Range", "2-", "Prefer", "count=exact"}, 206, "2-3/4", 3},
		{"/items?limit=1", []string{"Range", "2-3"}, 200, "*/*", 0},
		{"/items?offset=1", []string{"Range", "0-1"}, 200, "1-1/*", 2},
		{"/items", []string{"Range", "bytes=x"}, 200, "0-2/*", 1},
		{"/items?id=lte.2", []string{"Prefer", "count=estimated"}, 0, "", 1},
		{"/items?offset=4", []string{"Prefer", "count=exact"}, 206, "*/4", 0},
	}
	for _, test := range tests {
		t.Run(test.request+" "+strings.Join(test.headers, " "), func(t *testing.T) {
			r := a.ask(t, "GET "+test.request, test.headers...)
			text := body(t, r)
			var rows []struct{ ID int }
			if err := json.Unmarshal([]byte(text), &rows); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if test.status != 0 && (r.StatusCode != test.status || r.Header.Get("Content-Range") != test.content) {
				t.Errorf("got %d %s, want %d %s", r.StatusCode, r.Header.Get("Content-Range"), test.status, test.content)
			}
			if first := append(rows, struct{ ID int }{})[0].ID; first != test.first {
				t.Errorf("first row %d, want %d", first, test.first)
			}
			head := a.ask(t, "HEAD "+test.request, test.headers...)
			if head.StatusCode != r.StatusCode || head.Header.Get("Content-Range") != r.Header.Get("Content-Range") || body(t, head) != "" {
				t.Errorf("HEAD: %d %v", head.StatusCode, head.Header)
			}
		})
	}
	pgtest.Exec(t, a.db, "ANALYZE items")
	r := a.ask(t, "GET /items?limit=1", "Prefer", "count=planned")
	if got := r.Header.Get("Content-Range"); got != "0-0/4" || r.StatusCode != 206 || r.Header.Get("Preference-Applied") != "count=planned" {
		t.Errorf("planned: %d %s", r.StatusCode, got)
	}
	r = a.ask(t, "GET /items?limit=1", "Prefer", "count=estimated")
	if got := r.Header.Get("Content-Range"); got != "0-0/4" {
		t.Errorf("estimated: %d %s", r.StatusCode, got)
	}
}
