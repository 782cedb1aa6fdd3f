// Package oauth gets the tokens of an identity provider for client credentials
// (RFC 6749, 4.4), each for as long as it lives.
package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Settings say how tokens are got.
type Settings struct {
	TokenURL string
	ClientID string
	Secret   connector.Password
	Scopes   []string
	// InForm sends client and secret as parameters of the request's form. Without it
	// they are basic authentication, or in the form where the provider refuses that.
	InForm bool
	// Early is how long before its end a token is replaced, if it lives longer.
	Early time.Duration
	// Keys are the names of the keys of a configuration that these came from.
	Keys Keys
}

// Keys are names of configuration keys, for errors.
type Keys struct{ TokenURL, ClientID, Secret, Scope string }

// Tokens gives a provider's tokens. It is safe for concurrent use.
type Tokens struct {
	Settings
	config clientcredentials.Config
	client *http.Client

	mu    sync.Mutex
	token string
	renew time.Time // zero: the token has no end
}

// New checks the address; nothing is asked for yet.
func New(s Settings, client *http.Client) (*Tokens, error) {
	if u, err := url.Parse(s.TokenURL); err != nil || u.Host == "" || u.User != nil {
		return nil, connector.Fatal(fmt.Errorf("%s must be an address such as https://host/token, without a password", s.Keys.TokenURL))
	}
	t := &Tokens{Settings: s, client: client,
		config: clientcredentials.Config{ClientID: s.ClientID, ClientSecret: s.Secret.Secret(), TokenURL: s.TokenURL, Scopes: s.Scopes}}
	if s.InForm {
		t.config.AuthStyle = oauth2.AuthStyleInParams
	}
	return t, nil
}

// Get gives a token. Callers wait for one that is being got.
func (t *Tokens) Get(ctx context.Context) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token != "" && (t.renew.IsZero() || time.Now().Before(t.renew)) {
		return t.token, nil
	}
	got, err := t.config.Token(context.WithValue(ctx, oauth2.HTTPClient, t.client))
	if err != nil {
		return "", t.explain(err)
	}
	t.token, t.renew = got.AccessToken, got.Expiry
	if early := got.Expiry.Add(-t.Early); !got.Expiry.IsZero() && time.Now().Before(early) {
		t.renew = early
	}
	return t.token, nil
}

// Forget gives up a token that a service refuses: the next call of Get gets another.
func (t *Tokens) Forget(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token == token {
		t.token = ""
	}
}

// explain says what the identity provider said; its answers hold no secret.
func (t *Tokens) explain(err error) error {
	said, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the address, which is named once
		}
		return connector.Retriable(fmt.Errorf("%s %s: %w", t.Keys.TokenURL, t.TokenURL, err))
	}
	what := said.Response.Status
	if said.ErrorCode != "" {
		what = said.ErrorCode + " " + said.ErrorDescription
	}
	err = fmt.Errorf("%s %s: %s", t.Keys.TokenURL, t.TokenURL, what)
	if status := said.Response.StatusCode; status >= 500 || status == http.StatusTooManyRequests {
		return connector.Retriable(err)
	}
	return connector.Coded("H6011", connector.Fatal(fmt.Errorf("%w: check %s, %s and %s", err, t.Keys.ClientID, t.Keys.Secret, t.Keys.Scope)))
}
