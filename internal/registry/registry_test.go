package registry

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/configs/schemas"
	"github.com/axiom-data-science/hydraulics/connector"
)

func client(t *testing.T, o Options) *Client {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// answering serves one answer to everything.
func answering(t *testing.T, status int, body string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	return s
}

// closedPort gives an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return "http://" + l.Addr().String()
}

func TestErrorKinds(t *testing.T) {
	for name, c := range map[string]struct {
		url  string
		kind connector.Kind
		want string
	}{
		"unreachable":    {closedPort(t), connector.KindRetriable, "connection refused"},
		"5xx":            {answering(t, 503, "busy").URL, connector.KindRetriable, "503 Service Unavailable"},
		"too many":       {answering(t, 429, `{}`).URL, connector.KindRetriable, "schema 1"},
		"unauthorized":   {answering(t, 401, `{"error_code":401,"message":"Unauthorized"}`).URL, connector.KindFatal, "Unauthorized (error code 401): set basic.auth"},
		"not found":      {answering(t, 404, `{"error_code":40403,"message":"Schema not found"}`).URL, connector.KindData, "schema 1: Schema not found (error code 40403)"},
		"not a registry": {answering(t, 200, `<html>`).URL, connector.KindFatal, "is this a schema registry?"},
		"proxy's page":   {answering(t, 404, `<html>`).URL, connector.KindFatal, "404 Not Found: is this a schema registry?"},
		"proxy's JSON":   {answering(t, 404, `{"message":"no Route matched"}`).URL, connector.KindFatal, "is this a schema registry?"},
		"5xx in JSON":    {answering(t, 500, `{"error_code":50001,"message":"Error in the backend data store"}`).URL, connector.KindRetriable, "(error code 50001)"},
		"protobuf":       {answering(t, 200, `{"schema":"x","schemaType":"PROTOBUF"}`).URL, connector.KindData, "its type is PROTOBUF, expected AVRO"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client(t, Options{URLs: []string{c.url}}).ByID(t.Context(), 1)
			if err == nil || !strings.Contains(err.Error(), c.want) || connector.KindOf(err) != c.kind {
				t.Errorf("%v is %s, want %s with %q", err, connector.KindOf(err), c.kind, c.want)
			}
		})
	}
}

func TestSeveralAddresses(t *testing.T) {
	url := inProcess(t)
	c := client(t, Options{URLs: []string{closedPort(t), answering(t, 502, "").URL, url + "/"}})
	if _, err := c.Register(t.Context(), "s", schemaA); err != nil {
		t.Fatal(err)
	}
	if c.next.Load() != 2 {
		t.Errorf("the next call begins with address %d, want the one that answered", c.next.Load())
	}
	c = client(t, Options{URLs: []string{closedPort(t), closedPort(t)}})
	if _, err := c.Latest(t.Context(), "s"); connector.KindOf(err) != connector.KindRetriable || strings.Count(err.Error(), "refused") != 2 {
		t.Errorf("%v", err)
	}
}

func TestCallEndsWithItsContext(t *testing.T) {
	block := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-block }))
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(block) })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client(t, Options{URLs: []string{s.URL}}).ByID(ctx, 1); err == nil {
		t.Error("a cancelled call succeeds")
	}
}

// Clauses: C7.
func TestAuthentication(t *testing.T) {
	var got []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Authorization"))
		_, _ = fmt.Fprint(w, `[]`)
	}))
	t.Cleanup(s.Close)
	host := strings.TrimPrefix(s.URL, "http://")
	for _, o := range []Options{
		{URLs: []string{s.URL}, User: "u", Password: "p"},
		{URLs: []string{"http://u:p@" + host}},
		{URLs: []string{s.URL}, Token: "t"},
	} {
		if _, err := client(t, o).Subjects(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff([]string{"Basic dTpw", "Basic dTpw", "Bearer t"}, got); diff != "" {
		t.Error(diff)
	}
	_, err := client(t, Options{URLs: []string{strings.Replace(closedPort(t), "http://", "http://user:hush@", 1)}}).Subjects(t.Context())
	if err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("the password is in the error: %v", err)
	}
}

func TestBadAddresses(t *testing.T) {
	for _, urls := range [][]string{nil, {"localhost:8081"}, {"ftp://x"}, {"http://"}, {"http://user:hush@[bad"}} {
		_, err := New(Options{URLs: urls})
		if err == nil || !strings.Contains(err.Error(), "schema.registry.url") || strings.Contains(err.Error(), "hush") {
			t.Errorf("%v: %v", urls, err)
		}
	}
}

