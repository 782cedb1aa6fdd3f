package store

import (
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// Record is a change of what is wanted, one of the types of this package.
type Record interface {
	// apply changes a state, and tells whether that matters to listeners.
	apply(s *State) bool
}

// ConnectorConfig gives a connector its configuration. It removes the connector
// where that is nil.
type ConnectorConfig struct {
	Connector string
	Config    connector.Props
}

// TaskConfig is the configuration of a task, which counts with the next
// [TaskCommit].
type TaskConfig struct {
	Connector string
	Task      int
	Config    connector.Props
}

// TaskCommit makes the configurations since the last commit count, where those
// of so many tasks are among them.
type TaskCommit struct {
	Connector string
	Tasks     int
}

// TargetState says what a connector is to do; an empty target is that of a
// removed one.
type TargetState struct {
	Connector string
	Target    state.Target
}

// RestartRequest asks to start a connector, its tasks, or those that failed,
// again.
type RestartRequest struct {
	Connector    string
	IncludeTasks bool
	OnlyFailed   bool
}

// SessionKey is what workers sign the requests with that they send each other.
type SessionKey struct {
	Key       connector.Password // bytes, not text
	Algorithm string
	Created   time.Time
}

// LoggerLevel sets the level of loggers on all workers.
type LoggerLevel struct{ Namespace, Level string }

// Tasks gives the records that give a connector other tasks.
func Tasks(name string, configs []connector.Props) []Record {
	var list []Record
	for i, c := range configs {
		list = append(list, TaskConfig{name, i, c})
	}
	return append(list, TaskCommit{name, len(configs)})
}

// OfConnector tells whether a connector in a state is to be started again.
func (r RestartRequest) OfConnector(s state.State) bool { return !r.OnlyFailed || s == state.Failed }

// OfTask tells whether a task in a state is to be started again.
func (r RestartRequest) OfTask(s state.State) bool {
	return r.IncludeTasks && (!r.OnlyFailed || s == state.Failed)
}
