package cli

import (
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/internal/door"
)

// lintConnections says what is wrong with how a worker is reached, and how it and
// its connectors reach Kafka: listeners, logins, stores. What [config.Lint] has
// found already, such as references without a value, is left to it.
func lintConnections(s *config.Setup, embedded fs.FS) []config.Problem {
	w := new(Worker)
	resolver, err := config.NewResolver(s.Worker.Props())
	if err != nil {
		return nil
	}
	resolver.Embedded = embedded
	if err := w.configure(s, resolver); err != nil {
		return nil
	}
	var problems []config.Problem
	note := func(of, others config.List, p config.Problem, line string) {
		key, text, _ := strings.Cut(line, ": ")
		for _, list := range []config.List{of, others} {
			if e, ok := list.Find(key); ok {
				p.File, p.Line = e.File, e.Line
				break
			}
		}
		p.Key, p.Message = key, text
		p.Warning, p.Fails, p.Here = true, true, true
		problems = append(problems, p)
	}
	workers := runtime.CheckClients(w.props, nil)
	if _, err := door.New(w.conf, slog.New(slog.DiscardHandler)); err != nil {
		workers = append(workers, strings.Split(err.Error(), "\n")...)
	}
	for _, line := range workers {
		note(s.Worker, nil, config.Problem{File: firstFile(s)}, line)
	}
	for _, c := range s.Connectors {
		props, err := resolver.Resolve(c.Entries.Props(), config.Origin{Dir: filepath.Dir(c.File)})
		if err != nil {
			continue
		}
		for _, line := range runtime.CheckClients(w.props, props) {
			if !slices.Contains(workers, line) {
				note(c.Entries, s.Worker, config.Problem{File: c.File, Line: c.Line, Connector: c.Name}, line)
			}
		}
	}
	return problems
}

func firstFile(s *config.Setup) string {
	if len(s.Files) == 0 {
		return ""
	}
	return s.Files[0]
}
