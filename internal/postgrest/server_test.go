package postgrest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

const fixture = `
DO $$ BEGIN CREATE ROLE web_anon NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE items (id int PRIMARY KEY, name text, score float8, big bigint, exact numeric, tags text[], doc jsonb, at timestamptz, ok boolean, raw bytea, feeling mood);
COMMENT ON TABLE items IS E'Things.\n\nMore about things.';
COMMENT ON COLUMN items.name IS 'What it is called.';
INSERT INTO items VALUES
	(1, 'one', 0.1, 9223372036854775807, 1.10, '{a,b}', '{"a": {"b": "x"}, "n": 1, "l": [10, 20]}', '2020-01-01 00:00:00Z', true, '\x01ff', 'happy'),
	(2, 'two, (2)', 'NaN', 2, 2, '{b,c}', '{"a": {"b": "y"}, "n": 2}', '2020-01-02 00:00:00Z', false, NULL, 'sad'),
	(3, 'say "hi"\now', 3, NULL, NULL, '{}', NULL, NULL, NULL, NULL, NULL),
	(4, '', -1.5e300, 4, 4, NULL, '{"n": null}', '2020-01-04 00:00:00Z', true, NULL, NULL);
CREATE TABLE "Odd Name" ("a.b" int, "x y" text, "Q""q" int); INSERT INTO "Odd Name" VALUES (1, 'v', 2);
CREATE VIEW good AS SELECT id, name FROM items WHERE ok;
CREATE TABLE secret (a int);
CREATE SCHEMA other; CREATE TABLE other.things (a int); INSERT INTO other.things VALUES (7);
GRANT USAGE ON SCHEMA public, other TO web_anon;
GRANT SELECT ON items, good, "Odd Name", other.things TO web_anon;`

// api is a server on a new database.
type api struct {
	*Server
	db *pgxpool.Pool
}

func newAPI(t *testing.T, change func(*Options)) api {
	t.Helper()
	uri := pgtest.URL(t)
	db := pgtest.Open(t, uri)
	pgtest.Exec(t, db, fixture)
	o := Options{URI: uri, Schemas: []string{"public", "other"}, AnonRole: "web_anon", Pool: 3}
	if change != nil {
		change(&o)
	}
	s, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return api{s, db}
}

