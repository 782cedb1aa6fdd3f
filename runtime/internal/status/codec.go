package status

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// Whole is the number of a task that stands for the connector itself.
const Whole = -1

// ID names a connector, or one of its tasks.
type ID struct {
	Connector string
	Task      int // or Whole
}

// Status is what a connector or a task is doing.
type Status struct {
	State      state.State
	Trace      string // why it failed
	WorkerID   string
	Generation int    // of the cluster, when the worker said so
	Version    string // of the plugin
}

// Use tells that a connector has read from a topic or written to it.
type Use struct {
	Topic      string
	Connector  string
	Task       int   // that was the first
	Discovered int64 // when, in milliseconds
}

// Keys of the status topic, or what they start with.
const (
	connectorKey = "status-connector-"
	taskKey      = "status-task-"
	topicKey     = "status-topic-"
	ofConnector  = ":connector-" // behind the topic, in whose name there is no colon
)

// The values of the status topic, with their fields in Kafka Connect's order.
type (
	statusValue struct {
		State      string  `json:"state"`
		Trace      *string `json:"trace"`
		WorkerID   string  `json:"worker_id"`
		Generation int     `json:"generation"`
		Version    *string `json:"version"`
	}
	useValue struct {
		Topic struct {
			Name       string `json:"name"`
			Connector  string `json:"connector"`
			Task       int    `json:"task"`
			Discovered int64  `json:"discoverTimestamp"`
		} `json:"topic"`
	}
)

func (id ID) key() string {
	if id.Task == Whole {
		return connectorKey + id.Connector
	}
	return taskKey + id.Connector + "-" + strconv.Itoa(id.Task)
}

// parseID reads the key of a status.
func parseID(key string) (id ID, ok bool) {
	if name, is := strings.CutPrefix(key, connectorKey); is {
		return ID{name, Whole}, name != ""
	}
	rest, is := strings.CutPrefix(key, taskKey)
	at := strings.LastIndexByte(rest, '-')
	if !is || at < 1 {
		return ID{}, false
	}
	n, err := strconv.Atoi(rest[at+1:])
	return ID{rest[:at], n}, err == nil && n >= 0
}

// value gives a status as the topic has it; that of what was destroyed is a
// tombstone.
func (s Status) value() ([]byte, error) {
	if s.State == state.Destroyed {
		return nil, nil
	}
	return encode(statusValue{string(s.State.Java()), text(s.Trace), s.WorkerID, s.Generation, text(s.Version)})
}

func parseStatus(value []byte) (Status, error) {
	v, err := decode[statusValue](value)
	if err != nil {
		return Status{}, err
	}
	s := Status{State: state.State(v.State), WorkerID: v.WorkerID, Generation: v.Generation}
	switch s.State {
	case state.Unassigned, state.Running, state.Paused, state.Stopped, state.Failed, state.Restarting, state.Destroyed:
	default:
		return Status{}, fmt.Errorf("state: %q is none of Kafka Connect's", v.State)
	}
	if v.Trace != nil {
		s.Trace = *v.Trace
	}
	if v.Version != nil {
		s.Version = *v.Version
	}
	return s, nil
}

func (u Use) key() string { return topicKey + u.Topic + ofConnector + u.Connector }

// parseUse reads the key of a topic's use.
func parseUse(key string) (u Use, ok bool) {
	rest, is := strings.CutPrefix(key, topicKey)
	topic, name, cut := strings.Cut(rest, ofConnector)
	return Use{Topic: topic, Connector: name}, is && cut && topic != "" && name != ""
}

func (u Use) value() ([]byte, error) {
	var v useValue
	v.Topic.Name, v.Topic.Connector, v.Topic.Task, v.Topic.Discovered = u.Topic, u.Connector, u.Task, u.Discovered
	return encode(v)
}

// text gives null for what there is none of.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// encode gives JSON as Java writes it: a trace has many a <init> in it.
func encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), err
}

func decode[T any](value []byte) (v T, err error) {
	if err := json.Unmarshal(value, &v); err != nil {
		return v, errors.New("the value is not the JSON that it should be")
	}
	return v, nil
}
