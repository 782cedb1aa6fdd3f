package rest

import (
	"net/http"
	"slices"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/ssl"
)

const (
	authNone, authBasic, authBearer, authHeader, authOAuth2 = "none", "basic", "bearer", "header", "oauth2"

	formatJSON, formatLines, formatRaw, formatAuto, formatText, formatForm, formatMultipart, formatInflux = "json", "ndjson", "raw", "auto", "text", "form", "multipart", "influx"

	bodyValue, bodyRecord                     = "value", "record"
	nullSend, nullIgnore, nullDelete, nullBad = "send", "ignore", "delete", "fail"
	errorFail, errorIgnore                    = "fail", "ignore"
	modeHeader, modeURL                       = "header", "url"
	policyAllow, policyRefuse                 = "allow", "refuse"
)

func configDef() *connector.ConfigDef {
	return connector.NewConfigDef(slices.Concat(requestKeys(), bodyKeys(), deliveryKeys(), loginKeys(), connectionKeys())...)
}

func requestKeys() []connector.Key {
	return []connector.Key{
		{Name: "preset", Type: connector.StringKey, Default: "", Check: connector.OneOf(append([]string{""}, presetNames()...)...), Importance: connector.High,
			Doc: "Defaults for a kind of service, in place of those below. postgrest: rows as an array, merged by their key. webhook: one record per request, whole, with an idempotency key. influxdb: line protocol."},
		{Name: "url", Type: connector.StringKey, Required: true, Importance: connector.High, Width: "LONG", Check: checkURL,
			Doc: "Where to send records, http or https. ${topic}, ${partition}, ${offset}, ${timestamp}, ${key}, ${key.field}, ${value}, ${value.field} and ${header.name} stand for what the record has there, escaped; not within the host."},
		{Name: "method", Type: connector.StringKey, Default: http.MethodPost, Check: checkMethod,
			Doc: "The request's method: POST, PUT, PATCH or DELETE, or a template that becomes one of them, such as ${header.method}."},
		{Name: "headers", Type: connector.ListKey, Default: []string{}, Check: checkHeaders, Width: "LONG",
			Doc: "Further headers, as Name: value, Name: value; values are templates as in url. Host is the name that the service sees in place of url's. Values are printed in logs and over REST: secrets belong into headers.secret or auth.token."},
		{Name: "headers.secret", Type: connector.PasswordKey, Check: checkSecretHeaders, Width: "LONG",
			Doc: "Further headers whose values are secret, as Name: value, Name: value."},
		{Name: "content.type", Type: connector.StringKey, Importance: connector.Low, Check: checkHeaderValue,
			Doc: "The Content-Type, when that of the format is not right."},
	}
}

