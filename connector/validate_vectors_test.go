package connector_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/javavectors"
)

// TestValidateVectors compares which values fit a schema with what Kafka
// Connect 4.3.1 answered. The words are our own: theirs name Java's classes.
//
// Clauses: C2.
func TestValidateVectors(t *testing.T) {
	javavectors.Replay(t, func(_ *testing.T, c javavectors.Case) error {
		var in struct{ Schema, Value json.RawMessage }
		if err := json.Unmarshal(c.Input, &in); err != nil {
			return err
		}
		s, err := javavectors.Schema(in.Schema)
		if err != nil {
			return err
		}
		v, err := javavectors.Value(s, in.Value)
		if err != nil {
			return err
		}
		err = connector.Validate(s, v)
		switch {
		case c.Expect.Error == nil:
			return err
		case err == nil:
			return fmt.Errorf("no error, want %s", c.Expect.Error.Message)
		case connector.KindOf(err) != connector.KindData:
			return fmt.Errorf("error %q is not marked as data", err)
		}
		return nil
	}, "schema.validate")
}
