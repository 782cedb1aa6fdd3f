package rest

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/loggers"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
	"github.com/axiom-data-science/hydraulics/runtime/internal/health"
	"github.com/axiom-data-science/hydraulics/runtime/internal/lines"
	"github.com/axiom-data-science/hydraulics/runtime/internal/rates"
	"github.com/axiom-data-science/hydraulics/runtime/internal/rights"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// Herder is what the API needs of a herder.
type Herder interface {
	Validator() *config.Validator
	Connectors() []string
	Info(name string) (herder.Info, error)
	Create(name string, props connector.Props, target state.Target) (herder.Info, error)
	Put(name string, props connector.Props) (info herder.Info, created bool, err error)
	Patch(name string, patch connector.Props) (herder.Info, error)
	Delete(name string) error
	Status(name string) (herder.ConnectorStatus, error)
	Tasks(name string) ([]herder.TaskInfo, error)
	TaskStatus(name string, id int) (herder.Status, error)
	SetTarget(name string, t state.Target) error
	Restart(name string, includeTasks, onlyFailed bool) (herder.ConnectorStatus, error)
	RestartTask(name string, id int) error
	Snapshots() []runtime.Stats
	Offsets(ctx context.Context, name string) ([]connector.SourceOffset, error)
	AlterOffsets(ctx context.Context, name string, offsets []connector.SourceOffset) (all bool, err error)
	ResetOffsets(ctx context.Context, name string) (all bool, err error)
	ActiveTopics(name string) []string
	ResetActiveTopics(name string)
	PutTasks(ctx context.Context, name string, tasks []connector.Props) error
	SetLoggerLevel(namespace, level string) error
}

// Options are what the API needs.
type Options struct {
	Herder Herder
	// ClusterID asks Kafka for its cluster's id; nil or an error is none.
	ClusterID func(ctx context.Context) (string, error)
	Version   string // of the worker
	Commit    string
	// Metrics answers /metrics; nil is not there.
	Metrics http.Handler
	// AdminApart leaves the endpoints below /admin to [Server.Admin].
	AdminApart bool
	Topics     TopicTracking
	// Tap shows records on their way; nil is not there.
	Tap Tap
	// Lines are what connectors have logged; nil is not there.
	Lines *lines.Lines
	// Rates are what connectors did in the last hour; nil is not there.
	Rates *rates.History
	// Check looks whether what a connector needs is there, or what the worker does where
	// none is named; each thing may take so long. nil is not there.
	Check func(ctx context.Context, connector string, long time.Duration) ([]health.Check, error)
	// Peers are the other workers of a cluster; nil is a worker by itself.
	Peers Peers
	// Loggers has the levels of what is logged; nil is those of a handler of its
	// own.
	Loggers *loggers.Registry
	Log     *slog.Logger
}

// Server answers Kafka Connect's REST API. It is an http.Handler, safe for
// concurrent use. A request has a goroutine of its own, which ends with the
// handler. Who may ask it is not its business: the one who serves it guards it.
type Server struct {
	o      Options
	routes []route

	closing chan struct{} // closed when streams are to end
	once    sync.Once

	mu      sync.Mutex
	cluster string
	ready   bool
}

var _ rights.Guarded = (*Server)(nil)

// New makes the API's handler. It says that the worker is starting until
// [Server.SetReady].
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Loggers == nil {
		o.Loggers = loggers.Wrap(o.Log.Handler()).Registry()
	}
	s := &Server{o: o, routes: routes, closing: make(chan struct{})}
	if o.Peers != nil {
		s.routes = slices.Concat(internalRoutes, routes)
	}
	return s
}

// SetReady makes /health answer that the worker has started.
func (s *Server) SetReady() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready = true
}

// EndStreams ends the answers that go on for as long as their readers want.
func (s *Server) EndStreams() { s.once.Do(func() { close(s.closing) }) }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.o.AdminApart && ofAdmin(r) {
		general(w, http.StatusNotFound)
		return
	}
	s.serve(w, r)
}

// Admin answers the endpoints below /admin alone, for listeners of their own.
func (s *Server) Admin() rights.Guarded { return admin{s} }

type admin struct{ *Server }

// ServeHTTP answers one request.
func (a admin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !ofAdmin(r) {
		general(w, http.StatusNotFound)
		return
	}
	a.serve(w, r)
}

// ofAdmin tells whether a request is for one of the admin endpoints.
func ofAdmin(r *http.Request) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	return first == "admin"
}

