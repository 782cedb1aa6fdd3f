package ssl

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/test/certs"
)

// meet lets a client and a server shake hands over a socket, the client asking for
// a host, and exchange a byte; it gives what each of them says of the other.
func meet(t *testing.T, server, client *tls.Config, host string) (seen tls.ConnectionState, err error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	type result struct {
		state tls.ConnectionState
		err   error
	}
	served := make(chan result, 1)
	go func() { // ends with the connection
		c, err := tls.NewListener(l, server).Accept()
		if err != nil {
			served <- result{err: err}
			return
		}
		conn := c.(*tls.Conn)
		_, err = conn.Write([]byte{1}) // after the handshake, with TLS 1.3 after the client's certificate
		served <- result{conn.ConnectionState(), errors.Join(err, conn.Close())}
	}()
	client = client.Clone()
	client.ServerName = host
	conn, dialErr := tls.Dial("tcp", l.Addr().String(), client)
	if dialErr == nil {
		_, dialErr = io.ReadFull(conn, make([]byte, 1))
		_ = conn.Close()
	}
	r := <-served
	return r.state, errors.Join(dialErr, r.err)
}

// written gives the settings of stores that are written to files.
func written(t *testing.T, form string, own, trusted []byte) map[string]string {
	t.Helper()
	keys := map[string]string{}
	for store, data := range map[string][]byte{"keystore": own, "truststore": trusted} {
		if data == nil {
			continue
		}
		keys["ssl."+store+".type"] = form
		keys["ssl."+store+".location"] = certs.File(t, store, data)
		if form != "PEM" {
			keys["ssl."+store+".password"] = "opensesame"
		}
	}
	return keys
}

func TestStoresOfEachForm(t *testing.T) {
	authority := certs.Authority(t)
	server, client := authority.Issue(t, "server", "127.0.0.1"), authority.Issue(t, "client")
	for _, form := range []string{"PEM", "PKCS12", "JKS"} {
		t.Run(form, func(t *testing.T) {
			trust := authority.TrustStore(t, form, "opensesame")
			at := written(t, form, server.KeyStore(t, form, "opensesame"), trust)
			at["ssl.client.auth"] = "required"
			s, err := Settings{Keys: at}.Server()
			if err != nil {
				t.Fatal(err)
			}
			c, err := Settings{Keys: written(t, form, client.KeyStore(t, form, "opensesame"), trust)}.Client()
			if err != nil {
				t.Fatal(err)
			}
			seen, err := meet(t, s, c, "127.0.0.1")
			if err != nil || len(seen.PeerCertificates) == 0 || !seen.PeerCertificates[0].Equal(client.Cert) {
				t.Errorf("%v, %d certificates", err, len(seen.PeerCertificates))
			}
			stranger, err := Settings{Keys: written(t, form, nil, trust)}.Client()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := meet(t, s, stranger, "127.0.0.1"); err == nil || !strings.Contains(err.Error(), "certificate") {
				t.Errorf("without a certificate: %v", err)
			}
			if _, err := meet(t, s, c, "elsewhere.example"); err == nil || !strings.Contains(err.Error(), "elsewhere.example") {
				t.Errorf("another name: %v", err)
			}
		})
	}
}

