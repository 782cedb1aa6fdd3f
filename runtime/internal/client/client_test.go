package client

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// serve starts a worker that answers so, until the test ends.
func serve(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return s.URL
}

func open(t *testing.T, o Options) *Client {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// refuse answers with an error in Kafka Connect's words.
func refuse(w http.ResponseWriter, status int, text string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error_code":%d,"message":%q}`, status, text)
}

// A cluster that shares out its work is asked again; another conflict is an answer.
func TestAsksAgainWhileAClusterRebalances(t *testing.T) {
	var asked atomic.Int32
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == "DELETE":
			refuse(w, http.StatusConflict, "it is managed by a file")
		case asked.Add(1) < 3:
			refuse(w, http.StatusConflict, "Cannot complete request momentarily due to stale configuration (typically caused by a concurrent config change)")
		default:
			fmt.Fprint(w, `["a/b c"]`)
		}
	})
	c := open(t, Options{URLs: []string{url}})
	names, err := c.Names(t.Context())
	if err != nil || asked.Load() != 3 || cmp.Diff([]string{"a/b c"}, names) != "" {
		t.Errorf("after %d requests: %v, %v", asked.Load(), names, err)
	}
	if err := c.Delete(t.Context(), "a"); err == nil || !strings.Contains(err.Error(), "connector a: it is managed by a file") {
		t.Error(err)
	}
}

func TestAsksTheNextWorkerWhereOneIsAway(t *testing.T) {
	var path, login string
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		path, login = r.URL.EscapedPath(), r.Header.Get("Authorization")
		w.WriteHeader(http.StatusNoContent)
	})
	c := open(t, Options{URLs: []string{"127.0.0.1:1", url + "/connect/"}, Token: "hush"})
	if err := c.Delete(t.Context(), "a/b c%"); err != nil {
		t.Fatal(err)
	}
	if path != "/connect/connectors/a%2Fb%20c%25" || login != "Bearer hush" {
		t.Errorf("it was asked %s as %q", path, login)
	}
	away := open(t, Options{URLs: []string{"http://me:hush@127.0.0.1:1"}})
	_, err := away.Names(t.Context())
	if _, is := errors.AsType[*UnreachableError](err); !is || strings.Contains(err.Error(), "hush") || away.URL() != "http://127.0.0.1:1" {
		t.Errorf("%v, at %s", err, away.URL())
	}
}

// Java knows nothing of the status of a connector that was made just now.
func TestConnectorsWithoutStatus(t *testing.T) {
	c := open(t, Options{URLs: []string{serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Query().Get("expand") == "info":
			fmt.Fprint(w, `{"a":{"info":{"name":"a"}},"b":{"info":{"name":"b"}}}`)
		case r.URL.Query().Get("expand") == "status":
			fmt.Fprint(w, `{"a":{"status":{"connector":{"state":"RUNNING"}}}}`)
		case strings.HasSuffix(r.URL.Path, "/status"):
			refuse(w, http.StatusNotFound, "No status found for connector b")
		default:
			fmt.Fprint(w, `{"name":"b"}`)
		}
	})}})
	all, err := c.Connectors(t.Context())
	if err != nil || len(all) != 2 || all["a"].Status.Connector.State != "RUNNING" || all["b"].Info.Name != "b" {
		t.Errorf("%v, %v", all, err)
	}
	if one, err := c.Connector(t.Context(), "b"); err != nil || one.Info.Name != "b" {
		t.Errorf("%v, %v", one, err)
	}
}

func TestSecretsAreHidden(t *testing.T) {
	s := SecretsOf([]Check{{Definition: &Key{Name: "pin", Type: "PASSWORD"}}, {Definition: &Key{Name: "size", Type: "INT"}}, {}})
	for _, tt := range []struct{ key, value, want string }{
		{"size", "1", "1"},
		{"pin", "1234", config.Hidden},
		{"pin", "", ""},
		{"pin", "${file:/a.properties:pin}", "${file:/a.properties:pin}"},
		{"pin", "x${env:A}", config.Hidden},
		{"connection.password", "hush", config.Hidden},
		{"value.converter.basic.auth.user.info", "me:hush", config.Hidden},
		{"producer.override.sasl.jaas.config", "x", config.Hidden},
		{"connection.url", "jdbc:postgresql://h/db?user=me&password=hush&ssl=true", "jdbc:postgresql://h/db?user=me&password=[hidden]&ssl=true"},
		{"url", "https://me:hush@h/a@b", "https://me:[hidden]@h/a@b"},
		{"url", "https://h:8080/a", "https://h:8080/a"},
		{"headers", "X-Site: a,Authorization: Bearer hush", config.Hidden},
		{"http.headers.additional", "x-api-key:hush", config.Hidden},
		{"headers", "X-Site: a", "X-Site: a"},
		{"topics", "a,b", "a,b"},
	} {
		if got := s.Show(tt.key, tt.value); got != tt.want {
			t.Errorf("%s=%s is shown as %s, want %s", tt.key, tt.value, got, tt.want)
		}
	}
}

// A request that is sent elsewhere is not sent on: as a GET it would do nothing and
// look as if it had.
func TestRedirectsAreNotFollowed(t *testing.T) {
	asked := make(chan string, 8)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method + " " + r.URL.Path
		if r.URL.Path == "/connectors/a" {
			http.Redirect(w, r, "https://u:hush@elsewhere:8443/connectors/a", http.StatusMovedPermanently)
		}
	})
	err := open(t, Options{URLs: []string{url}}).Delete(t.Context(), "a")
	want := "it sends on to https://elsewhere:8443/connectors/a: ask at that address"
	if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
		t.Errorf("%v, want %q", err, want)
	}
	if len(asked) != 1 {
		t.Errorf("%d requests", len(asked))
	}
}

func TestLoginOfAURL(t *testing.T) {
	for name, c := range map[string]struct {
		o    Options
		want string
	}{
		"both in the URL":         {Options{URLs: []string{"http://u:p@h"}, Username: "x", Password: "y", Token: "t"}, "u p "},
		"the password beside it":  {Options{URLs: []string{"http://u@h"}, Password: "y"}, "u y "},
		"a token without a login": {Options{URLs: []string{"http://h"}, Token: "t"}, "  t"},
	} {
		o := open(t, c.o).o
		if got := o.Username + " " + o.Password + " " + o.Token; got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestShownURLsHaveNoLogin(t *testing.T) {
	for text, want := range map[string]string{
		"http://op:hun@ter2@h:1, https://h:2/x": "http://h:1,https://h:2/x",
		"operator:hunter2@connect:8083":         "http://connect:8083",
		"http://op:%zz@h":                       config.Hidden,
	} {
		if got := ShownURL(text); got != want {
			t.Errorf("%s is shown as %s, want %s", text, got, want)
		}
	}
}
