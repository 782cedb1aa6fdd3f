package runtime

import (
	"errors"
	"fmt"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/javavectors"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	_ "github.com/axiom-data-science/hydraulics/transforms/predicate"
	_ "github.com/axiom-data-science/hydraulics/transforms/smt"
)

// TestChainVectors compares chains of transforms and predicates with what Kafka
// Connect 4.3.1 answered: first the configuration, then what becomes of a record.
//
// Clauses: D17.
func TestChainVectors(t *testing.T) {
	registry := plugins(new(script))
	for _, typ := range []connector.PluginType{connector.TransformType, connector.PredicateType} {
		for _, i := range connector.Plugins.List(typ) {
			registry.Add(typ, func() connector.Plugin {
				p, err := connector.Plugins.New(typ, i.Name)
				if err != nil {
					panic(err)
				}
				return p
			})
		}
	}
	javavectors.Replay(t, func(t *testing.T, c javavectors.Case) error {
		in, err := javavectors.Record(c.Input)
		if err != nil {
			return err
		}
		chain, err := chainOf(registry, c.Config)
		if f := c.Expect.Error; f != nil && f.Phase == "configure" {
			return f.CheckError(err)
		}
		if err != nil {
			return fmt.Errorf("configure: %w", err)
		}
		b := &batch{items: []item{{record: in, read: &kafka.Message{Topic: in.Topic, Partition: in.Partition, Offset: in.Origin.Offset}}}}
		testJourney(&tolerance{}, chain...).run(t.Context(), b)
		if c.Expect.Error != nil {
			return c.Expect.Error.CheckError(b.stop)
		}
		if b.stop != nil {
			return b.stop
		}
		if gone := b.items[0].fate == dropped; gone || c.Expect.Dropped {
			if gone != c.Expect.Dropped {
				return fmt.Errorf("dropped is %v", gone)
			}
			return nil
		}
		want, err := javavectors.Record(c.Expect.Output)
		if err != nil {
			return err
		}
		if d := javavectors.Diff(b.items[0].record, want); d != "" {
			return fmt.Errorf("%s", d)
		}
		return nil
	}, "transformation-chain")
}

// chainOf gives the stages of a sink's transforms as a worker makes them: it
// validates the configuration and builds the task, and either may refuse it.
func chainOf(registry *connector.Registry, chain connector.Props) ([]*stage, error) {
	props := connector.Props{"name": "c", "connector.class": "collect", "topics": "events"}
	for k, v := range chain {
		props[k] = v
	}
	report, err := (&config.Validator{Plugins: registry}).Validate(props, config.Origin{})
	if err == nil {
		err = report.Err()
	}
	stages, started := start(registry, props)
	return stages, errors.Join(err, started)
}

func start(registry *connector.Registry, props connector.Props) ([]*stage, error) {
	spec := TaskSpec{Connector: "c", Kind: KindSink, Props: props}
	set, err := parseSettings(spec)
	if err != nil {
		return nil, err
	}
	p, err := build(newTask(Options{Plugins: registry, Log: testLog()}, spec, nil), set, connector.Context{})
	if err != nil {
		return nil, err
	}
	return p.transforms, p.Close()
}
