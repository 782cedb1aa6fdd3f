package rest

import (
	"net/http"

	"github.com/axiom-data-science/hydraulics/runtime/internal/rights"
)

// strangers refuses what is not for everybody to see or to have done, where others reach
// the worker and nobody has to log in.
func strangers(r request, what string) error {
	if !rights.Of(r.Context()).Anyone {
		return nil
	}
	return failed(http.StatusForbidden, "%s: others reach this address, and nobody has to log in. The worker's key access.file says who may.", what)
}

// getOrigins gives the values of a connector, without its secrets, and where each comes
// from.
func getOrigins(s *Server, r request) (answer, error) {
	if err := strangers(r, "No origins are shown"); err != nil {
		return answer{}, err
	}
	i, err := s.o.Herder.Info(r.args[0])
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, body: s.o.Herder.Validator().Sources(i.Config, i.Entries)}, nil
}

// getRates gives what this worker's tasks of a connector did in the last hour.
func getRates(s *Server, r request) (answer, error) {
	if s.o.Rates == nil {
		return answer{}, failed(http.StatusNotFound, "This worker keeps no rates.")
	}
	i, err := s.o.Herder.Info(r.args[0])
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, body: s.o.Rates.Samples(i.Name)}, nil
}

// getLog gives what this worker has logged of a connector, the newest first, without its
// secrets.
func getLog(s *Server, r request) (answer, error) {
	if s.o.Lines == nil {
		return answer{}, failed(http.StatusNotFound, "This worker keeps no lines.")
	}
	if err := strangers(r, "No log is shown"); err != nil {
		return answer{}, err
	}
	i, err := s.o.Herder.Info(r.args[0])
	if err != nil {
		return answer{}, err
	}
	mask, err := s.o.Herder.Validator().Masker(i.Config, i.Origin())
	if err != nil {
		s.o.Log.Debug("log: references are not replaced: "+err.Error(), "connector", i.Name)
	}
	return answer{status: http.StatusOK, body: s.o.Lines.Shown(i.Name, mask)}, nil
}
