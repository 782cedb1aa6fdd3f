package dashboard

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

const authNone, authBasic, authBearer, authHeader = "none", "basic", "bearer", "header"

// AccessKeys say how a dashboard is reached that is not open to everyone. They have the names of the sink rest.
func AccessKeys() []connector.Key {
	return []connector.Key{
		{Name: "auth.type", Type: connector.StringKey, Default: authNone, Check: connector.OneOf(authNone, authBasic, authBearer, authHeader),
			Doc: "How to log in at the dashboard. basic: auth.user and auth.password. bearer: auth.token as bearer token. header: auth.token as the value of the header auth.header."},
		{Name: "auth.user", Type: connector.StringKey, Doc: "The user of auth.type=basic."},
		{Name: "auth.password", Type: connector.PasswordKey, Doc: "The password of auth.type=basic."},
		{Name: "auth.token", Type: connector.PasswordKey, Doc: "The token of auth.type=bearer and header; with header all of the value, such as Token abc."},
		{Name: "auth.header", Type: connector.StringKey, Default: "Authorization", Check: checkHeaderName, Importance: connector.Low,
			Doc: "The header of auth.type=header."},
		{Name: "tls.ca.file", Type: connector.StringKey, Importance: connector.Low,
			Doc: "A PEM file of the certificates to trust, in place of the system's."},
		{Name: "proxy.url", Type: connector.PasswordKey, Check: checkProxy, Importance: connector.Low,
			Doc: "The proxy to the dashboard, http, https or socks5, with user and password where it wants them. Without the key it is what HTTP_PROXY, HTTPS_PROXY and NO_PROXY say."},
		{Name: "redirect.hosts", Type: connector.ListKey, Default: "", Distinct: true, Importance: connector.Low,
			Doc: "Hosts, beside the dashboard's own, that it may redirect requests to, such as one that holds its files. They do not get the login."},
	}
}

func checkHeaderName(_ string, value any) error {
	if name, _ := value.(string); name == "" || strings.ContainsFunc(name, func(r rune) bool {
		return r > 126 || r < 33 || strings.ContainsRune("()<>@,;:\\\"/[]?={}", r)
	}) {
		return errors.New("is not the name of a header")
	}
	return nil
}

// checkProxy does not say what the value is: it may hold a password.
func checkProxy(_ string, value any) error {
	secret, given := value.(connector.Password)
	if !given {
		return nil
	}
	_, err := parseProxy(secret.Secret())
	return err
}

func parseProxy(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5" {
		return nil, errors.New("must be an http, https or socks5 URL such as http://proxy.example.org:3128")
	}
	return u, nil
}

// CheckLogin finds what a kind of login lacks.
func CheckLogin(conf connector.Config, p *connector.Problems) {
	for auth, keys := range map[string][]string{authBasic: {"auth.user", "auth.password"}, authBearer: {"auth.token"}, authHeader: {"auth.token"}} {
		for _, key := range keys {
			if conf.String("auth.type") == auth && !conf.Has(key) {
				p.Add(key, "auth.type=%s needs %s", auth, key)
			}
		}
	}
	if strings.ContainsAny(conf.Password("auth.token").Secret(), "\r\n\x00") {
		p.Add("auth.token", "auth.token: it contains a line break or another character that a header cannot have")
	}
}

// NewAccess reads the keys, and the file of certificates.
func NewAccess(conf connector.Config) (a Access, err error) {
	a.Redirects = conf.List("redirect.hosts")
	token := conf.Password("auth.token").Secret()
	switch conf.String("auth.type") {
	case authBasic:
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth(conf.String("auth.user"), conf.Password("auth.password").Secret())
		a.Login = r.Header
	case authBearer:
		a.Login = http.Header{"Authorization": {"Bearer " + token}}
	case authHeader:
		a.Login = http.Header{http.CanonicalHeaderKey(conf.String("auth.header")): {token}}
	}
	if text := conf.Password("proxy.url").Secret(); text != "" {
		if a.Proxy, err = parseProxy(text); err != nil {
			return a, fmt.Errorf("proxy.url: %w", err)
		}
	}
	file := conf.String("tls.ca.file")
	if file == "" {
		return a, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return a, fmt.Errorf("tls.ca.file: %w", err)
	}
	if a.Roots = x509.NewCertPool(); !a.Roots.AppendCertsFromPEM(pem) {
		return a, fmt.Errorf("tls.ca.file: %s contains no certificate in PEM form", file)
	}
	return a, nil
}

// ReadAccess is [NewAccess] for whoever has no more than the keys. Others are left alone.
func ReadAccess(props connector.Props) (Access, error) {
	conf, problems := connector.NewConfigDef(AccessKeys()...).Check(props)
	if err := problems.Err(); err != nil {
		return Access{}, err
	}
	CheckLogin(conf, problems)
	if err := problems.Err(); err != nil {
		return Access{}, err
	}
	return NewAccess(conf)
}