// testdata/make.sh made these stores with Java's keytool and with openssl.
func TestStoresMadeElsewhere(t *testing.T) {
	in := func(name string) string { return filepath.Join("testdata", name) }
	for name, c := range map[string]struct{ own, trusted map[string]string }{
		"PKCS12": {map[string]string{"ssl.keystore.location": in("key.p12"), "ssl.keystore.password": "opensesame", "ssl.keystore.type": "PKCS12"},
			map[string]string{"ssl.truststore.location": in("trust.p12"), "ssl.truststore.password": "opensesame", "ssl.truststore.type": "pkcs12"}},
		"JKS": {map[string]string{"ssl.keystore.location": in("key.jks"), "ssl.keystore.password": "opensesame"},
			map[string]string{"ssl.truststore.location": in("trust.jks"), "ssl.truststore.password": "opensesame", "ssl.truststore.type": "JKS"}},
		"JKS called PKCS12, and unchecked": {map[string]string{"ssl.keystore.location": in("key.jks"), "ssl.keystore.password": "opensesame", "ssl.keystore.type": "PKCS12"},
			map[string]string{"ssl.truststore.location": in("trust.jks")}},
		"PKCS12 called JKS, an openssl PEM": {map[string]string{"ssl.keystore.location": in("key.p12"), "ssl.keystore.password": "opensesame", "ssl.keystore.type": "JKS"},
			map[string]string{"ssl.truststore.location": in("trust.pem")}},
		"an encrypted PEM, a PKCS12 with a key": {map[string]string{"ssl.keystore.location": in("encrypted.pem"), "ssl.key.password": "opensesame", "ssl.keystore.type": "PEM"},
			map[string]string{"ssl.truststore.location": in("key.p12"), "ssl.truststore.password": "opensesame"}},
		"a JKS with a key": {map[string]string{"ssl.keystore.location": in("key.jks"), "ssl.keystore.password": "opensesame"},
			map[string]string{"ssl.truststore.location": in("key.jks"), "ssl.truststore.password": "opensesame"}},
		"two passwords": {map[string]string{"ssl.keystore.location": in("twopasswords.jks"), "ssl.keystore.password": "opensesame", "ssl.key.password": "another"},
			map[string]string{"ssl.truststore.location": in("twopasswords.jks"), "ssl.truststore.password": "opensesame"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Settings{Keys: c.own}.Server()
			if err != nil {
				t.Fatal(err)
			}
			conf, err := Settings{Keys: c.trusted}.Client()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := meet(t, s, conf, "127.0.0.1"); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTextsInlineAndFolded(t *testing.T) {
	authority := certs.Authority(t)
	server := authority.Issue(t, "server", "127.0.0.1")
	folded := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	const prefix = "listeners.https."
	s, err := Settings{Prefix: prefix, Keys: map[string]string{prefix + "ssl.keystore.type": "PEM",
		prefix + "ssl.keystore.certificate.chain": folded(server.PEM()), prefix + "ssl.keystore.key": folded(server.KeyPEM(t))}}.Server()
	if err != nil {
		t.Fatal(err)
	}
	c, err := Settings{Keys: map[string]string{"ssl.truststore.type": "PEM", "ssl.truststore.certificates": certs.Authority(t).PEM() + authority.PEM()}}.Client()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := meet(t, s, c, "127.0.0.1"); err != nil {
		t.Error(err)
	}
}

func TestServerNameUnchecked(t *testing.T) {
	authority := certs.Authority(t)
	s, err := Settings{Keys: written(t, "PEM", authority.Issue(t, "server", "127.0.0.1").KeyStore(t, "PEM", ""), nil)}.Server()
	if err != nil {
		t.Fatal(err)
	}
	client := func(trusted certs.Pair) *tls.Config {
		keys := written(t, "PEM", nil, []byte(trusted.PEM()))
		keys["ssl.endpoint.identification.algorithm"] = ""
		c, err := Settings{Keys: keys}.Client()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if _, err := meet(t, s, client(authority), "elsewhere.example"); err != nil {
		t.Error(err)
	}
	if _, err := meet(t, s, client(certs.Authority(t)), "127.0.0.1"); err == nil {
		t.Error("a certificate of nobody's is taken")
	}
}

func TestVersionsAndSuites(t *testing.T) {
	authority := certs.Authority(t)
	store := written(t, "PEM", authority.Issue(t, "server", "127.0.0.1").KeyStore(t, "PEM", ""), nil)
	const two = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
	const three = "TLS_AES_128_GCM_SHA256,TLS_AES_256_GCM_SHA384,TLS_CHACHA20_POLY1305_SHA256"
	for name, c := range map[string]struct {
		keys    map[string]string
		version uint16
		suite   string
	}{
		"nothing said":              {nil, tls.VersionTLS13, ""},
		"the older alone":           {map[string]string{"ssl.enabled.protocols": "TLSv1.2"}, tls.VersionTLS12, ""},
		"Kafka's old default":       {map[string]string{"ssl.enabled.protocols": "TLSv1.2,TLSv1.1,TLSv1"}, tls.VersionTLS12, ""},
		"the newer alone":           {map[string]string{"ssl.enabled.protocols": " TLSv1.3 "}, tls.VersionTLS13, ""},
		"the context's":             {map[string]string{"ssl.protocol": "TLSv1.2", "ssl.enabled.protocols": "TLSv1.2,TLSv1.3"}, tls.VersionTLS12, ""},
		"a suite of the older":      {map[string]string{"ssl.cipher.suites": two}, tls.VersionTLS12, two},
		"the suites of the newer":   {map[string]string{"ssl.cipher.suites": three}, tls.VersionTLS13, ""},
		"the suites of both":        {map[string]string{"ssl.cipher.suites": three + ", " + two}, tls.VersionTLS13, ""},
		"both, but the older alone": {map[string]string{"ssl.cipher.suites": three + ", " + two, "ssl.enabled.protocols": "TLSv1.2"}, tls.VersionTLS12, two},
	} {
		t.Run(name, func(t *testing.T) {
			keys := maps.Clone(store)
			maps.Copy(keys, c.keys)
			s, err := Settings{Keys: keys}.Server()
			if err != nil {
				t.Fatal(err)
			}
			seen, err := meet(t, s, &tls.Config{RootCAs: authority.Pool()}, "127.0.0.1")
			if err != nil || seen.Version != c.version || c.suite != "" && tls.CipherSuiteName(seen.CipherSuite) != c.suite {
				t.Errorf("%s with %s (%v)", tls.VersionName(seen.Version), tls.CipherSuiteName(seen.CipherSuite), err)
			}
		})
	}
}

// logged gives a logger, and what it has written.
func logged() (*slog.Logger, *bytes.Buffer) {
	var b bytes.Buffer
	return slog.New(slog.NewTextHandler(&b, nil)), &b
}

func TestFilesThatChange(t *testing.T) {
	for _, form := range []string{"PEM", "PKCS12", "JKS"} {
		t.Run(form, func(t *testing.T) {
			first, second := certs.Authority(t), certs.Authority(t)
			store := func(by certs.Pair) []byte {
				return by.Issue(t, "server", "127.0.0.1").KeyStore(t, form, "opensesame")
			}
			keys := written(t, form, store(first), nil)
			log, said := logged()
			s, err := Settings{Keys: keys, Log: log}.Server()
			if err != nil {
				t.Fatal(err)
			}
			served := func(by certs.Pair) error {
				_, err := meet(t, s, &tls.Config{RootCAs: by.Pool()}, "127.0.0.1")
				return err
			}
			later := time.Now()
			change := func(data []byte) {
				name := keys["ssl.keystore.location"]
				later = later.Add(time.Second)
				if err := errors.Join(os.WriteFile(name, data, 0o600), os.Chtimes(name, later, later)); err != nil {
					t.Fatal(err)
				}
			}
			if err := served(first); err != nil {
				t.Fatal(err)
			}
			change([]byte("half a"))
			if err := served(first); err != nil {
				t.Errorf("while it is being replaced: %v", err)
			}
			if !strings.Contains(said.String(), "the old ones go on to serve: ssl.keystore.") {
				t.Errorf("it says %s", said)
			}
			change(store(second))
			if err := served(second); err != nil {
				t.Errorf("after it was replaced: %v", err)
			}
			if err := served(first); err == nil {
				t.Error("the old one is still served")
			}
		})
	}
}

// A client shows the certificate that its store holds now.
func TestClientsCertificateThatChanges(t *testing.T) {
	authority := certs.Authority(t)
	keys := written(t, "PEM", authority.Issue(t, "client").KeyStore(t, "PEM", ""), []byte(authority.PEM()))
	c, err := Settings{Keys: keys}.Client()
	if err != nil {
		t.Fatal(err)
	}
	next, later := authority.Issue(t, "next"), time.Now().Add(time.Second)
	name := keys["ssl.keystore.location"]
	if err := errors.Join(os.WriteFile(name, next.KeyStore(t, "PEM", ""), 0o600), os.Chtimes(name, later, later)); err != nil {
		t.Fatal(err)
	}
	seen, err := meet(t, &tls.Config{Certificates: []tls.Certificate{authority.Issue(t, "server", "127.0.0.1").TLS()},
		ClientCAs: authority.Pool(), ClientAuth: tls.RequireAndVerifyClientCert}, c, "127.0.0.1")
	if err != nil || !seen.PeerCertificates[0].Equal(next.Cert) {
		t.Errorf("%v", err)
	}
}

func TestWrongSettingsNameTheirKey(t *testing.T) {
	authority := certs.Authority(t)
	own := authority.Issue(t, "own", "127.0.0.1")
	in := func(name string) string { return filepath.Join("testdata", name) }
	for name, c := range map[string]struct {
		keys map[string]string
		want string
	}{
		"no such file":             {map[string]string{"ssl.truststore.location": "none.jks"}, "ssl.truststore.location: open none.jks: no such file"},
		"an unknown form":          {map[string]string{"ssl.keystore.location": in("key.jks"), "ssl.keystore.type": "BCFKS"}, `ssl.keystore.type: "BCFKS" is not PEM, PKCS12 or JKS: convert the store with keytool -importkeystore`},
		"PEM, called JKS":          {map[string]string{"ssl.truststore.location": in("trust.pem"), "ssl.truststore.type": "JKS"}, "ssl.truststore.type: " + in("trust.pem") + " is in PEM form: set it to PEM"},
		"JKS, wrong password":      {map[string]string{"ssl.keystore.location": in("key.jks"), "ssl.keystore.password": "hush"}, "ssl.keystore.password: it does not open " + in("key.jks")},
		"PKCS12, wrong password":   {map[string]string{"ssl.keystore.location": in("key.p12"), "ssl.keystore.password": "hush"}, "ssl.keystore.password: it does not open " + in("key.p12")},
		"trusted, wrong password":  {map[string]string{"ssl.truststore.location": in("trust.p12"), "ssl.truststore.password": "hush"}, "ssl.truststore.password: it does not open " + in("trust.p12")},
		"PKCS12, no password":      {map[string]string{"ssl.truststore.location": in("trust.p12")}, "ssl.truststore.password: it is missing: " + in("trust.p12") + " needs one"},
		"a key's other password":   {map[string]string{"ssl.keystore.location": in("twopasswords.jks"), "ssl.keystore.password": "opensesame"}, "check ssl.key.password"},
		"a key's wrong password":   {map[string]string{"ssl.keystore.location": in("encrypted.pem"), "ssl.keystore.type": "PEM", "ssl.key.password": "hush"}, "ssl.key.password: it does not open the private key in ssl.keystore.location"},
		"a key's missing password": {map[string]string{"ssl.keystore.location": in("encrypted.pem"), "ssl.keystore.type": "PEM"}, "ssl.key.password: it is missing: the private key in ssl.keystore.location is encrypted"},
		"OpenSSL's old encryption": {map[string]string{"ssl.keystore.certificate.chain": own.PEM(), "ssl.keystore.key": read(t, in("old.pem"))}, "ssl.keystore.key: its private key is encrypted in OpenSSL's old way: convert it with openssl pkcs8 -topk8"},
		"not marked as trusted":    {map[string]string{"ssl.truststore.location": in("unmarked.p12"), "ssl.truststore.password": "opensesame"}, "make it with keytool -importcert"},
		"no key":                   {map[string]string{"ssl.keystore.location": in("trust.jks"), "ssl.keystore.password": "opensesame"}, "ssl.keystore.location: " + in("trust.jks") + ": no private key in it"},
		"no store at all":          {map[string]string{"ssl.truststore.location": in("make.sh")}, "ssl.truststore.location: " + in("make.sh")},
		"no certificate":           {map[string]string{"ssl.truststore.certificates": "x"}, "ssl.truststore.certificates: no certificate in PEM form"},
		"another's key":            {map[string]string{"ssl.keystore.certificate.chain": own.PEM(), "ssl.keystore.key": authority.KeyPEM(t)}, "ssl.keystore.certificate.chain: no certificate in it belongs to the private key"},
		"no chain":                 {map[string]string{"ssl.keystore.key": own.KeyPEM(t)}, "ssl.keystore.certificate.chain: it is missing"},
		"chain without a key":      {map[string]string{"ssl.keystore.certificate.chain": own.PEM()}, "ssl.keystore.certificate.chain: no private key"},
		"twice":                    {map[string]string{"ssl.keystore.certificate.chain": own.PEM(), "ssl.keystore.location": in("key.jks")}, "ssl.keystore.location is there too"},
		"trusted twice":            {map[string]string{"ssl.truststore.certificates": own.PEM(), "ssl.truststore.location": in("key.jks")}, "ssl.truststore.location is there too"},
		"no such protocol":         {map[string]string{"ssl.enabled.protocols": "SSLv3"}, `ssl.enabled.protocols: "SSLv3" is not TLSv1.2 or TLSv1.3`},
		"no protocol left":         {map[string]string{"ssl.enabled.protocols": "TLSv1.3", "ssl.protocol": "TLSv1.2"}, `ssl.enabled.protocols: "TLSv1.3" leaves no version`},
		"old protocols alone":      {map[string]string{"ssl.enabled.protocols": "TLSv1.1"}, `ssl.enabled.protocols: "TLSv1.1" leaves no version`},
		"no such context":          {map[string]string{"ssl.protocol": "SSL"}, `ssl.protocol: "SSL" is not TLS`},
		"no such suite":            {map[string]string{"ssl.cipher.suites": "TLS_X"}, "ssl.cipher.suites: TLS_X is not known: TLS_AES_128_GCM_SHA256, "},
		"an insecure suite":        {map[string]string{"ssl.cipher.suites": "TLS_RSA_WITH_RC4_128_SHA"}, "ssl.cipher.suites: TLS_RSA_WITH_RC4_128_SHA is not secure"},
		"some of the newest":       {map[string]string{"ssl.cipher.suites": "TLS_AES_256_GCM_SHA384"}, "ssl.cipher.suites: of TLS 1.3 name all suites, TLS_AES_128_GCM_SHA256, "},
		"suites of another":        {map[string]string{"ssl.cipher.suites": "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ssl.enabled.protocols": "TLSv1.3"}, "ssl.cipher.suites: none of them is of a version"},
		"identification":           {map[string]string{"ssl.endpoint.identification.algorithm": "ldaps"}, `ssl.endpoint.identification.algorithm: "ldaps" is neither https nor empty`},
		"a class of Java's":        {map[string]string{"ssl.engine.factory.class": "com.example.Factory"}, "ssl.engine.factory.class: a class of Java's cannot be loaded here"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Settings{Keys: c.keys}.Client()
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hush") {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
	for name, c := range map[string]struct {
		keys map[string]string
		want string
	}{
		"no certificate": {nil, "admin.listeners.https.ssl.keystore.location: it is missing: a listener with TLS needs a certificate and its key"},
		"client.auth":    {map[string]string{"admin.listeners.https.ssl.client.auth": "maybe"}, `admin.listeners.https.ssl.client.auth: "maybe" is not none, requested or required`},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := (Settings{Keys: c.keys, Prefix: "admin.listeners.https."}).Server(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
