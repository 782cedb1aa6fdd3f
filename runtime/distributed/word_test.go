package distributed

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/herder/store"
	"github.com/axiom-data-science/hydraulics/runtime/internal/rights"
)

// A worker's word holds for the request that it was given for, and for some minutes.
func TestWord(t *testing.T) {
	const url, text = "http://leader:8083/connectors/a%20b/config?forward=true", `{"k":"v"}`
	keys, err := keyringOf(t, connector.Props{})
	if err != nil {
		t.Fatal(err)
	}
	key, now := store.SessionKey{Key: "the cluster's"}, time.Now()
	who := rights.Who{Name: "anna", Role: rights.Operate, Session: true}
	tests := []struct {
		name   string
		change func(r *http.Request)
		key    store.SessionKey
		at     time.Time
		body   string
		taken  bool
		read   string // what is wrong with its body
	}{
		{"as it was given", nil, key, now, text, true, ""},
		{"clocks differ", nil, key, now.Add(-4 * time.Minute), text, true, ""},
		{"too late", nil, key, now.Add(6 * time.Minute), text, false, ""},
		{"too early", nil, key, now.Add(-6 * time.Minute), text, false, ""},
		{"another key", nil, store.SessionKey{Key: "another's"}, now, text, false, ""},
		{"another body", nil, key, now, `{"k":"w"}`, true, "it is not the one"},
		{"no body", nil, key, now, "", true, "it is not the one"},
		{"another method", func(r *http.Request) { r.Method = "DELETE" }, key, now, text, false, ""},
		{"another path", func(r *http.Request) { r.URL.RawPath, r.URL.Path = "", "/connectors/c/config" }, key, now, text, false, ""},
		{"another hop", func(r *http.Request) { r.URL.RawQuery = "forward=false" }, key, now, text, false, ""},
		{"another word", func(r *http.Request) { r.Header.Set(wordHeader, "e30=") }, key, now, text, false, ""},
		{"no word", func(r *http.Request) { r.Header.Del(wordHeader) }, key, now, text, false, ""},
		{"an algorithm that is not taken", func(r *http.Request) { r.Header.Set("X-Connect-Request-Signature-Algorithm", "HmacSHA1") }, key, now, text, false, ""},
		{"no algorithm", func(r *http.Request) { r.Header.Del("X-Connect-Request-Signature-Algorithm") }, key, now, text, false, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sent, err := http.NewRequestWithContext(t.Context(), "PUT", url, strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if err := keys.vouch(sent, key, who, now); err != nil {
				t.Fatal(err)
			}
			if left, err := io.ReadAll(sent.Body); err != nil || string(left) != text {
				t.Fatalf("it sends %q (%v)", left, err)
			}
			got := httptest.NewRequest("PUT", sent.URL.RequestURI(), strings.NewReader(tt.body))
			got.Header = sent.Header
			if tt.change != nil {
				tt.change(got)
			}
			by, ok := keys.vouched(got, tt.key, tt.at)
			if ok != tt.taken || ok && by != who {
				t.Fatalf("it is taken for %+v, %v", by, ok)
			}
			if !ok {
				return
			}
			_, err = io.ReadAll(got.Body)
			if (err == nil) != (tt.read == "") || err != nil && !strings.Contains(err.Error(), tt.read) {
				t.Errorf("its body: %v", err)
			}
		})
	}
}

// Workers of a protocol before sessioned have no key: nobody's word counts.
func TestWordBeforeSessioned(t *testing.T) {
	if who, ok := new(Member).Vouched(httptest.NewRequest("PUT", "/connectors/c/config", nil)); ok {
		t.Errorf("%+v", who)
	}
}
