package rest

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"sync"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/oauth"
)

// login is what tells the service who sends: a header, whose value may change while
// the task runs.
type login struct {
	header  string                           // empty without one
	tokens  *oauth.Tokens                    // of auth.type=oauth2
	configs func() (connector.Config, error) // reads the configuration again; may be nil

	mu    sync.Mutex
	value string
}

func newLogin(c connector.Context, conf connector.Config, client *http.Client) (*login, error) {
	l := &login{header: "Authorization", configs: c.Configs, value: credentials(conf)}
	switch conf.String("auth.type") {
	case authNone:
		l.header = ""
	case authHeader:
		l.header = http.CanonicalHeaderKey(conf.String("auth.header"))
	case authOAuth2:
		var err error
		l.tokens, err = oauth.New(oauth.Settings{TokenURL: conf.String("oauth2.token.url"), ClientID: conf.String("oauth2.client.id"), Secret: conf.Password("oauth2.client.secret"),
			Scopes: strings.Fields(conf.String("oauth2.client.scope")), InForm: conf.String("oauth2.client.auth.mode") == modeURL,
			Keys: oauth.Keys{TokenURL: "oauth2.token.url", ClientID: "oauth2.client.id", Secret: "oauth2.client.secret", Scope: "oauth2.client.scope"}}, client)
		return l, err
	}
	return l, nil
}

// credentials gives the value of the header of a configuration, but for tokens that
// are got.
func credentials(conf connector.Config) string {
	switch token := conf.Password("auth.token").Secret(); conf.String("auth.type") {
	case authBasic:
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(conf.String("auth.user")+":"+conf.Password("auth.password").Secret()))
	case authBearer:
		return "Bearer " + token
	case authHeader:
		return token
	}
	return ""
}

// current gives the header's value. Its error has its kind.
func (l *login) current(ctx context.Context) (string, error) {
	if l.tokens != nil {
		token, err := l.tokens.Get(ctx)
		return "Bearer " + token, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.value, nil
}

// renew tells, after the service has refused a value, whether there is another one
// by now: a token that is new, a password that was changed behind its reference.
func (l *login) renew(ctx context.Context, refused string) bool {
	if l.tokens != nil {
		l.tokens.Forget(strings.TrimPrefix(refused, "Bearer "))
		return true // that there is no other one now is an error of its own
	}
	if l.configs != nil && l.header != "" {
		conf, err := l.configs()
		if err != nil {
			return false
		}
		l.mu.Lock()
		l.value = credentials(conf)
		l.mu.Unlock()
	}
	value, err := l.current(ctx)
	return err == nil && value != refused
}
