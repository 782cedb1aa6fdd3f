package herder

import (
	"context"
	"maps"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/herder/store"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// Create makes a connector. Its tasks start later.
func (h *Herder) Create(name string, props connector.Props, target state.Target) (Info, error) {
	props, err := h.check(name, props)
	if err != nil {
		return Info{}, err
	}
	if err := h.o.Leader.Leads(); err != nil {
		return Info{}, err
	}
	h.edits.Lock()
	defer h.edits.Unlock()
	if _, there := h.o.Store.Connector(name); there {
		return Info{}, refuse(Conflict, "Connector %s already exists", name)
	}
	return h.create(name, props, target)
}

// create makes a connector. The caller holds edits.
func (h *Herder) create(name string, props connector.Props, target state.Target) (Info, error) {
	h.mu.Lock()
	closed := h.closed
	h.mu.Unlock()
	if closed {
		return Info{}, refuse(Conflict, "the worker is stopping")
	}
	records := h.creation(name, props, target)
	if err := h.o.Store.Append(context.Background(), records...); err != nil {
		return Info{}, err
	}
	info := Info{Name: name, Config: props, Tasks: []TaskID{}} // those that it has already are news
	info.Kind, _ = h.describe(props)
	return info, nil
}

// creation gives the records that make a connector. That it is to run goes without
// saying, unless another target is left of its name: by a removal or a creation of
// which only the first record was written.
func (h *Herder) creation(name string, props connector.Props, target state.Target) []store.Record {
	if target == "" {
		target = state.TargetStarted
	}
	var records []store.Record
	if left, _ := h.o.Store.Connector(name); left.Target != target {
		records = append(records, store.TargetState{Connector: name, Target: target})
	}
	return append(records, store.ConnectorConfig{Connector: name, Config: props})
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
	for _, w := range h.o.Validator.Warnings(report, props) {
		h.o.Log.Warn(w.Key+": "+w.Message, "connector", name)
	}
	return props, nil
}

// Put changes a connector, or makes it where it is not there.
func (h *Herder) Put(name string, props connector.Props) (info Info, created bool, err error) {
	props, err = h.check(name, props)
	if err != nil {
		return Info{}, false, err
	}
	if err := h.o.Leader.Leads(); err != nil {
		return Info{}, false, err
	}
	h.edits.Lock()
	defer h.edits.Unlock()
	return h.put(name, props)
}

// put changes or makes a connector. The caller holds edits.
func (h *Herder) put(name string, props connector.Props) (info Info, created bool, err error) {
	want, there := h.o.Store.Connector(name)
	if !there {
		info, err = h.create(name, props, state.TargetStarted)
		return info, err == nil, err
	}
	if err := h.fileRefusal(name, "change"); err != nil {
		return Info{}, false, err
	}
	if !maps.Equal(want.Config, props) {
		if err := h.o.Store.Append(context.Background(), store.ConnectorConfig{Connector: name, Config: props}); err != nil {
			return Info{}, false, err
		}
	}
	info, err = h.Info(name)
	return info, false, err
}

// Patch changes some keys of a connector; a nil value removes one.
func (h *Herder) Patch(name string, patch connector.Props) (Info, error) {
	if err := h.o.Leader.Leads(); err != nil {
		return Info{}, err
	}
	h.edits.Lock()
	defer h.edits.Unlock()
	want, there := h.o.Store.Connector(name)
	if !there {
		return Info{}, refuse(NotFound, "Connector %s not found", name)
	}
	if err := h.fileRefusal(name, "change"); err != nil {
		return Info{}, err
	}
	props := want.Config.Clone()
	for k, v := range patch {
		if v == nil {
			delete(props, k)
		} else {
			props[k] = v
		}
	}
	props, err := h.check(name, props)
	if err != nil {
		return Info{}, err
	}
	info, _, err := h.put(name, props)
	return info, err
}

// Delete removes a connector. Its tasks stop after that.
func (h *Herder) Delete(name string) error {
	if err := h.o.Leader.Leads(); err != nil {
		return err
	}
	h.edits.Lock()
	defer h.edits.Unlock()
	if _, there := h.o.Store.Connector(name); !there {
		return refuse(NotFound, "Connector %s not found", name)
	}
	if err := h.fileRefusal(name, "remove"); err != nil {
		return err
	}
	return h.o.Store.Append(context.Background(), store.ConnectorConfig{Connector: name}, store.TargetState{Connector: name})
}

// SetTarget makes a connector run, pause or stop, also after the worker starts
// again. One that is stopped has no tasks.
func (h *Herder) SetTarget(name string, t state.Target) error {
	if err := h.o.Leader.Leads(); err != nil {
		return err
	}
	h.edits.Lock()
	defer h.edits.Unlock()
	want, there := h.o.Store.Connector(name)
	if !there {
		return refuse(NotFound, "Unknown connector %s", name)
	}
	var records []store.Record
	if t == state.TargetStopped && len(want.Tasks) > 0 {
		records = store.Tasks(name, nil)
	}
	return h.o.Store.Append(context.Background(), append(records, store.TargetState{Connector: name, Target: t})...)
}
