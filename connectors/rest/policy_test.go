package rest

import (
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

// Clauses: N11.
func TestPrivateAddresses(t *testing.T) {
	service := newService(t, nil)
	for _, url := range []string{service.URL, strings.Replace(service.URL, "127.0.0.1", "localhost", 1)} {
		err := start(t, nil, "url", url, "private.addresses", "refuse").Put(t.Context(), texts(1, 1))
		if connector.KindOf(err) != connector.KindFatal || !strings.Contains(err.Error(), "is a private address, which private.addresses=refuse keeps from requests") {
			t.Errorf("%s: %v", url, err)
		}
	}
	if len(service.got()) > 0 {
		t.Error("a record arrived")
	}
	for address, private := range map[string]bool{
		"127.0.0.1": true, "10.1.2.3": true, "172.16.0.1": true, "192.168.1.1": true, "169.254.169.254": true, "100.64.0.1": true, "0.0.0.0": true, "224.0.0.1": true,
		"::1": true, "fe80::1": true, "fc00::1": true, "::ffff:10.0.0.1": true, "::": true, "ff02::1": true,
		"192.0.2.1": false, "8.8.8.8": false, "2001:db8::1": false, "172.32.0.1": false, "100.128.0.1": false,
	} {
		err := publicOnly("tcp", net.JoinHostPort(netip.MustParseAddr(address).String(), "80"), nil)
		if private != (err != nil) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// Clauses: N11.
func TestProxy(t *testing.T) {
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = append(asked, r.URL.String()+" "+r.Header.Get("Proxy-Authorization")+" "+string(body))
		if r.URL.Path == "/closed" {
			w.WriteHeader(http.StatusProxyAuthRequired)
		}
	}))
	defer proxy.Close()
	u, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("u", "p")
	if err := start(t, nil, "url", "http://service.invalid/a", "format", "raw", "proxy.url", u.String()).Put(t.Context(), texts(1, 1)); err != nil {
		t.Fatal(err)
	}
	if err := start(t, nil, "url", "http://service.invalid/closed", "format", "raw", "proxy.url", u.String()).Put(t.Context(), texts(1, 1)); connector.KindOf(err) != connector.KindFatal {
		t.Errorf("got %v", err)
	}
	if d := cmp.Diff([]string{"http://service.invalid/a Basic dTpw 000", "http://service.invalid/closed Basic dTpw 000"}, asked); d != "" {
		t.Error(d)
	}
}

// What the service says is told, but for secrets and values of records that it
// repeats.
//
// Clauses: N12.
func TestAnswersTellNoValues(t *testing.T) {
	tests := []struct {
		name  string
		code  int
		said  string
		path  string
		props []string
		want  string
	}{
		{"a value", 422, `name "Alexandrium" of 17.25 is too toxic`, "", nil, `422 Unprocessable Entity: name "[hidden]" of [hidden] is too toxic`},
		{"a value that is allowed", 422, `name "Alexandrium"`, "", []string{"trim.sensitive.log", "false"}, `422 Unprocessable Entity: name "Alexandrium"`},
		{"a value as JSON and in a URL", 503, `{"at":"say \"hi\"", "link": "say+%22hi%22"}`, "", nil, `503 Service Unavailable: {"at":"[hidden]", "link": "[hidden]"}`},
		{"a key in the path", 422, "no", "/of/${key}?k=${key}", nil, "/of/${key}: 422 Unprocessable Entity: no"},
		{"a key in the path that is allowed", 422, "no", "/of/${key}", []string{"trim.sensitive.log", "false"}, "/of/the%20key: 422 Unprocessable Entity: no"},
		{"a token", 403, "token t0psecret is over", "", []string{"auth.type", "bearer", "auth.token", "t0psecret"}, "403 Forbidden: token [hidden] is over: check auth.type"},
		{"a password, encoded", 403, "dXNlcjpwYXNzd29yZA== is over", "", []string{"auth.type", "basic", "auth.user", "user", "auth.password", "password"}, "403 Forbidden: [hidden] is over: check auth.type"},
		{"a secret header", 400, "X-Key t0psecret", "", []string{"headers.secret", "X-Key: t0psecret"}, "400 Bad Request: X-Key [hidden]"},
		{"a secret in the way to go", 302, "", "", []string{"auth.type", "header", "auth.token", "elsewhere"}, "it leads to SERVICE/[hidden] and may turn POST into GET"},
		{"a short value is a part of words", 422, "n is 7, not 17", "", nil, "422 Unprocessable Entity: n is 7, not 17"},
	}
	schema := connector.StructOf("v", connector.F("name", connector.StringSchema), connector.F("size", connector.Float64Schema), connector.F("n", connector.Int32Schema), connector.F("said", connector.StringSchema))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			service := newService(t, func(int, *http.Request, string) int { return tt.code })
			service.said = tt.said
			r := connector.NewRecord("t", nil, "the key", schema, connector.StructFrom(schema, []any{"Alexandrium", 17.25, int32(7), `say "hi"`}))
			r.Origin = connector.Origin{Topic: "t"}
			reporter := new(connectortest.Reporter)
			err := start(t, reporter, append([]string{"url", service.URL + tt.path}, tt.props...)...).Put(t.Context(), []connector.Record{r})
			if _, why := reporter.Reported(); err == nil && len(why) == 1 {
				err = why[0]
			}
			if want := strings.Replace(tt.want, "SERVICE", service.URL, 1); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}

