package client

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// UnreachableError says that a worker does not answer.
type UnreachableError struct {
	URL, About string
	Err        error
}

// Error says so, and what to look at.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("%s: %s: %v: is a worker running there? --url, --context and HYDRAULICS_URL say where it is", e.URL, e.About, e.Err)
}

// Unwrap gives the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// unreachable makes the error of a request that got no answer.
func unreachable(ctx context.Context, base *url.URL, about string, err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // it repeats the address
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("%s: %w", about, ctx.Err())
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = fmt.Errorf("no answer within the time of --timeout: %w", err)
	}
	return &UnreachableError{URL: base.String(), About: about, Err: err}
}

// Error is a worker's refusal.
type Error struct {
	URL, About string
	Status     int
	Message    string // the worker's words
	foreign    bool   // they are not those of Kafka Connect's REST API
	since      string // the version of Kafka Connect that brought the request
	ours       bool   // it is none of Kafka Connect's
	lacks      bool   // the request is there, but what it is to answer is not
}

// Error says what was refused and why, and what helps.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s: %s: %s", e.URL, e.About, e.Message)
	if remedy := e.remedy(); remedy != "" {
		text += ": " + remedy
	}
	return text
}

// remedy says what helps, "" where the worker's words do.
func (e *Error) remedy() string {
	switch {
	case e.Status == http.StatusUnauthorized:
		return "give a login: HYDRAULICS_USERNAME and HYDRAULICS_PASSWORD, or that of a context"
	case e.Status == http.StatusForbidden:
		return "the login may not do this"
	case e.redirects():
		return "ask at that address, if it is the worker's"
	case e.Lacking() && e.ours:
		return "this worker does not have that request, which is one of hydraulics' own: Java's workers and older ones lack it"
	case e.Lacking():
		return "this worker does not have that request, which came with Kafka Connect " + e.since
	case e.foreign:
		return "is this the REST API of a Kafka Connect worker?"
	case strings.Contains(e.Message, "must be in the STOPPED state"):
		return "stop it first, with connectors stop, and resume it afterwards"
	}
	return ""
}

// NotFound tells that what was asked about is not there.
func (e *Error) NotFound() bool { return e.Status == http.StatusNotFound && !e.Lacking() && !e.foreign }

// Lacking tells that the worker does not have the request at all, as older
// versions do not.
func (e *Error) Lacking() bool {
	return e.lacks || e.Status == http.StatusMethodNotAllowed || e.Status == http.StatusNotFound && e.Message == "HTTP 404 Not Found"
}

// redirects tells that the worker, or what is before it, sends on to another address.
func (e *Error) redirects() bool {
	return e.Status >= http.StatusMultipleChoices && e.Status < http.StatusBadRequest
}

// rebalancing tells that a cluster's workers are sharing out their work.
func (e *Error) rebalancing() bool {
	text := strings.ToLower(e.Message)
	return e.Status == http.StatusConflict && (strings.Contains(text, "rebalance") || strings.Contains(text, "stale configuration"))
}

// refusal makes the error of an answer that is one.
func refusal(base *url.URL, r call, resp *http.Response, data []byte) error {
	status := resp.StatusCode
	e := &Error{URL: base.String(), About: r.about, Status: status, since: cmp.Or(r.since, "1.0"), ours: r.ours}
	if to, err := resp.Location(); err == nil && e.redirects() {
		to.User = nil
		e.Message, e.foreign = "it sends on to "+to.String(), true
		return e
	}
	var said struct {
		Code    int    `json:"error_code"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal(data, &said); err != nil || said.Code == 0 {
		e.Message, e.foreign = fmt.Sprintf("HTTP %d %s", status, http.StatusText(status)), true
		if status == http.StatusNotFound {
			e.Message += ", not in the words of Kafka Connect"
		}
		return e
	}
	e.Message = said.Message
	return e
}
