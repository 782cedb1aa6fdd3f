package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/internal/health"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// Connector is a connector as a worker knows it.
type Connector struct {
	Info   Info   `json:"info"`
	Status Status `json:"status"`
}

// Info is how a connector is configured.
type Info struct {
	Name   string `json:"name"`
	Config Config `json:"config"`
	Type   string `json:"type"` // source or sink
	Kind   string `json:"kind"` // stream, of a worker that has them
	File   string `json:"managed_by"`
}

// Config is a connector's configuration.
type Config map[string]*string

// Text gives what a key says, "" where it is not there.
func (c Config) Text(key string) string {
	if v := c[key]; v != nil {
		return *v
	}
	return ""
}

// Status is what a connector and its tasks are doing.
type Status struct {
	Name      string `json:"name"`
	Connector State  `json:"connector"`
	Tasks     []Task `json:"tasks"`
}

// State is what a connector or a task is doing, and where.
type State struct {
	State   string `json:"state"`
	Worker  string `json:"worker_id"`
	Trace   string `json:"trace,omitempty"`
	Stalled string `json:"stalled,omitempty"` // what it waits for
}

// Task is a task of a connector.
type Task struct {
	ID int `json:"id"`
	State
	Progress *Progress `json:"progress,omitempty"` // where it was asked for
}

// Offset is how far a connector has come in one partition of what it reads. Its
// parts are JSON as the worker wrote it.
type Offset struct {
	Partition json.RawMessage `json:"partition"`
	Offset    json.RawMessage `json:"offset"` // null resets it
}

// Offsets are those of a connector, as requests and answers have them.
type Offsets struct {
	Offsets []Offset `json:"offsets"`
}

// Plugin is a plugin that a worker has.
type Plugin struct {
	Type    string `json:"type"`
	Class   string `json:"class"`
	Version string `json:"version,omitempty"`
}

// Key is a key of a plugin's definition.
type Key struct {
	Name       string  `json:"name"`
	Type       string  `json:"type"`
	Required   bool    `json:"required"`
	Default    *string `json:"default_value"`
	Importance string  `json:"importance"`
	Doc        string  `json:"documentation"`
}

// Check is what a worker says of one key of a configuration.
type Check struct {
	Definition *Key `json:"definition"`
	Value      struct {
		Name   string   `json:"name"`
		Errors []string `json:"errors"`
	} `json:"value"`
}

// about says which connector a request is about.
func about(name string) string { return "connector " + name }

// Connectors gives all connectors by name. They are asked for in two requests: where
// both are one, Java leaves out a connector that has no status yet.
func (c *Client) Connectors(ctx context.Context) (map[string]Connector, error) {
	return c.connectors(ctx, false)
}

func (c *Client) connectors(ctx context.Context, progress bool) (map[string]Connector, error) {
	var all map[string]Connector
	if err := c.do(ctx, expanded(url.Values{"expand": {"info"}}), &all); err != nil {
		return nil, err
	}
	now, err := c.statuses(ctx, progress)
	if err != nil {
		return nil, err
	}
	for name, one := range all {
		one.Status = now[name].Status
		all[name] = one
	}
	return all, nil
}

// expanded asks for all connectors.
func expanded(q url.Values) call {
	return call{method: "GET", path: []string{"connectors"}, query: q, about: "connectors"}
}

// statuses gives the statuses of all connectors.
func (c *Client) statuses(ctx context.Context, progress bool) (now map[string]Connector, err error) {
	q := url.Values{"expand": {"status"}}
	if progress {
		q.Set("progress", "true")
	}
	return now, c.do(ctx, expanded(q), &now)
}

// Names gives the names of all connectors.
func (c *Client) Names(ctx context.Context) ([]string, error) {
	var names []string
	err := c.do(ctx, call{method: "GET", path: []string{"connectors"}, about: "connectors"}, &names)
	return names, err
}

// Connector gives one connector; its status is empty where it has none yet.
func (c *Client) Connector(ctx context.Context, name string) (Connector, error) {
	var one Connector
	err := c.do(ctx, call{method: "GET", path: []string{"connectors", name}, about: about(name)}, &one.Info)
	if err != nil {
		return one, err
	}
	err = c.do(ctx, call{method: "GET", path: []string{"connectors", name, "status"}, about: about(name)}, &one.Status)
	if refused, is := errors.AsType[*Error](err); is && refused.NotFound() {
		err = nil // it is there, and has no status yet
	}
	return one, err
}

// Create makes a connector that is not there yet; an empty target is to run.
func (c *Client) Create(ctx context.Context, name string, config Config, target state.Target) error {
	body := struct {
		Name   string `json:"name"`
		Config Config `json:"config"`
		State  string `json:"initial_state,omitempty"` // Java knows it since 3.7
	}{name, config, ""}
	if target != "" && target != state.TargetStarted {
		body.State = string(target)
	}
	return c.do(ctx, call{method: "POST", path: []string{"connectors"}, body: body, about: about(name)}, nil)
}

// Put configures a connector.
func (c *Client) Put(ctx context.Context, name string, config Config) error {
	return c.do(ctx, call{method: "PUT", path: []string{"connectors", name, "config"}, body: config, about: about(name)}, nil)
}

