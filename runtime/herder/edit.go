package herder

import (
	"maps"
	"slices"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// Create makes a connector. Its tasks start later.
func (h *Herder) Create(name string, props connector.Props, target state.Target) (Info, error) {
	props, err := h.check(name, props)
	if err != nil {
		return Info{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, there := h.connectors[name]; there {
		return Info{}, refuse(Conflict, "Connector %s already exists", name)
	}
	return h.create(name, props, target)
}

// create makes a connector under the lock.
func (h *Herder) create(name string, props connector.Props, target state.Target) (Info, error) {
	if h.closed {
		return Info{}, refuse(Conflict, "the worker is stopping")
	}
	h.kept.Connectors[name] = props
	h.keepTarget(name, target)
	if err := h.kept.save(h.o.File); err != nil {
		delete(h.kept.Connectors, name)
		delete(h.kept.Targets, name)
		return Info{}, err
	}
	m := h.add(name, props, "", config.Origin{Remote: true}, target)
	h.note()
	return m.infoLocked(), nil
}

// check says what is wrong with a connector, as the REST API does, and gives
// its configuration with its name in it.
func (h *Herder) check(name string, props connector.Props) (connector.Props, error) {
	if own, given := props.Text("name"); given && own != name {
		return nil, refuse(BadRequest, "Connector name configuration (%s) doesn't match connector name in the URL (%s)", own, name)
	}
	props = props.Clone()
	if props == nil {
		props = connector.Props{}
	}
	props["name"] = name
	report, err := h.o.Validator.Validate(props, config.Origin{Remote: true})
	if err == nil {
		err = report.Err()
	}
	if err != nil {
		return nil, refuse(BadRequest, "%s", err)
	}
	return props, nil
}

// Put changes a connector, or makes it where it is not there.
func (h *Herder) Put(name string, props connector.Props) (info Info, created bool, err error) {
	props, err = h.check(name, props)
	if err != nil {
		return Info{}, false, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	m, there := h.connectors[name]
	if !there {
		info, err = h.create(name, props, state.TargetStarted)
		return info, err == nil, err
	}
	info, err = h.change(m, props)
	return info, false, err
}

// change gives a connector another configuration, under the lock.
func (h *Herder) change(m *managed, props connector.Props) (Info, error) {
	if m.file != "" {
		return Info{}, m.fileRefusal("change")
	}
	old := h.kept.Connectors[m.name]
	h.kept.Connectors[m.name] = props
	if err := h.kept.save(h.o.File); err != nil {
		h.kept.Connectors[m.name] = old
		return Info{}, err
	}
	if !maps.Equal(m.props, props) {
		m.props = props
		m.wanted++
		m.describe()
		m.poke()
	}
	h.note()
	return m.infoLocked(), nil
}

// Patch changes some keys of a connector; a nil value removes one.
func (h *Herder) Patch(name string, patch connector.Props) (Info, error) {
	h.mu.Lock()
	m, err := h.find(name)
	if err != nil {
		h.mu.Unlock()
		return Info{}, err
	}
	props, file := m.props.Clone(), m.file
	h.mu.Unlock()
	if file != "" {
		return Info{}, m.fileRefusal("change")
	}
	for k, v := range patch {
		if v == nil {
			delete(props, k)
		} else {
			props[k] = v
		}
	}
	info, _, err := h.Put(name, props)
	return info, err
}

// Delete removes a connector. Its tasks stop after that.
func (h *Herder) Delete(name string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	m, err := h.find(name)
	if err != nil {
		return err
	}
	if m.file != "" {
		return m.fileRefusal("remove")
	}
	props, target := h.kept.Connectors[name], h.kept.Targets[name]
	delete(h.kept.Connectors, name)
	delete(h.kept.Targets, name)
	if err := h.kept.save(h.o.File); err != nil {
		h.kept.Connectors[name] = props
		h.keepTarget(name, target)
		return err
	}
	delete(h.connectors, name)
	h.order = slices.DeleteFunc(h.order, func(n string) bool { return n == name })
	if !h.closed { // else it is ending already
		h.ending[name] = m
		m.cancel()
	}
	h.note()
	return nil
}

// keepTarget notes what a connector is to do; to run goes without saying.
func (h *Herder) keepTarget(name string, t state.Target) {
	if t == state.TargetStarted || t == "" {
		delete(h.kept.Targets, name)
		return
	}
	h.kept.Targets[name] = t
}

// SetTarget makes a connector run, pause or stop, also after the worker starts
// again.
func (h *Herder) SetTarget(name string, t state.Target) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	m, ok := h.connectors[name]
	if !ok {
		return refuse(NotFound, "Unknown connector %s", name)
	}
	old := h.kept.Targets[name]
	h.keepTarget(name, t)
	if err := h.kept.save(h.o.File); err != nil {
		h.keepTarget(name, old)
		return err
	}
	if m.target != t {
		m.target = t
		m.poke()
	}
	h.note()
	return nil
}
