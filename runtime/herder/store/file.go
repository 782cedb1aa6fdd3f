package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"sync"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/files"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// File is the store of a worker by itself. It keeps the connectors made over
// REST, and what every connector is to do where that is not to run. It does not
// keep tasks: a worker that starts makes them anew.
type File struct {
	name string

	appending sync.Mutex              // one at a time, until the listener has heard; before mu
	managed   map[string]state.Target // what connectors that other files manage do at first; guarded by appending
	mu        sync.Mutex
	state     *State
	tell      func(Record)
}

// kept is what the file holds.
type kept struct {
	Connectors map[string]connector.Props `json:"connectors"`
	Targets    map[string]state.Target    `json:"targets"`
}

// OpenFile opens a store that has the connectors of a worker's files, which it
// does not keep, and those of its own file. Without a name it keeps nothing. A
// file that is not there holds nothing.
func OpenFile(name string, managed []config.Connector) (*File, error) {
	k, err := load(name)
	if err != nil {
		return nil, err
	}
	f := &File{name: name, managed: map[string]state.Target{}, state: new(State), tell: func(Record) {}}
	for _, c := range managed {
		if _, twice := k.Connectors[c.Name]; twice {
			return nil, fmt.Errorf("%s: connector %s was made over REST too: delete that one (it is in %s) or give this one another name", c.File, c.Name, name)
		}
		f.managed[c.Name] = atFirst(c)
		f.state.Apply(ConnectorConfig{c.Name, c.Entries.Props()})
		f.state.Apply(TargetState{c.Name, atFirst(c)})
	}
	for _, n := range slices.Sorted(maps.Keys(k.Connectors)) {
		f.state.Apply(ConnectorConfig{n, k.Connectors[n]})
	}
	left := false // targets of connectors that are no more
	for n, target := range k.Targets {
		if _, there := f.state.Connector(n); there {
			f.state.Apply(TargetState{n, target})
		} else {
			left = true
		}
	}
	if left { // a connector of such a name is another one
		if err := save(f.name, f.kept(f.state)); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// Append applies records, all or, with an error, none.
func (f *File) Append(_ context.Context, records ...Record) error {
	f.appending.Lock()
	defer f.appending.Unlock()
	next := f.state.clone() // changed below only, which appending guards
	var told []Record
	durable := false
	for _, r := range records {
		switch r.(type) {
		case ConnectorConfig, TargetState:
			durable = true
		}
		if next.Apply(r) {
			told = append(told, r)
		}
	}
	if durable && f.name != "" {
		if err := save(f.name, f.kept(next)); err != nil {
			return err
		}
	}
	f.mu.Lock()
	f.state = next
	tell := f.tell
	f.mu.Unlock()
	for _, r := range told {
		tell(r)
	}
	return nil
}

// Listen has tell hear of every record from now on.
func (f *File) Listen(tell func(Record)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tell = tell
}

// Manage has the connectors that other files manage be these from now on.
func (f *File) Manage(connectors []config.Connector) {
	f.appending.Lock()
	defer f.appending.Unlock()
	f.managed = map[string]state.Target{}
	for _, c := range connectors {
		f.managed[c.Name] = atFirst(c)
	}
}

// atFirst tells what a connector of a file does before anything else is wanted.
func atFirst(c config.Connector) state.Target {
	if c.Initial == "" {
		return state.TargetStarted
	}
	return c.Initial
}

// Connectors gives the names of all connectors.
func (f *File) Connectors() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state.Connectors()
}

// Connector gives what is wanted of a connector.
func (f *File) Connector(name string) (Connector, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state.Connector(name)
}

// kept gives what of a state is to be in the file.
func (f *File) kept(s *State) kept {
	k := kept{map[string]connector.Props{}, map[string]state.Target{}}
	for name, c := range s.connectors {
		if _, managed := f.managed[name]; !managed {
			k.Connectors[name] = c.Config
		}
	}
	for name, t := range s.targets {
		if first, managed := f.managed[name]; managed && t != first || !managed && t != state.TargetStarted { // else it goes without saying
			k.Targets[name] = t
		}
	}
	return k
}

func load(name string) (kept, error) {
	var k kept
	if name == "" {
		return k, nil
	}
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return k, err
	}
	if err := json.Unmarshal(data, &k); err != nil {
		return k, fmt.Errorf("%s: it does not hold connectors: %w; move it away to start without the connectors made over REST", name, err)
	}
	return k, nil
}

// save replaces the file. It may hold secrets that were sent over REST, so
// only its owner reads it.
func save(name string, k kept) error {
	data, err := json.MarshalIndent(k, "", " ")
	if err != nil {
		return err
	}
	return files.Replace(name, append(data, '\n'), 0o600)
}
