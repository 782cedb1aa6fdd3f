package cli

import (
	"io"
	"log/slog"
	"slices"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// reload has a worker run what the files say now: connectors that differ from
// before. A mistake in them changes nothing, and is said.
func (s *source) reload(w *Worker, out io.Writer, log *slog.Logger) {
	setup, err := s.read()
	if err != nil {
		log.Error("reload: nothing is changed: " + err.Error())
		return
	}
	problems := config.Lint(setup, connector.Plugins, Defaults)
	for i := range problems { // at the start such a connector is shown as failed; now it goes on as it was
		if p := &problems[i]; p.Fails && p.Connector != "" {
			p.Warning = false
		}
	}
	if report(out, problems) > 0 {
		log.Error("reload: nothing is changed: the files have the mistakes above")
		return
	}
	if err := w.reload(setup); err != nil {
		log.Error("reload: nothing is changed: " + err.Error())
	}
}

// reload has the connectors of the worker's files be those of a setup: those that
// differ from before are started, stopped, or started again. After an error
// nothing is changed. The worker's own keys take effect at its next start.
func (w *Worker) reload(s *config.Setup) error {
	if s.Distributed {
		if err := config.CheckDistributed(s); err != nil {
			return err
		}
	}
	changes, err := w.herder.Reload(s.Connectors)
	if err != nil {
		return err
	}
	if keys := differing(w.setup.Worker.Props(), s.Worker.Props()); len(keys) > 0 {
		w.log.Warn("reload: the worker's own keys take effect when it is started again", "keys", keys)
	}
	if changes.None() {
		w.log.Info("reload: no connector differs")
	} else {
		w.log.Info("reloaded", "added", changes.Added, "changed", changes.Changed, "removed", changes.Removed)
	}
	return nil
}

// differing gives the keys that two configurations do not have in common.
func differing(a, b connector.Props) []string {
	var keys []string
	for k, v := range a {
		if other, there := b[k]; !there || other != v {
			keys = append(keys, k)
		}
	}
	for k := range b {
		if _, there := a[k]; !there {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}
