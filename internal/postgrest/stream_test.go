package postgrest

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
)

const manyRows = `CREATE TABLE many AS SELECT i AS id, repeat('x', 90) AS text FROM generate_series(1, 100000) i;
	CREATE VIEW bad_end AS SELECT CASE WHEN id = 99999 THEN 1 / (id - 99999) ELSE id END AS id, text FROM many;
	CREATE VIEW slow AS SELECT pg_sleep(600)::text;
	CREATE TABLE "odd.csv" AS SELECT 1 AS a;
	GRANT SELECT ON many, bad_end, slow, "odd.csv" TO web_anon;`

// newMany is an API with tables of many rows.
func newMany(t *testing.T, change func(*Options)) api {
	a := newAPI(t, change)
	pgtest.Exec(t, a.db, manyRows)
	if err := a.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	return a
}

// chunks is a client that notes how much it is given at once.
type chunks struct {
	*httptest.ResponseRecorder
	writes, largest int
	first           func()
}

func (c *chunks) Write(p []byte) (int, error) {
	if c.writes++; c.writes == 1 && c.first != nil {
		c.first()
	}
	c.largest = max(c.largest, len(p))
	return c.ResponseRecorder.Write(p)
}

// A large answer is the same as a small one, and is never in memory as a whole.
func TestLargeAnswers(t *testing.T) {
	a := newMany(t, nil)
	rows := func(t *testing.T, kind, text string) int {
		if kind == mediaCSV {
			lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			return len(lines) - 1
		}
		var list []struct {
			ID   int
			Text string
		}
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			t.Fatal(err)
		}
		for i, row := range list {
			if row.ID != list[0].ID+i || len(row.Text) != 90 {
				t.Fatalf("row %d is %v", i, row)
			}
		}
		return len(list)
	}
	tests := []struct {
		target, accept, prefer string
		status, rows           int
		content                string
	}{
		{"/many?order=id", mediaJSON, "", 200, 100000, "0-99999/*"},
		{"/many?order=id", mediaJSON, "count=exact", 200, 100000, "0-99999/100000"},
		{"/many?order=id&limit=50000&offset=10", mediaJSON, "count=exact", 206, 50000, "10-50009/100000"},
		{"/many?order=id&offset=99990", mediaJSON, "count=exact", 206, 10, "99990-99999/100000"},
		{"/many?order=id&offset=10&limit=50000", mediaCSV, "", 200, 50000, "10-50009/*"},
		{"/many?id=gt.40000&order=id", mediaArray + ";nulls=stripped", "", 200, 60000, "0-59999/*"},
		{"/many?order=id", mediaCSV, "count=exact", 200, 100000, "0-99999/100000"},
	}
	for _, test := range tests {
		t.Run(test.target+" "+test.accept+" "+test.prefer, func(t *testing.T) {
			r := httptest.NewRequest("GET", test.target, nil)
			r.Header.Set("Accept", test.accept)
			r.Header.Set("Prefer", test.prefer)
			w := &chunks{ResponseRecorder: httptest.NewRecorder()}
			a.ServeHTTP(w, r)
			if got := w.Header().Get("Content-Range"); w.Code != test.status || got != test.content {
				t.Errorf("got %d %s, want %d %s", w.Code, got, test.status, test.content)
			}
			if n := rows(t, test.accept, w.Body.String()); n != test.rows {
				t.Errorf("%d rows, want %d", n, test.rows)
			}
			if w.largest > chunk+1000 {
				t.Errorf("%d bytes at once", w.largest)
			}
		})
	}
	r := a.ask(t, "GET /many", "Accept", mediaObject)
	if text := body(t, r); r.StatusCode != 406 || !strings.Contains(text, "The result contains 100000 rows") {
		t.Errorf("one object: %d %s", r.StatusCode, text)
	}
	if r := a.ask(t, "GET /items?select=id&id=eq.1"); r.Header.Get("Content-Length") != "10" {
		t.Errorf("a short answer has no length: %v", r.Header)
	}
}

// What fails after the first byte ends the transfer, so that no client takes a
// part for the whole; what fails before is an error as any other.
func TestAnswerBrokenOff(t *testing.T) {
	a := newMany(t, nil)
	server := httptest.NewServer(a)
	defer server.Close()
	for _, kind := range []string{mediaJSON, mediaCSV} {
		t.Run(kind, func(t *testing.T) {
			get := func(target, prefer string) (*http.Response, string, error) {
				r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+target, nil)
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Accept", kind)
				r.Header.Set("Prefer", prefer)
				resp, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = resp.Body.Close() }()
				text, err := io.ReadAll(resp.Body)
				return resp, string(text), err
			}
			resp, text, err := get("/bad_end", "count=exact")
			if resp.StatusCode != 200 || len(text) < chunk || !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("got %d, %d bytes, %v", resp.StatusCode, len(text), err)
			}
			resp, text, err = get("/bad_end?id=gte.99990", "")
			if text = text[:min(len(text), 1000)]; resp.StatusCode != 400 || !strings.Contains(text, "22012") || err != nil {
				t.Errorf("before the first byte: %d %s %v", resp.StatusCode, text, err)
			}
			if resp, _, err := get("/many?limit=3", ""); resp.StatusCode != 200 || err != nil {
				t.Errorf("the next one: %d %v", resp.StatusCode, err)
			}
		})
	}
}

