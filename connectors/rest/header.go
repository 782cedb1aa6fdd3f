package rest

import (
	"fmt"
	"maps"
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

// parseHeaders reads lines of the form Name: value.
func parseHeaders(lines []string) (http.Header, error) {
	h := http.Header{}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		name, value = http.CanonicalHeaderKey(textproto.TrimString(name)), textproto.TrimString(value)
		switch {
		case !ok || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value):
			return nil, fmt.Errorf("%q is not a header as Name: value", line)
		case slices.Contains(connectionHeaders, name):
			return nil, fmt.Errorf("%s is set for each request by what is sent, and cannot be chosen", name)
		case name == "Host" && (value == "" || !httpguts.ValidHostHeader(value)):
			return nil, fmt.Errorf("%q is not a host as Host: example.org or Host: example.org:8080", line)
		case h[name] != nil && slices.Contains(singleHeaders, name):
			return nil, fmt.Errorf("%s is there twice", name)
		}
		h.Add(name, value)
	}
	return h, nil
}

func checkHeaders(_ string, v any) error {
	list, _ := v.([]string)
	_, err := parseHeaders(list)
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
	if err != nil {
		return // said of the key
	}
	auth := ""
	switch conf.String("auth.type") {
	case authBasic, authBearer:
		auth = "Authorization"
	case authHeader:
		auth = http.CanonicalHeaderKey(conf.String("auth.header"))
	}
	if auth != "" && own[auth] != nil {
		p.Add("headers", "headers: auth.type=%s sets %s itself: leave it out here", conf.String("auth.type"), auth)
	}
	if conf.Has("content.type") && own["Content-Type"] != nil {
		p.Add("headers", "headers: content.type sets Content-Type itself: leave it out here")
	}
}

// header gives the headers of all requests, and the host that they name, empty
// for the URL's.
func header(conf connector.Config) (h http.Header, host string) {
	kind := conf.String("content.type")
	if kind == "" {
		kind = map[string]string{formatJSON: "application/json", formatLines: "application/x-ndjson", formatRaw: "text/plain; charset=utf-8"}[conf.String("format")]
	}
	h = http.Header{"Content-Type": {kind}, "User-Agent": {"hydraulics/" + Version}}
	own, _ := parseHeaders(conf.List("headers")) // checked with the key
	host = own.Get("Host")
	own.Del("Host") // net/http takes it from the request alone
	maps.Copy(h, own)
	token := conf.Password("auth.token").Secret()
	switch conf.String("auth.type") {
	case authBasic:
		r := http.Request{Header: h}
		r.SetBasicAuth(conf.String("auth.user"), conf.Password("auth.password").Secret())
	case authBearer:
		h.Set("Authorization", "Bearer "+token)
	case authHeader:
		h.Set(conf.String("auth.header"), token)
	}
	return h, host
}
