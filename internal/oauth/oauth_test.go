package oauth

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
)

var keys = Keys{TokenURL: "token.url", ClientID: "client.id", Secret: "client.secret", Scope: "scope"}

// provider gives numbered tokens of an hour, and notes how it was asked.
func provider(t *testing.T, asked *[]string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, secret, _ := r.BasicAuth()
		*asked = append(*asked, strings.Join([]string{user, secret, r.FormValue("client_id"), r.FormValue("client_secret"), r.FormValue("scope")}, ","))
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":3600}`, len(*asked))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func tokens(t *testing.T, s Settings) *Tokens {
	t.Helper()
	s.Keys = keys
	all, err := New(s, http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return all
}

func get(t *testing.T, all *Tokens, want string) {
	t.Helper()
	if token, err := all.Get(t.Context()); err != nil || token != want {
		t.Errorf("got %q, %v, want %s", token, err, want)
	}
}

func TestTokensAreReplaced(t *testing.T) {
	var asked []string
	all := tokens(t, Settings{TokenURL: provider(t, &asked), ClientID: "c", Secret: "hush", Early: 10 * time.Minute})
	get(t, all, "token-1")
	if left := time.Until(all.renew); left > 50*time.Minute || left < 40*time.Minute {
		t.Errorf("a token of an hour is replaced in %s, want 50 minutes", left)
	}
	get(t, all, "token-1")
	all.renew = time.Now()
	all.Early = 2 * time.Hour
	get(t, all, "token-2")
	if left := time.Until(all.renew); left < 50*time.Minute {
		t.Errorf("a token that lives no longer than the time before its end is replaced in %s", left)
	}
	all.Forget("token-1") // another one was got since
	get(t, all, "token-2")
	all.Forget("token-2")
	get(t, all, "token-3")
}

func TestWhereTheSecretIs(t *testing.T) {
	for inForm, want := range map[bool]string{false: "c,hush,,,a b", true: ",,c,hush,a b"} {
		var asked []string
		get(t, tokens(t, Settings{TokenURL: provider(t, &asked), ClientID: "c", Secret: "hush", Scopes: []string{"a", "b"}, InForm: inForm}), "token-1")
		if d := cmp.Diff([]string{want}, asked); d != "" {
			t.Error(d)
		}
	}
}

func TestNoToken(t *testing.T) {
	tests := []struct {
		name         string
		code         int
		kind, answer string
		want         string
		is           connector.Kind
	}{
		{"refused", 401, "application/json", `{"error":"invalid_client","error_description":"who is that?"}`, "invalid_client who is that?: check client.id, client.secret and scope", connector.KindFatal},
		{"busy", 503, "text/html", "<p>later", "503", connector.KindRetriable},
		{"too often", 429, "text/html", "<p>later", "429", connector.KindRetriable},
		{"no JSON", 200, "application/json", "<p>welcome", "token.url http", connector.KindRetriable},
		{"JSON without a token", 200, "application/json", "{}", "access_token", connector.KindRetriable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tt.kind)
				w.WriteHeader(tt.code)
				_, _ = fmt.Fprint(w, tt.answer)
			}))
			defer s.Close()
			_, err := tokens(t, Settings{TokenURL: s.URL, ClientID: "c", Secret: "hush"}).Get(t.Context())
			if err == nil || !strings.Contains(err.Error(), tt.want) || connector.KindOf(err) != tt.is {
				t.Errorf("%v is %s, want %s with %s", err, connector.KindOf(err), tt.is, tt.want)
			}
		})
	}
	if _, err := New(Settings{TokenURL: "http://u:p@h", Keys: keys}, http.DefaultClient); err == nil || !strings.Contains(err.Error(), "token.url must be an address") {
		t.Error(err)
	}
}
