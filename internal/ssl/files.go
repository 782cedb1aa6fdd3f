package ssl

import (
	"bytes"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"software.sslmate.com/src/go-pkcs12"
)

// file is a store's file.
type file struct {
	Settings
	store string // keyStore or trustStore
	data  []byte
	pem   bool
}

// file reads the file of a store, nil without one. Where its type is not said its
// content tells it.
func (s Settings) file(store string) (*file, error) {
	location, typ := store+".location", store+".type"
	if s.text(location) == "" {
		return nil, nil
	}
	form := strings.ToUpper(s.word(typ))
	if !slices.Contains([]string{"", "PEM", "PKCS12", "JKS"}, form) {
		return nil, s.wrong(typ, "%q is not PEM, PKCS12 or JKS: convert the store with keytool -importkeystore -deststoretype PKCS12", s.text(typ))
	}
	data, err := os.ReadFile(s.text(location))
	if err != nil {
		return nil, s.wrong(location, "%w", err)
	}
	if isPEM(data) && form != "" && form != "PEM" {
		return nil, s.wrong(typ, "%s is in PEM form: set it to PEM", s.text(location))
	}
	return &file{Settings: s, store: store, data: data, pem: form == "PEM" || form == "" && isPEM(data)}, nil
}

// The password that opens the store, and its key.
func (f *file) password() (key, text string) {
	return f.store + ".password", f.text(f.store + ".password")
}

// unreadable explains an error of reading the store.
func (f *file) unreadable(err error) error {
	return f.wrong(f.store+".location", "%s: %w", f.text(f.store+".location"), err)
}

// unopened says that the store's password is wrong or missing.
func (f *file) unopened() error {
	key, text := f.password()
	if text == "" {
		return f.wrong(key, "it is missing: %s needs one", f.text(f.store+".location"))
	}
	return f.wrong(key, "it does not open %s: check it", f.text(f.store+".location"))
}

// certificates gives those that a trust store holds. As in Java the certificate
// of a private key is trusted, too.
func (f *file) certificates() (list []*x509.Certificate, err error) {
	switch {
	case f.pem:
		list, err = pemCertificates(string(f.data))
		if err != nil {
			return nil, f.unreadable(err)
		}
		return list, nil
	case isJKS(f.data):
		list, err = f.jksCertificates()
	default:
		list, err = f.pkcs12Certificates()
	}
	if err == nil && len(list) == 0 {
		err = f.unreadable(errors.New("no certificate in it"))
	}
	return list, err
}

// pairs gives the certificates of a key store that have a private key.
func (f *file) pairs() ([]tls.Certificate, error) {
	switch {
	case f.pem:
		const name = keyStore + ".location"
		own, err := f.pemPair(name, name, string(f.data), "")
		return []tls.Certificate{own}, err
	case isJKS(f.data):
		return f.jksPairs()
	}
	return f.pkcs12Pairs()
}

func (f *file) pkcs12Certificates() ([]*x509.Certificate, error) {
	_, password := f.password()
	list, err := pkcs12.DecodeTrustStore(f.data, password)
	if err == nil {
		return list, nil
	}
	if isWrongPassword(err) {
		return nil, f.unopened()
	}
	// A store with a private key has a layout of its own.
	if _, own, _, keyErr := pkcs12.DecodeChain(f.data, password); keyErr == nil {
		return []*x509.Certificate{own}, nil
	}
	return nil, f.unreadable(fmt.Errorf("%w: make it with keytool -importcert, which marks certificates as trusted, or set %s to PEM", err, f.key(f.store+".type")))
}

func (f *file) pkcs12Pairs() ([]tls.Certificate, error) {
	_, password := f.password()
	private, first, rest, err := pkcs12.DecodeChain(f.data, password)
	if isWrongPassword(err) {
		return nil, f.unopened()
	}
	if err != nil {
		return nil, f.unreadable(err)
	}
	own, err := pair(private, append([]*x509.Certificate{first}, rest...))
	if err != nil {
		return nil, f.unreadable(err)
	}
	return []tls.Certificate{own}, nil
}

func isWrongPassword(err error) bool {
	return errors.Is(err, pkcs12.ErrIncorrectPassword) || errors.Is(err, pkcs12.ErrDecryption)
}

// jksMagic begins a file in Java's own form. Java takes either form, whatever the
// type says, and so does this package.
var jksMagic = []byte{0xfe, 0xed, 0xfe, 0xed}

func isJKS(data []byte) bool { return bytes.HasPrefix(data, jksMagic) }

// jks reads Java's own form.
func (f *file) jks() (keystore.KeyStore, error) {
	ks := keystore.New(keystore.WithCaseExactAliases(), keystore.WithOrderedAliases())
	_, password := f.password()
	data := f.data
	if password == "" {
		data = unsealed(data)
	}
	if err := ks.Load(bytes.NewReader(data), []byte(password)); err != nil {
		if strings.Contains(err.Error(), "invalid digest") { // the library has no value for it
			return ks, f.unopened()
		}
		return ks, f.unreadable(err)
	}
	return ks, nil
}

// unsealed gives a store in Java's own form a seal that no password belongs to:
// without one Java reads its certificates unchecked.
func unsealed(data []byte) []byte {
	if len(data) < sha1.Size {
		return data
	}
	body := data[:len(data)-sha1.Size]
	seal := sha1.Sum(append([]byte("Mighty Aphrodite"), body...))
	return append(bytes.Clone(body), seal[:]...)
}

func (f *file) jksCertificates() ([]*x509.Certificate, error) {
	ks, err := f.jks()
	if err != nil {
		return nil, err
	}
	var list []*x509.Certificate
	for _, alias := range ks.Aliases() {
		var der []byte
		if entry, err := ks.GetTrustedCertificateEntry(alias); err == nil {
			der = entry.Certificate.Content
		} else if chain, err := ks.GetPrivateKeyEntryCertificateChain(alias); err == nil && len(chain) > 0 {
			der = chain[0].Content
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, f.unreadable(fmt.Errorf("%s: %w", alias, err))
		}
		list = append(list, c)
	}
	return list, nil
}

func (f *file) jksPairs() ([]tls.Certificate, error) {
	ks, err := f.jks()
	if err != nil {
		return nil, err
	}
	key, password := f.password()
	if own := f.text("key.password"); own != "" {
		key, password = "key.password", own
	}
	var list []tls.Certificate
	for _, alias := range ks.Aliases() {
		if !ks.IsPrivateKeyEntry(alias) {
			continue
		}
		entry, err := ks.GetPrivateKeyEntry(alias, []byte(password))
		if err != nil {
			return nil, f.wrong(key, "it does not open the key %s of %s: check %s", alias, f.text(f.store+".location"), f.key("key.password"))
		}
		private, err := x509.ParsePKCS8PrivateKey(entry.PrivateKey)
		if err != nil {
			return nil, f.unreadable(fmt.Errorf("%s: %w", alias, err))
		}
		var chain []*x509.Certificate
		for _, c := range entry.CertificateChain {
			cert, err := x509.ParseCertificate(c.Content)
			if err != nil {
				return nil, f.unreadable(fmt.Errorf("%s: %w", alias, err))
			}
			chain = append(chain, cert)
		}
		own, err := pair(private, chain)
		if err != nil {
			return nil, f.unreadable(fmt.Errorf("%s: %w", alias, err))
		}
		list = append(list, own)
	}
	if len(list) == 0 {
		return nil, f.unreadable(errors.New("no private key in it"))
	}
	return list, nil
}
