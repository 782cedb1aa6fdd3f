package registryd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/internal/data/wholejson"
)

const (
	contentType = "application/vnd.schemaregistry.v1+json"
	maxBody     = 8 << 20 // bytes

	modeReadWrite        = "READWRITE"
	modeReadOnly         = "READONLY"
	modeReadOnlyOverride = "READONLY_OVERRIDE"
)

// consumed are the types of bodies.
var consumed = []string{contentType, "application/vnd.schemaregistry+json", "application/json", "application/octet-stream"}

// answer gives what a request is answered with.
type answer func(req *http.Request) (any, error)

// raw is a text that is answered as it is.
type raw string

// handler gives Confluent's routes.
func (r *registry) handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, a := range map[string]answer{
		"GET /{$}":                                          func(*http.Request) (any, error) { return struct{}{}, nil },
		"GET /subjects":                                     r.getSubjects,
		"POST /subjects/{subject}":                          r.postLookup,
		"DELETE /subjects/{subject}":                        r.deleteSubjectAsked,
		"GET /subjects/{subject}/versions":                  r.getVersions,
		"POST /subjects/{subject}/versions":                 r.postVersion,
		"GET /schemas":                                      r.getSchemas,
		"GET /schemas/types":                                func(*http.Request) (any, error) { return []string{typeJSON, typeProtobuf, typeAvro}, nil },
		"GET /schemas/ids/{id}":                             r.getByID,
		"GET /schemas/ids/{id}/schema":                      r.getTextByID,
		"GET /schemas/ids/{id}/subjects":                    r.getSubjectsOfID,
		"GET /schemas/ids/{id}/versions":                    r.getVersionsOfID,
		"GET /config":                                       r.getConfig,
		"PUT /config":                                       r.putConfig,
		"DELETE /config":                                    r.deleteConfig,
		"GET /config/{subject}":                             r.getConfig,
		"PUT /config/{subject}":                             r.putConfig,
		"DELETE /config/{subject}":                          r.deleteConfig,
		"GET /mode":                                         r.getMode,
		"PUT /mode":                                         r.putMode,
		"GET /mode/{subject}":                               r.getMode,
		"PUT /mode/{subject}":                               r.putMode,
		"DELETE /mode/{subject}":                            r.deleteMode,
		"GET /contexts":                                     func(*http.Request) (any, error) { return []string{"."}, nil },
		"GET /v1/metadata/id":                               func(*http.Request) (any, error) { return map[string]string{"id": "hydraulics-embedded"}, nil },
		"GET /subjects/{subject}/versions/{version}":        r.getVersion,
		"DELETE /subjects/{subject}/versions/{version}":     r.deleteVersionAsked,
		"GET /subjects/{subject}/versions/{version}/schema": r.getVersionText,
		"GET /subjects/{subject}/versions/{version}/referencedby":   r.getReferrers,
		"POST /compatibility/subjects/{subject}/versions":           r.postCompatibility,
		"POST /compatibility/subjects/{subject}/versions/{version}": r.postCompatibility,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, req *http.Request) {
			v, err := a(req)
			reply(w, v, err)
		})
	}
	return route(mux)
}

func reply(w http.ResponseWriter, v any, err error) {
	w.Header().Set("Content-Type", contentType)
	if err != nil {
		e, ok := errors.AsType[*apiError](err)
		if !ok {
			e = storeFailed(err)
		}
		w.WriteHeader(e.status)
		v = e
	}
	if text, ok := v.(raw); ok {
		_, _ = io.WriteString(w, string(text)) // a client that went away reads nothing
		return
	}
	_ = json.NewEncoder(w).Encode(v)
}

// body reads a request's JSON. As in Confluent's registry, a type that is no JSON
// is 415, none too, what is no such JSON 400, and what follows the value nothing.
func body(req *http.Request, v any) error {
	kind, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if err != nil || !slices.Contains(consumed, kind) {
		return httpError(http.StatusUnsupportedMediaType)
	}
	data, err := io.ReadAll(io.LimitReader(req.Body, maxBody+1))
	if err != nil {
		return failf(http.StatusBadRequest, "request: %v", err)
	}
	if len(data) > maxBody {
		return failf(http.StatusRequestEntityTooLarge, "request: more than %d bytes", maxBody)
	}
	switch err := wholejson.Unmarshal(data, v); {
	case errors.Is(err, io.EOF):
		return failf(codeUnprocessable, "request: the body is empty")
	case err != nil:
		return failf(http.StatusBadRequest, "request: %v", err)
	}
	return nil
}

func flag(req *http.Request, name string) bool {
	return strings.EqualFold(req.URL.Query().Get(name), "true")
}

func (r *registry) getSubjects(req *http.Request) (any, error) {
	prefix := req.URL.Query().Get("subjectPrefix")
	r.mu.RLock()
	defer r.mu.RUnlock()
	names := []string{}
	for _, n := range r.state.subjectNames() {
		live := len(r.state.live(n, false)) > 0
		if strings.HasPrefix(n, prefix) && (live && !flag(req, "deletedOnly") || !live && (flag(req, "deleted") || flag(req, "deletedOnly"))) {
			names = append(names, n)
		}
	}
	return names, nil
}

func (r *registry) getVersions(req *http.Request) (any, error) {
	subject := req.PathValue("subject")
	r.mu.RLock()
	defer r.mu.RUnlock()
	var numbers []int
	for _, v := range r.state.live(subject, flag(req, "deleted")) {
		numbers = append(numbers, v.number)
	}
	if len(numbers) == 0 {
		return nil, subjectNotFound(subject)
	}
	return numbers, nil
}

