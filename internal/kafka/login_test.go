package kafka

import (
	"fmt"
	"strings"
	"testing"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
)

func TestWrongPasswordNamesItsKey(t *testing.T) {
	for mechanism, module := range map[string]string{"PLAIN": "plain.PlainLoginModule", "SCRAM-SHA-256": "scram.ScramLoginModule", "SCRAM-SHA-512": "scram.ScramLoginModule"} {
		t.Run(mechanism, func(t *testing.T) {
			broker := kafkatest.StartWithLogin(t, mechanism, "buoy", "right")
			_, err := Open(t.Context(), Options{Bootstrap: []string{broker}, Props: map[string]string{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": mechanism,
				"sasl.jaas.config": "org.apache.kafka.common.security." + module + ` required username="buoy" password="wr0ng";`}})
			if connector.KindOf(err) != connector.KindRetriable || !strings.Contains(err.Error(), "check username and password in sasl.jaas.config, and sasl.mechanism") ||
				strings.Contains(err.Error(), "out of available brokers") || strings.Contains(err.Error(), "wr0ng") || strings.Contains(err.Error(), "TLS") {
				t.Errorf("%s: %v", connector.KindOf(err), err)
			}
		})
	}
}

func TestRefusedLoginIsExplained(t *testing.T) {
	err := sarama.Wrap(sarama.ErrOutOfBrokers, fmt.Errorf("broker: %w", sarama.ErrSASLAuthenticationFailed))
	want := "the login is refused: check username and password in sasl.jaas.config, and sasl.mechanism: kafka server: SASL Authentication failed"
	if got := explained(err, sarama.NewConfig()); got.Error() != want {
		t.Errorf("got %v, want %s", got, want)
	}
}
