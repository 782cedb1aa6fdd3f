package simpleheader

import (
	"context"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/internal/test/javavectors"
	"github.com/axiom-data-science/hydraulics/internal/test/javavectors/convertertest"
)

// converter is a converter of headers as one of values, which the replay wants.
type converter struct{ Converter }

func (*converter) Configure(connector.Context, connector.Config, bool) error { return nil }

func (c *converter) FromConnect(_ context.Context, topic string, s *connector.Schema, v any) ([]byte, error) {
	return c.FromConnectHeader(topic, "header", s, v)
}

func (c *converter) ToConnect(_ context.Context, topic string, data []byte) (*connector.Schema, any, error) {
	return c.ToConnectHeader(topic, "header", data)
}

// TestRecordedAnswers compares with what Kafka Connect 4.3.1 answered.
//
// Clauses: C6.
func TestRecordedAnswers(t *testing.T) {
	javavectors.Replay(t, func(_ *testing.T, c javavectors.Case) error {
		return convertertest.Replay(c, new(converter), nil)
	}, "converter.SimpleHeader")
}

func TestPlugin(t *testing.T) { connectortest.Plugin(t, new(Converter)) }

func TestNoUTF8(t *testing.T) {
	s, v, err := new(Converter).ToConnectHeader("t", "h", []byte{'a', 0xff})
	if s != connector.StringSchema || v != "a\ufffd" || err != nil {
		t.Errorf("%v %q %v", s, v, err)
	}
}
