package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strconv"

	"github.com/axiom-data-science/hydraulics/connector"
)

// misconfiguredError is an answer that is about the configuration: with the same
// one every record would get it, again at each restart of the task.
type misconfiguredError struct {
	error
	conf connector.Props // what was configured
	to   *destination    // what was asked for
	code int             // the answer
	vain int             // how the service answered the question before that; 0 without one
}

// Unwrap gives what is said to people.
func (e *misconfiguredError) Unwrap() error { return e.error }

func (s *Sink) misconfigured(to *destination, code int, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return connector.Fatal(&misconfiguredError{error: err, conf: s.conf.Props(), to: to, code: code, vain: s.probed})
}

// ask spares a service that refused the task's records the same ones at each
// restart. It asks with HEAD, which brings no data. Records are sent again where
// that is answered otherwise than they were, once for each other answer; or
// where the configuration is another one, as after a password was changed.
func (s *Sink) ask(ctx context.Context, failed error) error {
	last, ok := errors.AsType[*misconfiguredError](failed)
	if !ok || !reflect.DeepEqual(last.conf, s.conf.Props()) {
		return nil
	}
	login, err := s.login.current(ctx)
	if err != nil {
		return s.withoutLogin(ctx, err)
	}
	question := *last.to
	question.method = http.MethodHead
	answer, err := s.client.Do(s.newRequest(ctx, &question, login, "", nil))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	said := "no answer"
	if err == nil {
		_ = answer.Body.Close()
		if code := answer.StatusCode; !passing(code) && code != last.code && code != last.vain {
			s.probed = code
			return nil
		}
		said = strconv.Itoa(answer.StatusCode)
	}
	return connector.Fatal(fmt.Errorf("%w; HEAD says no other (%s), so records wait: restart the task to send them all the same", last, said))
}
