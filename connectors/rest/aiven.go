package rest

import (
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

const (
	aivenStatic = "static"
	onlyToken   = "access_token"
)

// aiven is Aiven's HTTP sink: values that are text go as they are, others as JSON, with
// a line's end behind each of a batch.
var aiven = &vendor{
	info: connector.Info{Name: "rest-aiven", Version: Version, Class: "io.aiven.kafka.connect.http.HttpSinkConnector",
		Doc: "Sends records to a web service, with the keys of Aiven's HTTP sink."},
	keys: withOwn(
		theirKey{connector.Key{Name: "http.url", Type: connector.StringKey, Required: true, Importance: connector.High, Width: "LONG", Check: checkURL,
			Doc: "Where to send records, http or https."}, "url"},
		theirKey{connector.Key{Name: "http.authorization.type", Type: connector.StringKey, Required: true, Importance: connector.High, Check: connector.OneOf(authNone, authOAuth2, aivenStatic),
			Doc: "none, oauth2, or static: the header Authorization is http.headers.authorization."}, ""},
		theirKey{connector.Key{Name: "http.headers.authorization", Type: connector.PasswordKey,
			Doc: "The header Authorization of http.authorization.type=static."}, "auth.token"},
		theirKey{connector.Key{Name: "http.headers.content.type", Type: connector.StringKey, Importance: connector.Low, Check: checkHeaderValue,
			Doc: "The Content-Type."}, "content.type"},
		theirKey{connector.Key{Name: "http.headers.additional", Type: connector.ListKey, Default: []string{}, Importance: connector.Low, Check: checkHeaders,
			Doc: "Further headers, as name:value,name:value."}, "headers"},
		theirKey{connector.Key{Name: "oauth2.access.token.url", Type: connector.StringKey, Importance: connector.High, Check: connector.Optional(checkTokenURL),
			Doc: "The identity provider's address that gives tokens for client credentials."}, "oauth2.token.url"},
		theirKey{connector.Key{Name: "oauth2.client.id", Type: connector.StringKey, Importance: connector.High, Doc: "The client's name at the identity provider."}, "oauth2.client.id"},
		theirKey{connector.Key{Name: "oauth2.client.secret", Type: connector.PasswordKey, Importance: connector.High, Doc: "The client's secret."}, "oauth2.client.secret"},
		theirKey{connector.Key{Name: "oauth2.client.authorization.mode", Type: connector.StringKey, Default: "HEADER", Check: connector.OneOfFold("HEADER", "URL"),
			Doc: "How client and secret are sent. HEADER: as basic authentication. URL: as parameters of the request's form."}, ""},
		theirKey{connector.Key{Name: "oauth2.client.scope", Type: connector.StringKey, Importance: connector.Low, Doc: "The scopes to ask for."}, "oauth2.client.scope"},
		theirKey{connector.Key{Name: "oauth2.response.token.property", Type: connector.StringKey, Default: onlyToken, Importance: connector.Low, Check: connector.OneOf(onlyToken),
			Doc: "Where the token is in the provider's answer: access_token, as RFC 6749 has it."}, ""},
		theirKey{connector.Key{Name: "batching.enabled", Type: connector.BooleanKey, Default: false, Importance: connector.High, Doc: "Whether a request has several records."}, ""},
		theirKey{connector.Key{Name: "batch.max.size", Type: connector.IntKey, Default: 500, Check: connector.Between(1, 1_000_000), Doc: "The most records of one request, with batching.enabled."}, ""},
		theirKey{connector.Key{Name: "batch.prefix", Type: connector.StringKey, Default: "", Importance: connector.High, Doc: "What stands before the records of a request; escape sequences are understood."}, ""},
		theirKey{connector.Key{Name: "batch.suffix", Type: connector.StringKey, Importance: connector.High, Doc: "What stands behind the records of a request, a line's end without it."}, ""},
		theirKey{connector.Key{Name: "batch.separator", Type: connector.StringKey, Importance: connector.High, Doc: "What stands between two records, a line's end without it."}, ""},
		theirKey{connector.Key{Name: "kafka.retry.backoff.ms", Type: connector.LongKey, Check: connector.Optional(connector.Between(0, 86_400_000)), Doc: "Another name of retry.backoff.ms, which counts where both are there."}, ""},
		theirKey{connector.Key{Name: "max.retries", Type: connector.IntKey, Check: connector.Optional(connector.AtLeast(0)), Doc: "How often to repeat a batch that the environment made fail, before the task fails. Without it a batch is repeated without end."}, "max.retries"},
		theirKey{connector.Key{Name: "retry.backoff.ms", Type: connector.IntKey, Default: 3000, Check: connector.AtLeast(0), Doc: "The least time before a batch is repeated."}, "retry.backoff.ms"},
		theirKey{connector.Key{Name: "http.timeout", Type: connector.IntKey, Default: 30, Check: connector.AtLeast(1), Importance: connector.Low, Doc: "How many seconds a request may take."}, ""},
	),
	props: func(conf connector.Config, p connector.Props) {
		p["format"], p["behavior.on.null.values"] = formatAuto, nullBad
		switch auth := conf.String("http.authorization.type"); auth {
		case aivenStatic:
			p["auth.type"], p["auth.header"] = authHeader, "Authorization"
		case authOAuth2:
			p["auth.type"] = auth
			delete(p, "auth.token")
		default:
			delete(p, "auth.token")
		}
		p["oauth2.client.auth.mode"] = strings.ToLower(conf.String("oauth2.client.authorization.mode"))
		if conf.Bool("batching.enabled") {
			p["batch.size"] = strconv.Itoa(conf.Int("batch.max.size"))
			for _, key := range []string{"batch.prefix", "batch.separator", "batch.suffix"} {
				if conf.Given(key) {
					p[key] = conf.Props()[key]
				}
			}
		}
		if conf.Has("kafka.retry.backoff.ms") {
			p["retry.backoff.ms"] = strconv.FormatInt(conf.Int64("kafka.retry.backoff.ms"), 10)
		}
		p["request.timeout.ms"] = strconv.Itoa(1000 * conf.Int("http.timeout"))
	},
}
