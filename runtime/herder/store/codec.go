package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// Keys of Kafka Connect's configuration topic, or what they start with.
const (
	connectorKey = "connector-"
	taskKey      = "task-"
	commitKey    = "commit-"
	targetKey    = "target-state-"
	restartKey   = "restart-connector-"
	loggerKey    = "logger-cluster-"
	sessionKey   = "session-key"
)

// The values of Kafka Connect's configuration topic.
type (
	configValue struct {
		Properties map[string]*string `json:"properties"`
	}
	commitValue struct {
		Tasks *int `json:"tasks"`
	}
	targetValue struct {
		State string `json:"state"`    // for workers that do not know STOPPED
		V2    string `json:"state.v2"` // counts where it is there
	}
	restartValue struct {
		IncludeTasks bool `json:"include-tasks"`
		OnlyFailed   bool `json:"only-failed"`
	}
	sessionValue struct {
		Key       []byte `json:"key"` // base64
		Algorithm string `json:"algorithm"`
		Created   int64  `json:"creation-timestamp"`
	}
	loggerValue struct {
		Level string `json:"level"`
	}
)

// Encode gives a record as Kafka Connect's configuration topic has it. A nil
// value is a tombstone.
func Encode(r Record) (key string, value []byte, err error) {
	var v any
	switch r := r.(type) {
	case ConnectorConfig:
		if key = connectorKey + r.Connector; r.Config == nil {
			return key, nil, nil
		}
		v = properties(r.Config)
	case TaskConfig:
		key, v = taskKey+r.Connector+"-"+strconv.Itoa(r.Task), properties(r.Config)
	case TaskCommit:
		key, v = commitKey+r.Connector, commitValue{&r.Tasks}
	case TargetState:
		if key = targetKey + r.Connector; r.Target == "" {
			return key, nil, nil
		}
		old := r.Target
		if old == state.TargetStopped {
			old = state.TargetPaused
		}
		v = targetValue{string(old), string(r.Target)}
	case RestartRequest:
		key, v = restartKey+r.Connector, restartValue{r.IncludeTasks, r.OnlyFailed}
	case SessionKey:
		key, v = sessionKey, sessionValue{[]byte(r.Key), r.Algorithm, r.Created.UnixMilli()}
	case LoggerLevel:
		key, v = loggerKey+r.Namespace, loggerValue{r.Level}
	}
	value, err = marshal(v)
	return key, value, err
}

// marshal gives JSON without HTML escapes, as Java does.
func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), err
}

func properties(p connector.Props) configValue {
	v := configValue{make(map[string]*string, len(p))}
	for key := range p {
		v.Properties[key] = nil
		if text, ok := p.Text(key); ok {
			v.Properties[key] = &text
		}
	}
	return v
}

// essential tells whether a connector would run otherwise, or not at all, were
// the record with this key left out. Tasks and their commits are made anew.
func essential(key string) bool {
	return strings.HasPrefix(key, connectorKey) || strings.HasPrefix(key, targetKey)
}

// Decode reads a record of Kafka Connect's configuration topic. A nil value is
// a tombstone. The error names the key and holds nothing of the value.
func Decode(key string, value []byte) (Record, error) {
	r, err := decode(key, value)
	if err != nil {
		return nil, fmt.Errorf("configuration record %s: %w", key, err)
	}
	return r, nil
}

var (
	errNull = errors.New("it has no value")
	errKey  = errors.New("the key is none of Kafka Connect's that are known here")
)

func decode(key string, value []byte) (Record, error) {
	cut := func(prefix string) (name string, ok bool) { return strings.CutPrefix(key, prefix) }
	if name, ok := cut(connectorKey); ok {
		if value == nil {
			return ConnectorConfig{Connector: name}, nil
		}
		props, err := readProps(value)
		return ConnectorConfig{name, props}, err
	}
	if name, ok := cut(targetKey); ok {
		if value == nil {
			return TargetState{Connector: name}, nil
		}
		target, err := readTarget(value)
		return TargetState{name, target}, err
	}
	if value == nil {
		return nil, errNull
	}
	if rest, ok := cut(taskKey); ok {
		at := strings.LastIndexByte(rest, '-')
		n, err := strconv.Atoi(rest[at+1:])
		if at < 0 || err != nil || n < 0 {
			return nil, errors.New("the key does not end with the number of a task")
		}
		props, err := readProps(value)
		return TaskConfig{rest[:at], n, props}, err
	}
	if name, ok := cut(commitKey); ok {
		v, err := read[commitValue](value)
		if err == nil && (v.Tasks == nil || *v.Tasks < 0) {
			err = errors.New("tasks: want a number of tasks")
		}
		if err != nil {
			return nil, err
		}
		return TaskCommit{name, *v.Tasks}, nil
	}
	if name, ok := cut(restartKey); ok {
		v, err := read[restartValue](value)
		return RestartRequest{name, v.IncludeTasks, v.OnlyFailed}, err
	}
	if name, ok := cut(loggerKey); ok {
		v, err := read[loggerValue](value)
		return LoggerLevel{name, v.Level}, err
	}
	if key == sessionKey {
		v, err := read[sessionValue](value)
		return SessionKey{connector.Password(v.Key), v.Algorithm, time.UnixMilli(v.Created).UTC()}, err
	}
	return nil, errKey
}

// read decodes a value. The error says what is wrong without what is there.
func read[T any](value []byte) (T, error) {
	var v T
	err := json.Unmarshal(value, &v)
	if typed, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && typed.Field != "" {
		return v, fmt.Errorf("%s: want %s, not %s", typed.Field, typed.Type, typed.Value)
	}
	if err != nil {
		return v, errors.New("the value is not the JSON that it should be")
	}
	return v, nil
}

func readProps(value []byte) (connector.Props, error) {
	v, err := read[configValue](value)
	if err == nil && v.Properties == nil {
		err = errors.New("properties: want an object")
	}
	props := make(connector.Props, len(v.Properties))
	for key, text := range v.Properties {
		props[key] = nil
		if text != nil {
			props[key] = *text
		}
	}
	return props, err
}

func readTarget(value []byte) (state.Target, error) {
	v, err := read[targetValue](value)
	if err != nil {
		return "", err
	}
	text := v.V2
	if text == "" {
		text = v.State
	}
	target, ok := state.ParseTarget(text)
	if !ok {
		return "", fmt.Errorf("state: %q is none of STARTED, PAUSED and STOPPED", text)
	}
	return target, nil
}
