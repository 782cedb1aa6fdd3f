package rest

import (
	"net/http"
	"time"

	"github.com/axiom-data-science/hydraulics/runtime/internal/health"
)

// usualLook and mostLook are how long one thing that is looked at may take: an answer has
// to come before a request is over.
const usualLook, mostLook = 10 * time.Second, time.Minute

// getCheck looks whether what the worker needs is there.
func getCheck(s *Server, r request) (answer, error) { return s.check(r, "") }

// getConnectorCheck looks whether what a connector needs is there.
func getConnectorCheck(s *Server, r request) (answer, error) { return s.check(r, r.args[0]) }

// check answers with what a look from this worker's machine has found. It asks other
// systems, which is not for everybody to have done.
func (s *Server) check(r request, connector string) (answer, error) {
	if s.o.Check == nil {
		return answer{}, failed(http.StatusNotFound, "This worker looks at nothing.")
	}
	if err := strangers(r, "Nothing is looked at"); err != nil {
		return answer{}, err
	}
	long := usualLook
	if text := r.URL.Query().Get("timeout"); text != "" {
		var err error
		if long, err = time.ParseDuration(text); err != nil || long <= 0 || long > mostLook {
			return answer{}, failed(http.StatusBadRequest, "timeout: %q is not a time above 0, such as 10s; %s at most", text, mostLook)
		}
	}
	r.stage("looking at what is needed, each thing for %s at most", long)
	list, err := s.o.Check(r.Context(), connector, long)
	if list == nil {
		list = []health.Check{}
	}
	return answer{status: http.StatusOK, body: list}, err
}
