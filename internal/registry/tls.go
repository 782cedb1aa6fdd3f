package registry

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// The keys of TLS, which are Kafka's with a prefix.
const (
	keyTrustStore = "schema.registry.ssl.truststore"
	keyKeyStore   = "schema.registry.ssl.keystore"
	keyTrusted    = keyTrustStore + ".certificates"
	keyChain      = keyKeyStore + ".certificate.chain"
	keyPrivate    = keyKeyStore + ".key"
	keyHostCheck  = "schema.registry.ssl.endpoint.identification.algorithm"

	location, storeType, storePassword = ".location", ".type", ".password"
)

// store reads a file of certificates, and of a key, in one format.
type store interface {
	// trusted gives the certificates that others may be signed by.
	trusted(data []byte, password connector.Password) (*x509.CertPool, error)
	// own gives a certificate with its key.
	own(data []byte, password connector.Password) (tls.Certificate, error)
}

// stores are the formats of files, by their names in Kafka.
var stores = map[string]store{"PEM": pemStore{}}

func tlsKeys() []connector.Key {
	key := func(name string, typ connector.KeyType, def any, doc string) connector.Key {
		return connector.Key{Name: name, Type: typ, Default: def, Importance: connector.Medium, Group: group, Width: "LONG", Doc: doc}
	}
	formats := connector.OneOf(slices.Sorted(maps.Keys(stores))...)
	var keys []connector.Key
	for _, of := range []struct{ name, holds string }{
		{keyTrustStore, "certificates that the registry's must be signed by; without it those of the system"},
		{keyKeyStore, "client's certificate and its key, where the registry asks for one"},
	} {
		format := key(of.name+storeType, connector.StringKey, "PEM", "Format of that file. (Java's own key stores are converted with keytool and openssl.)")
		format.Check = formats
		keys = append(keys, key(of.name+location, connector.StringKey, nil, "File of the "+of.holds+"."), format,
			key(of.name+storePassword, connector.PasswordKey, nil, "Password of that file, where its format has one."))
	}
	return append(keys,
		key(keyTrusted, connector.PasswordKey, nil, "The trusted certificates themselves, in PEM form, in place of a file."),
		key(keyChain, connector.PasswordKey, nil, "The client's certificate itself, in PEM form, in place of a file."),
		key(keyPrivate, connector.PasswordKey, nil, "The key of that certificate, in PEM form."),
		key(keyHostCheck, connector.StringKey, "https", "Empty: the registry's certificate may be for another host."))
}

// tlsConfig reads the keys; nil says nothing.
func tlsConfig(conf connector.Config) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	said := false
	if data, format, password, err := material(conf, keyTrustStore, keyTrusted); err != nil {
		return nil, err
	} else if data != nil {
		if c.RootCAs, err = format.trusted(data, password); err != nil {
			return nil, fmt.Errorf("%s: %w", keyTrustStore, err)
		}
		said = true
	}
	if data, format, password, err := material(conf, keyKeyStore, keyChain); err != nil {
		return nil, err
	} else if data != nil {
		if key := conf.Password(keyPrivate).Secret(); key != "" {
			data = append(append(data, '\n'), key...)
		}
		cert, err := format.own(data, password)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", keyKeyStore, err)
		}
		c.Certificates = []tls.Certificate{cert}
		said = true
	}
	if conf.Given(keyHostCheck) && strings.TrimSpace(conf.String(keyHostCheck)) == "" {
		anyHost(c)
		said = true
	}
	if !said {
		return nil, nil
	}
	return c, nil
}

// material gives what a store holds, from the key that holds it itself, which is
// PEM, or from its file; nil without either.
func material(conf connector.Config, name, inline string) ([]byte, store, connector.Password, error) {
	if text := conf.Password(inline).Secret(); text != "" {
		return []byte(text), pemStore{}, "", nil
	}
	file := conf.String(name + location)
	if file == "" {
		return nil, nil, "", nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, "", fmt.Errorf("%s: %w", name+location, err)
	}
	return data, stores[conf.String(name+storeType)], conf.Password(name + storePassword), nil
}

// anyHost checks the registry's certificate but not whose it is.
func anyHost(c *tls.Config) {
	c.InsecureSkipVerify = true
	c.VerifyConnection = func(s tls.ConnectionState) error {
		o := x509.VerifyOptions{Roots: c.RootCAs, Intermediates: x509.NewCertPool()}
		for _, between := range s.PeerCertificates[1:] {
			o.Intermediates.AddCert(between)
		}
		_, err := s.PeerCertificates[0].Verify(o)
		return err
	}
}

// pemStore is PEM, which has no password.
type pemStore struct{}

func (pemStore) trusted(data []byte, _ connector.Password) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, errors.New("there is no certificate in PEM form")
	}
	return pool, nil
}

func (pemStore) own(data []byte, _ connector.Password) (tls.Certificate, error) {
	return tls.X509KeyPair(data, data)
}