// Clauses: N13.
func TestPresets(t *testing.T) {
	taken := func(t *testing.T, batch []connector.Record, props ...string) ([]string, http.Header) {
		t.Helper()
		service := newService(t, nil)
		if err := start(t, nil, append([]string{"url", service.URL + "/rows"}, props...)...).Put(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		return service.got(), service.last
	}
	t.Run("PostgREST", func(t *testing.T) {
		got, header := taken(t, texts(3, 2), "preset", "postgrest")
		if d := cmp.Diff([]string{`POST /rows ["000","001"]`, `POST /rows ["002"]`}, got); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]string{"resolution=merge-duplicates", "return=minimal"}, header["Prefer"]); d != "" {
			t.Error(d)
		}
		got, header = taken(t, texts(3, 2), "preset", "postgrest", "batch.unique", "${offset}", "headers", "prefer: return=headers-only")
		if d := cmp.Diff([]string{`POST /rows ["000","001","002"]`}, got); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]string{"return=headers-only"}, header["Prefer"]); d != "" {
			t.Error(d)
		}
	})
	t.Run("webhook", func(t *testing.T) {
		got, header := taken(t, texts(1, 1), "preset", "webhook")
		if d := cmp.Diff([]string{`POST /rows {"topic":"t","partition":1,"offset":0,"key":"key-0","value":"000","headers":[]}`}, got); d != "" {
			t.Error(d)
		}
		if len(header.Get("Idempotency-Key")) != 36 {
			t.Error(header)
		}
	})
	t.Run("InfluxDB", func(t *testing.T) {
		point := connector.NewRecord("plankton", nil, nil, nil, map[string]any{"cells": int64(3)})
		got, header := taken(t, []connector.Record{point}, "preset", "influxdb", "auth.type", "header", "auth.token", "Token abc")
		if d := cmp.Diff([]string{"POST /rows plankton cells=3i\n"}, got); d != "" {
			t.Error(d)
		}
		if header.Get("Authorization") != "Token abc" || header.Get("Content-Type") != textType {
			t.Error(header)
		}
	})
}

// A long value is hidden where the service repeats only the beginning of it, and an
// error of the service costs no copy of it.
func TestAnswersTellNoPartOfALongValue(t *testing.T) {
	const size = 20 << 20
	value := strings.Repeat("Karenia brevis ", size/15)
	var said string
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = io.WriteString(w, "no: "+said+"... is too long")
	}))
	defer service.Close()
	for name, r := range map[string]connector.Record{
		"text":  connector.NewRecord("t", nil, nil, connector.StringSchema, value),
		"bytes": connector.NewRecord("t", nil, nil, connector.BytesSchema, []byte(value)),
	} {
		s := start(t, nil, "url", service.URL, "format", "raw")
		if said = value[:200]; name == "bytes" {
			said = base64.StdEncoding.EncodeToString([]byte(said))[:200]
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := s.Put(t.Context(), []connector.Record{r})
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), "no: [hidden]... is too long") {
			t.Errorf("%s: got %v", name, err)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > size/4 {
			t.Errorf("%s: %d bytes were allocated for a record of %d", name, n, size)
		}
	}
}

// A text that begins like itself is hidden where it stands whole.
func TestMaskOfWhatRepeatsItself(t *testing.T) {
	secret := strings.Repeat("a", 40) + "secret"
	if got := mask(strings.Repeat("a", 10)+secret, []string{secret}); got != strings.Repeat("a", 10)+hiddenText {
		t.Error(got)
	}
}