func TestAnswersAreRemembered(t *testing.T) {
	requests := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests++
		_, _ = fmt.Fprint(w, `{"id":7,"schema":"\"int\""}`)
	}))
	t.Cleanup(s.Close)
	c := client(t, Options{URLs: []string{s.URL}})
	for range 3 {
		if _, err := c.ByID(t.Context(), 7); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Lookup(t.Context(), "s", `"int"`); err != nil {
			t.Fatal(err)
		}
	}
	if requests != 2 {
		t.Errorf("%d requests, want 2", requests)
	}
}

func TestReferencesAreFetched(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/schemas/ids/1":
			_, _ = fmt.Fprint(w, `{"schema":"outer","references":[{"name":"m","subject":"middle","version":2}]}`)
		case "/subjects/middle/versions/2":
			_, _ = fmt.Fprint(w, `{"schema":"middle","references":[{"name":"i","subject":"inner","version":1}]}`)
		case "/subjects/inner/versions/1":
			_, _ = fmt.Fprint(w, `{"schema":"inner"}`)
		}
	}))
	t.Cleanup(s.Close)
	got, err := client(t, Options{URLs: []string{s.URL}}).ByID(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Schema{ID: 1, Text: "outer", References: []Reference{{"i", "inner"}, {"m", "middle"}}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestUpdate(t *testing.T) {
	c := client(t, Options{URLs: []string{inProcess(t)}})
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	files, err := FindFiles(schemas.Files, "all")
	if err != nil {
		t.Fatal(err)
	}
	if err := Update(t.Context(), c, files, false, logger); err != nil {
		t.Fatal(err)
	}
	subjects, err := c.Subjects(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"ifcb-stats-key", "ifcb-stats-value"}, subjects); diff != "" {
		t.Error(diff)
	}
	changed := fstest.MapFS{
		"a.avsc": {Data: []byte(`{"type":"record","name":"key","namespace":"ifcb.stats","fields":[{"name":"pid","type":"int"}]}`)},
		"b.avsc": {Data: []byte(`{"type":"record","name":"nameless","fields":[]}`)},
		"c.avsc": {Data: []byte(`{"type":`)},
		"d.avsc": {Data: []byte(`{"type":"record","name":"new","namespace":"x.y","fields":[]}`)},
	}
	if files, err = FindFiles(changed, "all"); err != nil {
		t.Fatal(err)
	}
	err = Update(t.Context(), c, files, false, logger)
	for _, want := range []string{"a.avsc: schema registry", "(error code 409)", "b.avsc: avro schema: it must be a record with a namespace", "c.avsc: the file is not JSON"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
	if err := Update(t.Context(), c, files[:1], true, logger); err != nil {
		t.Errorf("with force: %v", err)
	}
	for _, want := range []string{
		"level=INFO msg=\"schema registered\" file=ifcb-stats-key.avsc subject=ifcb-stats-key id=1 compatibility=BACKWARD",
		"level=INFO msg=\"schema registered\" file=d.avsc subject=x-y-new id=3", "level=ERROR msg=\"schema not registered\" file=a.avsc subject=ifcb-stats-key", "compatibility=NONE",
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, log.String())
		}
	}
}

func TestFindFiles(t *testing.T) {
	dir := fstest.MapFS{"ifcb-stats-key.avsc": {}, "ifcb-stats-value.avsc": {}, "other.avsc": {}, "notes.txt": {},
		"water.proto": {Data: []byte(`import "units.proto"; message Water {}`)}, "units.proto": {}}
	for name, want := range map[string][]string{
		"all": {"ifcb-stats-key.avsc", "ifcb-stats-value.avsc", "other.avsc", "units.proto", "water.proto"}, "ifcb-stats": {"ifcb-stats-key.avsc", "ifcb-stats-value.avsc"},
		"other": {"other.avsc"}, "ifcb-stats-key.avsc": {"ifcb-stats-key.avsc"}, "water": {"units.proto", "water.proto"},
	} {
		files, err := FindFiles(dir, name)
		if err != nil {
			t.Error(err)
		}
		var got []string
		for _, f := range files {
			got = append(got, f.Name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if _, err := FindFiles(dir, "stats"); err == nil || !strings.Contains(err.Error(), `"stats" names none of ifcb-stats-key.avsc`) {
		t.Errorf("%v", err)
	}
	if _, err := FindFiles(fstest.MapFS{}, "all"); err == nil {
		t.Error("an empty folder has schemas")
	}
}
