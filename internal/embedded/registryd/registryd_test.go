package registryd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func serve(t *testing.T, log Log) *Server {
	t.Helper()
	s, err := Start(t.Context(), log, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// ask sends a request "METHOD path body" and gives the status and the body's JSON.
func ask(t *testing.T, s *Server, request string) (int, string) {
	t.Helper()
	parts := strings.SplitN(request, " ", 3)
	body := ""
	if len(parts) == 3 {
		body = parts[2]
	}
	req, err := http.NewRequestWithContext(t.Context(), parts[0], s.URL()+parts[1], strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if got := resp.Header.Get("Content-Type"); got != contentType {
		t.Errorf("%s: content type %s", request, got)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(text))
}

func schemaBody(schema string, more ...string) string {
	quoted, _ := json.Marshal(schema)
	return `{"schema":` + string(quoted) + strings.Join(more, "") + `}`
}

const (
	point    = `{"type":"record","name":"P","fields":[{"name":"x","type":"int"}]}`
	pointY   = `{"type":"record","name":"P","fields":[{"name":"x","type":"int"},{"name":"y","type":"int","default":0}]}`
	pointBad = `{"type":"record","name":"P","fields":[{"name":"x","type":"string"}]}`
	pointReq = `{"type":"record","name":"P","fields":[{"name":"x","type":"int"},{"name":"y","type":"int","default":0},{"name":"z","type":"int"}]}`
)

// TestAPI goes through Confluent's documented answers, in order.
func TestAPI(t *testing.T) {
	s := serve(t, new(MemoryLog))
	quoted := func(text string) string { b, _ := json.Marshal(text); return string(b) }
	for i, c := range []struct {
		request string
		status  int
		want    string // the answer, or its beginning where it ends with ...
	}{
		{"GET /", 200, `{}`},
		{"GET /subjects", 200, `[]`},
		{"GET /nothing", 404, `{"error_code":404,"message":"HTTP 404 Not Found"}`},
		{"GET /schemas/types", 200, `["JSON","PROTOBUF","AVRO"]`},
		{"GET /config", 200, `{"compatibilityLevel":"BACKWARD"}`},
		{"GET /config/a", 404, `{"error_code":40408,...`},
		{"GET /config/a?defaultToGlobal=true", 200, `{"compatibilityLevel":"BACKWARD"}`},
		{"GET /subjects/a/versions", 404, `{"error_code":40401,"message":"Subject 'a' not found."}`},
		{"GET /schemas/ids/1", 404, `{"error_code":40403,"message":"Schema 1 not found"}`},
		{"POST /subjects/a/versions " + schemaBody(point), 200, `{"id":1}`},
		{"POST /subjects/a/versions " + schemaBody(" "+strings.ReplaceAll(point, ":", " : ")), 200, `{"id":1}`},
		{"POST /subjects/a/versions " + schemaBody(strings.ReplaceAll(point, `"int"`, `{"type":"int"}`)), 200, `{"id":1}`},
		{"POST /subjects/a/versions " + schemaBody(point, `,"references":[]`), 200, `{"id":1}`},
		{"POST /subjects/b/versions " + schemaBody(point, `,"schemaType":"AVRO"`), 200, `{"id":1}`},
		{"POST /subjects/a/versions " + schemaBody(pointY), 200, `{"id":2}`},
		{"POST /subjects/a/versions " + schemaBody(pointBad), 409, `{"error_code":409,"message":"Schema being registered is incompatible...`},
		{"POST /subjects/a/versions " + schemaBody(pointReq), 409, `{"error_code":409,...`},
		{"POST /subjects/a/versions " + schemaBody(`{"type":"record"}`), 422, `{"error_code":42201,"message":"Invalid schema...`},
		{"POST /subjects/a/versions " + schemaBody(`{}`, `,"schemaType":"PROTOBUF"`), 422, `{"error_code":42201,"message":"Invalid schema...`},
		{"POST /subjects/a/versions " + schemaBody(`{}`, `,"schemaType":"THRIFT"`), 422, `{"error_code":42201,"message":"Invalid schema type THRIFT...`},
		{"POST /subjects/a/versions " + schemaBody(`{}`, `,"schemaType":"JSON"`), 409, `{"error_code":409,...`},
		{"POST /subjects/a/versions {", 400, `{"error_code":400,...`},
		{"GET /subjects/a/versions", 200, `[1,2]`},
		{"GET /subjects/a/versions/latest", 200, `{"subject":"a","version":2,"id":2,"schema":` + quoted(pointY) + `}`},
		{"GET /subjects/a/versions/-1", 200, `{"subject":"a","version":2,...`},
		{"GET /subjects/a/versions/1/schema", 200, point},
		{"GET /subjects/a/versions/7", 404, `{"error_code":40402,"message":"Version 7 not found."}`},
		{"GET /subjects/a/versions/x", 422, `{"error_code":42202,...`},
		{"GET /schemas/ids/1", 200, `{"schema":` + quoted(point) + `}`},
		{"GET /schemas/ids/1/schema", 200, point},
		{"GET /schemas/ids/1/versions", 200, `[{"subject":"a","version":1},{"subject":"b","version":1}]`},
		{"GET /schemas/ids/1/subjects", 200, `["a","b"]`},
		{"GET /schemas?subjectPrefix=b", 200, `[{"subject":"b","version":1,"id":1,"schema":` + quoted(point) + `}]`},
		{"POST /subjects/a " + schemaBody(point), 200, `{"subject":"a","version":1,"id":1,"schema":` + quoted(point) + `}`},
		{"POST /subjects/a " + schemaBody(pointBad), 404, `{"error_code":40403,"message":"Schema not found"}`},
		{"POST /subjects/z " + schemaBody(point), 404, `{"error_code":40401,...`},
		{"POST /compatibility/subjects/a/versions/latest " + schemaBody(pointBad), 200, `{"is_compatible":false}`},
		{"POST /compatibility/subjects/a/versions/latest?verbose=true " + schemaBody(pointBad), 200, `{"is_compatible":false,"messages":["the new schema cannot read data of version 2...`},
		{"POST /compatibility/subjects/a/versions " + schemaBody(pointY), 200, `{"is_compatible":true}`},
		{"POST /compatibility/subjects/z/versions/latest " + schemaBody(point), 200, `{"is_compatible":true}`},
		{"POST /compatibility/subjects/z/versions/-1?verbose=true " + schemaBody(point), 200, `{"is_compatible":true}`},
		{"POST /compatibility/subjects/z/versions " + schemaBody(point), 200, `{"is_compatible":true}`},
		{"POST /compatibility/subjects/z/versions/1 " + schemaBody(point), 404, `{"error_code":40402,"message":"Version 1 not found."}`},
		{"POST /compatibility/subjects/z/versions/x " + schemaBody(point), 422, `{"error_code":42202,...`},
		{"POST /compatibility/subjects/a/versions/9 " + schemaBody(point), 404, `{"error_code":40402,...`},
		{`PUT /config/a {"compatibility":"SOMETIMES"}`, 422, `{"error_code":42203,...`},
		{`PUT /config/a {"compatibility":"NONE"}`, 200, `{"compatibility":"NONE"}`},
		{"POST /subjects/a/versions " + schemaBody(pointBad), 200, `{"id":3}`},
		{"GET /config/a", 200, `{"compatibilityLevel":"NONE"}`},
		{"DELETE /config/a", 200, `{"compatibilityLevel":"NONE"}`},
		{"DELETE /config/a", 404, `{"error_code":40401,...`},
		{"GET /mode", 200, `{"mode":"READWRITE"}`},
		{`PUT /mode {"mode":"SIDEWAYS"}`, 422, `{"error_code":42204,...`},
		{`PUT /mode/a {"mode":"READONLY"}`, 200, `{"mode":"READONLY"}`},
		{"POST /subjects/a/versions " + schemaBody(point), 200, `{"id":1}`},
		{"POST /subjects/a/versions " + schemaBody(pointReq), 422, `{"error_code":42205,...`},
		{"DELETE /mode/a", 200, `{"mode":"READONLY"}`},
		{"GET /mode/a", 404, `{"error_code":40409,...`},
		{"DELETE /subjects/a/versions/3", 200, `3`},
		{"DELETE /subjects/a/versions/3", 404, `{"error_code":40406,...`},
		{"DELETE /subjects/a/versions/2?permanent=true", 404, `{"error_code":40407,...`},
		{"DELETE /subjects/a/versions/3?permanent=true", 200, `3`},
		{"GET /schemas/ids/3", 404, `{"error_code":40403,...`},
		{"POST /subjects/a/versions " + schemaBody(`"string"`, ``), 409, `{"error_code":409,...`},
		{"POST /subjects/c/versions " + schemaBody(`"string"`), 200, `{"id":4}`}, // 3 was given out once
		{"DELETE /subjects/a?permanent=true", 404, `{"error_code":40405,...`},
		{"DELETE /subjects/a", 200, `[1,2]`},
		{"DELETE /subjects/a", 404, `{"error_code":40404,...`},
		{"GET /subjects", 200, `["b","c"]`},
		{"GET /subjects?deleted=true", 200, `["a","b","c"]`},
		{"GET /subjects/a/versions?deleted=true", 200, `[1,2]`},
		{"GET /schemas/ids/2", 200, `{"schema":...`}, // records may still have it
		{"DELETE /subjects/a?permanent=true", 200, `[1,2]`},
		{"GET /subjects?deleted=true", 200, `["b","c"]`},
		{"POST /subjects/d%2Fe/versions " + schemaBody(point), 200, `{"id":1}`},
		{"GET /subjects/d%2Fe/versions", 200, `[1]`},
	} {
		status, got := ask(t, s, c.request)
		begins, cut := strings.CutSuffix(c.want, "...")
		if status != c.status || !cut && got != c.want || !strings.HasPrefix(got, begins) {
			t.Errorf("%d: %s\ngot  %d %s\nwant %d %s", i, c.request, status, got, c.status, c.want)
		}
	}
}

func TestCompatibilityLevels(t *testing.T) {
	removed := `{"type":"record","name":"P","fields":[]}`
	for level, want := range map[string]map[string]bool{ // of point, pointY; then each candidate
		"NONE":                {pointReq: true, removed: true, pointBad: true},
		"BACKWARD":            {pointReq: false, removed: true, pointBad: false},
		"BACKWARD_TRANSITIVE": {pointReq: false, removed: true, pointBad: false},
		"FORWARD":             {pointReq: true, removed: false, pointBad: false},
		"FORWARD_TRANSITIVE":  {pointReq: true, removed: false, pointBad: false},
		"FULL":                {pointReq: false, removed: false, pointBad: false},
		"FULL_TRANSITIVE":     {pointReq: false, removed: false, pointBad: false},
	} {
		s := serve(t, new(MemoryLog))
		for _, request := range []string{`PUT /config {"compatibility":"` + level + `"}`, "POST /subjects/s/versions " + schemaBody(point), "POST /subjects/s/versions " + schemaBody(pointY)} {
			if status, got := ask(t, s, request); status != 200 {
				t.Fatalf("%s: %s", request, got)
			}
		}
		for schema, ok := range want {
			_, got := ask(t, s, "POST /compatibility/subjects/s/versions "+schemaBody(schema))
			if got != fmt.Sprintf(`{"is_compatible":%t}`, ok) {
				t.Errorf("%s: %s is %s", level, schema, got)
			}
		}
	}
}

// TestTransitive is compatible with the last version and not with the first.
func TestTransitive(t *testing.T) {
	s := serve(t, new(MemoryLog))
	withDefault := `{"type":"record","name":"P","fields":[{"name":"x","type":"int","default":1}]}`
	none := `{"type":"record","name":"P","fields":[]}`
	text := `{"type":"record","name":"P","fields":[{"name":"x","type":"string","default":""}]}`
	for _, schema := range []string{withDefault, none} {
		ask(t, s, "POST /subjects/s/versions "+schemaBody(schema))
	}
	if _, got := ask(t, s, "POST /compatibility/subjects/s/versions "+schemaBody(text)); got != `{"is_compatible":true}` {
		t.Errorf("BACKWARD: %s", got)
	}
	ask(t, s, `PUT /config/s {"compatibility":"BACKWARD_TRANSITIVE"}`)
	if _, got := ask(t, s, "POST /compatibility/subjects/s/versions "+schemaBody(text)); got != `{"is_compatible":false}` {
		t.Errorf("BACKWARD_TRANSITIVE: %s", got)
	}
}

func TestReferences(t *testing.T) {
	s := serve(t, new(MemoryLog))
	ask(t, s, "POST /subjects/inner/versions "+schemaBody(`{"type":"record","name":"a.Inner","fields":[]}`))
	outer := schemaBody(`{"type":"record","name":"a.Outer","fields":[{"name":"in","type":"a.Inner"}]}`, `,"references":[{"name":"a.Inner","subject":"inner","version":1}]`)
	if _, got := ask(t, s, "POST /subjects/outer/versions "+outer); got != `{"id":2}` {
		t.Fatal(got)
	}
	if _, got := ask(t, s, "GET /schemas/ids/2"); !strings.Contains(got, `"references":[{"name":"a.Inner","subject":"inner","version":1}]`) {
		t.Error(got)
	}
	if _, got := ask(t, s, "GET /subjects/inner/versions/1/referencedby"); got != "[2]" {
		t.Error(got)
	}
	if status, got := ask(t, s, "DELETE /subjects/inner"); status != 422 || !strings.Contains(got, "42206") {
		t.Error(status, got)
	}
	missing := strings.Replace(outer, `"version":1`, `"version":9`, 1)
	if status, got := ask(t, s, "POST /subjects/other/versions "+missing); status != 422 || !strings.Contains(got, "subject inner has no version 9") {
		t.Error(status, got)
	}
}

// TestRestart reads everything back from the log.
func TestRestart(t *testing.T) {
	log := new(MemoryLog)
	s := serve(t, log)
	for _, request := range []string{
		"POST /subjects/a/versions " + schemaBody(point), "POST /subjects/a/versions " + schemaBody(pointY),
		"POST /subjects/b/versions " + schemaBody(`"long"`), `PUT /config/a {"compatibility":"FULL"}`, `PUT /mode {"mode":"READWRITE"}`,
		"DELETE /subjects/b", "DELETE /subjects/b?permanent=true",
	} {
		if status, got := ask(t, s, request); status != 200 {
			t.Fatalf("%s: %s", request, got)
		}
	}
	questions := []string{"GET /subjects", "GET /subjects/a/versions", "GET /schemas", "GET /config/a", "GET /schemas/ids/2", "GET /schemas/ids/3", "GET /mode"}
	answers := func(s *Server) []string {
		var list []string
		for _, q := range questions {
			_, got := ask(t, s, q)
			list = append(list, got)
		}
		return list
	}
	before := answers(s)
	s.Stop()
	again := serve(t, log)
	if diff := cmp.Diff(before, answers(again)); diff != "" {
		t.Error(diff)
	}
	if _, got := ask(t, again, "POST /subjects/c/versions "+schemaBody(`"bytes"`)); got != `{"id":4}` {
		t.Errorf("the next id: %s, want 4: 3 was given out once", got)
	}
}

// brokenLog fails where it is told to.
type brokenLog struct{ MemoryLog }

func (*brokenLog) Append(context.Context, []byte, []byte) error { return errors.New("disk is full") }

func TestNothingChangesWithoutTheLog(t *testing.T) {
	s := serve(t, new(brokenLog))
	status, got := ask(t, s, "POST /subjects/a/versions "+schemaBody(point))
	if status != 500 || got != `{"error_code":50001,"message":"Error in the backend data store: disk is full"}` {
		t.Error(status, got)
	}
	if _, got := ask(t, s, "GET /subjects"); got != "[]" {
		t.Error(got)
	}
}

func TestBadLog(t *testing.T) {
	log := new(MemoryLog)
	_ = log.Append(t.Context(), []byte(`{"keytype":"SURPRISE"}`), []byte(`{}`))
	if _, err := Start(t.Context(), log, Options{}); err == nil || !strings.Contains(err.Error(), "SURPRISE") {
		t.Errorf("%v", err)
	}
}
