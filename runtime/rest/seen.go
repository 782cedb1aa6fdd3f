package rest

import (
	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
	"github.com/axiom-data-science/hydraulics/runtime/internal/rights"
)

// seen gives a connector as the one who asks may see it: who may not change it
// does not see its secrets.
func (s *Server) seen(r request, i herder.Info) herder.Info {
	if rights.Of(r.Context()).Role < rights.Configure {
		i.Config = s.o.Herder.Validator().Secrets(i.Config).Props(i.Config)
	}
	return i
}

// seenTasks gives a connector's tasks as the one who asks may see them.
func (s *Server) seenTasks(r request, list []herder.TaskInfo) []herder.TaskInfo {
	if rights.Of(r.Context()).Role >= rights.Configure || len(list) == 0 {
		return list
	}
	var of connector.Props
	if i, err := s.o.Herder.Info(r.args[0]); err == nil {
		of = i.Config
	}
	secrets := s.o.Herder.Validator().Secrets(of)
	shown := make([]herder.TaskInfo, len(list))
	for i, t := range list {
		shown[i] = herder.TaskInfo{ID: t.ID, Config: secrets.Props(t.Config)}
	}
	return shown
}
