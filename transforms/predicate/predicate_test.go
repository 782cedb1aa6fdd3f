package predicate

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/internal/test/javavectors"
)

func TestTopicNameMatches(t *testing.T) {
	p := new(TopicNameMatches)
	conf, err := connector.ParsePlugin(p, connector.Props{"pattern": `ifcb-(?!raw).*`})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Configure(connector.Context{}, conf); err != nil {
		t.Fatal(err)
	}
	for topic, want := range map[string]bool{"ifcb-images": true, "ifcb-raw": false, "my-ifcb-images": false} {
		if got, err := p.Test(connector.Record{Topic: topic}); err != nil || got != want {
			t.Errorf("%s: %v %v, want %v", topic, got, err, want)
		}
	}
	if _, err := connector.ParsePlugin(p, connector.Props{"pattern": "("}); err == nil || !strings.Contains(err.Error(), "configuration pattern: Invalid regex") {
		t.Errorf("bad pattern: %v", err)
	}
}

// TestRecordedAnswers compares with what Kafka Connect 4.3.1 answered.
//
// Clauses: D17.
func TestRecordedAnswers(t *testing.T) {
	javavectors.Replay(t, replay, "predicate.HasHeaderKey", "predicate.RecordIsTombstone", "predicate.TopicNameMatches")
}

func replay(_ *testing.T, c javavectors.Case) error {
	plugin, err := connector.Plugins.New(connector.PredicateType, javaPackage+c.Component[len("predicate."):])
	if err != nil {
		return err
	}
	p := plugin.(connector.Predicate)
	conf, err := connector.ParsePlugin(p, c.Config)
	if err == nil {
		err = p.Configure(connector.Context{}, conf)
	}
	if c.Expect.Error != nil {
		return c.Expect.Error.CheckError(err)
	}
	if err != nil {
		return err
	}
	in, err := javavectors.Record(c.Input)
	if err != nil {
		return err
	}
	var want bool
	if err := json.Unmarshal(c.Expect.Output, &want); err != nil {
		return err
	}
	if got, err := p.Test(in); err != nil || got != want {
		return fmt.Errorf("%v %v, want %v", got, err, want)
	}
	return nil
}

func TestPlugins(t *testing.T) {
	connectortest.Plugin(t, new(HasHeaderKey))
	connectortest.Plugin(t, new(TopicNameMatches))
	connectortest.Plugin(t, new(RecordIsTombstone))
}
