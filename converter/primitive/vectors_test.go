package primitive

import (
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/javavectors"
	"github.com/axiom-data-science/hydraulics/internal/test/javavectors/convertertest"
)

// TestRecordedAnswers compares with what Kafka Connect 4.3.1 answered.
func TestRecordedAnswers(t *testing.T) {
	for _, file := range []string{"converter-String.jsonl", "converter-ByteArray.jsonl", "converter-Number.jsonl"} {
		for _, c := range javavectors.Load(t, file, "converter.") {
			plugin, err := connector.Plugins.New(connector.ConverterType, c.Component[len("converter."):]+"Converter")
			if err != nil {
				t.Fatal(err)
			}
			if err := convertertest.Replay(c, plugin.(connector.Converter), nil); err != nil {
				t.Errorf("%s (%s, %v, %s): %v", c.ID, c.Note, c.Config, c.Input, err)
			}
		}
	}
}
