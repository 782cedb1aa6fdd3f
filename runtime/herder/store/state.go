package store

import (
	"maps"
	"slices"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// State is what is wanted after a number of records. The zero value is that
// before the first. It is not safe for use from several goroutines.
type State struct {
	connectors map[string]Connector
	order      []string
	targets    map[string]state.Target            // also of connectors that are not there yet
	pending    map[string]map[int]connector.Props // tasks by connector, without their commit
	commits    int
	key        SessionKey
}

// Apply changes the state by a record. It tells whether others are to hear of
// that: all but of a task without its commit, a commit without its connector,
// and the target of a removed connector, as in Kafka Connect.
func (s *State) Apply(r Record) bool { return r.apply(s) }

// Connectors gives the names of all connectors in the order they were made.
func (s *State) Connectors() []string { return slices.Clone(s.order) }

// Connector gives what is wanted of a connector.
func (s *State) Connector(name string) (Connector, bool) {
	c, ok := s.connectors[name]
	c.Target = s.targets[name]
	if c.Target == "" {
		c.Target = state.TargetStarted
	}
	return c, ok
}

// SessionKey gives the newest session key, and whether there is one.
func (s *State) SessionKey() (SessionKey, bool) { return s.key, s.key.Key != "" }

// clone gives a copy, which shares what is not changed in place.
func (s *State) clone() *State {
	c := *s
	c.connectors, c.order, c.targets = maps.Clone(s.connectors), slices.Clone(s.order), maps.Clone(s.targets)
	c.pending = make(map[string]map[int]connector.Props, len(s.pending))
	for name, tasks := range s.pending {
		c.pending[name] = maps.Clone(tasks)
	}
	return &c
}

// set puts an entry into a map that may not be there yet.
func set[K comparable, V any](m *map[K]V, key K, v V) {
	if *m == nil {
		*m = map[K]V{}
	}
	(*m)[key] = v
}

func (r ConnectorConfig) apply(s *State) bool {
	c, there := s.connectors[r.Connector]
	if r.Config == nil {
		delete(s.connectors, r.Connector)
		delete(s.pending, r.Connector)
		s.order = slices.DeleteFunc(s.order, func(n string) bool { return n == r.Connector })
		return true
	}
	if !there {
		s.order = append(s.order, r.Connector)
	}
	c.Config = r.Config
	set(&s.connectors, r.Connector, c)
	return true
}

func (r TaskConfig) apply(s *State) bool {
	tasks := s.pending[r.Connector]
	set(&tasks, r.Task, r.Config)
	set(&s.pending, r.Connector, tasks)
	return false
}

// Tasks are taken only where all are among those since the last commit. Some
// can be missing in a compacted topic, which keeps the newest record of each,
// and others are left of a time when there were more. The topic can also hold
// tasks of a connector whose removal has been compacted away.
func (r TaskCommit) apply(s *State) bool {
	pending := s.pending[r.Connector]
	delete(s.pending, r.Connector)
	c, there := s.connectors[r.Connector]
	if !there {
		return false
	}
	c.Tasks, c.Inconsistent = nil, false
	for i := 0; i < r.Tasks && !c.Inconsistent; i++ {
		config, ok := pending[i]
		c.Tasks, c.Inconsistent = append(c.Tasks, config), !ok
	}
	if c.Inconsistent {
		c.Tasks = nil
	}
	s.commits++
	c.Applied, c.Generation = c.Config, s.commits
	s.connectors[r.Connector] = c
	return true
}

func (r TargetState) apply(s *State) bool {
	if r.Target == "" {
		delete(s.targets, r.Connector)
		return false
	}
	set(&s.targets, r.Connector, r.Target)
	return true
}

func (RestartRequest) apply(*State) bool { return true }

func (r SessionKey) apply(s *State) bool {
	s.key = r
	return true
}

func (LoggerLevel) apply(*State) bool { return true }
