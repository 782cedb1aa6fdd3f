package projector

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/javavectors"
)

// TestRecordedAnswers compares with what Kafka Connect 4.3.1 answered.
//
// Clauses: C3.
func TestRecordedAnswers(t *testing.T) {
	javavectors.Replay(t, func(_ *testing.T, c javavectors.Case) error {
		var in struct{ Source, Target, Value json.RawMessage }
		if err := json.Unmarshal(c.Input, &in); err != nil {
			return err
		}
		from, err := javavectors.Schema(in.Source)
		if err != nil {
			return err
		}
		to, err := javavectors.Schema(in.Target)
		if err != nil {
			return err
		}
		v, err := javavectors.Value(from, in.Value)
		if err != nil {
			return err
		}
		got, err := Project(from, v, to)
		if c.Expect.Error != nil {
			return c.Expect.Error.CheckError(err)
		}
		if err != nil {
			return err
		}
		want, err := javavectors.Value(to, c.Expect.Output)
		if err != nil || !connector.ValuesEqual(got, want) {
			return fmt.Errorf("%#v, want %#v, %v", got, want, err)
		}
		return nil
	}, "schema-projector")
}

func TestMisfits(t *testing.T) {
	for name, s := range map[string]*connector.Schema{
		"array": connector.ArrayOf(connector.StringSchema), "map": connector.MapOf(connector.StringSchema, connector.StringSchema), "struct": connector.StructOf("s"),
	} {
		if _, err := Project(s, "text", s); connector.KindOf(err) != connector.KindData {
			t.Errorf("%s: %v", name, err)
		}
	}
}
