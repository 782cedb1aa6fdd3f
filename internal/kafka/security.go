package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/IBM/sarama"
	"github.com/xdg-go/scram"
)

// security reads security.protocol, sasl.* and ssl.* (PEM).
func (p *props) security(c *sarama.Config) {
	protocol := strings.ToUpper(strings.TrimSpace(p.text["security.protocol"]))
	switch protocol {
	case "", "PLAINTEXT":
		return
	case "SSL", "SASL_SSL", "SASL_PLAINTEXT":
	default:
		p.fail("security.protocol", "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL")
		return
	}
	if strings.HasSuffix(protocol, "SSL") {
		conf, err := p.tls()
		if err != nil {
			p.errs = append(p.errs, err)
			return
		}
		c.Net.TLS.Enable, c.Net.TLS.Config = true, conf
	}
	if strings.HasPrefix(protocol, "SASL") {
		p.sasl(c)
	}
}

// tls gives the configuration of a TLS connection from PEM texts or files.
func (p *props) tls() (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	roots, err := p.pem("ssl.truststore.certificates", "ssl.truststore")
	if err != nil {
		return nil, err
	}
	if roots != nil {
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(roots) {
			return nil, fmt.Errorf("ssl.truststore: no certificate in PEM form")
		}
	}
	chain, err := p.pem("ssl.keystore.certificate.chain", "ssl.keystore")
	if err != nil {
		return nil, err
	}
	if chain != nil {
		key := []byte(p.text["ssl.keystore.key"])
		if len(key) == 0 {
			key = chain // a keystore file holds both
		}
		cert, err := tls.X509KeyPair(chain, key)
		if err != nil {
			return nil, fmt.Errorf("ssl.keystore: %w", err)
		}
		conf.Certificates = []tls.Certificate{cert}
	}
	if name, given := p.text["ssl.endpoint.identification.algorithm"]; given && strings.TrimSpace(name) == "" {
		verifyChainOnly(conf)
	}
	return conf, nil
}

// verifyChainOnly checks the server's certificate but not its host name, as an
// empty ssl.endpoint.identification.algorithm asks for.
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

// pem gives a PEM text from its key or the store's file, nil without either.
func (p *props) pem(key, store string) ([]byte, error) {
	if text := p.text[key]; text != "" {
		return []byte(text), nil
	}
	file := p.text[store+".location"]
	if file == "" {
		return nil, nil
	}
	if t := p.text[store+".type"]; !strings.EqualFold(t, "PEM") {
		return nil, fmt.Errorf("%s.type: %q is not supported here, convert the store to PEM and set %s.type=PEM", store, t, store)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s.location: %w", store, err)
	}
	return data, nil
}

// jaas finds the options of a JAAS line: name="value".
var jaas = regexp.MustCompile(`(\w+)\s*=\s*"((?:[^"\\]|\\.)*)"`)

func (p *props) sasl(c *sarama.Config) {
	mechanism := strings.ToUpper(strings.TrimSpace(p.text["sasl.mechanism"]))
	for _, m := range jaas.FindAllStringSubmatch(p.text["sasl.jaas.config"], -1) {
		value := strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(m[2])
		switch m[1] {
		case "username":
			c.Net.SASL.User = value
		case "password":
			c.Net.SASL.Password = value
		}
	}
	c.Net.SASL.Enable, c.Net.SASL.Handshake = true, true
	switch mechanism {
	case "PLAIN":
		c.Net.SASL.Mechanism = sarama.SASLTypePlaintext
	case "SCRAM-SHA-256":
		c.Net.SASL.Mechanism = sarama.SASLTypeSCRAMSHA256
		c.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &scramClient{hash: scram.SHA256} }
	case "SCRAM-SHA-512":
		c.Net.SASL.Mechanism = sarama.SASLTypeSCRAMSHA512
		c.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &scramClient{hash: scram.SHA512} }
	default:
		p.fail("sasl.mechanism", "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
		return
	}
	if c.Net.SASL.User == "" {
		p.errs = append(p.errs, fmt.Errorf(`sasl.jaas.config: no username="..." in it`))
	}
}

// scramClient is sarama's view of a SCRAM conversation.
type scramClient struct {
	hash scram.HashGeneratorFcn
	*scram.ClientConversation
}

// Begin starts a conversation.
func (s *scramClient) Begin(user, password, authzID string) error {
	c, err := s.hash.NewClient(user, password, authzID)
	if err != nil {
		return err
	}
	s.ClientConversation = c.NewConversation()
	return nil
}
