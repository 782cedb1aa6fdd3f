package postgrest

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestFailures(t *testing.T) {
	a := newAPI(t, nil)
	tests := []struct {
		request string
		headers []string
		status  int
		code    string
		part    string // of the body
	}{
		{"GET /itmes", nil, 404, "PGRST205", `"Could not find the table 'public.itmes' in the schema cache","details":null,"hint":"Perhaps you meant the table 'public.items'"`},
		{"GET /ite", nil, 404, "PGRST205", "Perhaps you meant the table 'public.items'"},
		{"GET /nothing_like_it", nil, 404, "PGRST205", `"hint":null`},
		{"GET /items/1", nil, 404, "PGRST125", ""},
		{"GET /rpc/f", nil, 404, "PGRST202", "public.f"},
		{"GET /items?nope=eq.1", nil, 400, "42703", "column items.nope does not exist"},
		{"GET /items?select=nope", nil, 400, "42703", ""},
		{"GET /items?order=nope", nil, 400, "42703", ""},
		{"GET /items?id=eq.x", nil, 400, "22P02", `invalid input syntax for type integer: \"x\"`},
		{"GET /items?id=foo.1", nil, 400, "PGRST100", `"\"failed to parse filter (foo.1)\" (line 1, column 1)","details":"unknown single value operator foo"`},
		{"GET /items?id=5", nil, 400, "PGRST100", `unexpected \"5\" expecting \"not\" or operator (eq, gt, ...)`},
		{"GET /items?id=not.5", nil, 400, "PGRST100", `(line 1, column 5)`},
		{"GET /items?ok=is.maybe", nil, 400, "PGRST100", "null or trilean value (unknown, true, false)"},
		{"GET /items?id=in.1", nil, 400, "PGRST100", ""},
		{"GET /items?id=in.(1", nil, 400, "PGRST100", `end of input expecting \",\" or \")\"`},
		{"GET /items?id=in.(1)x", nil, 400, "PGRST100", ""},
		{"GET /items?id=neq(any).{1}", nil, 400, "PGRST100", "unknown single value operator neq(any)"},
		{"GET /items?or=(id.eq.1", nil, 400, "PGRST100", "failed to parse logic tree"},
		{"GET /items?or=()", nil, 400, "PGRST100", ""},
		{"GET /items?or=id.eq.1", nil, 400, "PGRST100", ""},
		{"GET /items?or=" + strings.Repeat("(and", 60), nil, 400, "PGRST100", ""},
		{"GET /items?select=id,,name", nil, 400, "PGRST100", "field name"},
		{"GET /items?select=id::", nil, 400, "PGRST100", "letter or digit"},
		{"GET /items?select=id::nope", nil, 400, "42704", ""},
		{"GET /items?select=id,other(a)", nil, 400, "PGRST200", "Could not find a relationship between 'items' and 'other'"},
		{"GET /items?select=id,...other(a)", nil, 400, "PGRST200", "'items' and 'other'"},
		{"GET /items?select=o:other!hint!inner( a , b:c(d), count())", nil, 400, "PGRST200", "'items' and 'other'"},
		{"GET /items?select=other()", nil, 400, "PGRST200", ""},
		{"GET /items?select=other(", nil, 400, "PGRST100", `"\"failed to parse select parameter (other()\" (line 1, column 7)","details":"unexpected end of input`},
		{"GET /items?select=other(a", nil, 400, "PGRST100", `unexpected end of input`},
		{"GET /items?select=other(a,", nil, 400, "PGRST100", ""},
		{"GET /items?select=other(a))", nil, 400, "PGRST100", `unexpected \")\"`},
		{"GET /items?select=other(a(b)", nil, 400, "PGRST100", ""},
		{"GET /items?select=other!inner", nil, 400, "PGRST100", ""},
		{"GET /items?select=...other", nil, 400, "PGRST100", ""},
		{"GET /items?select=" + strings.Repeat("a(", 60) + "b" + strings.Repeat(")", 60), nil, 400, "PGRST100", "more than 50 deep"},
		{"GET /items?other.id=eq.1", nil, 400, "PGRST108", "'other' is not an embedded resource in this request"},
		{"GET /items?select=id.sum()", nil, 400, "PGRST123", ""},
		{"GET /items?order=id.up", nil, 400, "PGRST100", "failed to parse order"},
		{"GET /items?limit=-1", nil, 416, "PGRST103", "Limit should be greater than or equal to zero."},
		{"GET /items", []string{"Range", "5-2"}, 416, "PGRST103", "The lower boundary must be lower"},
		{"GET /items?offset=9", []string{"Prefer", "count=exact"}, 416, "PGRST103", "An offset of 9 was requested, but there are only 4 rows."},
		{"GET /items?id=gt.1", []string{"Accept", "application/vnd.pgrst.object+json"}, 406, "PGRST116", `"details":"The result contains 3 rows"`},
		{"GET /items?id=gt.9", []string{"Accept", "application/vnd.pgrst.object+json"}, 406, "PGRST116", `"details":"The result contains 0 rows"`},
		{"GET /items", []string{"Accept", "text/unknown"}, 406, "PGRST107", "None of these media types are available: text/unknown"},
		{"GET /items", []string{"Accept-Profile", "hidden"}, 406, "PGRST106", "public, other"},
		{"GET /items", []string{"Prefer", "handling=strict, anything=1"}, 400, "PGRST122", "Invalid preferences: anything=1"},
		{"GET /items", []string{"Prefer", "handling=strict, timezone=Mars/Base"}, 400, "PGRST122", "timezone=Mars/Base"},
		{"GET /items", []string{"Authorization", "Bearer x"}, 500, "PGRST300", ""},
		{"GET /secret", nil, 401, "42501", "permission denied for table secret"},
		{"POST /items", nil, 405, "PGRST117", "Unsupported HTTP method: POST"},
		{"PATCH /items?id=eq.1", nil, 405, "PGRST117", ""},
		{"DELETE /items", nil, 405, "PGRST117", ""},
		{"GET /items?id=like.1", nil, 404, "42883", "operator does not exist"},
		{"GET /items?id=eq.1;x", nil, 400, "22P02", `\"1;x\"`},
		{"GET /items?name=eq.%00", nil, 400, "22021", ""},
		{"GET /items?name=eq.%ff", nil, 400, "22021", ""},
	}
	for _, test := range tests {
		t.Run(test.request+strings.Join(test.headers, " "), func(t *testing.T) {
			r := a.ask(t, test.request, test.headers...)
			text := body(t, r)
			var got struct{ Code, Message string }
			if err := json.Unmarshal([]byte(text), &got); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if r.StatusCode != test.status || got.Code != test.code || !strings.Contains(text, test.part) || got.Message == "" {
				t.Errorf("got %d %s, want %d %s %s", r.StatusCode, text, test.status, test.code, test.part)
			}
			if r.Header.Get("Proxy-Status") != "PostgREST; error="+test.code {
				t.Errorf("Proxy-Status %q", r.Header.Get("Proxy-Status"))
			}
			if test.status == 405 && r.Header.Get("Allow") != allowed || test.status == 401 && r.Header.Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("headers %v", r.Header)
			}
		})
	}
	if r := a.ask(t, "HEAD /items?nope=eq.1"); r.StatusCode != 400 || r.Header.Get("Proxy-Status") != "PostgREST; error=42703" || body(t, r) != "" {
		t.Errorf("HEAD: %d %v", r.StatusCode, r.Header)
	}
}
