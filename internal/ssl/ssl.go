// Package ssl makes configurations of TLS connections from Kafka's ssl.* keys: key
// and trust stores in the forms PEM, PKCS12 and JKS, protocols and cipher suites.
package ssl

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// Settings are ssl.* keys, with their texts.
type Settings struct {
	Keys map[string]string
	// Prefix stands before ssl. in Keys, such as "listeners.https.".
	Prefix string
	// Log hears of stores that have changed and are not good any more, whose old
	// content goes on to serve; nil is nobody.
	Log *slog.Logger
}

// ClientKeys gives the keys, without prefix, that [Settings.Client] reads.
func ClientKeys() []string {
	return []string{"ssl.cipher.suites", "ssl.enabled.protocols", "ssl.endpoint.identification.algorithm", "ssl.engine.factory.class", "ssl.key.password",
		"ssl.keystore.certificate.chain", "ssl.keystore.key", "ssl.keystore.location", "ssl.keystore.password", "ssl.keystore.type",
		"ssl.protocol", "ssl.truststore.certificates", "ssl.truststore.location", "ssl.truststore.password", "ssl.truststore.type"}
}

// key gives the whole name of a key.
func (s Settings) key(name string) string { return s.Prefix + "ssl." + name }

// text gives what a key says, "" where it is not there.
func (s Settings) text(name string) string { return s.Keys[s.key(name)] }

// word gives what a key of one word says.
func (s Settings) word(name string) string { return strings.TrimSpace(s.text(name)) }

// wrong is an error about a key.
func (s Settings) wrong(name, format string, args ...any) error {
	return fmt.Errorf("%s: %w", s.key(name), fmt.Errorf(format, args...))
}

// Client gives the configuration of connections to a server. The certificates of
// the trust store are those of now; certificate and key of its own are read again
// when their files have changed.
func (s Settings) Client() (*tls.Config, error) {
	conf, err := s.base()
	if err != nil {
		return nil, err
	}
	stores, err := s.open()
	if err != nil {
		return nil, err
	}
	conf.RootCAs = stores.current().trusted
	if len(stores.current().own) > 0 {
		conf.GetClientCertificate = func(asked *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			for _, own := range stores.current().own {
				if asked.SupportsCertificate(&own) == nil {
					return &own, nil
				}
			}
			return new(tls.Certificate), nil // the server says whether it can do without
		}
	}
	const identification = "endpoint.identification.algorithm"
	text, given := s.Keys[s.key(identification)]
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "https":
	case "":
		if given {
			verifyChainOnly(conf)
		}
	default:
		return nil, s.wrong(identification, "%q is neither https nor empty, which leaves the server's name unchecked", text)
	}
	return conf, nil
}

// verifyChainOnly checks the server's certificate but not its host name.
func verifyChainOnly(conf *tls.Config) {
	conf.InsecureSkipVerify = true
	roots := conf.RootCAs
	conf.VerifyConnection = func(s tls.ConnectionState) error {
		o := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
		for _, c := range s.PeerCertificates[1:] {
			o.Intermediates.AddCert(c)
		}
		_, err := s.PeerCertificates[0].Verify(o)
		return err
	}
}

// Server gives the configuration of a listener. Its stores are read again when
// their files have changed.
func (s Settings) Server() (*tls.Config, error) {
	conf, err := s.base()
	if err != nil {
		return nil, err
	}
	const auth = "client.auth"
	switch strings.ToLower(s.word(auth)) {
	case "", "none":
	case "requested":
		conf.ClientAuth = tls.VerifyClientCertIfGiven
	case "required":
		conf.ClientAuth = tls.RequireAndVerifyClientCert
	default:
		return nil, s.wrong(auth, "%q is not none, requested or required", s.text(auth))
	}
	stores, err := s.open()
	if err != nil {
		return nil, err
	}
	if len(stores.current().own) == 0 {
		return nil, s.wrong("keystore.location", "it is missing: a listener with TLS needs a certificate and its key, in a key store or in %s and %s",
			s.key("keystore.certificate.chain"), s.key("keystore.key"))
	}
	conf.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		c, now := conf.Clone(), stores.current()
		c.GetConfigForClient, c.Certificates, c.ClientCAs = nil, now.own, now.trusted
		return c, nil
	}
	return conf, nil
}

// base gives what clients and servers have in common.
func (s Settings) base() (*tls.Config, error) {
	if s.word("engine.factory.class") != "" {
		return nil, s.wrong("engine.factory.class", "a class of Java's cannot be loaded here: leave it out and name key and trust store")
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS13}
	return conf, errors.Join(s.protocols(conf), s.suites(conf))
}