func bodyKeys() []connector.Key {
	return []connector.Key{
		{Name: "body", Type: connector.StringKey, Default: bodyValue, Check: connector.OneOf(bodyValue, bodyRecord), Importance: connector.High,
			Doc: "value: the record's value. record: an object of topic, partition, offset, timestamp, key, value and headers."},
		{Name: "format", Type: connector.StringKey, Default: formatJSON, Check: connector.OneOf(formatJSON, formatLines, formatRaw, formatAuto, formatText, formatForm, formatMultipart, formatInflux), Importance: connector.High,
			Doc: "json: JSON, an array of records when batch.size is above 1. ndjson: JSON, a line per record. raw: values that are text or bytes as they are, a line per record. auto: these as they are, other values as JSON. text: values as Java prints them. form: a web form of the value's fields. multipart: the same with bytes as files, such as images. influx: InfluxDB's line protocol."},
		{Name: "batch.size", Type: connector.IntKey, Default: 1, Check: connector.Between(1, 1_000_000), Importance: connector.High,
			Doc: "The most records of one request."},
		{Name: "batch.max.bytes", Type: connector.IntKey, Default: 1 << 20, Check: connector.AtLeast(1), Importance: connector.Low,
			Doc: "The most bytes of a request of several records; a larger record goes alone."},
		{Name: "batch.linger.ms", Type: connector.LongKey, Default: 10, Check: connector.Between(0, 3_600_000), Importance: connector.Low,
			Doc: "How long the first record of a request waits for others, until there are batch.size. 0: a request has at most what one poll of Kafka brings."},
		{Name: "batch.prefix", Type: connector.StringKey, Importance: connector.Low,
			Doc: "What stands before the records of a request, in place of the format's. Escape sequences such as \\n are understood, as in batch.separator and batch.suffix."},
		{Name: "batch.separator", Type: connector.StringKey, Importance: connector.Low, Doc: "What stands between two records of a request, in place of the format's."},
		{Name: "batch.suffix", Type: connector.StringKey, Importance: connector.Low, Doc: "What stands behind the records of a request, in place of the format's."},
		{Name: "batch.unique", Type: connector.StringKey, Check: connector.Optional(checkTemplate), Importance: connector.Low,
			Doc: "A template of which a request has each text once, such as ${key} or ${value.id}: a record with one that is there already begins the next request. For services that cannot change a row twice at once."},
		{Name: "multipart.filename", Type: connector.StringKey, Default: "${topic}-${partition}-${offset}", Check: checkTemplate, Importance: connector.Low,
			Doc: "The name of files in format=multipart."},
		{Name: "influx.measurement", Type: connector.StringKey, Default: "${topic}", Check: checkTemplate, Importance: connector.Low,
			Doc: "The measurement of format=influx."},
		{Name: "influx.tags", Type: connector.ListKey, Default: []string{}, Importance: connector.Low,
			Doc: "The fields of the value that are tags in format=influx; the others are fields."},
		{Name: "influx.timestamp", Type: connector.StringKey, Importance: connector.Low,
			Doc: "The field of a point's time: a timestamp, or a whole number in the unit that precision in url names (ns without it). Without this key it is the record's timestamp."},
		{Name: "behavior.on.null.values", Type: connector.StringKey, Default: nullSend, Check: connector.OneOf(nullSend, nullIgnore, nullDelete, nullBad),
			Doc: "What becomes of a record whose value is null. send: it is sent as null. ignore: it is counted and left out. delete: a DELETE goes to its url, which must hold its key. fail: it is a bad record."},
	}
}

func deliveryKeys() []connector.Key {
	return []connector.Key{
		{Name: "max.in.flight.requests", Type: connector.IntKey, Default: 1, Check: connector.Between(1, 256),
			Doc: "How many requests may be on their way at once. 1: records arrive in order. Above it those of one key do; records without key have no order."},
		{Name: "idempotency.header", Type: connector.StringKey, Check: connector.Optional(checkHeaderName),
			Doc: "The header, such as Idempotency-Key, that tells the service a request that comes again: a UUID of the connector and the records' places in Kafka. A batch keeps it until the task starts anew, a single record for ever."},
		{Name: "max.retries", Type: connector.IntKey, Check: connector.Optional(connector.AtLeast(0)),
			Doc: "How often to repeat a batch that the environment made fail, before the task fails. Without it a batch is repeated without end."},
		{Name: "retry.backoff.ms", Type: connector.LongKey, Default: 3000, Check: connector.AtLeast(0),
			Doc: "The least time before a batch is repeated; a Retry-After counts when it is longer."},
		{Name: "retry.on.status.codes", Type: connector.ListKey, Default: []string{}, Check: checkCodes, Importance: connector.Low,
			Doc: "Further answers to repeat a batch after, as 404, 409-412 or 400-. They count as the environment's, so give max.retries, too; 10 without it."},
		{Name: "behavior.on.error", Type: connector.StringKey, Default: errorFail, Check: connector.OneOf(errorFail, errorIgnore),
			Doc: "What becomes of a record that the service refuses where errors.tolerance has none tolerated. fail: the task fails. ignore: it is counted and left out."},
		{Name: "report.topic", Type: connector.StringKey, Default: "", Importance: connector.Low,
			Doc: "The topic that gets the service's answer for each record that it has taken, as JSON; ${connector} stands for the connector's name."},
		{Name: "report.errors.topic", Type: connector.StringKey, Default: "", Importance: connector.Low,
			Doc: "The topic that gets the service's answer, or the error, for each record that was refused; it may be the same."},
		{Name: "request.timeout.ms", Type: connector.LongKey, Default: 30_000, Check: connector.AtLeast(1),
			Doc: "How long a request may take, connecting and reading the answer included."},
		{Name: "trim.sensitive.log", Type: connector.BooleanKey, Default: true, Importance: connector.Low,
			Doc: "Leave values of records out of error messages, also where the service repeats them in its answer."},
	}
}

