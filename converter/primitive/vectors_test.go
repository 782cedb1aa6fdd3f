package primitive

import (
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/javavectors"
	"github.com/axiom-data-science/hydraulics/internal/test/javavectors/convertertest"
)

// TestRecordedAnswers compares with what Kafka Connect 4.3.1 answered.
//
// Clauses: C6.
func TestRecordedAnswers(t *testing.T) {
	javavectors.Replay(t, func(_ *testing.T, c javavectors.Case) error {
		plugin, err := connector.Plugins.New(connector.ConverterType, c.Component[len("converter."):]+"Converter")
		if err != nil {
			return err
		}
		return convertertest.Replay(c, plugin.(connector.Converter), nil)
	}, "converter.String", "converter.ByteArray", "converter.Boolean", "converter.Short", "converter.Integer", "converter.Long", "converter.Float", "converter.Double")
}
