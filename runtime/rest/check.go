package rest

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/internal/health"
)

const (
	// usualLook and mostLook are how long one thing that is looked at may take.
	usualLook, mostLook = 10 * time.Second, time.Minute
	// allLooks is how long all may take, some of which wait for others: an answer has to
	// come before the request is over.
	allLooks = requestTimeout - 5*time.Second
)

var errAllLooks = connector.Coded("H9003", fmt.Errorf("no answer within %s, in which all is looked at", allLooks))

// getCheck looks whether what the worker needs is there.
func getCheck(s *Server, r request) (answer, error) { return s.check(r, "") }

// getConnectorCheck looks whether what a connector needs is there.
func getConnectorCheck(s *Server, r request) (answer, error) { return s.check(r, r.args[0]) }

// check answers with what a look from this worker's machine has found. It asks other
// systems, which is not for everybody to have done.
func (s *Server) check(r request, name string) (answer, error) {
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
	ctx, cancel := context.WithTimeoutCause(r.Context(), allLooks, errAllLooks)
	defer cancel()
	list, err := s.o.Check(ctx, name, long)
	if list == nil {
		list = []health.Check{}
	}
	return answer{status: http.StatusOK, body: list}, err
}
