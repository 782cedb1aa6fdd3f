package rest

import (
	"net/http"

	"github.com/axiom-data-science/hydraulics/internal/loggers"
)

type loggerBody struct {
	Level    string `json:"level"`
	Modified *int64 `json:"last_modified"` // milliseconds, null where nobody set it
}

func logger(l loggers.Level) loggerBody {
	b := loggerBody{Level: l.Name}
	if !l.Modified.IsZero() {
		ms := l.Modified.UnixMilli()
		b.Modified = &ms
	}
	return b
}

func getLoggers(s *Server, _ request) (answer, error) {
	b := map[string]loggerBody{}
	for name, l := range s.o.Loggers.All() {
		b[name] = logger(l)
	}
	return answer{status: http.StatusOK, body: b}, nil
}

func getLogger(s *Server, r request) (answer, error) {
	l, ok := s.o.Loggers.Get(r.args[0])
	if !ok {
		return answer{}, failed(http.StatusNotFound, "Logger %s not found.", r.args[0])
	}
	return answer{status: http.StatusOK, body: logger(l)}, nil
}

// putLogger sets the level of loggers, of this worker or of the whole cluster, of
// which Kafka Connect does not say what it changed.
func putLogger(s *Server, r request) (answer, error) {
	var in map[string]string
	if err := read(r, &in); err != nil {
		return answer{}, err
	}
	text, ok := in["level"]
	if !ok {
		return answer{}, failed(http.StatusBadRequest, "Desired 'level' parameter was not specified in request.")
	}
	level, ok := loggers.ParseLevel(text)
	if !ok {
		return answer{}, failed(http.StatusNotFound, "invalid log level '%s'.", text)
	}
	if r.URL.Query().Get("scope") == "cluster" {
		return answer{status: http.StatusNoContent}, s.o.Herder.SetLoggerLevel(r.args[0], level)
	}
	changed := s.o.Loggers.Set(r.args[0], level)
	s.o.Log.Info("loggers have another level", "namespace", r.args[0], "level", level, "changed", len(changed))
	return answer{status: http.StatusOK, body: changed}, nil
}
