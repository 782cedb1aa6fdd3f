package rest

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/ssl"
)

// nullLog and errorLog are Confluent's words for what is ignored here: counted.
const (
	nullLog, errorLog              = "log", "log"
	confluentString, confluentJSON = "string", "json"
)

// confluent is Confluent's HTTP sink: values are text as Java prints it or JSON, which
// is an array unless batch.json.as.array=false.
var confluent = &vendor{
	info: connector.Info{Name: "rest-confluent", Version: Version, Class: "io.confluent.connect.http.HttpSinkConnector", Aliases: []string{"HttpSink"},
		Doc: "Sends records to a web service, with the keys of Confluent's HTTP sink."},
	keys: withOwn(append(confluentKeys(), confluentTLS()...)...),
	props: func(conf connector.Config, p connector.Props) {
		if conf.String("behavior.on.null.values") == nullLog {
			p["behavior.on.null.values"] = nullIgnore
		}
		if conf.String("behavior.on.error") == errorLog {
			p["behavior.on.error"] = errorIgnore
		}
		if list := split(conf.String("headers"), conf.String("header.separator")); len(list) > 0 {
			p["headers"] = list
		}
		if host := conf.String("http.proxy.host"); host != "" {
			p["proxy.url"] = confluentProxy(conf, host)
		}
		p["auth.type"] = strings.ToLower(conf.String("auth.type"))
		if p["format"] = formatText; conf.String("request.body.format") == confluentJSON {
			p["format"] = formatJSON
		}
		if p["format"] == formatJSON && conf.Bool("batch.json.as.array") {
			p["batch.prefix"], p["batch.separator"], p["batch.suffix"] = "[", ",", "]"
		} else {
			for _, key := range []string{"batch.prefix", "batch.separator", "batch.suffix"} {
				p[key] = conf.String(key)
			}
		}
		p["request.timeout.ms"] = strconv.FormatInt(conf.Int64("http.connect.timeout.ms")+conf.Int64("http.request.timeout.ms"), 10)
		if !conf.Bool("https.host.verifier.enabled") {
			p["ssl.endpoint.identification.algorithm"] = ""
		}
	},
}

