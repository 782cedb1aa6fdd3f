package dashboard

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Access is how a dashboard is reached that is not open to everyone.
type Access struct {
	Login     http.Header    // of every request to the dashboard's host; nil for none
	Roots     *x509.CertPool // to trust in place of the system's; nil for these
	Proxy     *url.URL       // nil for what the environment says
	Redirects []string       // hosts, beside the dashboard's own, that it may send the client to
}

// refused says what to do about a 401 or 403.
func (a Access) refused() string {
	if len(a.Login) == 0 {
		return "it wants a login: set auth.type"
	}
	return "it refuses the login: check auth.type and what belongs to it"
}

// maxRedirects is how many a request follows.
const maxRedirects = 10

// loginPage is the path of a page to log in at.
var loginPage = regexp.MustCompile(`(?i)(log|sign)[-_]?(in|on)\b|/(sso|saml2?|oauth2?|openid|oidc|cas)(/|$)|/authorize\b`)

// checkRedirect follows to the same host, and to those that are named; the login goes to the dashboard's own alone. A
// page to log in at, or a way that gives up encryption, ends the request.
func (a Access) checkRedirect(next *http.Request, before []*http.Request) error {
	first := before[0].URL
	to := *next.URL
	to.RawQuery, to.User = "", nil
	same := strings.EqualFold(next.URL.Hostname(), first.Hostname())
	switch {
	case len(before) > maxRedirects:
		return connector.Coded("H7003", connector.Fatal(fmt.Errorf("it redirects more than %d times", maxRedirects)))
	case loginPage.MatchString(next.URL.Path) || next.URL.Query().Has("next"):
		return connector.Coded("H7002", connector.Fatal(fmt.Errorf("it redirects to a login page, %s: %s", &to, a.refused())))
	case next.URL.Scheme != "https" && next.URL.Scheme != first.Scheme:
		return connector.Coded("H7003", connector.Fatal(fmt.Errorf("it redirects to %s, which is not encrypted: check dashboard.url", &to)))
	case !same && !slices.ContainsFunc(a.Redirects, func(h string) bool {
		return strings.EqualFold(h, next.URL.Hostname()) || strings.EqualFold(h, next.URL.Host)
	}):
		return connector.Coded("H7003", connector.Fatal(fmt.Errorf("it redirects to another host, %s: check dashboard.url, or list the host in redirect.hosts", &to)))
	}
	if !same {
		for name := range a.Login {
			next.Header.Del(name)
		}
	}
	return nil
}

// requestError marks why a URL gives no answer. A redirect that is not followed and a certificate that is not trusted
// stay so; all else may pass.
func requestError(from string, err error) error {
	if inner, ok := errors.AsType[*url.Error](err); ok {
		err = inner.Err
	}
	err = fmt.Errorf("%s: %w", from, err)
	if connector.KindOf(err) == connector.KindFatal {
		return connector.Fatal(err)
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return connector.Coded("H7004", connector.Fatal(fmt.Errorf("%w: check dashboard.url, or name the certificate to trust in tls.ca.file", err)))
	}
	return connector.Coded("H7001", connector.Retriable(err))
}
