package avro

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/registry"
)

// The configuration keys; but for subject they are Confluent's.
const (
	keyURL             = "schema.registry.url"
	keyAutoRegister    = "auto.register.schemas"
	keyUseLatest       = "use.latest.version"
	keyStrict          = "latest.compatibility.strict"
	keyLatestTTL       = "latest.cache.ttl.sec"
	keySubject         = "subject"
	keyKeyStrategy     = "key.subject.name.strategy"
	keyValueStrategy   = "value.subject.name.strategy"
	keyAuthSource      = "basic.auth.credentials.source"
	keyUserInfo        = "basic.auth.user.info"
	keyBearerSource    = "bearer.auth.credentials.source"
	keyBearerToken     = "bearer.auth.token"
	keyTrustStore      = "schema.registry.ssl.truststore.location"
	keyTrustStoreType  = "schema.registry.ssl.truststore.type"
	keyKeyStore        = "schema.registry.ssl.keystore.location"
	keyKeyStoreType    = "schema.registry.ssl.keystore.type"
	keyCacheSize       = "schemas.cache.size"
	keyConfluentCache  = "schemas.cache.config"
	keyEnhanced        = "enhanced.avro.schema.support"
	keyMetadata        = "connect.meta.data"
	keyRequestTimeout  = "schema.registry.request.timeout.ms"
	groupRegistry      = "Schema Registry"
	groupSchemas       = "Schemas"
	credentialsURL     = "URL"
	credentialsUser    = "USER_INFO"
	credentialsNone    = ""
	bearerStatic       = "STATIC_TOKEN"
	storePEM           = "PEM"
	strategyTopic      = "TopicNameStrategy"
	strategyRecord     = "RecordNameStrategy"
	strategyTopicRec   = "TopicRecordNameStrategy"
	strategyJavaPrefix = "io.confluent.kafka.serializers.subject."
)