// Delete removes a connector.
func (c *Client) Delete(ctx context.Context, name string) error {
	return c.do(ctx, call{method: "DELETE", path: []string{"connectors", name}, about: about(name)}, nil)
}

// SetTarget has a connector run, pause or stop.
func (c *Client) SetTarget(ctx context.Context, name string, target state.Target) error {
	r := call{method: "PUT", about: about(name)}
	switch target {
	case state.TargetPaused:
		r.path = []string{"connectors", name, "pause"}
	case state.TargetStopped:
		r.path, r.since = []string{"connectors", name, "stop"}, "3.5"
	default:
		r.path = []string{"connectors", name, "resume"}
	}
	return c.do(ctx, r, nil)
}

// Restart starts a connector again, with its tasks, or with what of it has failed.
func (c *Client) Restart(ctx context.Context, name string, tasks, onlyFailed bool) error {
	q := url.Values{"includeTasks": {strconv.FormatBool(tasks)}, "onlyFailed": {strconv.FormatBool(onlyFailed)}}
	return c.do(ctx, call{method: "POST", path: []string{"connectors", name, "restart"}, query: q, about: about(name)}, nil)
}

// RestartTask starts one task again.
func (c *Client) RestartTask(ctx context.Context, name string, task int) error {
	id := strconv.Itoa(task)
	return c.do(ctx, call{method: "POST", path: []string{"connectors", name, "tasks", id, "restart"}, about: "task " + name + "/" + id}, nil)
}

// Offsets gives the offsets of a connector.
func (c *Client) Offsets(ctx context.Context, name string) (Offsets, error) {
	var all Offsets
	err := c.do(ctx, call{method: "GET", path: []string{"connectors", name, "offsets"}, about: "offsets of " + about(name), since: "3.5"}, &all)
	return all, err
}

// message is how a worker says what it did.
type message struct {
	Message string `json:"message"`
}

// AlterOffsets changes offsets of a stopped connector, and gives the worker's words.
func (c *Client) AlterOffsets(ctx context.Context, name string, to Offsets) (string, error) {
	var said message
	err := c.do(ctx, call{method: http.MethodPatch, path: []string{"connectors", name, "offsets"}, body: to, about: "offsets of " + about(name), since: "3.6"}, &said)
	return said.Message, err
}

// ResetOffsets removes all offsets of a stopped connector, and gives the worker's words.
func (c *Client) ResetOffsets(ctx context.Context, name string) (string, error) {
	var said message
	err := c.do(ctx, call{method: "DELETE", path: []string{"connectors", name, "offsets"}, about: "offsets of " + about(name), since: "3.6"}, &said)
	return said.Message, err
}

// Plugins gives the plugins of the worker, of every type.
func (c *Client) Plugins(ctx context.Context) ([]Plugin, error) {
	var list []Plugin
	err := c.do(ctx, call{method: "GET", path: []string{"connector-plugins"}, query: url.Values{"connectorsOnly": {"false"}}, about: "plugins"}, &list)
	return list, err
}

// Keys gives the keys of a plugin.
func (c *Client) Keys(ctx context.Context, plugin string) ([]Key, error) {
	var keys []Key
	err := c.do(ctx, call{method: "GET", path: []string{"connector-plugins", plugin, "config"}, about: "keys of plugin " + plugin, since: "3.2"}, &keys)
	return keys, err
}

// Validate has the worker say what it thinks of a connector's configuration.
func (c *Client) Validate(ctx context.Context, config Config) ([]Check, error) {
	var report struct {
		Configs []Check `json:"configs"`
	}
	r := call{method: "PUT", path: []string{"connector-plugins", config.Text("connector.class"), "config", "validate"}, body: config, about: about(config.Text("name"))}
	err := c.do(ctx, r, &report)
	return report.Configs, err
}

// Check has the worker look whether what it needs itself is there; each thing may take so
// long.
func (c *Client) Check(ctx context.Context, long time.Duration) ([]health.Check, error) {
	return c.check(ctx, []string{"check"}, "check of the worker", long)
}

// CheckConnector has the worker look whether what a connector needs is there.
func (c *Client) CheckConnector(ctx context.Context, name string, long time.Duration) ([]health.Check, error) {
	return c.check(ctx, []string{"connectors", name, "check"}, "check of "+about(name), long)
}

func (c *Client) check(ctx context.Context, path []string, about string, long time.Duration) (list []health.Check, err error) {
	q := url.Values{"timeout": {long.String()}}
	return list, c.do(ctx, call{method: "GET", path: path, query: q, about: about, ours: true}, &list)
}

// Origins gives the values of a connector as they may be seen, and where each comes from.
func (c *Client) Origins(ctx context.Context, name string) (list []config.Sourced, err error) {
	return list, c.do(ctx, call{method: "GET", path: []string{"connectors", name, "origins"}, about: "origins of " + about(name), ours: true}, &list)
}

// Version gives the version that the worker says it has.
func (c *Client) Version(ctx context.Context) (string, error) {
	var root struct {
		Version string `json:"version"`
	}
	err := c.do(ctx, call{method: "GET", path: []string{""}, about: "version"}, &root)
	return root.Version, err
}
