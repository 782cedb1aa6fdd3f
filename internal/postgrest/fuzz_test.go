package postgrest

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
)

// FuzzInjection sends anything as parameter names and values: whatever comes,
// nothing but the query is run, and the answer is a row or an error of the request.
func FuzzInjection(f *testing.F) {
	for _, seed := range [][2]string{
		{"id", "eq.1; DROP TABLE items"}, {`id" = 1; DROP TABLE items; --`, "eq.1"}, {"select", `id"; DROP TABLE items; --`}, {"select", "id::int4) FROM secret; --"},
		{"order", "id;DROP TABLE items"}, {"or", "(id.eq.1);DROP TABLE items"}, {"doc->>'a') = '' OR 1=1 --", "eq.1"}, {`doc->>"a' OR '1'='1"`, "eq.x"},
		{"name", "in.(\"a\\\",'b')"}, {"limit", "1; DROP TABLE items"}, {"name", "fts(english'); DROP TABLE items; --).x"}, {"select", "pg_sleep"}, {"select", "x:id,\"a\"\"b\":name"},
		{"tags", `cs.{"a\"','`}, {"name", "eq.\\' OR 1=1 --"}, {"select", "id.sum()::text) --"}, {"and", "(not.or(id.eq.1,id.in.(1,2)),name.like(any).{a*,b})"},
	} {
		f.Add(seed[0], seed[1])
	}
	var a api
	f.Fuzz(func(t *testing.T, key, value string) {
		if a.Server == nil {
			a = newFuzzAPI(t)
		}
		r := httptest.NewRequest("GET", "/items?"+url.QueryEscape(key)+"="+url.QueryEscape(value), nil)
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		var rows []any
		if w.Code == 200 && json.Unmarshal(w.Body.Bytes(), &rows) != nil {
			t.Errorf("no rows: %s", w.Body)
		}
		if code := w.Header().Get("Proxy-Status"); strings.HasSuffix(code, "=42601") {
			t.Errorf("a syntax error got through: %s", w.Body)
		}
	})
}

// newFuzzAPI gives a server that lives as long as the process: a fuzzing
// worker's tests have no common end.
func newFuzzAPI(t *testing.T) api {
	uri := pgtest.Lasting(t)
	pool, err := pgxpool.New(t.Context(), uri)
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, pool, fixture)
	pool.Close()
	s, err := New(t.Context(), Options{URI: uri, AnonRole: "web_anon", Aggregates: true, Pool: 1})
	if err != nil {
		t.Fatal(err)
	}
	return api{Server: s}
}
