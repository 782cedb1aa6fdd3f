package registryd

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// Odd requests are answered as Confluent's registry answers them, but that it
// drops what follows behind a body's JSON.
func TestOddRequests(t *testing.T) {
	s := serve(t, new(MemoryLog))
	for _, request := range []string{"POST /subjects/a/versions " + schemaBody(point), "POST /subjects/b%2F/versions " + schemaBody(point)} {
		if status, got := ask(t, s, request); status != 200 {
			t.Fatal(got)
		}
	}
	const jsonType = "application/json"
	const notFound, notAllowed, badType = `{"error_code":404,"message":"HTTP 404 Not Found"}`, `{"error_code":405,"message":"HTTP 405 Method Not Allowed"}`, `{"error_code":415,"message":"HTTP 415 Unsupported Media Type"}`
	for _, test := range []struct {
		method, path, kind, body string
		status                   int
		want                     string // the beginning of the answer
	}{
		{"GET", "/subjects/", "", "", 200, `["a","b/"]`},
		{"GET", "/subjects//", "", "", 200, `["a","b/"]`},
		{"GET", "/subjects/a/versions/", "", "", 200, "[1]"},
		{"GET", "/subjects/a/versions/latest/schema/", "", "", 200, point},
		{"GET", "/schemas/ids/1/?fetchMaxId=true", "", "", 200, `{"schema":`},
		{"GET", "/config/?x=1", "", "", 200, `{"compatibilityLevel":"BACKWARD"}`},
		{"POST", "/subjects/a/versions/", contentType, schemaBody(point), 200, `{"id":1}`},
		{"POST", "/subjects/a/", contentType, schemaBody(point), 200, `{"subject":"a"`},
		{"POST", "/compatibility/subjects/a/versions/latest/", contentType, schemaBody(point), 200, `{"is_compatible":true}`},
		{"GET", "/subjects/b%2F/versions", "", "", 200, "[1]"}, // the slash is the subject's
		{"GET", "/subjects/b%2F/versions/", "", "", 200, "[1]"},
		{"GET", "/subjects/b/versions", "", "", 404, `{"error_code":40401`},
		{"GET", "/", "", "", 200, "{}"},
		{"GET", "/nothing/", "", "", 404, notFound},
		{"POST", "/nothing", contentType, "{}", 404, notFound},

		{"POST", "/subjects/a/versions", contentType, "{", 400, `{"error_code":400`},
		{"POST", "/subjects/a/versions", contentType, "schema", 400, `{"error_code":400`},
		{"POST", "/subjects/a/versions", contentType, "[]", 400, `{"error_code":400`},
		{"POST", "/subjects/a/versions", contentType, `"x"`, 400, `{"error_code":400`},
		{"POST", "/subjects/a", contentType, "{", 400, `{"error_code":400`},
		{"POST", "/compatibility/subjects/a/versions/latest", contentType, "{", 400, `{"error_code":400`},
		{"PUT", "/config", contentType, "{", 400, `{"error_code":400`},
		{"PUT", "/mode/a", contentType, "{", 400, `{"error_code":400`},
		{"POST", "/subjects/a/versions", contentType, "", 422, `{"error_code":422`},
		{"POST", "/subjects/a/versions", contentType, "null", 422, `{"error_code":42201`},
		{"POST", "/subjects/a/versions", contentType, "{}", 422, `{"error_code":42201`},
		{"PUT", "/config", contentType, "{}", 422, `{"error_code":42203`},
		{"POST", "/subjects/a/versions", contentType, schemaBody(point) + "}", 400, `{"error_code":400`},
		{"POST", "/subjects/a/versions", contentType, schemaBody(point, `,"more":1`), 200, `{"id":1}`},

		{"POST", "/subjects/a/versions", "", "", 415, badType},
		{"POST", "/subjects/a/versions", "", schemaBody(point), 415, badType},
		{"POST", "/subjects/a/versions", "text/plain", schemaBody(point), 415, badType},
		{"POST", "/subjects/a/versions", "application/x-www-form-urlencoded", schemaBody(point), 415, badType},
		{"POST", "/subjects/a/versions", "no type;;", schemaBody(point), 415, badType},
		{"PUT", "/config", "", "", 415, badType},
		{"PUT", "/mode", "text/plain", "{}", 415, badType},
		{"POST", "/subjects/a/versions", jsonType, schemaBody(point), 200, `{"id":1}`},
		{"POST", "/subjects/a/versions", "Application/JSON; charset=utf-8", schemaBody(point), 200, `{"id":1}`},
		{"POST", "/subjects/a/versions", "application/vnd.schemaregistry+json", schemaBody(point), 200, `{"id":1}`},
		{"POST", "/subjects/a/versions", "application/octet-stream", schemaBody(point), 200, `{"id":1}`},
		{"GET", "/subjects", "text/plain", "", 200, `["a","b/"]`},

		{"PUT", "/subjects/a", contentType, "{}", 405, notAllowed},
		{"DELETE", "/subjects", "", "", 405, notAllowed},
		{"POST", "/schemas/types", "", "", 405, notAllowed},
		{"PATCH", "/config/", "", "", 405, notAllowed},
		{"POST", "/config", contentType, "{}", 405, notAllowed},
		{"GET", "/compatibility/subjects/a/versions/latest", "", "", 405, notAllowed},
		{"OPTIONS", "/subjects/a/versions", "", "", 200, ""},
		{"HEAD", "/subjects", "", "", 200, ""},
		{"HEAD", "/subjects/z/versions", "", "", 404, ""},
	} {
		t.Run(test.method+" "+test.path+" "+test.kind+" "+test.body, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), test.method, s.URL()+test.path, strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if test.kind != "" {
				req.Header.Set("Content-Type", test.kind)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			got, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != test.status || !strings.HasPrefix(string(got), test.want) {
				t.Errorf("got %d %s (%v), want %d %s", resp.StatusCode, got, err, test.status, test.want)
			}
			if test.status == 405 && !strings.Contains(resp.Header.Get("Allow"), "OPTIONS") {
				t.Errorf("headers %v", resp.Header)
			}
		})
	}
}

func TestOtherNames(t *testing.T) {
	s := serve(t, new(MemoryLog))
	r, err := http.NewRequestWithContext(t.Context(), "DELETE", s.URL()+"/subjects/a", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "elsewhere.example:8081"
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusForbidden {
		t.Errorf("%d, %v", res.StatusCode, err)
	}
}
