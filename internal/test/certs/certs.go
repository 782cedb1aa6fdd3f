// Package certs makes certificates for tests, and stores of them in each form.
package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"software.sslmate.com/src/go-pkcs12"
)

// Pair is a certificate with its key, and the one that signed it.
type Pair struct {
	Cert   *x509.Certificate
	Key    *ecdsa.PrivateKey
	issuer *x509.Certificate
}

// Authority makes a certificate that signs others.
func Authority(t testing.TB) Pair {
	t.Helper()
	return sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign}, nil)
}

// Issue makes a certificate for a server or client. Hosts are names and addresses.
func (p Pair) Issue(t testing.TB, name string, hosts ...string) Pair {
	t.Helper()
	template := &x509.Certificate{Subject: pkix.Name{CommonName: name},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	return sign(t, template, &p)
}

func sign(t testing.TB, template *x509.Certificate, by *Pair) Pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if by == nil {
		by = &Pair{Cert: template, Key: key}
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62)); err != nil {
		t.Fatal(err)
	}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, by.Cert, &key.PublicKey, by.Key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return Pair{Cert: cert, Key: key, issuer: by.Cert}
}

// PEM gives the certificate as a text.
func (p Pair) PEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Cert.Raw}))
}

// KeyPEM gives the key as a text.
func (p Pair) KeyPEM(t testing.TB) string {
	t.Helper()
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: p.keyDER(t)}))
}

func (p Pair) keyDER(t testing.TB) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(p.Key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// TLS gives the pair as Go's servers and clients take it.
func (p Pair) TLS() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{p.Cert.Raw}, PrivateKey: p.Key, Leaf: p.Cert}
}

// Pool trusts the certificate, and what it has signed.
func (p Pair) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(p.Cert)
	return pool
}

// KeyStore gives a store with the pair: in the form PEM, which has no password,
// PKCS12 or JKS.
func (p Pair) KeyStore(t testing.TB, form, password string) []byte {
	t.Helper()
	switch form {
	case "PEM":
		return []byte(p.KeyPEM(t) + p.PEM())
	case "PKCS12":
		data, err := pkcs12.Modern.Encode(p.Key, p.Cert, []*x509.Certificate{p.issuer}, password)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	return jks(t, password, func(ks keystore.KeyStore) error {
		return ks.SetPrivateKeyEntry("own", keystore.PrivateKeyEntry{CreationTime: time.Now(), PrivateKey: p.keyDER(t),
			CertificateChain: []keystore.Certificate{{Type: "X509", Content: p.Cert.Raw}, {Type: "X509", Content: p.issuer.Raw}}}, []byte(password))
	})
}

// TrustStore gives a store that trusts the certificate, in one of the same forms.
func (p Pair) TrustStore(t testing.TB, form, password string) []byte {
	t.Helper()
	switch form {
	case "PEM":
		return []byte(p.PEM())
	case "PKCS12":
		data, err := pkcs12.Modern.EncodeTrustStore([]*x509.Certificate{p.Cert}, password)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	return jks(t, password, func(ks keystore.KeyStore) error {
		return ks.SetTrustedCertificateEntry("authority", keystore.TrustedCertificateEntry{CreationTime: time.Now(),
			Certificate: keystore.Certificate{Type: "X509", Content: p.Cert.Raw}})
	})
}

func jks(t testing.TB, password string, fill func(keystore.KeyStore) error) []byte {
	t.Helper()
	ks := keystore.New()
	if err := fill(ks); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := ks.Store(&b, []byte(password)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// File writes a file into a folder of the test's and gives its name.
func File(t testing.TB, name string, data []byte) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
