package kafka

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/IBM/sarama"
	"github.com/xdg-go/scram"

	"github.com/axiom-data-science/hydraulics/internal/java/jaas"
)

// The keys of logins.
const (
	jaasKey      = "sasl.jaas.config"
	mechanismKey = "sasl.mechanism"
	serviceKey   = "sasl.kerberos.service.name"
)

// logins are what sasl.jaas.config looks like for the mechanisms.
var logins = map[string]string{
	"PLAIN":         `org.apache.kafka.common.security.plain.PlainLoginModule required username="..." password="...";`,
	"SCRAM-SHA-256": `org.apache.kafka.common.security.scram.ScramLoginModule required username="..." password="...";`,
	"SCRAM-SHA-512": `org.apache.kafka.common.security.scram.ScramLoginModule required username="..." password="...";`,
	"OAUTHBEARER":   `org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientId="..." clientSecret="...";`,
	"GSSAPI":        `com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true keyTab="..." principal="...";`,
}

// sasl sets the login, and says what is wrong with it.
func (p *props) sasl(c *sarama.Config) error {
	mechanism := strings.ToUpper(strings.TrimSpace(cmp.Or(p.text[mechanismKey], "GSSAPI"))) // Kafka's own default
	example, known := logins[mechanism]
	if !known {
		return fmt.Errorf("sasl.mechanism: %q is not PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or GSSAPI", p.text[mechanismKey])
	}
	for _, key := range []string{"sasl.login.class", "sasl.client.callback.handler.class"} {
		if strings.TrimSpace(p.text[key]) != "" {
			return fmt.Errorf("%s: a class of Java's cannot be loaded here: leave it out", key)
		}
	}
	if strings.TrimSpace(p.text[jaasKey]) == "" {
		return fmt.Errorf("%s: it is missing: for sasl.mechanism=%s it is of the form %s", jaasKey, mechanism, example)
	}
	login, err := jaas.Line(p.text[jaasKey])
	if err != nil {
		return fmt.Errorf("%s: %w: it is of the form %s", jaasKey, err, example)
	}
	s := &c.Net.SASL
	s.Enable, s.Handshake = true, true
	switch mechanism {
	case "OAUTHBEARER":
		s.Mechanism = sarama.SASLTypeOAuth
		s.TokenProvider, err = p.tokens(login)
		return err
	case "GSSAPI":
		s.Mechanism = sarama.SASLTypeGSSAPI
		s.GSSAPI, err = p.kerberos(login)
		return err
	case "PLAIN":
		s.Mechanism = sarama.SASLTypePlaintext
	case "SCRAM-SHA-256":
		s.Mechanism = sarama.SASLTypeSCRAMSHA256
		s.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &scramClient{hash: scram.SHA256} }
	case "SCRAM-SHA-512":
		s.Mechanism = sarama.SASLTypeSCRAMSHA512
		s.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &scramClient{hash: scram.SHA512} }
	}
	if token, _ := strconv.ParseBool(login.Options["tokenauth"]); token {
		return fmt.Errorf("%s: tokenauth: delegation tokens are not there: log in with username and password", jaasKey)
	}
	for _, option := range []string{"username", "password"} {
		if login.Options[option] == "" {
			return fmt.Errorf("%s: no %s in it: it is of the form %s", jaasKey, option, example)
		}
	}
	s.User, s.Password = login.Options["username"], login.Options["password"]
	return nil
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

// kerberos gives the login that Java's Krb5LoginModule is told: with a key table or
// from a cache of tickets. Java's system properties have the variables of MIT's
// Kerberos in their place: KRB5_CONFIG, KRB5CCNAME.
func (p *props) kerberos(login jaas.Module) (sarama.GSSAPIConfig, error) {
	o := login.Options
	c := sarama.GSSAPIConfig{KerberosConfigPath: cmp.Or(os.Getenv("KRB5_CONFIG"), "/etc/krb5.conf"),
		ServiceName: cmp.Or(p.text[serviceKey], o["serviceName"])}
	if c.ServiceName == "" {
		return c, errors.New(serviceKey + ": it is missing: the name that the brokers' principals begin with, such as kafka")
	}
	if _, err := os.Stat(c.KerberosConfigPath); err != nil {
		return c, fmt.Errorf("sasl.mechanism: GSSAPI needs Kerberos' own configuration: %w: set KRB5_CONFIG to its place", err)
	}
	user, realm, whole := strings.Cut(o["principal"], "@")
	if o["keyTab"] != "" {
		if c.AuthType, c.KeyTabPath = sarama.KRB5_KEYTAB_AUTH, o["keyTab"]; user == "" || !whole {
			return c, fmt.Errorf("%s: principal: want it with its realm, as name@REALM", jaasKey)
		}
		c.Username, c.Realm = user, realm
		return c, readable(jaasKey+": keyTab", c.KeyTabPath)
	}
	if use, _ := strconv.ParseBool(o["useTicketCache"]); !use {
		return c, fmt.Errorf("%s: want keyTab, or useTicketCache=true: %s", jaasKey, logins["GSSAPI"])
	}
	c.AuthType = sarama.KRB5_CCACHE_AUTH
	c.CCachePath = cmp.Or(o["ticketCache"], strings.TrimPrefix(os.Getenv("KRB5CCNAME"), "FILE:"), fmt.Sprintf("/tmp/krb5cc_%d", os.Getuid()))
	// The cache says whose tickets it holds; sarama wants a name nevertheless.
	c.Username, c.Realm = cmp.Or(user, "of the cache"), cmp.Or(realm, "of the cache")
	return c, readable(jaasKey+": ticketCache", c.CCachePath)
}

// readable tells what keeps a file from being read.
func readable(key, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return f.Close()
}
