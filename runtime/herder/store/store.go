package store

import (
	"context"
	"maps"
	"reflect"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// Store keeps what is wanted. It is safe for use from several goroutines.
type Store interface {
	// Append adds records, in order. After an error some of them may be there.
	// When it returns nil the state has them, and the listener has heard of them.
	Append(ctx context.Context, records ...Record) error
	// Listen has tell hear of every record that is applied from now on and
	// matters to others (see [State.Apply]), in order. It is called once. tell
	// may read the store, but not wait for one who appends.
	Listen(tell func(Record))
	// Manage has the connectors of a worker's files be these from now on: a store
	// beside the files does not keep them. It appends nothing.
	Manage(connectors []config.Connector)
	// Connectors gives the names of all connectors in the order they were made.
	Connectors() []string
	// Connector gives what is wanted of a connector. Of one that is not there it
	// gives the target that it would have: one can be left of a connector of this
	// name, or have come before it.
	Connector(name string) (Connector, bool)
}

// Connector is what is wanted of a connector. Its configurations are shared and
// not to be changed. They hold references, not what these stand for.
type Connector struct {
	Config connector.Props
	Target state.Target
	// Tasks are the configurations of the tasks, none where they are not known.
	Tasks []connector.Props
	// Applied is the configuration as of when the tasks were committed, nil
	// before that.
	Applied connector.Props
	// Inconsistent tells that some tasks were missing when they were committed:
	// the connector is to be split again.
	Inconsistent bool
	// Generation grows with every commit of tasks, and starts at 1.
	Generation int
}

// Has tells whether the connector has these tasks, of its present configuration.
func (c Connector) Has(tasks []connector.Props) bool {
	return c.Split() && len(c.Tasks) == len(tasks) && (len(tasks) == 0 || reflect.DeepEqual(c.Tasks, tasks))
}

// Split tells whether the tasks are those of the present configuration.
func (c Connector) Split() bool {
	return c.Generation > 0 && !c.Inconsistent && maps.Equal(c.Applied, c.Config)
}
