package connectortest

import (
	"context"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

// shower is a sink that shows what it would write; spoil does more.
type shower struct {
	appender
	spoil func(s *shower, c connector.Context, records []connector.Record) error
}

func (s *shower) Preview(_ context.Context, c connector.Context, _ connector.Config, records []connector.Record) error {
	if s.spoil != nil {
		return s.spoil(s, c, records)
	}
	c.Preview.Would(connector.Effect{Does: "append records"})
	return nil
}

func newShower(spoil func(s *shower, c connector.Context, records []connector.Record) error) func(s *shelf) connector.Sink {
	return func(s *shelf) connector.Sink { return &shower{appender{shelf: s}, spoil} }
}

func TestPreviewerThatKeepsItsPromises(t *testing.T) {
	Sink(t, sinkCase(newShower(nil), false))
}

func TestBadPreviewers(t *testing.T) {
	bad := func(name, says string, spoil func(s *shower, c connector.Context, records []connector.Record) error) badCase {
		return badCase{name: name, fails: "a preview writes nothing", says: says, promises: sinkCase(newShower(spoil), false).promises()}
	}
	runBad(t, []badCase{
		bad("writes", "the system held 50 items before and 150 after it", func(s *shower, c connector.Context, records []connector.Record) error {
			c.Preview.Would(connector.Effect{Does: "append records"})
			return s.Put(context.Background(), records)
		}),
		bad("shows nothing", "it shows nothing", func(*shower, connector.Context, []connector.Record) error { return nil }),
		bad("shows records that are none", "it shows {Does:append", func(_ *shower, c connector.Context, records []connector.Record) error {
			c.Preview.Would(connector.Effect{Does: "append", Records: []int{len(records)}})
			return nil
		}),
	})
}
