package tools

import (
	"context"
	"errors"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

var (
	_ connector.Source       = (*MockSource)(nil)
	_ connector.TaskSplitter = (*MockSource)(nil)
	_ connector.Sink         = (*MockSink)(nil)
	_ connector.TaskSplitter = (*MockSink)(nil)
)

func init() {
	connector.RegisterSource(func() connector.Source { return new(MockSource) })
	connector.RegisterSink(func() connector.Sink { return new(MockSink) })
}

// What mock_mode may ask for, beside nothing.
const (
	connectorFailure = "connector-failure"
	taskFailure      = "task-failure"
)

// errMock is the failure that is asked for.
var errMock = errors.New("mock_mode asks for this failure")

// mock is what the two connectors share: one task, which fails after a while
// where it is told to.
type mock struct {
	due time.Time // zero for never
}

func mockKeys() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "mock_mode", Type: connector.StringKey, Importance: connector.High,
			Doc: "What fails: " + connectorFailure + ", " + taskFailure + ", or, with anything else, nothing."},
		connector.Key{Name: "delay_ms", Type: connector.LongKey, Default: 15000, Importance: connector.High, Check: connector.AtLeast(0),
			Doc: "When it fails, in milliseconds after the start."})
}

func delay(conf connector.Config) time.Duration {
	return time.Duration(conf.Int64("delay_ms")) * time.Millisecond
}

// TaskConfigs gives one task. A connector that is to fail does so in its place.
func (*mock) TaskConfigs(ctx context.Context, _ connector.Context, conf connector.Config, _ int) ([]connector.Props, error) {
	if conf.String("mock_mode") != connectorFailure {
		return []connector.Props{conf.Props().Clone()}, nil
	}
	select {
	case <-time.After(delay(conf)):
		return nil, connector.Fatal(errMock)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Start notes when to fail.
func (m *mock) Start(_ context.Context, _ connector.Context, conf connector.Config) error {
	m.due = time.Time{}
	if conf.String("mock_mode") == taskFailure {
		m.due = time.Now().Add(delay(conf))
	}
	return nil
}

// failed gives the failure once it is due.
func (m *mock) failed() error {
	if m.due.IsZero() || time.Now().Before(m.due) {
		return nil
	}
	return connector.Fatal(errMock)
}

// Stop has nothing to release.
func (*mock) Stop() error { return nil }

// MockSource gives no records.
type MockSource struct{ mock }

// Info describes the plugin.
func (*MockSource) Info() connector.Info {
	return connector.Info{Name: "mock-source", Version: Version, Class: javaPackage + "MockSourceConnector",
		Doc: "Gives nothing, and fails after a while where it is told to."}
}

// ConfigDef gives the keys.
func (*MockSource) ConfigDef() *connector.ConfigDef { return mockKeys() }

// Poll waits for the failure, or the end of the task.
func (s *MockSource) Poll(ctx context.Context) ([]connector.SourceRecord, error) {
	if s.due.IsZero() {
		<-ctx.Done()
		return nil, nil
	}
	select {
	case <-time.After(time.Until(s.due)):
		return nil, s.failed()
	case <-ctx.Done():
		return nil, nil
	}
}

// MockSink forgets what it is given.
type MockSink struct{ mock }

// Info describes the plugin.
func (*MockSink) Info() connector.Info {
	return connector.Info{Name: "mock-sink", Version: Version, Class: javaPackage + "MockSinkConnector",
		Doc: "Forgets what it is given, and fails at the first batch after a while where it is told to."}
}

// ConfigDef gives the keys.
func (*MockSink) ConfigDef() *connector.ConfigDef { return mockKeys() }

// Put fails once that is due.
func (s *MockSink) Put(context.Context, []connector.Record) error { return s.failed() }
