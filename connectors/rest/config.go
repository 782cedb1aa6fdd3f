package rest

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/axiom-data-science/hydraulics/connector"
)

const (
	authNone, authBasic, authBearer, authHeader = "none", "basic", "bearer", "header"
	formatJSON, formatLines, formatRaw          = "json", "ndjson", "raw"
	bodyValue, bodyRecord                       = "value", "record"
	placeTopic, placeKey                        = "${topic}", "${key}"
)

func configDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "url", Type: connector.StringKey, Required: true, Importance: connector.High, Width: "LONG", Check: checkURL,
			Doc: "Where to send records, http or https. ${topic} and ${key} stand for the record's topic and primitive key, escaped."},
		connector.Key{Name: "method", Type: connector.StringKey, Default: http.MethodPost, Check: connector.OneOf(http.MethodPost, http.MethodPut, http.MethodPatch),
			Doc: "The request's method."},
		connector.Key{Name: "body", Type: connector.StringKey, Default: bodyValue, Check: connector.OneOf(bodyValue, bodyRecord), Importance: connector.High,
			Doc: "value: the record's value. record: an object of topic, partition, offset, timestamp, key, value and headers."},
		connector.Key{Name: "format", Type: connector.StringKey, Default: formatJSON, Check: connector.OneOf(formatJSON, formatLines, formatRaw), Importance: connector.High,
			Doc: "json: JSON, an array of records when batch.size is above 1. ndjson: JSON, a line per record. raw: values that are text or bytes as they are, a line per record."},
		connector.Key{Name: "batch.size", Type: connector.IntKey, Default: 1, Check: connector.Between(1, 100_000), Importance: connector.High,
			Doc: "The most records of one request."},
		connector.Key{Name: "batch.max.bytes", Type: connector.IntKey, Default: 1 << 20, Check: connector.AtLeast(1), Importance: connector.Low,
			Doc: "The most bytes of a request of several records; a larger record goes alone."},
		connector.Key{Name: "content.type", Type: connector.StringKey, Importance: connector.Low, Check: checkHeaderValue,
			Doc: "The Content-Type, when that of the format is not right."},
		connector.Key{Name: "headers", Type: connector.ListKey, Default: []string{}, Check: checkHeaders, Width: "LONG",
			Doc: "Further headers, as Name: value, Name: value. Host is the name that the service sees in place of url's. Values are printed in logs and over REST: secrets belong into auth.token."},
		connector.Key{Name: "auth.type", Type: connector.StringKey, Default: authNone, Check: connector.OneOf(authNone, authBasic, authBearer, authHeader), Importance: connector.High,
			Doc: "basic: auth.user and auth.password. bearer: auth.token as bearer token. header: auth.token as the value of the header auth.header."},
		connector.Key{Name: "auth.user", Type: connector.StringKey, Doc: "The user of auth.type=basic."},
		connector.Key{Name: "auth.password", Type: connector.PasswordKey, Doc: "The password of auth.type=basic."},
		connector.Key{Name: "auth.token", Type: connector.PasswordKey, Doc: "The token of auth.type=bearer and header."},
		connector.Key{Name: "auth.header", Type: connector.StringKey, Default: "X-Api-Key", Check: checkHeaderName, Importance: connector.Low,
			Doc: "The header of auth.type=header."},
		connector.Key{Name: "redirects.follow", Type: connector.BooleanKey, Default: false, Importance: connector.Low,
			Doc: "Whether 307 and 308 are followed, which keep method and body. They may lead to url's own host, from http to https too, and to redirects.hosts."},
		connector.Key{Name: "redirects.hosts", Type: connector.ListKey, Default: []string{}, Check: checkHosts, Importance: connector.Low,
			Doc: "Further hosts, as host or host:port, that redirects.follow may send records and credentials to."},
		connector.Key{Name: "request.timeout.ms", Type: connector.LongKey, Default: 30_000, Check: connector.AtLeast(1),
			Doc: "How long a request may take, connecting and reading the answer included."},
		connector.Key{Name: "max.retries", Type: connector.IntKey, Check: connector.Optional(connector.AtLeast(0)),
			Doc: "How often to repeat a batch that the environment made fail, before the task fails. Without it a batch is repeated without end."},
		connector.Key{Name: "retry.backoff.ms", Type: connector.LongKey, Default: 3000, Check: connector.AtLeast(0),
			Doc: "The least time before a batch is repeated; a Retry-After counts when it is longer."},
		connector.Key{Name: "tls.ca.file", Type: connector.StringKey, Importance: connector.Low,
			Doc: "A PEM file of the certificates to trust, in place of the system's."},
	)
}

func checkURL(_ string, v any) error {
	text, _ := v.(string)
	u, err := url.Parse(fill(text, "t", "k"))
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("must be an http or https URL such as https://example.org/records")
	case u.User != nil:
		return connector.Sentence("Invalid value [hidden] for configuration url: it must not contain a user or password: use auth.type=basic, auth.user and auth.password")
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

// Validate checks across keys.
func (*Sink) Validate(conf connector.Config, p *connector.Problems) {
	need := func(auth string, keys ...string) {
		if conf.String("auth.type") != auth {
			return
		}
		for _, k := range keys {
			if !conf.Has(k) {
				p.Add(k, "auth.type=%s needs %s", auth, k)
			}
		}
	}
	need(authBasic, "auth.user", "auth.password")
	need(authBearer, "auth.token")
	need(authHeader, "auth.token")
	if token := conf.Password("auth.token").Secret(); !httpguts.ValidHeaderFieldValue(token) {
		p.Add("auth.token", "auth.token: it contains a line break or another character that a header cannot have")
	}
	checkTwice(conf, p)
	if conf.Int("batch.size") > 1 && strings.Contains(conf.String("url"), placeKey) {
		p.Add("batch.size", "batch.size is %d, but a URL with ${key} takes one record: set it to 1", conf.Int("batch.size"))
	}
	if len(conf.List("redirects.hosts")) > 0 && !conf.Bool("redirects.follow") {
		p.Add("redirects.hosts", "redirects.hosts has no effect without redirects.follow=true")
	}
	if conf.String("body") == bodyRecord && conf.String("format") == formatRaw {
		p.Add("format", "format=raw sends values as they are, but body=record is an object: use format=json or ndjson")
	}
}

// fill puts topic and key into a URL, escaped for path and query alike.
func fill(pattern, topic, key string) string {
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	return strings.NewReplacer(placeTopic, escape(topic), placeKey, escape(key)).Replace(pattern)
}