// request is a request with the variable parts of its path.
type request struct {
	*http.Request
	args   []string
	body   *[]byte // as far as it was read, to be sent on
	stages *stages
}

// answer is what a request is answered with.
type answer struct {
	status   int
	body     any    // as JSON; nil is no body
	location string // path of what was made
}

type handler func(s *Server, r request) (answer, error)

// streamer answers a request for as long as its reader wants, and gives the status.
type streamer func(s *Server, w http.ResponseWriter, r request) int

// verb is what a method of a route does.
type verb struct {
	handler
	takes  rights.Role
	stream streamer // in place of the handler
}

// The verbs are for those who may look, operate, configure, or for everybody.
func views(h handler) verb      { return verb{handler: h, takes: rights.View} }
func operates(h handler) verb   { return verb{handler: h, takes: rights.Operate} }
func configures(h handler) verb { return verb{handler: h, takes: rights.Configure} }
func open(h handler) verb       { return verb{handler: h, takes: rights.None} }

// follows is for those who may look, and goes on.
func follows(f streamer) verb { return verb{stream: f, takes: rights.View} }

// route is a path, in which * stands for a variable part, with its methods.
type route struct {
	path    []string
	methods map[string]verb
	limit   time.Duration // of an answer
	late    handler       // answers after that
}

var routes = []route{
	path("", map[string]verb{"GET": views(getRoot)}),
	{path: []string{"health"}, methods: map[string]verb{"GET": open(getHealth)}, limit: healthTimeout, late: unhealthy},
	path("check", map[string]verb{"GET": views(getCheck)}),
	path("openapi.json", map[string]verb{"GET": views(getOpenAPI)}),
	path("connectors", map[string]verb{"GET": views(getConnectors), "POST": configures(postConnectors)}),
	path("connectors/*", map[string]verb{"GET": views(getConnector), "DELETE": configures(deleteConnector)}),
	path("connectors/*/config", map[string]verb{"GET": views(getConfig), "PUT": configures(putConfig), "PATCH": configures(patchConfig)}),
	path("connectors/*/status", map[string]verb{"GET": views(getStatus)}),
	path("connectors/*/restart", map[string]verb{"POST": operates(postRestart)}),
	path("connectors/*/pause", map[string]verb{"PUT": operates(target(state.TargetPaused, http.StatusAccepted))}),
	path("connectors/*/resume", map[string]verb{"PUT": operates(target(state.TargetStarted, http.StatusAccepted))}),
	path("connectors/*/stop", map[string]verb{"PUT": operates(target(state.TargetStopped, http.StatusNoContent))}),
	path("connectors/*/tasks", map[string]verb{"GET": views(getTasks)}),
	path("connectors/*/tasks/*/status", map[string]verb{"GET": views(getTaskStatus)}),
	path("connectors/*/tasks/*/restart", map[string]verb{"POST": operates(postTaskRestart)}),
	path("connectors/*/offsets", map[string]verb{"GET": views(getOffsets), "PATCH": configures(patchOffsets), "DELETE": configures(deleteOffsets)}),
	path("connectors/*/origins", map[string]verb{"GET": views(getOrigins)}),
	path("connectors/*/rates", map[string]verb{"GET": views(getRates)}),
	path("connectors/*/log", map[string]verb{"GET": views(getLog)}),
	path("connectors/*/check", map[string]verb{"GET": views(getConnectorCheck)}),
	path("connectors/*/tap", map[string]verb{"GET": follows(getTap)}),
	path("connectors/*/topics", map[string]verb{"GET": views(getTopics)}),
	path("connectors/*/topics/reset", map[string]verb{"PUT": operates(putTopicsReset)}),
	path("admin/loggers", map[string]verb{"GET": views(getLoggers)}),
	path("admin/loggers/*", map[string]verb{"GET": views(getLogger), "PUT": operates(putLogger)}),
	path("connector-plugins", map[string]verb{"GET": views(getPlugins)}),
	path("connector-plugins/*/config", map[string]verb{"GET": views(getPluginConfig)}),
	path("connector-plugins/*/config/validate", map[string]verb{"PUT": configures(putValidate)}),
}

// path makes a route.
func path(p string, methods map[string]verb) route {
	return route{path: strings.Split(p, "/"), methods: methods, limit: requestTimeout, late: timedOut}
}