// ask gives the answer to a request such as "GET /items?id=eq.1"; spaces in the
// query are escaped. Headers are pairs.
func (a api) ask(t *testing.T, request string, headers ...string) *http.Response {
	t.Helper()
	method, target, _ := strings.Cut(request, " ")
	target = strings.NewReplacer(" ", "%20", `"`, "%22", "{", "%7B", "}", "%7D", "+", "%2B", ">", "%3E", `\`, "%5C", "#", "%23", "|", "%7C", "\n", "%0A").Replace(target)
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestQueries(t *testing.T) {
	a := newAPI(t, func(o *Options) { o.Aggregates = true })
	// ids are the wanted rows of a filter.
	ids := func(list ...int) string {
		parts := []string{}
		for _, id := range list {
			parts = append(parts, fmt.Sprintf(`{"id":%d}`, id))
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	tests := []struct{ query, want string }{
		{"id=eq.1", ids(1)},
		{"id=neq.1", ids(2, 3, 4)},
		{"id=gt.2&id=lte.3", ids(3)},
		{"id=lt.2", ids(1)},
		{"id=gte.4", ids(4)},
		{"id=not.eq.1", ids(2, 3, 4)},
		{"name=eq.", ids(4)},
		{"name=eq.two, (2)", ids(2)},
		{"name=like.*o*", ids(1, 2, 3)},
		{"name=like.%25wo%25", ids(2)},
		{"name=like.%wo%", ids(2)},
		{"name=like.%ne", ids(1)},
		{"name=like.tw%", ids(2)},
		{"name=like.%25w%2c*%2", ids()},
		{"or=(name.like.%wo%,id.eq.1)", ids(1, 2)},
		{"name=neq.a;b%;&id=eq.1", ids(1)},
		{"name=ilike.ONE", ids(1)},
		{"name=match.^o", ids(1)},
		{"name=imatch.^O", ids(1)},
		{"name=like(any).{one,two*}", ids(1, 2)},
		{"name=like(all).{*o*,*e*}", ids(1)},
		{"name=ilike(any).{ONE}", ids(1)},
		{"id=eq(any).{1,3}", ids(1, 3)},
		{"id=gt(all).{1,2}", ids(3, 4)},
		{"id=not.eq(any).{1,3}", ids(2, 4)},
		{"id=in.(1,3,9)", ids(1, 3)},
		{"id=not.in.(1,3)", ids(2, 4)},
		{"id=in.()", ids()},
		{`name=in.("two, (2)",one)`, ids(1, 2)},
		{`name=in.("say \"hi\"\\now")`, ids(3)},
		{`name=in.("")`, ids(4)},
		{"ok=is.true", ids(1, 4)},
		{"ok=is.null", ids(3)},
		{"ok=is.NULL", ids(3)},
		{"ok=is.not_null", ids(1, 2, 4)},
		{"ok=not.is.null", ids(1, 2, 4)},
		{"ok=is.unknown", ids(3)},
		{"ok=is.false", ids(2)},
		{"ok=isdistinct.true", ids(2, 3)},
		{"feeling=eq.happy", ids(1)},
		{"at=gte.2020-01-02T00:00:00Z", ids(2, 4)},
		{"score=eq.NaN", ids(2)},
		{"big=eq.9223372036854775807", ids(1)},
		{"tags=cs.{b}", ids(1, 2)},
		{"tags=cd.{a,b,c}", ids(1, 2, 3)},
		{"tags=ov.{a,z}", ids(1)},
		{`doc=cs.{"n":1}`, ids(1)},
		{"doc->a->>b=eq.x", ids(1)},
		{"doc->n=eq.2", ids(2)},
		{"doc->l->>1=eq.20", ids(1)},
		{"doc->l->>-1=eq.20", ids(1)},
		{"tags->>0=eq.b", ids(2)},
		{"doc->>n=is.null", ids(3, 4)},
		{"name=fts.two", ids(2)},
		{"name=plfts(english).says", ids(3)},
		{"or=(id.eq.1,id.eq.3)", ids(1, 3)},
		{"or=(id.eq.1, name.eq.\"two, (2)\")", ids(1, 2)},
		{"and=(id.gt.1,id.lt.4)", ids(2, 3)},
		{"not.or=(id.eq.1,id.eq.3)", ids(2, 4)},
		{"not.and=(id.gt.1,id.lt.4)", ids(1, 4)},
		{"or=(id.eq.1,and(id.gt.1,not.or(id.eq.2,id.eq.3)))", ids(1, 4)},
		{"or=(id.in.(1,2),name.like.say*)", ids(1, 2, 3)},
		{"or=(tags.cs.{a,b},id.eq.4)", ids(1, 4)},
		{"or=(id.not.gt.1,doc->a->>b.eq.y)", ids(1, 2)},
		{"or=(ok.is.null,id.eq.1)&id=lt.3", ids(1)},
		{"or=(id.eq(any).{1,2},id.eq.3)", ids(1, 2, 3)},
		{`"id"=eq.1`, ids(1)},
	}
	for _, test := range tests {
		t.Run(test.query, func(t *testing.T) {
			r := a.ask(t, "GET /items?select=id&order=id&"+test.query)
			if got := strings.ReplaceAll(body(t, r), " \n ", ""); got != test.want || r.StatusCode != 200 {
				t.Errorf("got %d %s, want %s", r.StatusCode, got, test.want)
			}
		})
	}
}

func TestSelectAndOrder(t *testing.T) {
	a := newAPI(t, func(o *Options) { o.Aggregates = true })
	tests := []struct{ target, want string }{
		{"/items?id=eq.1", `[{"id":1,"name":"one","score":0.1,"big":9223372036854775807,"exact":1.10,"tags":["a","b"],"doc":{"a": {"b": "x"}, "l": [10, 20], "n": 1},"at":"2020-01-01T00:00:00+00:00","ok":true,"raw":"\\x01ff","feeling":"happy"}]`},
		{"/items?id=eq.2&select=score,exact", `[{"score":"NaN","exact":2}]`},
		{"/items?id=eq.4&select=score", `[{"score":-1.5e+300}]`},
		{"/items?id=eq.1&select= id , label:name ", `[{"id":1,"label":"one"}]`},
		{"/items?id=eq.1&select=id::text,s:score::numeric,big::double precision", `[{"id":"1","s":0.1,"big":9.223372036854776e+18}]`},
		{"/items?id=eq.1&select=doc->a->>b,doc->l->0,x:doc->n,tags->1", `[{"b":"x","l":10,"x":1,"tags":"b"}]`},
		{"/items?id=eq.1&select=*,again:id", `[{"id":1,"name":"one","score":0.1,"big":9223372036854775807,"exact":1.10,"tags":["a","b"],"doc":{"a": {"b": "x"}, "l": [10, 20], "n": 1},"at":"2020-01-01T00:00:00+00:00","ok":true,"raw":"\\x01ff","feeling":"happy","again":1}]`},
		{"/items?select=id&order=id.desc&limit=2", `[{"id":4},{"id":3}]`},
		{"/items?select=id&order=ok.asc.nullsfirst,id.desc", `[{"id":3},{"id":2},{"id":4},{"id":1}]`},
		{"/items?select=id&order=ok.desc.nullslast,id", `[{"id":1},{"id":4},{"id":2},{"id":3}]`},
		{"/items?select=id&order=doc->n.desc.nullslast,id&limit=2", `[{"id":2},{"id":1}]`},
		{"/items?select=id&offset=1&limit=2", `[{"id":2},{"id":3}]`},
		{"/items?select=id&limit=0", `[]`},
		{"/items?select=count()", `[{"count":4}]`},
		{"/items?select=ok,n:id.count(),id.max()::text&order=ok", `[{"ok":false,"n":1,"max":"2"},{"ok":true,"n":2,"max":"4"},{"ok":null,"n":1,"max":"3"}]`},
		{"/items?select=doc->a->>b,id.sum()&doc->a=not.is.null&order=doc->a->>b", `[{"b":"x","sum":1},{"b":"y","sum":2}]`},
		{"/good?order=id", `[{"id":1,"name":"one"},{"id":4,"name":""}]`},
		{`/Odd%20Name?"a.b"=eq.1&select="a.b",x y,"Q\"q"&order="Q\"q"`, `[{"a.b":1,"x y":"v","Q\"q":2}]`},
		{"/items?columns=a&id=eq.1&select=id", `[{"id":1}]`},
	}
	for _, test := range tests {
		t.Run(test.target, func(t *testing.T) {
			r := a.ask(t, "GET "+test.target)
			got := strings.ReplaceAll(body(t, r), " \n ", "")
			if d := cmp.Diff(test.want, got); d != "" {
				t.Error(r.StatusCode, d)
			}
		})
	}
}

func TestRepresentations(t *testing.T) {
	a := newAPI(t, nil)
	tests := []struct {
		target, accept string
		kind, want     string
	}{
		{"/items?select=id&id=eq.1", "*/*", "application/json; charset=utf-8", `[{"id":1}]`},
		{"/items?select=id&id=eq.1", "text/html;q=0.5, application/*", "application/json; charset=utf-8", `[{"id":1}]`},
		{"/items?select=id,ok&id=eq.3", "application/vnd.pgrst.object+json", "application/vnd.pgrst.object+json; charset=utf-8", `{"id":3,"ok":null}`},
		{"/items?select=id,ok&id=eq.3", "application/vnd.pgrst.object+json;nulls=stripped", "application/vnd.pgrst.object+json;nulls=stripped; charset=utf-8", `{"id":3}`},
		{"/items?select=id,ok&id=eq.3", "application/vnd.pgrst.array+json;nulls=stripped", "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8", `[{"id":3}]`},
		{"/items?select=id,name,ok,tags,score&order=id", "text/csv", "text/csv; charset=utf-8",
			"id,name,ok,tags,score\n1,one,t,\"{a,b}\",0.1\n2,\"two, (2)\",f,\"{b,c}\",NaN\n3,\"say \"\"hi\"\"\\now\",,{},3\n4,\"\",t,,-1.5e+300"},
		{"/items?select=id&id=eq.9", "text/csv", "text/csv; charset=utf-8", "id"},
		{"/items?select=at&id=eq.1", "application/json", "application/json; charset=utf-8", `[{"at":"2019-12-31T19:00:00-05:00"}]`},
	}
	for _, test := range tests {
		t.Run(test.target+" "+test.accept, func(t *testing.T) {
			headers := []string{"Accept", test.accept}
			if strings.Contains(test.want, "-05:00") {
				headers = append(headers, "Prefer", "timezone=America/New_York")
			}
			r := a.ask(t, "GET "+test.target, headers...)
			if got := body(t, r); got != test.want || r.Header.Get("Content-Type") != test.kind {
				t.Errorf("got %s %q, want %s %q", r.Header.Get("Content-Type"), got, test.kind, test.want)
			}
		})
	}
	r := a.ask(t, "GET /things", "Accept-Profile", "other")
	if got := body(t, r); got != `[{"a":7}]` || r.Header.Get("Content-Profile") != "other" {
		t.Errorf("profile: %s", got)
	}
	r = a.ask(t, "GET /items?select=id&id=eq.1")
	if got := r.Header.Get("Content-Location"); got != "/items?id=eq.1&select=id" {
		t.Errorf("Content-Location %s", got)
	}
}

func TestOpenAPI(t *testing.T) {
	a := newAPI(t, nil)
	r := a.ask(t, "GET /")
	var got struct {
		Swagger     string
		Paths       map[string]map[string]struct{ Summary, Description string }
		Definitions map[string]struct {
			Required   []string
			Properties map[string]struct {
				Type, Format, Description string
				Enum                      []string
			}
		}
	}
	text := body(t, r)
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if got.Swagger != "2.0" || r.Header.Get("Content-Type") != "application/openapi+json; charset=utf-8" {
		t.Errorf("%s %s", got.Swagger, r.Header.Get("Content-Type"))
	}
	if get := got.Paths["/items"]["get"]; get.Summary != "Things." || get.Description != "More about things." {
		t.Errorf("items: %+v", get)
	}
	if strings.Contains(text, "secret") {
		t.Error("a table is listed that the role may not read")
	}
	properties := got.Definitions["items"].Properties
	for name, want := range map[string]string{"id": "integer integer", "score": "number double precision", "tags": "array text[]", "doc": " jsonb", "at": "string timestamp with time zone", "ok": "boolean boolean"} {
		if p := properties[name]; p.Type+" "+p.Format != want {
			t.Errorf("%s: %s %s, want %s", name, p.Type, p.Format, want)
		}
	}
	if p := properties["name"]; p.Description != "What it is called." {
		t.Errorf("name: %+v", p)
	}
	if p := properties["id"]; p.Description != "Note:\nThis is a Primary Key.<pk/>" {
		t.Errorf("id: %+v", p)
	}
	if p := properties["feeling"]; len(p.Enum) != 2 {
		t.Errorf("feeling: %+v", p)
	}
}

func TestCORS(t *testing.T) {
	a := newAPI(t, nil)
	r := a.ask(t, "OPTIONS /items", "Origin", "http://x", "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "X-Client-Info")
	if h := r.Header; r.StatusCode != 200 || h.Get("Access-Control-Allow-Origin") != "*" || !strings.HasPrefix(h.Get("Access-Control-Allow-Headers"), "X-Client-Info, ") || h.Get("Access-Control-Max-Age") != "86400" {
		t.Errorf("preflight: %d %v", r.StatusCode, h)
	}
	r = a.ask(t, "GET /items", "Origin", "http://x", "X-Client-Info", "y", "apikey", "z")
	if h := r.Header; h.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(h.Get("Access-Control-Expose-Headers"), "Content-Range") {
		t.Errorf("answer: %v", h)
	}
	if r = a.ask(t, "OPTIONS /items"); r.StatusCode != 200 || r.Header.Get("Allow") != allowed {
		t.Errorf("OPTIONS: %d %v", r.StatusCode, r.Header)
	}
	a.options.CORSOrigins = []string{"http://mine"}
	if r = a.ask(t, "GET /items", "Origin", "http://x"); r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("another site may read")
	}
	if r = a.ask(t, "GET /items", "Origin", "http://mine"); r.Header.Get("Access-Control-Allow-Origin") != "http://mine" {
		t.Error("the listed site may not read")
	}
}

func TestTablesAreReadAgain(t *testing.T) {
	a := newAPI(t, nil)
	if r := a.ask(t, "GET /later"); r.StatusCode != 404 {
		t.Fatalf("got %d", r.StatusCode)
	}
	pgtest.Exec(t, a.db, "CREATE TABLE later (a int); GRANT SELECT ON later TO web_anon")
	// A server that has just begun to listen may miss one: notify until it is heard.
	wait.Until(t, "the table is noticed", func() bool {
		pgtest.Exec(t, a.db, "NOTIFY pgrst, 'reload schema'")
		return a.ask(t, "GET /later").StatusCode == 200
	})
}

func TestStatementTimeout(t *testing.T) {
	a := newAPI(t, func(o *Options) { o.StatementTimeout = 50 * time.Millisecond })
	pgtest.Exec(t, a.db, "CREATE VIEW slow AS SELECT pg_sleep(60)::text; GRANT SELECT ON slow TO web_anon")
	if err := a.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := a.ask(t, "GET /slow")
	if text := body(t, r); r.StatusCode != 500 || !strings.Contains(text, "57014") {
		t.Errorf("got %d %s", r.StatusCode, text)
	}
}

func TestReadOnly(t *testing.T) {
	a := newAPI(t, nil)
	pgtest.Exec(t, a.db, `CREATE FUNCTION sneak() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM items RETURNING id';
		CREATE VIEW tricky AS SELECT sneak(); GRANT SELECT ON tricky TO web_anon`)
	if err := a.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := a.ask(t, "GET /tricky")
	if text := body(t, r); r.StatusCode != 405 || !strings.Contains(text, "25006") {
		t.Errorf("got %d %s", r.StatusCode, text)
	}
}

func TestOutage(t *testing.T) {
	server, err := pgtest.Start()
	if err != nil {
		t.Skip(err)
	}
	defer func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	}()
	pgtest.Exec(t, pgtest.Open(t, server.URL()), fixture)
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	s, err := New(t.Context(), Options{URI: server.URL(), AnonRole: "web_anon"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	a := api{Server: s}
	if r := a.ask(t, "GET /items"); r.StatusCode != 503 || !strings.Contains(body(t, r), "PGRST002") {
		t.Errorf("before: %d", r.StatusCode)
	}
	ready := httptest.NewRecorder()
	a.Admin().ServeHTTP(ready, httptest.NewRequest("GET", "/ready", nil))
	if ready.Code != 503 {
		t.Errorf("ready: %d", ready.Code)
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	until := func(want int) {
		t.Helper()
		wait.Until(t, fmt.Sprint("status ", want), func() bool { return a.ask(t, "GET /items").StatusCode == want })
	}
	until(200)
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	until(503)
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	until(200)
}

func TestNewRefuses(t *testing.T) {
	uri := pgtest.URL(t)
	tests := []struct {
		options Options
		want    string
	}{
		{Options{AnonRole: "web_anon"}, "db-uri is missing"},
		{Options{URI: uri}, "db-anon-role is missing"},
		{Options{URI: uri, AnonRole: "no_such_role"}, "role no_such_role does not exist: run the migrations"},
		{Options{URI: uri, AnonRole: "postgres", Schemas: []string{"none"}}, "schema none does not exist"},
		{Options{URI: "postgres://u:secret@h:x/d", AnonRole: "r"}, "db-uri: "},
		{Options{URI: uri, AnonRole: "r", OpenAPIMode: "x"}, "openapi-mode"},
	}
	for _, test := range tests {
		if _, err := New(t.Context(), test.options); err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}
