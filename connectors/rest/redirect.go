package rest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// mostRedirects is how many are followed in a row.
const mostRedirects = 10

// redirected decides whether a redirect is followed; one that is not is judged
// as the answer that it is.
func (s *Sink) redirected(next *http.Request, via []*http.Request) error {
	if !s.follow || !keepsMethod(next.Response.StatusCode) || !s.mayLead(via[0].URL, next.URL) || len(via) > mostRedirects {
		return http.ErrUseLastResponse
	}
	next.Header = via[0].Header.Clone() // without a Referer, and with the credentials for a host that was named
	return nil
}

// keepsMethod tells the redirects that method and body survive.
func keepsMethod(code int) bool {
	return code == http.StatusTemporaryRedirect || code == http.StatusPermanentRedirect
}

// mayLead tells whether records may follow a redirect from one URL to another:
// never out of TLS, and to other hosts only where they are named.
func (s *Sink) mayLead(from, to *url.URL) bool {
	secure := to.Scheme == "https"
	if !secure && (to.Scheme != "http" || from.Scheme == "https") {
		return false
	}
	if strings.EqualFold(from.Hostname(), to.Hostname()) && (port(from) == port(to) || secure && from.Scheme == "http") {
		return true
	}
	return slices.ContainsFunc(s.hosts, func(named string) bool {
		return strings.EqualFold(named, to.Hostname()) || strings.EqualFold(named, to.Hostname()+":"+port(to)) || strings.EqualFold(named, to.Host)
	})
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}

// unfollowed says why a redirect was not followed and what to do.
func (s *Sink) unfollowed(method string, answer *http.Response) string {
	to, err := answer.Location()
	if err != nil {
		return "check url"
	}
	from := answer.Request.URL
	switch there := place(to); {
	case !keepsMethod(answer.StatusCode):
		return fmt.Sprintf("it leads to %s and may turn %s into GET: set url to where records belong", there, method)
	case !s.follow:
		return fmt.Sprintf("it leads to %s: set url to it, or redirects.follow=true", there)
	case from.Scheme == "https" && to.Scheme == "http":
		return fmt.Sprintf("it leads to %s, which is without TLS", there)
	case !s.mayLead(from, to):
		return fmt.Sprintf("it leads to %s, another host: set url to it, or name it in redirects.hosts", there)
	default:
		return fmt.Sprintf("it leads to %s, the last of %d redirects in a row", there, mostRedirects+1)
	}
}