var configDef = connector.NewConfigDef(
	connector.Key{Name: keyURL, Type: connector.ListKey, Required: true, Importance: connector.High, Group: groupRegistry, Width: "LONG", DisplayName: "Schema registry",
		Check: notEmptyList, Doc: "Addresses of one schema registry, tried in turn: http://host:port or https://host:port."},
	connector.Key{Name: keyAuthSource, Type: connector.StringKey, Default: credentialsURL, Importance: connector.Medium, Group: groupRegistry,
		Check: connector.OneOf(credentialsURL, credentialsUser, credentialsNone), Doc: "Where user and password come from: URL (http://user:password@host) or USER_INFO."},
	connector.Key{Name: keyUserInfo, Type: connector.PasswordKey, Importance: connector.Medium, Group: groupRegistry,
		Doc: "User and password as user:password, with basic.auth.credentials.source=USER_INFO."},
	connector.Key{Name: keyBearerSource, Type: connector.StringKey, Default: "", Importance: connector.Medium, Group: groupRegistry,
		Check: connector.OneOf("", bearerStatic), Doc: "STATIC_TOKEN sends bearer.auth.token with each request."},
	connector.Key{Name: keyBearerToken, Type: connector.PasswordKey, Importance: connector.Medium, Group: groupRegistry, Doc: "The token of STATIC_TOKEN."},
	connector.Key{Name: keyTrustStore, Type: connector.StringKey, Importance: connector.Medium, Group: groupRegistry, Width: "LONG",
		Doc: "PEM file of the certificates that the registry's must be signed by; without it those of the system."},
	connector.Key{Name: keyTrustStoreType, Type: connector.StringKey, Default: storePEM, Importance: connector.Low, Group: groupRegistry,
		Check: connector.OneOf(storePEM), Doc: "PEM. (Java's own key stores are converted with keytool and openssl.)"},
	connector.Key{Name: keyKeyStore, Type: connector.StringKey, Importance: connector.Medium, Group: groupRegistry, Width: "LONG",
		Doc: "PEM file with the client's certificate and its key, where the registry asks for one."},
	connector.Key{Name: keyKeyStoreType, Type: connector.StringKey, Default: storePEM, Importance: connector.Low, Group: groupRegistry,
		Check: connector.OneOf(storePEM), Doc: "PEM."},
	connector.Key{Name: keyRequestTimeout, Type: connector.IntKey, Default: 10000, Importance: connector.Low, Group: groupRegistry,
		Check: connector.Between(1, 600000), Doc: "How long one request to the registry may take, milliseconds."},
	connector.Key{Name: keyAutoRegister, Type: connector.BooleanKey, Default: true, Importance: connector.Medium, Group: groupSchemas,
		Doc: "Register the schema that a record maps to where it is new. If false the subject must have it."},
	connector.Key{Name: keyUseLatest, Type: connector.BooleanKey, Default: false, Importance: connector.Medium, Group: groupSchemas,
		Doc: "Write records field by field into the newest schema of their subject. Fields that it lacks are left out; fields that the record lacks take its defaults. Overrides auto.register.schemas."},
	connector.Key{Name: keyStrict, Type: connector.BooleanKey, Default: true, Importance: connector.Low, Group: groupSchemas,
		Doc: "With use.latest.version: compare the schemas before the first record is written, so that a field whose type can never fit is an error even where its values are null."},
	connector.Key{Name: keyLatestTTL, Type: connector.LongKey, Default: -1, Importance: connector.Low, Group: groupSchemas,
		Check: connector.AtLeast(-1), Doc: "With use.latest.version: how long the newest schema is taken for the newest, seconds; -1 is until the task ends."},
	connector.Key{Name: keySubject, Type: connector.StringKey, Importance: connector.Medium, Group: groupSchemas,
		Doc: "The subject of all records, in place of what the subject name strategy gives."},
	connector.Key{Name: keyKeyStrategy, Type: connector.StringKey, Default: strategyJavaPrefix + strategyTopic, Importance: connector.Medium, Group: groupSchemas,
		Check: isStrategy, Doc: "The subject of keys: TopicNameStrategy (<topic>-key), RecordNameStrategy (<record name>) or TopicRecordNameStrategy (<topic>-<record name>)."},
	connector.Key{Name: keyValueStrategy, Type: connector.StringKey, Default: strategyJavaPrefix + strategyTopic, Importance: connector.Medium, Group: groupSchemas,
		Check: isStrategy, Doc: "The subject of values: TopicNameStrategy (<topic>-value), RecordNameStrategy (<record name>) or TopicRecordNameStrategy (<topic>-<record name>)."},
	connector.Key{Name: keyCacheSize, Type: connector.IntKey, Default: 1000, Importance: connector.Low, Group: groupSchemas,
		Check: connector.AtLeast(1), Doc: "How many schemas are remembered in each direction."},
	connector.Key{Name: keyConfluentCache, Type: connector.IntKey, Importance: connector.Low, Group: groupSchemas,
		Doc: "Confluent's name of schemas.cache.size."},
	connector.Key{Name: keyEnhanced, Type: connector.BooleanKey, Default: false, Importance: connector.Medium, Group: groupSchemas,
		Doc: "Write strings that were read from an Avro enum, and bytes that were read from a fixed, as such again."},
	connector.Key{Name: keyMetadata, Type: connector.BooleanKey, Default: true, Importance: connector.Low, Group: groupSchemas,
		Doc: "Keep in the Avro schema, as properties connect.*, what only Kafka Connect's schema has: documentation, versions, parameters."},
)

func notEmptyList(_ string, value any) error {
	list, _ := value.([]string)
	for _, s := range list {
		if strings.TrimSpace(s) != "" {
			return nil
		}
	}
	return fmt.Errorf("it names no address")
}

// strategyOf gives a strategy's simple name, without Java's package.
func strategyOf(text string) string { return strings.TrimPrefix(text, strategyJavaPrefix) }

func isStrategy(_ string, value any) error {
	text, _ := value.(string)
	switch strategyOf(text) {
	case strategyTopic, strategyRecord, strategyTopicRec:
		return nil
	}
	return fmt.Errorf("it must be one of %s, %s, %s", strategyTopic, strategyRecord, strategyTopicRec)
}

// registryOptions gives what the registry's client needs.
func registryOptions(conf connector.Config) (registry.Options, error) {
	o := registry.Options{URLs: conf.List(keyURL), Timeout: time.Duration(conf.Int64(keyRequestTimeout)) * time.Millisecond}
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
