package registry

import (
	"crypto/tls"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/ssl"
)

// The keys of TLS, which are Kafka's with a prefix.
const (
	tlsPrefix     = "schema.registry."
	keyTrustStore = tlsPrefix + "ssl.truststore"
	keyKeyStore   = tlsPrefix + "ssl.keystore"
	keyTrusted    = keyTrustStore + ".certificates"
	keyChain      = keyKeyStore + ".certificate.chain"
	keyPrivate    = keyKeyStore + ".key"
	keyPassword   = tlsPrefix + "ssl.key.password"
	keyHostCheck  = tlsPrefix + "ssl.endpoint.identification.algorithm"

	location, storeType, storePassword = ".location", ".type", ".password"
)

func tlsKeys() []connector.Key {
	key := func(name string, typ connector.KeyType, def any, doc string) connector.Key {
		return connector.Key{Name: name, Type: typ, Default: def, Importance: connector.Medium, Group: group, Width: "LONG", Doc: doc}
	}
	var keys []connector.Key
	for _, of := range []struct{ name, holds string }{
		{keyTrustStore, "certificates that the registry's must be signed by; without it those of the system"},
		{keyKeyStore, "client's certificate and its key, where the registry asks for one"},
	} {
		format := key(of.name+storeType, connector.StringKey, nil, "Format of that file: PEM, PKCS12 or JKS. Without it the file's content tells.")
		format.Check = connector.Optional(connector.OneOf("PEM", "PKCS12", "JKS"))
		keys = append(keys, key(of.name+location, connector.StringKey, nil, "File of the "+of.holds+"."), format,
			key(of.name+storePassword, connector.PasswordKey, nil, "Password of that file, where its format has one."))
	}
	return append(keys,
		key(keyTrusted, connector.PasswordKey, nil, "The trusted certificates themselves, in PEM form, in place of a file."),
		key(keyChain, connector.PasswordKey, nil, "The client's certificate itself, in PEM form, in place of a file."),
		key(keyPrivate, connector.PasswordKey, nil, "The key of that certificate, in PEM form."),
		key(keyPassword, connector.PasswordKey, nil, "Password of that key, or of the one in the file, where it has one of its own."),
		key(keyHostCheck, connector.StringKey, "https", "Empty: the registry's certificate may be for another host."))
}

// tlsConfig reads the keys; nil says nothing.
func tlsConfig(conf connector.Config) (*tls.Config, error) {
	const prefix = tlsPrefix + "ssl."
	keys := map[string]string{}
	for name := range conf.Props().WithPrefix(prefix) {
		if text, ok := conf.Props().Text(prefix + name); ok {
			keys[prefix+name] = text
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	return ssl.Settings{Keys: keys, Prefix: tlsPrefix}.Client()
}
