package rest

import (
	"fmt"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/axiom-data-science/hydraulics/connector"
)

// connectionHeaders say how a message travels. The client writes them itself, so
// that one which is configured would be lost.
var connectionHeaders = []string{"Connection", "Content-Length", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

// singleHeaders may stand in a request once.
var singleHeaders = []string{"Authorization", "Content-Type", "Host", "User-Agent"}

// namedTemplate is a header whose value records fill.
type namedTemplate struct {
	name  string
	value template
}

// parseHeaders reads lines of the form Name: value. Names are there in order.
func parseHeaders(lines []string) ([]namedTemplate, error) {
	var all []namedTemplate
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		name, value = http.CanonicalHeaderKey(textproto.TrimString(name)), textproto.TrimString(value)
		t, err := parseTemplate(value)
		switch {
		case !ok || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value):
			return nil, fmt.Errorf("%q is not a header as Name: value", line)
		case err != nil:
			return nil, err
		case slices.Contains(connectionHeaders, name):
			return nil, fmt.Errorf("%s is set for each request by what is sent, and cannot be chosen", name)
		case name == "Host" && (!t.fixed() || value == "" || !httpguts.ValidHostHeader(value)):
			return nil, fmt.Errorf("%q is not a host as Host: example.org or Host: example.org:8080", line)
		case has(all, name) && slices.Contains(singleHeaders, name):
			return nil, fmt.Errorf("%s is there twice", name)
		}
		all = append(all, namedTemplate{name, t})
	}
	return all, nil
}

func has(list []namedTemplate, name string) bool {
	return slices.ContainsFunc(list, func(h namedTemplate) bool { return h.name == name })
}

func checkHeaders(_ string, v any) error {
	list, _ := v.([]string)
	_, err := parseHeaders(list)
	return err
}

// secretHeaders reads headers.secret. Its error tells no value.
func secretHeaders(secret connector.Password) ([]namedTemplate, error) {
	if secret.Secret() == "" {
		return nil, nil
	}
	list, err := parseHeaders(strings.Split(secret.Secret(), ","))
	if err != nil {
		return nil, fmt.Errorf("is not a list of headers as Name: value, Name: value, or has one that cannot be chosen")
	}
	return list, nil
}

func checkSecretHeaders(_ string, v any) error {
	secret, _ := v.(connector.Password)
	_, err := secretHeaders(secret)
	return err
}

func checkHeaderName(_ string, v any) error {
	name, _ := v.(string)
	switch canonical := http.CanonicalHeaderKey(name); {
	case !httpguts.ValidHeaderFieldName(name):
		return fmt.Errorf("is not the name of a header")
	case canonical == "Host" || slices.Contains(connectionHeaders, canonical):
		return fmt.Errorf("%s cannot hold a token", canonical)
	}
	return nil
}

func checkHeaderValue(_ string, v any) error {
	if value, _ := v.(string); !httpguts.ValidHeaderFieldValue(value) {
		return fmt.Errorf("is not the value of a header")
	}
	return nil
}

// checkTwice finds headers that two keys set, of which one would be lost.
func checkTwice(conf connector.Config, p *connector.Problems) {
	own, err := parseHeaders(conf.List("headers"))
	secret, wrong := secretHeaders(conf.Password("headers.secret"))
	if err != nil || wrong != nil {
		return // said of the key
	}
	twice := func(name, by string) {
		for key, list := range map[string][]namedTemplate{"headers": own, "headers.secret": secret} {
			if name != "" && has(list, http.CanonicalHeaderKey(name)) {
				p.Add(key, "%s: %s sets %s itself: leave it out here", key, by, http.CanonicalHeaderKey(name))
			}
		}
	}
	switch kind := conf.String("auth.type"); kind {
	case authBasic, authBearer, authOAuth2:
		twice("Authorization", "auth.type="+kind)
	case authHeader:
		twice(conf.String("auth.header"), "auth.type="+kind)
	}
	if conf.Has("content.type") {
		twice("Content-Type", "content.type")
	}
	twice(conf.String("idempotency.header"), "idempotency.header")
	for _, h := range secret {
		if has(own, h.name) && slices.Contains(singleHeaders, h.name) {
			p.Add("headers.secret", "headers.secret: %s is in headers, too", h.name)
		}
	}
}

// intoHeader takes a text that a header can have.
func intoHeader(out []byte, text string) ([]byte, error) {
	if !httpguts.ValidHeaderFieldValue(text) {
		return nil, fmt.Errorf("has a line break or another character that a header cannot have")
	}
	return append(out, text...), nil
}
