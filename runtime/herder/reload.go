package herder

import (
	"context"
	"maps"
	"slices"

	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/herder/store"
)

// Changes are the connectors that differ between what a worker's files said and
// what they say now, by name.
type Changes struct{ Added, Changed, Removed []string }

// None tells that nothing differs.
func (c Changes) None() bool { return len(c.Added)+len(c.Changed)+len(c.Removed) == 0 }

// Reload has the connectors of the worker's files be these: new ones start, those
// that changed start again, those that are gone stop, all others go on
// undisturbed. After an error everything is as before.
func (h *Herder) Reload(files []config.Connector) (Changes, error) {
	h.edits.Lock()
	defer h.edits.Unlock()
	h.mu.Lock()
	closed := h.closed
	h.mu.Unlock()
	if closed {
		return Changes{}, refuse(Conflict, "the worker is stopping")
	}
	before, now := h.files.Load(), byName(files)
	changes, records, err := h.compare(*before, files, *now)
	if err != nil {
		return Changes{}, err
	}
	h.manage(now)
	if len(records) == 0 {
		return changes, nil
	}
	if err := h.o.Store.Append(context.Background(), records...); err != nil {
		h.manage(before)
		return Changes{}, err
	}
	return changes, nil
}

// compare gives what differs, and the records that tell of it.
func (h *Herder) compare(before map[string]config.Connector, files []config.Connector, now map[string]config.Connector) (Changes, []store.Record, error) {
	var c Changes
	var records []store.Record
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if _, stays := now[name]; !stays {
			c.Removed = append(c.Removed, name)
			records = append(records, store.ConnectorConfig{Connector: name}, store.TargetState{Connector: name})
		}
	}
	for _, f := range files {
		props := f.Entries.Props()
		was, managed := before[f.Name]
		if _, there := h.o.Store.Connector(f.Name); there && !managed {
			return c, nil, refuse(Conflict, "%s: connector %s was made over REST too: delete that one or give this one another name", f.File, f.Name)
		}
		switch {
		case !managed:
			c.Added = append(c.Added, f.Name)
			records = append(records, h.creation(f.Name, props, f.Initial)...)
		case !maps.Equal(was.Entries.Props(), props):
			c.Changed = append(c.Changed, f.Name)
			records = append(records, store.ConnectorConfig{Connector: f.Name, Config: props})
		case was.Origin() != f.Origin(): // its relative paths are others
			c.Changed = append(c.Changed, f.Name)
			records = append(records, store.RestartRequest{Connector: f.Name, IncludeTasks: true})
		}
	}
	return c, records, nil
}

// manage takes connectors for those of the worker's files. The caller holds edits.
func (h *Herder) manage(files *map[string]config.Connector) {
	h.files.Store(files)
	h.o.Store.Manage(slices.Collect(maps.Values(*files)))
}

// file gives the file's connector of a name.
func (h *Herder) file(name string) (config.Connector, bool) {
	c, ok := (*h.files.Load())[name]
	return c, ok
}

func byName(files []config.Connector) *map[string]config.Connector {
	m := make(map[string]config.Connector, len(files))
	for _, c := range files {
		m[c.Name] = c
	}
	return &m
}
