package registry

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

// OAuth says how tokens are got: for client credentials, RFC 6749, 4.4.
type OAuth struct {
	TokenURL string
	ClientID string
	Secret   connector.Password
	Scopes   []string
	// Early is how long before its end a token is replaced, if it lives longer.
	Early time.Duration
}

// tokens gives an identity provider's tokens, each for as long as it lives.
type tokens struct {
	OAuth
	config clientcredentials.Config
	client *http.Client

	mu    sync.Mutex
	token string
	renew time.Time // zero: the token has no end
}

func newTokens(o OAuth, client *http.Client) (*tokens, error) {
	if u, err := url.Parse(o.TokenURL); err != nil || u.Host == "" || u.User != nil {
		return nil, connector.Fatal(fmt.Errorf("schema registry: %s must be an address such as https://host/token, without a password", keyIssuer))
	}
	return &tokens{OAuth: o, client: client,
		config: clientcredentials.Config{ClientID: o.ClientID, ClientSecret: o.Secret.Secret(), TokenURL: o.TokenURL, Scopes: o.Scopes}}, nil
}

// get gives a token. Callers wait for one that is being got.
func (t *tokens) get(ctx context.Context) (string, error) {
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

// forget gives up a token that the registry refuses: the next call gets another.
func (t *tokens) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.token = ""
}

// explain says what the identity provider said; its answers hold no secret.
func (t *tokens) explain(err error) error {
	said, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the address, which is named once
		}
		return connector.Retriable(fmt.Errorf("%s %s: %w", keyIssuer, t.TokenURL, err))
	}
	what := said.Response.Status
	if said.ErrorCode != "" {
		what = said.ErrorCode + " " + said.ErrorDescription
	}
	err = fmt.Errorf("%s %s: %s", keyIssuer, t.TokenURL, what)
	if status := said.Response.StatusCode; status >= 500 || status == http.StatusTooManyRequests {
		return connector.Retriable(err)
	}
	return connector.Fatal(fmt.Errorf("%w: check %s, %s and %s", err, keyClientID, keyClientSecret, keyScope))
}
