package kafka

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/IBM/sarama"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/axiom-data-science/hydraulics/internal/java/jaas"
	"github.com/axiom-data-science/hydraulics/internal/ssl"
)

// The keys of OAUTHBEARER. In the older form the login's options hold client and
// scope.
const (
	endpointKey  = "sasl.oauthbearer.token.endpoint.url"
	clientKey    = "sasl.oauthbearer.client.credentials.client.id"
	secretKey    = "sasl.oauthbearer.client.credentials.client.secret"
	scopeKey     = "sasl.oauthbearer.scope"
	retrieverKey = "sasl.oauthbearer.jwt.retriever.class"
	handlerKey   = "sasl.login.callback.handler.class"
)

// tokenPatience is how long a token's endpoint may take.
const tokenPatience = 10 * time.Second

// tokenError says why there is no token.
type tokenError struct{ err error }

func (e *tokenError) Error() string { return e.err.Error() }

func (e *tokenError) Unwrap() error { return e.err }

// tokenProvider gives sarama a token for each login.
type tokenProvider struct {
	token      func() (string, error)
	extensions map[string]string
}

var _ sarama.AccessTokenProvider = tokenProvider{}

// Token gives a token that is still good.
func (t tokenProvider) Token() (*sarama.AccessToken, error) {
	text, err := t.token()
	if err != nil {
		return nil, &tokenError{err}
	}
	return &sarama.AccessToken{Token: text, Extensions: t.extensions}, nil
}

// tokens gives what OAUTHBEARER logs in with: tokens of an endpoint, of a file, or
// unsecured ones, which tests of Kafka take.
func (p *props) tokens(login jaas.Module) (sarama.AccessTokenProvider, error) {
	for key, known := range map[string]string{handlerKey: "OAuthBearerLoginCallbackHandler OAuthBearerUnsecuredLoginCallbackHandler",
		retrieverKey: "DefaultJwtRetriever ClientCredentialsJwtRetriever FileJwtRetriever"} {
		class := strings.TrimSpace(p.text[key])
		if name := class[strings.LastIndexByte(class, '.')+1:]; class != "" && !strings.Contains(" "+known+" ", " "+name+" ") {
			return nil, fmt.Errorf("%s: %s is not there: tokens come from %s by client credentials, or from a file there", key, class, endpointKey)
		}
	}
	provider := tokenProvider{extensions: withPrefix(login.Options, "extension_")}
	endpoint := strings.TrimSpace(p.text[endpointKey])
	if endpoint == "" {
		claims, err := unsecuredClaims(login.Options)
		if err != nil {
			return nil, err
		}
		provider.extensions = withPrefix(login.Options, "unsecuredLoginExtension_")
		provider.token = claims.token
		return provider, nil
	}
	u, err := url.Parse(endpoint)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %q is not an address", endpointKey, endpoint)
	case u.Scheme == "file":
		provider.token = func() (string, error) { return tokenOfFile(u.Path) }
		_, err := provider.token()
		return provider, err
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return nil, fmt.Errorf("%s: %q is not of the form https://host/path or file:///path", endpointKey, endpoint)
	}
	provider.token, err = p.clientCredentials(endpoint, login.Options)
	return provider, err
}

func withPrefix(options map[string]string, prefix string) map[string]string {
	found := map[string]string{}
	for key, value := range options {
		if name, ok := strings.CutPrefix(key, prefix); ok {
			found[name] = value
		}
	}
	return found
}

// tokenOfFile reads a token that others put there, and put there anew.
func tokenOfFile(name string) (string, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("%s: %w", endpointKey, err)
	}
	text := strings.TrimSpace(string(data))
	if text == "" {
		return "", fmt.Errorf("%s: %s is empty", endpointKey, name)
	}
	return text, nil
}

// clientCredentials gets tokens from an endpoint; one serves until shortly before
// its end. The login's options may have ssl.* keys for the endpoint.
func (p *props) clientCredentials(endpoint string, options map[string]string) (func() (string, error), error) {
	conf := clientcredentials.Config{TokenURL: endpoint, ClientID: cmp.Or(p.text[clientKey], options["clientId"]),
		ClientSecret: cmp.Or(p.text[secretKey], options["clientSecret"]), Scopes: strings.Fields(cmp.Or(p.text[scopeKey], options["scope"]))}
	if conf.ClientID == "" {
		return nil, fmt.Errorf("%s: it is missing, and clientId in %s", clientKey, jaasKey)
	}
	if conf.ClientSecret == "" {
		return nil, fmt.Errorf("%s: it is missing, and clientSecret in %s", secretKey, jaasKey)
	}
	secured, err := ssl.Settings{Keys: options, Log: p.log}.Client()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", jaasKey, err)
	}
	client := &http.Client{Timeout: tokenPatience, Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: secured, DisableKeepAlives: true}}
	source := conf.TokenSource(context.WithValue(context.Background(), oauth2.HTTPClient, client))
	return func() (string, error) {
		t, err := source.Token()
		if err != nil {
			return "", fmt.Errorf("%s: no token from %s: %w: check %s and its secret", endpointKey, endpoint, brief(err), clientKey)
		}
		return t.AccessToken, nil
	}, nil
}

// brief leaves the body of an endpoint's answer out, which may be a page.
func brief(err error) error {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) || refused.Response == nil {
		return err
	}
	return errors.New(strings.TrimSpace("it answers " + refused.Response.Status + " " + refused.ErrorCode))
}

// claims are those of an unsecured token, and how long it lasts.
type claims struct {
	of       map[string]any
	lifetime time.Duration
}

// unsecuredClaims gives those that the login's options list, as Kafka's handler of
// unsecured logins takes them.
func unsecuredClaims(options map[string]string) (claims, error) {
	c := claims{of: map[string]any{}, lifetime: time.Hour}
	for name, text := range withPrefix(options, "unsecuredLoginStringClaim_") {
		c.of[name] = text
	}
	for name, text := range withPrefix(options, "unsecuredLoginNumberClaim_") {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return c, fmt.Errorf("%s: unsecuredLoginNumberClaim_%s is not a number", jaasKey, name)
		}
		c.of[name] = n
	}
	for name, text := range withPrefix(options, "unsecuredLoginListClaim_") {
		if text != "" { // the first character is what separates
			c.of[name] = strings.Split(text, text[:1])[1:]
		}
	}
	principal := cmp.Or(options["unsecuredLoginPrincipalClaimName"], "sub")
	if c.of[principal] == nil {
		return c, fmt.Errorf(`%s: it is missing, for tokens from an endpoint or a file; for unsecured ones unsecuredLoginStringClaim_%s="..." is missing in %s`, endpointKey, principal, jaasKey)
	}
	if text := options["unsecuredLoginLifetimeSeconds"]; text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return c, fmt.Errorf("%s: unsecuredLoginLifetimeSeconds is not a number of seconds", jaasKey)
		}
		c.lifetime = time.Duration(n) * time.Second
	}
	return c, nil
}

// token gives a token with the claims that nobody has signed.
func (c claims) token() (string, error) {
	now := time.Now()
	all := map[string]any{"iat": now.Unix(), "exp": now.Add(c.lifetime).Unix()}
	for name, value := range c.of {
		all[name] = value
	}
	body, err := json.Marshal(all)
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"none"}`)) + "." + encode(body) + ".", nil
}
