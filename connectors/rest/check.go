package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/axiom-data-science/hydraulics/connector"
)

var (
	_ connector.Checker    = (*Sink)(nil)
	_ connector.TopicNamer = (*Sink)(nil)
)

// webService is what a check of the sink looks at.
const webService = "web service"

// Check asks the service with HEAD, which brings no data: it answers, and takes the
// login. Where records say the path, its host is asked.
func (s *Sink) Check(ctx context.Context, c connector.Context, conf connector.Config, found func(connector.Finding)) {
	c.Failed = nil
	f := connector.Finding{What: webService}
	defer func() { found(f) }()
	if f.Err = s.Start(ctx, c, conf); f.Err != nil {
		return
	}
	defer func() { _ = s.Stop() }() // it gives no error
	question, err := s.question()
	if err != nil {
		f.Err = err
		return
	}
	f.What += " " + place(question.url)
	login, err := s.login.current(ctx)
	if err != nil {
		f.Err = s.withoutLogin(ctx, err)
		return
	}
	answer, err := s.client.Do(s.newRequest(ctx, question, login, "", nil))
	if err != nil {
		f.Err = s.broken(ctx, question.method, place(question.url), err)
		return
	}
	_ = answer.Body.Close()
	f.Says = "it answers HEAD with " + answer.Status
	if answer.Header.Get("Age") == "" { // else a cache answers, with the time of an answer before
		f.Clock, _ = http.ParseTime(answer.Header.Get("Date")) // without one it is zero
	}
	switch code := answer.StatusCode; {
	case passing(code):
		f.Warning, f.Err = true, connector.Coded("H6001", errors.New(f.Says))
	case code == http.StatusUnauthorized || code == http.StatusForbidden || code == http.StatusProxyAuthRequired:
		f.Warning, f.Err = true, connector.Coded("H6002", fmt.Errorf("%s: it may be that HEAD alone is refused", f.Says))
	}
}

// question gives what is asked with HEAD: the host, which is the same for all records,
// where they say the path.
func (s *Sink) question() (*destination, error) {
	if s.to != nil {
		question := *s.to
		question.method = http.MethodHead
		return &question, nil
	}
	u, err := url.Parse(s.url.with("a"))
	if err != nil {
		return nil, err
	}
	return &destination{method: http.MethodHead, url: &url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/"}, header: s.common}, nil
}