// match gives the variable parts of a path that is the route's.
func (r route) match(parts []string) (args []string, ok bool) {
	if len(parts) != len(r.path) {
		return nil, false
	}
	for i, p := range r.path {
		switch {
		case p == "*" && parts[i] != "":
			args = append(args, parts[i])
		case p != parts[i]:
			return nil, false
		}
	}
	return args, true
}

// allow lists the methods of a route.
func (r route) allow() string {
	var list []string
	for _, m := range []string{"HEAD", "POST", "GET", "PUT", "PATCH", "DELETE", "OPTIONS"} {
		_, has := r.methods[m]
		_, get := r.methods["GET"]
		if has || m == "OPTIONS" || m == "HEAD" && get {
			list = append(list, m)
		}
	}
	return strings.Join(list, ",")
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	status := s.dispatch(w, r)
	s.o.Log.Debug("request", "method", r.Method, "path", r.URL.Path, "status", status, "took", time.Since(began).Round(time.Microsecond))
}

// find gives the route of a request, nil where there is none. The error is of a path
// that cannot be read.
func (s *Server) find(r *http.Request) (rt *route, args []string, err error) {
	parts := strings.Split(trimmed(r), "/")
	for i := range parts {
		if parts[i], err = url.PathUnescape(parts[i]); err != nil {
			return nil, nil, err
		}
	}
	for i := range s.routes {
		if args, ok := s.routes[i].match(parts); ok {
			return &s.routes[i], args, nil
		}
	}
	return nil, nil, nil
}

// trimmed gives a request's path without the slashes around it.
func trimmed(r *http.Request) string {
	return strings.TrimPrefix(strings.TrimSuffix(r.URL.EscapedPath(), "/"), "/")
}

// verb gives what a request's method does.
func (rt *route) verb(r *http.Request) (verb, bool) {
	method := r.Method
	if method == "HEAD" {
		method = "GET"
	}
	v, ok := rt.methods[method]
	return v, ok
}

// Takes gives the role that a request takes. What is not there takes one that may look.
func (s *Server) Takes(r *http.Request) rights.Role {
	if rt, _, err := s.find(r); err == nil && rt != nil {
		if v, ok := rt.verb(r); ok {
			return v.takes
		}
	}
	return rights.View
}

// dispatch finds who answers and gives the status of the answer.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request) int {
	if trimmed(r) == "metrics" && s.o.Metrics != nil && (r.Method == "GET" || r.Method == "HEAD") {
		s.o.Metrics.ServeHTTP(w, r)
		return http.StatusOK
	}
	rt, args, err := s.find(r)
	switch {
	case err != nil:
		return general(w, http.StatusBadRequest)
	case rt == nil:
		return general(w, http.StatusNotFound)
	}
	v, ok := rt.verb(r)
	switch {
	case r.Method == "OPTIONS":
		w.Header().Set("Allow", rt.allow())
		w.Header().Set("Content-Type", jsonType)
		w.WriteHeader(http.StatusOK)
		return http.StatusOK
	case !ok:
		w.Header().Set("Allow", rt.allow())
		return general(w, http.StatusMethodNotAllowed)
	case v.stream != nil:
		return v.stream(s, w, request{Request: r, args: args})
	case !sendsJSON(r):
		return general(w, http.StatusUnsupportedMediaType)
	case !takesJSON(r):
		return general(w, http.StatusNotAcceptable)
	}
	a, err := s.patiently(forwarded(v.handler), request{Request: r, args: args, body: new([]byte)}, *rt)
	if err != nil {
		return fail(w, err)
	}
	return write(w, r, a)
}

// sendsJSON tells whether a request's body is JSON, or said to be nothing else.
// Where there is none, such as of a PUT that pauses, its type says nothing: axios
// sends that of forms.
func sendsJSON(r *http.Request) bool {
	t := r.Header.Get("Content-Type")
	if t == "" || r.ContentLength == 0 || r.Method == "GET" || r.Method == "HEAD" || r.Method == "DELETE" {
		return true
	}
	t, _, _ = strings.Cut(t, ";")
	return strings.EqualFold(strings.TrimSpace(t), jsonType)
}

// takesJSON tells whether a client takes JSON as an answer.
func takesJSON(r *http.Request) bool {
	accept := r.Header.Values("Accept")
	if len(accept) == 0 {
		return true
	}
	for _, t := range strings.Split(strings.Join(accept, ","), ",") {
		t, _, _ = strings.Cut(t, ";")
		if t = strings.ToLower(strings.TrimSpace(t)); t == "" || slices.Contains([]string{"*/*", "application/*", jsonType}, t) {
			return true
		}
	}
	return false
}
