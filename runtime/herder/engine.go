package herder

import (
	"context"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
)

// Engine runs tasks: the runtime's worker, or a fake.
type Engine interface {
	// StartTask starts a task and gives it at once; notify hears of its states.
	StartTask(spec runtime.TaskSpec, notify func(runtime.Event)) (Task, error)
	// TaskConfigs splits a connector into tasks.
	TaskConfigs(ctx context.Context, spec runtime.TaskSpec, maxTasks int) ([]connector.Props, error)
	// ResplitEvery tells how often to split it again, 0 for never.
	ResplitEvery(spec runtime.TaskSpec) time.Duration
	// Monitor has a connector watch its system until ctx ends; it calls reconfigure
	// when the connector is to be split again. Nil is that it watches nothing.
	Monitor(ctx context.Context, spec runtime.TaskSpec, reconfigure func()) error
	// Offsets gives the offsets that a connector has committed. AlterOffsets and
	// ResetOffsets change them while none of its tasks is there, and tell whether
	// that is all there is to it.
	Offsets(ctx context.Context, spec runtime.TaskSpec) ([]connector.SourceOffset, error)
	AlterOffsets(ctx context.Context, spec runtime.TaskSpec, offsets []connector.SourceOffset) (all bool, err error)
	ResetOffsets(ctx context.Context, spec runtime.TaskSpec) (all bool, err error)
	// ActiveTopics gives the topics that a connector has used, and
	// ResetActiveTopics forgets them.
	ActiveTopics(name string) []string
	ResetActiveTopics(name string)
	// Forget drops what is remembered of a deleted connector.
	Forget(name string)
}

// Task is a task that an Engine runs.
type Task interface {
	Pause()
	Resume()
	Stop(ctx context.Context) error
	Snapshot() runtime.Stats
	// Brief is a Snapshot without stages, plugins and their metrics.
	Brief() runtime.Stats
}

// Worker makes an Engine of the runtime's worker.
func Worker(w *runtime.Worker) Engine { return engine{w} }

type engine struct{ *runtime.Worker }

// StartTask starts a task of the worker.
func (e engine) StartTask(spec runtime.TaskSpec, notify func(runtime.Event)) (Task, error) {
	t, err := e.Worker.StartTask(spec, notify)
	if err != nil {
		return nil, err
	}
	return t, nil
}
