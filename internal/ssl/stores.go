package ssl

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"sync"

	"github.com/axiom-data-science/hydraulics/internal/files"
)

// content is what the two stores hold.
type content struct {
	trusted *x509.CertPool    // nil is what the system trusts
	own     []tls.Certificate // with their keys
}

// stores are a key store and a trust store whose files may change. They are safe
// for concurrent use.
type stores struct {
	of Settings

	mu   sync.Mutex
	seen string // what the files looked like when they were read last
	content
}

// open reads both stores.
func (s Settings) open() (*stores, error) {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	seen := s.look()
	c, err := s.read()
	if err != nil {
		return nil, err
	}
	return &stores{of: s, seen: seen, content: c}, nil
}

// current gives what the stores hold. Files that have changed are read again; if
// they are not good, which may be so while they are being replaced, what they held
// before goes on to serve.
func (s *stores) current() content {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.of.look()
	if seen == s.seen {
		return s.content
	}
	s.seen = seen
	c, err := s.of.read()
	if err != nil {
		s.of.Log.Warn("certificates: the files have changed and cannot be read, the old ones go on to serve: " + err.Error())
		return s.content
	}
	s.content = c
	s.of.Log.Info("certificates: read again, their files have changed", "prefix", s.of.Prefix+"ssl.")
	return c
}

// look tells what the files look like, as a text to compare.
func (s Settings) look() string {
	return files.Look(s.text(keyStore+".location"), s.text(trustStore+".location"))
}

func (s Settings) read() (c content, err error) {
	if c.trusted, err = s.trust(); err == nil {
		c.own, err = s.own()
	}
	return c, err
}

// The two stores, in the names of keys.
const (
	keyStore   = "keystore"
	trustStore = "truststore"
)

// trust reads the trust store, nil without one.
func (s Settings) trust() (*x509.CertPool, error) {
	const inline = trustStore + ".certificates"
	var found []*x509.Certificate
	var err error
	switch text := s.text(inline); {
	case text != "" && s.text(trustStore+".location") != "":
		return nil, s.wrong(inline, "%s is there too: leave one of them out", s.key(trustStore+".location"))
	case text != "":
		if found, err = pemCertificates(text); err != nil {
			return nil, s.wrong(inline, "%w", err)
		}
	default:
		f, err := s.file(trustStore)
		if f == nil || err != nil {
			return nil, err
		}
		if found, err = f.certificates(); err != nil {
			return nil, err
		}
	}
	pool := x509.NewCertPool()
	for _, c := range found {
		pool.AddCert(c)
	}
	return pool, nil
}

// own reads the key store, nil without one.
func (s Settings) own() ([]tls.Certificate, error) {
	const chainKey, keyKey = keyStore + ".certificate.chain", keyStore + ".key"
	chain, key := s.text(chainKey), s.text(keyKey)
	switch {
	case chain == "" && key != "":
		return nil, s.wrong(chainKey, "it is missing, and %s is there", s.key(keyKey))
	case chain != "" && s.text(keyStore+".location") != "":
		return nil, s.wrong(chainKey, "%s is there too: leave one of them out", s.key(keyStore+".location"))
	case chain != "":
		own, err := s.pemPair(chainKey, keyKey, chain, key)
		if err != nil {
			return nil, err
		}
		return []tls.Certificate{own}, nil
	}
	f, err := s.file(keyStore)
	if f == nil || err != nil {
		return nil, err
	}
	return f.pairs()
}
