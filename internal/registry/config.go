package registry

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// KeyURL is the configuration key of the registry's addresses.
const KeyURL = "schema.registry.url"

// The other keys; they are Confluent's.
const (
	keyAuthSource     = "basic.auth.credentials.source"
	keyUserInfo       = "basic.auth.user.info"
	keyBearerSource   = "bearer.auth.credentials.source"
	keyBearerToken    = "bearer.auth.token"
	keyTrustStore     = "schema.registry.ssl.truststore.location"
	keyTrustStoreType = "schema.registry.ssl.truststore.type"
	keyKeyStore       = "schema.registry.ssl.keystore.location"
	keyKeyStoreType   = "schema.registry.ssl.keystore.type"
	keyRequestTimeout = "schema.registry.request.timeout.ms"
	group             = "Schema Registry"
	credentialsURL    = "URL"
	credentialsUser   = "USER_INFO"
	credentialsNone   = ""
	bearerStatic      = "STATIC_TOKEN"
	storePEM          = "PEM"
)

// Keys are the configuration keys of what uses a registry.
func Keys() []connector.Key {
	return []connector.Key{
		{Name: KeyURL, Type: connector.ListKey, Required: true, Importance: connector.High, Group: group, Width: "LONG", DisplayName: "Schema registry",
			Check: notEmptyList, Doc: "Addresses of one schema registry, tried in turn: http://host:port or https://host:port."},
		{Name: keyAuthSource, Type: connector.StringKey, Default: credentialsURL, Importance: connector.Medium, Group: group,
			Check: connector.OneOf(credentialsURL, credentialsUser, credentialsNone), Doc: "Where user and password come from: URL (http://user:password@host) or USER_INFO."},
		{Name: keyUserInfo, Type: connector.PasswordKey, Importance: connector.Medium, Group: group,
			Doc: "User and password as user:password, with basic.auth.credentials.source=USER_INFO."},
		{Name: keyBearerSource, Type: connector.StringKey, Default: "", Importance: connector.Medium, Group: group,
			Check: connector.OneOf("", bearerStatic), Doc: "STATIC_TOKEN sends bearer.auth.token with each request."},
		{Name: keyBearerToken, Type: connector.PasswordKey, Importance: connector.Medium, Group: group, Doc: "The token of STATIC_TOKEN."},
		{Name: keyTrustStore, Type: connector.StringKey, Importance: connector.Medium, Group: group, Width: "LONG",
			Doc: "PEM file of the certificates that the registry's must be signed by; without it those of the system."},
		{Name: keyTrustStoreType, Type: connector.StringKey, Default: storePEM, Importance: connector.Low, Group: group,
			Check: connector.OneOf(storePEM), Doc: "PEM. (Java's own key stores are converted with keytool and openssl.)"},
		{Name: keyKeyStore, Type: connector.StringKey, Importance: connector.Medium, Group: group, Width: "LONG",
			Doc: "PEM file with the client's certificate and its key, where the registry asks for one."},
		{Name: keyKeyStoreType, Type: connector.StringKey, Default: storePEM, Importance: connector.Low, Group: group,
			Check: connector.OneOf(storePEM), Doc: "PEM."},
		{Name: keyRequestTimeout, Type: connector.IntKey, Default: 10000, Importance: connector.Low, Group: group,
			Check: connector.Between(1, 600000), Doc: "How long one request to the registry may take, milliseconds."},
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

// Validate finds what is wrong with keys that depend on each other.
func Validate(conf connector.Config, p *connector.Problems) {
	if len(conf.List(KeyURL)) == 0 {
		return // said already
	}
	options, err := OptionsOf(conf)
	if err == nil {
		_, err = New(options)
	}
	if err != nil {
		p.Add(KeyURL, "%v", err)
	}
}

// OptionsOf gives what a configuration says about the registry.
func OptionsOf(conf connector.Config) (Options, error) {
	o := Options{URLs: conf.List(KeyURL), Timeout: time.Duration(conf.Int64(keyRequestTimeout)) * time.Millisecond}
	if conf.String(keyAuthSource) == credentialsUser {
		user, password, ok := strings.Cut(conf.Password(keyUserInfo).Secret(), ":")
		if !ok {
			return o, fmt.Errorf("%s: it must be user:password", keyUserInfo)
		}
		o.User, o.Password = user, connector.Password(password)
	}
	if conf.String(keyBearerSource) == bearerStatic {
		if o.Token = conf.Password(keyBearerToken); o.Token == "" {
			return o, fmt.Errorf("%s: it must be set with %s=%s", keyBearerToken, keyBearerSource, bearerStatic)
		}
	}
	var err error
	o.TLS, err = tlsConfig(conf)
	return o, err
}

func tlsConfig(conf connector.Config) (*tls.Config, error) {
	trust, own := conf.String(keyTrustStore), conf.String(keyKeyStore)
	if trust == "" && own == "" {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if trust != "" {
		pem, err := os.ReadFile(trust)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", keyTrustStore, err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s: %s has no certificate in PEM form", keyTrustStore, trust)
		}
	}
	if own != "" {
		cert, err := tls.LoadX509KeyPair(own, own)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", keyKeyStore, own, err)
		}
		c.Certificates = []tls.Certificate{cert}
	}
	return c, nil
}
