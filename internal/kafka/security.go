package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/ssl"
)

// Check says what is wrong with the properties of a client of a role, which opening
// it, or making its producer or member of a group, would refuse: each line of the
// error begins with a key.
func Check(role string, props map[string]string) error {
	_, err := newConfig(Options{Props: props})
	switch role {
	case "producer":
		p := newProps(Options{Props: props})
		p.producer()
		err = errors.Join(append(p.errs, err)...)
	case "consumer":
		_, wrong := GroupOptionsOf(props)
		err = errors.Join(wrong, err)
	}
	return err
}

// security reads security.protocol, sasl.* and ssl.*.
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
		conf, err := ssl.Settings{Keys: p.text, Log: p.log}.Client()
		p.note(err)
		c.Net.TLS.Enable, c.Net.TLS.Config = true, conf
	}
	if strings.HasPrefix(protocol, "SASL") {
		p.note(p.sasl(c))
	}
}

// note keeps what is wrong, if anything.
func (p *props) note(err error) {
	if err != nil {
		p.errs = append(p.errs, err)
	}
}

// explained names the keys behind an error of connecting, where it tells them. A
// broker that refuses a login, or was spoken to in another protocol, may just
// close the connection.
func explained(err error, conf *sarama.Config) error {
	keys := "username and password in sasl.jaas.config, and sasl.mechanism"
	switch conf.Net.SASL.Mechanism {
	case sarama.SASLTypeOAuth:
		keys = "what gives the token, in sasl.oauthbearer.* or sasl.jaas.config, and sasl.mechanism"
	case sarama.SASLTypeGSSAPI:
		keys = "keyTab, principal or ticketCache in sasl.jaas.config, sasl.kerberos.service.name, and sasl.mechanism"
	}
	var noToken *tokenError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var plain tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case errors.As(err, &noToken):
		return connector.Coded("H2008", noToken)
	case errors.Is(err, sarama.ErrSASLAuthenticationFailed):
		return connector.Coded("H2002", fmt.Errorf("the login is refused: check %s: %w", keys, sarama.ErrSASLAuthenticationFailed))
	case errors.Is(err, sarama.ErrUnsupportedSASLMechanism):
		return connector.Coded("H2003", fmt.Errorf("sasl.mechanism: the broker does not offer %s: %w", conf.Net.SASL.Mechanism, sarama.ErrUnsupportedSASLMechanism))
	case errors.As(err, &unknown):
		return connector.Coded("H2004", fmt.Errorf("the broker's certificate is signed by one that is not trusted: name it in ssl.truststore.location: %w", unknown))
	case errors.As(err, &name):
		return connector.Coded("H2005", fmt.Errorf("the broker's certificate is for another name: ask it by one of its names; "+
			"an empty ssl.endpoint.identification.algorithm leaves the name unchecked: %w", name))
	case errors.As(err, &plain):
		return connector.Coded("H2006", fmt.Errorf("the broker does not answer in TLS: check security.protocol, and the port: %w", plain))
	case errors.As(err, &alert) || strings.Contains(err.Error(), "remote error: tls: "): // of the other side's alerts the type is not public
		return connector.Coded("H2007", fmt.Errorf("the broker refuses the connection: check ssl.keystore.location, which holds the client's certificate, and ssl.enabled.protocols: %w", err))
	}
	for _, closed := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET} {
		switch {
		case !errors.Is(err, closed):
		case conf.Net.SASL.Enable:
			return connector.Coded("H2002", fmt.Errorf("the connection was closed at the login: check %s, or security.protocol: %w", keys, closed))
		default:
			return connector.Coded("H2006", fmt.Errorf("the connection was closed: check security.protocol: %w", closed))
		}
	}
	return err
}
