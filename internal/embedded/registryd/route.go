package registryd

import (
	"net/http"
	"net/url"
	"strings"
)

var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete}

// route answers what the routes do not: a path with a slash at its end is the
// one without, a method that a path does not have is 405, OPTIONS names those it
// has, any other path is 404.
func route(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		req = trimmed(req)
		if _, pattern := mux.Handler(req); pattern != "" {
			mux.ServeHTTP(w, req)
			return
		}
		var allowed []string
		for _, method := range methods {
			other := *req
			other.Method = method
			if _, pattern := mux.Handler(&other); pattern != "" {
				allowed = append(allowed, method)
			}
		}
		if len(allowed) == 0 {
			reply(w, nil, httpError(http.StatusNotFound))
			return
		}
		w.Header().Set("Allow", strings.Join(append(allowed, http.MethodOptions), ", "))
		if req.Method == http.MethodOptions {
			return
		}
		reply(w, nil, httpError(http.StatusMethodNotAllowed))
	})
}

// trimmed gives a request without the slashes at its path's end; those of a
// subject's name are escaped.
func trimmed(req *http.Request) *http.Request {
	escaped := req.URL.EscapedPath()
	path := strings.TrimRight(escaped, "/")
	if path == escaped || path == "" {
		return req
	}
	text, err := url.PathUnescape(path)
	if err != nil {
		return req
	}
	address := *req.URL
	address.Path, address.RawPath = text, path
	short := *req
	short.URL = &address
	return &short
}