// split parts headers by a separator, blanks around them apart.
func split(text, separator string) []string {
	var list []string
	for _, line := range strings.Split(text, separator) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

func confluentProxy(conf connector.Config, host string) string {
	u := url.URL{Scheme: "http", Host: net.JoinHostPort(host, strconv.Itoa(conf.Int("http.proxy.port")))}
	if user := conf.String("http.proxy.user"); user != "" {
		u.User = url.UserPassword(user, conf.Password("http.proxy.password").Secret())
	}
	return u.String()
}

func confluentKeys() []theirKey {
	refused := func(remedy string) connector.Check {
		return func(_ string, v any) error {
			if text, _ := v.(string); text != "" {
				return fmt.Errorf("is not there: %s", remedy)
			}
			return nil
		}
	}
	return []theirKey{
		{connector.Key{Name: "http.api.url", Type: connector.StringKey, Required: true, Importance: connector.High, Width: "LONG", Check: checkURL,
			Doc: "Where to send records, with ${topic}, ${key} and the sink's other places."}, "url"},
		{connector.Key{Name: "request.method", Type: connector.StringKey, Default: http.MethodPost, Importance: connector.High, Check: checkMethod,
			Doc: "The request's method."}, "method"},
		{connector.Key{Name: "behavior.on.null.values", Type: connector.StringKey, Default: nullIgnore, Importance: connector.Low, Check: connector.OneOf(nullBad, nullLog, nullIgnore, nullDelete),
			Doc: "What becomes of a record whose value is null; log is ignore, which counts it."}, "behavior.on.null.values"},
		{connector.Key{Name: "behavior.on.error", Type: connector.StringKey, Default: errorFail, Importance: connector.Low, Check: connector.OneOf(errorFail, errorLog, errorIgnore),
			Doc: "What becomes of a record that the service refuses where errors.tolerance has none tolerated; log is ignore, which counts it and warns. It never concerns what is not the record's fault."}, "behavior.on.error"},
		{connector.Key{Name: "headers", Type: connector.StringKey, Default: "", Importance: connector.High, Width: "LONG", Doc: "Further headers, as name:value, with header.separator between two."}, ""},
		{connector.Key{Name: "header.separator", Type: connector.StringKey, Default: "|", Importance: connector.High, Check: connector.NotEmpty, Doc: "What stands between two of headers."}, ""},
		{connector.Key{Name: "http.proxy.host", Type: connector.StringKey, Default: "", Doc: "The proxy to connect through."}, ""},
		{connector.Key{Name: "http.proxy.port", Type: connector.IntKey, Default: 0, Check: connector.Between(0, 65535), Doc: "The proxy's port."}, ""},
		{connector.Key{Name: "http.proxy.user", Type: connector.StringKey, Default: "", Doc: "The user of the proxy."}, ""},
		{connector.Key{Name: "http.proxy.password", Type: connector.PasswordKey, Default: "", Doc: "The password of the proxy's user."}, ""},
		{connector.Key{Name: "auth.type", Type: connector.StringKey, Default: "NONE", Check: connector.OneOfFold("NONE", "BASIC", "OAUTH2"), Importance: connector.High, Doc: "NONE, BASIC with connection.user and connection.password, or OAUTH2 with oauth2.*."}, ""},
		{connector.Key{Name: "connection.user", Type: connector.StringKey, Default: "", Doc: "The user of auth.type=BASIC."}, "auth.user"},
		{connector.Key{Name: "connection.password", Type: connector.PasswordKey, Default: "", Doc: "The user's password."}, "auth.password"},
		{connector.Key{Name: "oauth2.token.url", Type: connector.StringKey, Default: "", Check: func(name string, v any) error {
			if v == "" {
				return nil
			}
			return checkTokenURL(name, v)
		}, Doc: "The identity provider's address that gives tokens for client credentials."}, "oauth2.token.url"},
		{connector.Key{Name: "oauth2.client.id", Type: connector.StringKey, Default: "", Doc: "The client's name at the identity provider."}, "oauth2.client.id"},
		{connector.Key{Name: "oauth2.client.secret", Type: connector.PasswordKey, Default: "", Doc: "The client's secret."}, "oauth2.client.secret"},
		{connector.Key{Name: "oauth2.client.scope", Type: connector.StringKey, Default: "any", Doc: "The scopes to ask for; empty asks for none."}, "oauth2.client.scope"},
		{connector.Key{Name: "oauth2.client.auth.mode", Type: connector.StringKey, Default: modeHeader, Check: connector.OneOf(modeHeader, modeURL), Importance: connector.Low, Doc: "How client and secret are sent."}, "oauth2.client.auth.mode"},
		{connector.Key{Name: "oauth2.token.property", Type: connector.StringKey, Default: onlyToken, Check: connector.OneOf(onlyToken), Importance: connector.Low, Doc: "Where the token is in the provider's answer: access_token, as RFC 6749 has it."}, ""},
		{connector.Key{Name: "batch.max.size", Type: connector.IntKey, Default: 1, Check: connector.Between(1, 1_000_000), Importance: connector.High, Doc: "The most records of one request."}, "batch.size"},
		{connector.Key{Name: "batch.prefix", Type: connector.StringKey, Default: "", Importance: connector.High, Doc: "What stands before the records of a request."}, ""},
		{connector.Key{Name: "batch.suffix", Type: connector.StringKey, Default: "", Importance: connector.High, Doc: "What stands behind the records of a request."}, ""},
		{connector.Key{Name: "batch.separator", Type: connector.StringKey, Default: ",", Importance: connector.High, Doc: "What stands between two records of a request."}, ""},
		{connector.Key{Name: "batch.json.as.array", Type: connector.BooleanKey, Default: true, Doc: "Whether records of request.body.format=json are an array, a single one, too."}, ""},
		{connector.Key{Name: "request.body.format", Type: connector.StringKey, Default: confluentString, Check: connector.OneOf(confluentString, confluentJSON), Doc: "string: values as Java prints them. json: JSON."}, ""},
		{connector.Key{Name: "regex.patterns", Type: connector.StringKey, Default: "", Importance: connector.Low, Check: refused("change values with a transform"), Doc: "Not there."}, ""},
		{connector.Key{Name: "regex.replacements", Type: connector.StringKey, Default: "", Importance: connector.Low, Check: refused("change values with a transform"), Doc: "Not there."}, ""},
		{connector.Key{Name: "reporter.result.topic.name", Type: connector.StringKey, Default: "", Doc: "The topic that gets the service's answer for each record that it has taken; ${connector} stands for the connector's name."}, "report.topic"},
		{connector.Key{Name: "reporter.error.topic.name", Type: connector.StringKey, Default: "", Doc: "The topic that gets the service's answer, or the error, for each record that was refused."}, "report.errors.topic"},
		{connector.Key{Name: "max.retries", Type: connector.IntKey, Check: connector.Optional(connector.AtLeast(0)), Doc: "How often to repeat a batch that the environment made fail, before the task fails. Without it a batch is repeated without end."}, "max.retries"},
		{connector.Key{Name: "retry.backoff.ms", Type: connector.IntKey, Default: 3000, Check: connector.AtLeast(0), Doc: "The least time before a batch is repeated; a Retry-After counts when it is longer."}, "retry.backoff.ms"},
		{connector.Key{Name: "retry.on.status.codes", Type: connector.ListKey, Default: []string{}, Check: checkCodes, Doc: "Further answers to repeat a batch after, as 404 or 400-."}, "retry.on.status.codes"},
		{connector.Key{Name: "http.connect.timeout.ms", Type: connector.IntKey, Default: 30_000, Check: connector.AtLeast(0), Doc: "How long connecting may take; it is added to http.request.timeout.ms."}, ""},
		{connector.Key{Name: "http.request.timeout.ms", Type: connector.IntKey, Default: 30_000, Check: connector.AtLeast(1), Doc: "How long a request may take."}, ""},
		{connector.Key{Name: "https.host.verifier.enabled", Type: connector.BooleanKey, Default: true, Importance: connector.Low, Doc: "Whether the service's certificate must be for the URL's host."}, ""},
	}
}

// confluentTLS are the keys of TLS, which have a prefix there.
func confluentTLS() []theirKey {
	def := configDef()
	var keys []theirKey
	for _, name := range ssl.ClientKeys() {
		k, _ := def.Key(name)
		k.Name, k.DisplayName = "https."+name, ""
		keys = append(keys, theirKey{k, name})
	}
	return keys
}
