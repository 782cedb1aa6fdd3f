package cli

import (
	"fmt"

	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// Failed gives the error of the first connector that could not be split into
// tasks, or has a task that failed and does not start again by itself.
func (w *Worker) Failed() error {
	for _, name := range w.herder.Connectors() {
		status, err := w.herder.Status(name)
		if err != nil {
			return err
		}
		if status.Connector.State == state.Failed {
			return fmt.Errorf("connector %s failed: %s", name, status.Connector.Trace)
		}
		for _, t := range status.Tasks {
			if t.State == state.Failed && (t.Restarts == nil || t.Restarts.Next.IsZero()) {
				return fmt.Errorf("task %s/%d failed: %s", name, t.ID, t.Trace)
			}
		}
	}
	return nil
}

// Done tells whether a source has given all that it will ever give.
func (w *Worker) Done(source string) (bool, error) {
	status, err := w.herder.Status(source)
	if err != nil {
		return false, err
	}
	for _, t := range status.Tasks {
		if t.State != state.Done {
			return false, nil
		}
	}
	return len(status.Tasks) > 0, nil
}

// Snapshots gives what each task has done so far.
func (w *Worker) Snapshots() []runtime.Stats { return w.herder.Snapshots() }
