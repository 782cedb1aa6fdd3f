package ssl

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/youmark/pkcs8"
)

// pemBlock finds a block, also in a text whose lines were joined by spaces, as
// YAML and properties files do.
var pemBlock = regexp.MustCompile(`-+(BEGIN [A-Z0-9 ]+?)-+\s+([A-Za-z0-9+/=\s]+?)\s*-+(END [A-Z0-9 ]+?)-+`)

// blocks gives the blocks of a PEM text.
func blocks(text string) []*pem.Block {
	text = pemBlock.ReplaceAllStringFunc(text, func(found string) string {
		m := pemBlock.FindStringSubmatch(found)
		return "\n-----" + m[1] + "-----\n" + strings.Join(strings.Fields(m[2]), "\n") + "\n-----" + m[3] + "-----\n"
	})
	var list []*pem.Block
	for rest := []byte(text); ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			return list
		}
		list = append(list, b)
	}
}

// isPEM tells whether data are a PEM text.
func isPEM(data []byte) bool { return strings.Contains(string(data), "-----BEGIN ") }

// pemCertificates gives the certificates of a PEM text.
func pemCertificates(text string) ([]*x509.Certificate, error) {
	var list []*x509.Certificate
	for _, b := range blocks(text) {
		if b.Type != "CERTIFICATE" && b.Type != "TRUSTED CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	if len(list) == 0 {
		return nil, errors.New("no certificate in PEM form in it")
	}
	return list, nil
}

// pemPair gives a certificate chain with its key. A text without a key of its own
// has it beside the certificates.
func (s Settings) pemPair(chainKey, keyKey, chain, key string) (tls.Certificate, error) {
	certs, err := pemCertificates(chain)
	if err != nil {
		return tls.Certificate{}, s.wrong(chainKey, "%w", err)
	}
	if key == "" {
		keyKey, key = chainKey, chain
	}
	private, err := s.pemKey(keyKey, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	own, err := pair(private, certs)
	if err != nil {
		return own, s.wrong(chainKey, "%w", err)
	}
	return own, nil
}

// pemKey gives the private key of a PEM text.
func (s Settings) pemKey(name, text string) (crypto.PrivateKey, error) {
	for _, b := range blocks(text) {
		var key any
		var err error
		switch {
		case b.Headers["DEK-Info"] != "":
			return nil, s.wrong(name, "its private key is encrypted in OpenSSL's old way: convert it with openssl pkcs8 -topk8")
		case b.Type == "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(b.Bytes)
		case b.Type == "RSA PRIVATE KEY":
			key, err = x509.ParsePKCS1PrivateKey(b.Bytes)
		case b.Type == "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(b.Bytes)
		case b.Type == "ENCRYPTED PRIVATE KEY":
			return s.encryptedKey(name, b.Bytes)
		default:
			continue
		}
		if err != nil {
			return nil, s.wrong(name, "its private key: %w", err)
		}
		return key, nil
	}
	return nil, s.wrong(name, "no private key in PEM form in it")
}

// encryptedKey gives a key that ssl.key.password opens.
func (s Settings) encryptedKey(name string, der []byte) (crypto.PrivateKey, error) {
	const password = "key.password"
	if s.text(password) == "" {
		return nil, s.wrong(password, "it is missing: the private key in %s is encrypted", s.key(name))
	}
	key, err := pkcs8.ParsePKCS8PrivateKey(der, []byte(s.text(password)))
	if err != nil {
		return nil, s.wrong(password, "it does not open the private key in %s: %w", s.key(name), err)
	}
	return key, nil
}

// pair puts a key and the chain of its certificate together, which may be among
// others and in any order.
func pair(private crypto.PrivateKey, certs []*x509.Certificate) (tls.Certificate, error) {
	signer, ok := private.(crypto.Signer)
	if !ok {
		return tls.Certificate{}, fmt.Errorf("a private key of type %T cannot sign", private)
	}
	public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok {
		return tls.Certificate{}, fmt.Errorf("a public key of type %T cannot be compared", signer.Public())
	}
	own := tls.Certificate{PrivateKey: private}
	for _, c := range certs {
		if public.Equal(c.PublicKey) {
			own.Leaf = c
			break
		}
	}
	if own.Leaf == nil {
		return own, errors.New("no certificate in it belongs to the private key")
	}
	for last := own.Leaf; last != nil; {
		own.Certificate = append(own.Certificate, last.Raw)
		last = issuer(last, certs)
	}
	return own, nil
}

// issuer gives the certificate among some that signed one, nil for the last of a
// chain. A root is left to those who trust it.
func issuer(of *x509.Certificate, among []*x509.Certificate) *x509.Certificate {
	for _, c := range among {
		if !c.Equal(of) && string(c.RawSubject) == string(of.RawIssuer) && string(c.RawSubject) != string(c.RawIssuer) && of.CheckSignatureFrom(c) == nil {
			return c
		}
	}
	return nil
}