// described is a version as the API shows it.
type described struct {
	Subject    string      `json:"subject"`
	Version    int         `json:"version"`
	ID         int         `json:"id"`
	SchemaType string      `json:"schemaType,omitempty"` // none is AVRO
	References []Reference `json:"references,omitempty"`
	Schema     string      `json:"schema"`
}

func describe(subject string, v version) described {
	return described{subject, v.number, v.schema.id, namedType(v.schema.kind), v.schema.references, v.schema.parsed.text()}
}

// textOf gives a schema's text in the format that a request asks for.
func textOf(req *http.Request, st *stored) (string, error) {
	if req.URL.Query().Get("format") == "serialized" {
		return st.parsed.serialized()
	}
	return st.parsed.text(), nil
}

func (r *registry) versionOf(req *http.Request) (version, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.version(req.PathValue("subject"), req.PathValue("version"), flag(req, "deleted"))
}

func (r *registry) getVersion(req *http.Request) (any, error) {
	v, err := r.versionOf(req)
	if err != nil {
		return nil, err
	}
	d := describe(req.PathValue("subject"), v)
	d.Schema, err = textOf(req, v.schema)
	return d, err
}

func (r *registry) getVersionText(req *http.Request) (any, error) {
	v, err := r.versionOf(req)
	if err != nil {
		return nil, err
	}
	text, err := textOf(req, v.schema)
	return raw(text), err
}

func (r *registry) getReferrers(req *http.Request) (any, error) {
	v, err := r.versionOf(req)
	if err != nil {
		return nil, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.state.referrers(req.PathValue("subject"), v.number), nil
}

func (r *registry) postVersion(req *http.Request) (any, error) {
	var in submitted
	if err := body(req, &in); err != nil {
		return nil, err
	}
	in.normalize = flag(req, "normalize")
	id, err := r.register(req.Context(), req.PathValue("subject"), in)
	return map[string]int{"id": id}, err
}

func (r *registry) postLookup(req *http.Request) (any, error) {
	var in submitted
	if err := body(req, &in); err != nil {
		return nil, err
	}
	subject := req.PathValue("subject")
	in.normalize = flag(req, "normalize")
	v, err := r.lookup(subject, in, flag(req, "deleted"))
	if err != nil {
		return nil, err
	}
	return describe(subject, v), nil
}

func (r *registry) deleteSubjectAsked(req *http.Request) (any, error) {
	return r.deleteSubject(req.Context(), req.PathValue("subject"), flag(req, "permanent"))
}

func (r *registry) deleteVersionAsked(req *http.Request) (any, error) {
	return r.deleteVersion(req.Context(), req.PathValue("subject"), req.PathValue("version"), flag(req, "permanent"))
}

func (r *registry) getSchemas(req *http.Request) (any, error) {
	prefix := req.URL.Query().Get("subjectPrefix")
	r.mu.RLock()
	defer r.mu.RUnlock()
	list := []described{}
	for _, n := range r.state.subjectNames() {
		if !strings.HasPrefix(n, prefix) {
			continue
		}
		versions := r.state.live(n, flag(req, "deleted"))
		if flag(req, "latestOnly") && len(versions) > 1 {
			versions = versions[len(versions)-1:]
		}
		for _, v := range versions {
			list = append(list, describe(n, v))
		}
	}
	return list, nil
}

// byID finds a schema by the id of the path. The lock is the caller's.
func (r *registry) byID(req *http.Request) (*stored, error) {
	id, err := strconv.Atoi(req.PathValue("id"))
	if err != nil {
		return nil, httpError(http.StatusNotFound)
	}
	st := r.state.ids[id]
	if st == nil {
		return nil, schemaIDNotFound(id)
	}
	return st, nil
}

func (r *registry) getByID(req *http.Request) (any, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	st, err := r.byID(req)
	if err != nil {
		return nil, err
	}
	text, err := textOf(req, st)
	return struct {
		SchemaType string      `json:"schemaType,omitempty"`
		Schema     string      `json:"schema"`
		References []Reference `json:"references,omitempty"`
	}{namedType(st.kind), text, st.references}, err
}

func (r *registry) getTextByID(req *http.Request) (any, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	st, err := r.byID(req)
	if err != nil {
		return nil, err
	}
	text, err := textOf(req, st)
	return raw(text), err
}

func (r *registry) getVersionsOfID(req *http.Request) (any, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	st, err := r.byID(req)
	if err != nil {
		return nil, err
	}
	return r.state.usesOf(st.id, flag(req, "deleted")), nil
}

func (r *registry) getSubjectsOfID(req *http.Request) (any, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	st, err := r.byID(req)
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, u := range r.state.usesOf(st.id, flag(req, "deleted")) {
		if !slices.Contains(names, u.Subject) {
			names = append(names, u.Subject)
		}
	}
	return names, nil
}

func (r *registry) postCompatibility(req *http.Request) (any, error) {
	var in submitted
	if err := body(req, &in); err != nil {
		return nil, err
	}
	found, err := r.check(req.PathValue("subject"), req.PathValue("version"), in)
	if err != nil {
		return nil, err
	}
	out := struct {
		Compatible bool     `json:"is_compatible"`
		Messages   []string `json:"messages,omitempty"`
	}{Compatible: len(found) == 0}
	if flag(req, "verbose") {
		out.Messages = found
	}
	return out, nil
}

// String names the store's content for a log line.
func (s *state) String() string {
	return fmt.Sprintf("%d schemas of %d subjects", len(s.ids), len(s.subjects))
}
