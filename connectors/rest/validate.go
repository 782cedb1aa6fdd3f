package rest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/axiom-data-science/hydraulics/connector"
)

// methods are those that a request may have.
var methods = []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

func checkMethod(name string, v any) error {
	text, _ := v.(string)
	if t, err := parseTemplate(text); err != nil || !t.fixed() {
		return err
	}
	return connector.OneOf(methods...)(name, v)
}

// checkURL wants the same scheme and host for each record.
func checkURL(_ string, v any) error {
	text, _ := v.(string)
	t, err := parseTemplate(text)
	if err != nil {
		return err
	}
	a, wrong := url.Parse(t.with("a"))
	b, alsoWrong := url.Parse(t.with("b"))
	switch {
	case wrong == nil && a.User != nil:
		return connector.Sentence("Invalid value [hidden] for configuration url: it must not contain a user or password: use auth.type=basic, auth.user and auth.password")
	case wrong != nil || alsoWrong != nil || a.Host == "" || a.Scheme != "http" && a.Scheme != "https":
		return fmt.Errorf("must be an http or https URL such as https://example.org/records")
	case a.Scheme != b.Scheme || a.Host != b.Host:
		return fmt.Errorf("must name one host for all records: records cannot choose where they and the credentials go")
	}
	return nil
}

// with gives the text with the same in every place.
func (t *template) with(fill string) string {
	var b strings.Builder
	for _, p := range t.parts {
		if p.from == fromText {
			b.WriteString(p.text)
		} else {
			b.WriteString(fill)
		}
	}
	return b.String()
}

func checkTokenURL(_ string, v any) error {
	text, _ := v.(string)
	if u, err := url.Parse(text); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return connector.Sentence("Invalid value [hidden] for configuration oauth2.token.url: must be an http or https URL such as https://example.org/token, without a password")
	}
	return nil
}

func checkHosts(_ string, v any) error {
	list, _ := v.([]string)
	for _, host := range list {
		if u, err := url.Parse("http://" + host); err != nil || u.Host != host || u.Hostname() == "" {
			return fmt.Errorf("%q is not of the form host or host:port", host)
		}
	}
	return nil
}

func checkProxy(_ string, v any) error {
	secret, given := v.(connector.Password)
	if !given {
		return nil
	}
	_, err := parseProxy(secret)
	return err
}

func parseProxy(secret connector.Password) (*url.URL, error) {
	u, err := url.Parse(secret.Secret())
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5" {
		return nil, fmt.Errorf("must be an http, https or socks5 URL such as http://proxy.example.org:3128")
	}
	return u, nil
}

// Validate checks across keys.
func (*Sink) Validate(conf connector.Config, p *connector.Problems) {
	conf, own := withPreset(conf)
	for _, x := range own.List() {
		if !slices.Contains(p.List(), x) {
			p.Add(x.Key, "%s", x.Message)
		}
	}
	checkLogin(conf, p)
	checkTwice(conf, p)
	checkBatch(conf, p)
	if len(conf.List("redirects.hosts")) > 0 && !conf.Bool("redirects.follow") {
		p.Add("redirects.hosts", "redirects.hosts has no effect without redirects.follow=true")
	}
	if conf.String("private.addresses") == policyRefuse && conf.Has("proxy.url") {
		p.Add("private.addresses", "private.addresses=refuse cannot see where a proxy connects to: leave proxy.url out, or have the proxy refuse them")
	}
	if conf.Has("tls.ca.file") && (conf.Has("ssl.truststore.location") || conf.Has("ssl.truststore.certificates")) {
		p.Add("tls.ca.file", "tls.ca.file and ssl.truststore.* both say whom to trust: leave one out")
	}
}

func checkLogin(conf connector.Config, p *connector.Problems) {
	for _, k := range map[string][]string{authBasic: {"auth.user", "auth.password"}, authBearer: {"auth.token"}, authHeader: {"auth.token"},
		authOAuth2: {"oauth2.token.url", "oauth2.client.id", "oauth2.client.secret"}}[conf.String("auth.type")] {
		if !conf.Has(k) {
			p.Add(k, "auth.type=%s needs %s", conf.String("auth.type"), k)
		}
	}
	if token := conf.Password("auth.token").Secret(); !httpguts.ValidHeaderFieldValue(token) {
		p.Add("auth.token", "auth.token: it contains a line break or another character that a header cannot have")
	}
}

// checkBatch finds what does not go with several records in a request, or with the
// format.
func checkBatch(conf connector.Config, p *connector.Problems) {
	size, format := conf.Int("batch.size"), conf.String("format")
	for _, key := range []string{"url", "method"} {
		if t, err := parseTemplate(conf.String(key)); err == nil && size > 1 && t.byRecord() {
			p.Add("batch.size", "batch.size is %d, but a %s that is another one for each record takes one record: set it to 1", size, map[string]string{"url": "URL", "method": "method"}[key])
		}
	}
	if conf.String("body") == bodyRecord && format != formatJSON && format != formatLines {
		p.Add("format", "format=%s sends values, but body=record is an object: use format=json or ndjson", format)
	}
	if t, err := parseTemplate(conf.String("url")); err == nil && conf.String("behavior.on.null.values") == nullDelete && !t.byKey() {
		p.Add("behavior.on.null.values", "behavior.on.null.values=delete needs a url with ${key}, else it would delete more than the record")
	}
	if format == formatInflux {
		if u, err := url.Parse(conf.String("url")); err == nil && units[u.Query().Get("precision")] == 0 {
			p.Add("url", "url: precision=%s is no precision of InfluxDB: there are ns, us, ms and s", u.Query().Get("precision"))
		}
	}
	for _, key := range []string{"batch.prefix", "batch.separator", "batch.suffix"} {
		if conf.Has(key) && format == formatMultipart {
			p.Add(key, "%s cannot be chosen for format=multipart", key)
		}
	}
}