func loginKeys() []connector.Key {
	return []connector.Key{
		{Name: "auth.type", Type: connector.StringKey, Default: authNone, Check: connector.OneOf(authNone, authBasic, authBearer, authHeader, authOAuth2), Importance: connector.High,
			Doc: "basic: auth.user and auth.password. bearer: auth.token as bearer token. header: auth.token as the value of the header auth.header. oauth2: a token for client credentials, with oauth2.*. Client certificates are those of ssl.*."},
		{Name: "auth.user", Type: connector.StringKey, Doc: "The user of auth.type=basic."},
		{Name: "auth.password", Type: connector.PasswordKey, Doc: "The password of auth.type=basic."},
		{Name: "auth.token", Type: connector.PasswordKey, Doc: "The token of auth.type=bearer and header."},
		{Name: "auth.header", Type: connector.StringKey, Default: "X-Api-Key", Check: checkHeaderName, Importance: connector.Low,
			Doc: "The header of auth.type=header."},
		{Name: "oauth2.token.url", Type: connector.StringKey, Check: connector.Optional(checkTokenURL), Importance: connector.High,
			Doc: "The identity provider's address that gives tokens for client credentials (RFC 6749, 4.4)."},
		{Name: "oauth2.client.id", Type: connector.StringKey, Doc: "The client's name at the identity provider."},
		{Name: "oauth2.client.secret", Type: connector.PasswordKey, Doc: "The client's secret."},
		{Name: "oauth2.client.scope", Type: connector.StringKey, Doc: "The scopes to ask for, with spaces between."},
		{Name: "oauth2.client.auth.mode", Type: connector.StringKey, Default: modeHeader, Check: connector.OneOf(modeHeader, modeURL), Importance: connector.Low,
			Doc: "How client and secret are sent. header: as basic authentication. url: as parameters of the request's form."},
	}
}

func connectionKeys() []connector.Key {
	keys := []connector.Key{
		{Name: "redirects.follow", Type: connector.BooleanKey, Default: false, Importance: connector.Low,
			Doc: "Whether 307 and 308 are followed, which keep method and body. They may lead to url's own host, from http to https too, and to redirects.hosts."},
		{Name: "redirects.hosts", Type: connector.ListKey, Default: []string{}, Check: checkHosts, Importance: connector.Low,
			Doc: "Further hosts, as host or host:port, that redirects.follow may send records and credentials to."},
		{Name: "private.addresses", Type: connector.StringKey, Default: policyAllow, Check: connector.OneOf(policyAllow, policyRefuse), Importance: connector.Low,
			Doc: "refuse: no request goes to an address of this machine, a private network or a link, whatever names and redirects lead to it; proxies of the environment are not used then."},
		{Name: "proxy.url", Type: connector.PasswordKey, Check: checkProxy, Importance: connector.Low,
			Doc: "The proxy to connect through, http, https or socks5, with user and password if it wants them. Without it that of the environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY)."},
		{Name: "tls.ca.file", Type: connector.StringKey, Importance: connector.Low,
			Doc: "A PEM file of the certificates to trust, in place of the system's: short for ssl.truststore.location."},
	}
	for _, name := range ssl.ClientKeys() {
		k := connector.Key{Name: name, Type: connector.StringKey, Importance: connector.Low, Doc: "As Kafka's " + name + ", of connections to the service."}
		switch name {
		case "ssl.key.password", "ssl.keystore.password", "ssl.truststore.password", "ssl.keystore.key":
			k.Type = connector.PasswordKey
		case "ssl.keystore.location", "ssl.truststore.location":
			k.Path = true
		}
		keys = append(keys, k)
	}
	return keys
}
