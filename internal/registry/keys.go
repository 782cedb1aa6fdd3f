package registry

import (
	"fmt"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// KeyURL is the configuration key of the registry's addresses.
const KeyURL = "schema.registry.url"

// KeyJAAS is the configuration key of Kafka's login, which SASL_INHERIT takes.
const KeyJAAS = "sasl.jaas.config"

// The other keys; but for the first they are Confluent's.
const (
	keyRequestTimeout = "schema.registry.request.timeout.ms"
	keyReadTimeout    = "http.read.timeout.ms"
	keyConnectTimeout = "http.connect.timeout.ms"
	keyProxyHost      = "proxy.host"
	keyProxyPort      = "proxy.port"

	keyAuthSource  = "basic.auth.credentials.source"
	keyUserInfo    = "basic.auth.user.info"
	keyOldUserInfo = "schema.registry.basic.auth.user.info"

	keyBearerSource = "bearer.auth.credentials.source"
	keyBearerToken  = "bearer.auth.token"
	keyIssuer       = "bearer.auth.issuer.endpoint.url"
	keyClientID     = "bearer.auth.client.id"
	keyClientSecret = "bearer.auth.client.secret"
	keyScope        = "bearer.auth.scope"
	keyCluster      = "bearer.auth.logical.cluster"
	keyPool         = "bearer.auth.identity.pool.id"
	keyBuffer       = "bearer.auth.cache.expiry.buffer.seconds"

	headerPrefix = "request.header."
	group        = "Schema Registry"
)

// Where user, password and token come from.
const (
	sourceNone        = ""
	sourceURL         = "URL"
	sourceUserInfo    = "USER_INFO"
	sourceInherit     = "SASL_INHERIT"
	sourceStaticToken = "STATIC_TOKEN"
	sourceOAuth       = "OAUTHBEARER"
)

// Keys are the configuration keys of what uses a registry.
func Keys() []connector.Key {
	text := func(name string, def any, doc string) connector.Key {
		return connector.Key{Name: name, Type: connector.StringKey, Default: def, Importance: connector.Medium, Group: group, Doc: doc}
	}
	secret := func(name, doc string) connector.Key {
		return connector.Key{Name: name, Type: connector.PasswordKey, Importance: connector.Medium, Group: group, Doc: doc}
	}
	number := func(name string, def int, check connector.Check, doc string) connector.Key {
		return connector.Key{Name: name, Type: connector.IntKey, Default: def, Importance: connector.Low, Group: group, Check: check, Doc: doc}
	}
	checked := func(k connector.Key, check connector.Check) connector.Key { k.Check = check; return k }
	keys := []connector.Key{
		{Name: KeyURL, Type: connector.ListKey, Required: true, Importance: connector.High, Group: group, Width: "LONG", DisplayName: "Schema registry",
			Check: notEmptyList, Doc: "Addresses of one schema registry, tried in turn: http://host:port or https://host:port."},
		checked(text(keyAuthSource, sourceURL, "Where user and password come from: URL (http://user:password@host), USER_INFO, or SASL_INHERIT (Kafka's: sasl.jaas.config)."),
			connector.OneOf(sourceURL, sourceUserInfo, sourceInherit, sourceNone)),
		secret(keyUserInfo, "User and password as user:password, with basic.auth.credentials.source=USER_INFO."),
		secret(keyOldUserInfo, "Older name of basic.auth.user.info."),
		secret(KeyJAAS, `Kafka's login, of which SASL_INHERIT takes username="..." and password="..."; without it the worker's.`),
		checked(text(keyBearerSource, sourceStaticToken, "Where it is set: STATIC_TOKEN sends bearer.auth.token with each request, OAUTHBEARER gets tokens from bearer.auth.issuer.endpoint.url."),
			connector.OneOf(sourceStaticToken, sourceOAuth, sourceNone)),
		secret(keyBearerToken, "The token of STATIC_TOKEN."),
		text(keyIssuer, nil, "Address of the identity provider that gives tokens for client credentials (RFC 6749, 4.4), with OAUTHBEARER."),
		text(keyClientID, nil, "Client id for the identity provider."),
		secret(keyClientSecret, "Client secret for the identity provider."),
		text(keyScope, nil, "Scopes to ask the identity provider for, with spaces between them."),
		text(keyCluster, nil, "Name of the registry's cluster, sent as the header target-sr-cluster."),
		text(keyPool, nil, "Identity pool, sent as the header Confluent-Identity-Pool-Id."),
		number(keyBuffer, 300, connector.Between(0, 3600), "How long before its end a token is replaced, seconds; without effect on one that lives no longer than that."),
		number(keyRequestTimeout, 10000, connector.Between(1, 600000), "How long one request to the registry may take, milliseconds."),
		number(keyReadTimeout, 60000, connector.AtLeast(0), "Where it is set and schema.registry.request.timeout.ms is not: the same as that."),
		number(keyConnectTimeout, 60000, connector.AtLeast(0), "How long it may take to connect, milliseconds; 0 is no limit but that of the request."),
		text(keyProxyHost, "", "Host of an HTTP proxy on the way to the registry; without it the environment's (HTTPS_PROXY, NO_PROXY)."),
		number(keyProxyPort, -1, connector.AtLeast(-1), "Port of the proxy."),
	}
	const claims = "Without effect: the claims of a token are the registry's to read."
	const again = "Without effect: a request that may succeed later is tried again by errors.retry.timeout."
	keys = append(keys, text("bearer.auth.scope.claim.name", "scope", claims), text("bearer.auth.sub.claim.name", "sub", claims),
		number("max.retries", 3, connector.AtLeast(0), again), number("retries.wait.ms", 1000, connector.AtLeast(0), again),
		number("retries.max.wait.ms", 20000, connector.AtLeast(0), again))
	keys = append(keys, checked(text("bearer.auth.custom.provider.class", nil, "Not supported: a Java class."), refused("it is a Java class; use STATIC_TOKEN or OAUTHBEARER")))
	return append(keys, tlsKeys()...)
}

// refused checks that a key is not set.
func refused(why string) connector.Check {
	return func(_ string, v any) error {
		if v != nil && v != "" {
			return fmt.Errorf("%s", why)
		}
		return nil
	}
}

func notEmptyList(_ string, value any) error {
	list, _ := value.([]string)
	for _, s := range list {
		if strings.TrimSpace(s) != "" {
			return nil
		}
	}
	return fmt.Errorf("it names no address")
}