func TestAnswerBrokenOffForHTTP10(t *testing.T) {
	a := newMany(t, nil)
	var said bytes.Buffer
	server := httptest.NewUnstartedServer(a)
	server.Config.ErrorLog = log.New(&said, "", 0)
	server.Start()
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "GET /bad_end HTTP/1.0\r\nPrefer: count=exact\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(conn)
	if len(text) < chunk || err == nil {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	if server.Close(); said.Len() > 0 { // which waits for the handler
		t.Errorf("the server complains: %s", &said)
	}
}

// sleeping gives the number of queries on slow that the server runs.
func (a api) sleeping(t *testing.T) int {
	return len(pgtest.Rows(t, a.db, "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE '%slow%' AND pid <> pg_backend_pid()"))
}

func (a api) until(t *testing.T, sleeping int) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); a.sleeping(t) != sleeping; {
		if time.Now().After(deadline) {
			t.Fatalf("%d queries run, want %d", a.sleeping(t), sleeping)
		}
	}
}

// A client that goes away takes its query with it.
func TestClientGoesAway(t *testing.T) {
	a := newMany(t, func(o *Options) { o.StatementTimeout = time.Hour; o.Pool = 1 })
	server := httptest.NewServer(a)
	defer server.Close()
	ctx, leave := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/slow", nil)
	if err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() { // ends with the request
		defer close(gone)
		if resp, err := http.DefaultClient.Do(r); err == nil {
			_ = resp.Body.Close()
		}
	}()
	a.until(t, 1)
	leave()
	<-gone
	a.until(t, 0)
	if r := a.ask(t, "GET /items?select=id&id=eq.1"); r.StatusCode != 200 {
		t.Errorf("the next one: %d %s", r.StatusCode, body(t, r))
	}
}

// The time of a statement is the database's: a client may be slow.
func TestSlowClient(t *testing.T) {
	const limit = 2 * time.Second
	a := newMany(t, func(o *Options) { o.StatementTimeout = limit })
	w := &chunks{ResponseRecorder: httptest.NewRecorder(), first: func() { <-time.After(2 * limit) }}
	a.ServeHTTP(w, httptest.NewRequest("GET", "/many", nil))
	if !strings.HasSuffix(w.Body.String(), "}]") || w.writes < 2 {
		t.Errorf("%d writes, %d bytes", w.writes, w.Body.Len())
	}
}

// A database that never answers is one that is away.
func TestDatabaseThatNeverAnswers(t *testing.T) {
	a := newMany(t, nil)
	uri, err := url.Parse(a.options.URI)
	if err != nil {
		t.Fatal(err)
	}
	line := pgtest.NewLine(t, uri.Host)
	uri.Host = line.Addr().String()
	s, err := New(t.Context(), Options{URI: uri.String(), AnonRole: "web_anon", StatementTimeout: time.Second, PoolTimeout: time.Second, Pool: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	behind := api{Server: s}
	if r := behind.ask(t, "GET /items"); r.StatusCode != 200 {
		t.Fatalf("before: %d %s", r.StatusCode, body(t, r))
	}
	line.Freeze(true)
	if r := behind.ask(t, "GET /items"); r.StatusCode != 503 && r.StatusCode != 504 {
		t.Errorf("got %d %s", r.StatusCode, body(t, r))
	}
	line.Freeze(false)
	for deadline := time.Now().Add(2 * time.Minute); behind.ask(t, "GET /items").StatusCode != 200; {
		if time.Now().After(deadline) {
			t.Fatal("it did not come back")
		}
	}
}

// A browser and a spreadsheet get CSV by the address alone.
func TestCSVAddress(t *testing.T) {
	a := newMany(t, nil)
	tests := []struct{ target, want, disposition string }{
		{"/items.csv?select=id,name&id=lte.2&order=id", "id,name\n1,one\n2,\"two, (2)\"", `attachment; filename=items.csv`},
		{"/items.csv/?select=id&id=eq.9", "id", `attachment; filename=items.csv`},
		{`/Odd%20Name.csv?select="a.b"`, "a.b\n1", `attachment; filename="Odd Name.csv"`},
		{"/odd.csv.csv", "a\n1", `attachment; filename=odd.csv.csv`},
	}
	for _, test := range tests {
		r := a.ask(t, "GET "+test.target, "Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8")
		if d := cmp.Diff(test.want, body(t, r)); d != "" || r.Header.Get("Content-Type") != "text/csv; charset=utf-8" || r.Header.Get("Content-Disposition") != test.disposition {
			t.Errorf("%s: %d %v\n%s", test.target, r.StatusCode, r.Header, d)
		}
	}
	if r := a.ask(t, "GET /odd.csv"); body(t, r) != `[{"a":1}]` {
		t.Error("a table of that very name is not it")
	}
	if r := a.ask(t, "HEAD /items.csv", "Prefer", "count=exact"); r.Header.Get("Content-Range") != "0-3/4" || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/csv") {
		t.Errorf("HEAD: %v", r.Header)
	}
	if r := a.ask(t, "GET /nothing.csv"); r.StatusCode != 404 {
		t.Errorf("got %d", r.StatusCode)
	}
	if r := a.ask(t, "GET /items.csv?nope=eq.1"); r.StatusCode != 400 || r.Header.Get("Content-Disposition") != "" {
		t.Errorf("an error: %d %v", r.StatusCode, r.Header)
	}
}
