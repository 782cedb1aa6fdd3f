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

	mu      sync.Mutex
	cluster string
	ready   bool
}

var _ http.Handler = (*Server)(nil)

// New makes the API's handler. It says that the worker is starting until
// [Server.SetReady].
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Loggers == nil {
		o.Loggers = loggers.Wrap(o.Log.Handler()).Registry()
	}
	s := &Server{o: o, routes: routes}
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

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.o.AdminApart && ofAdmin(r) {
		general(w, http.StatusNotFound)
		return
	}
	s.serve(w, r)
}

// Admin answers the endpoints below /admin alone, for listeners of their own.
func (s *Server) Admin() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !ofAdmin(r) {
			general(w, http.StatusNotFound)
			return
		}
		s.serve(w, r)
	})
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

// route is a path, in which * stands for a variable part, with its methods.
type route struct {
	path    []string
	methods map[string]handler
	limit   time.Duration // of an answer
	late    handler       // answers after that
}

var routes = []route{
	path("", map[string]handler{"GET": getRoot}),
	{path: []string{"health"}, methods: map[string]handler{"GET": getHealth}, limit: healthTimeout, late: unhealthy},
	path("openapi.json", map[string]handler{"GET": getOpenAPI}),
	path("connectors", map[string]handler{"GET": getConnectors, "POST": postConnectors}),
	path("connectors/*", map[string]handler{"GET": getConnector, "DELETE": deleteConnector}),
	path("connectors/*/config", map[string]handler{"GET": getConfig, "PUT": putConfig, "PATCH": patchConfig}),
	path("connectors/*/status", map[string]handler{"GET": getStatus}),
	path("connectors/*/restart", map[string]handler{"POST": postRestart}),
	path("connectors/*/pause", map[string]handler{"PUT": target(state.TargetPaused, http.StatusAccepted)}),
	path("connectors/*/resume", map[string]handler{"PUT": target(state.TargetStarted, http.StatusAccepted)}),
	path("connectors/*/stop", map[string]handler{"PUT": target(state.TargetStopped, http.StatusNoContent)}),
	path("connectors/*/tasks", map[string]handler{"GET": getTasks}),
	path("connectors/*/tasks/*/status", map[string]handler{"GET": getTaskStatus}),
	path("connectors/*/tasks/*/restart", map[string]handler{"POST": postTaskRestart}),
	path("connectors/*/offsets", map[string]handler{"GET": getOffsets, "PATCH": patchOffsets, "DELETE": deleteOffsets}),
	path("connectors/*/topics", map[string]handler{"GET": getTopics}),
	path("connectors/*/topics/reset", map[string]handler{"PUT": putTopicsReset}),
	path("admin/loggers", map[string]handler{"GET": getLoggers}),
	path("admin/loggers/*", map[string]handler{"GET": getLogger, "PUT": putLogger}),
	path("connector-plugins", map[string]handler{"GET": getPlugins}),
	path("connector-plugins/*/config", map[string]handler{"GET": getPluginConfig}),
	path("connector-plugins/*/config/validate", map[string]handler{"PUT": putValidate}),
}

// path makes a route.
func path(p string, methods map[string]handler) route {
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

// dispatch finds who answers and gives the status of the answer.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request) int {
	raw := strings.TrimPrefix(strings.TrimSuffix(r.URL.EscapedPath(), "/"), "/")
	if raw == "metrics" && s.o.Metrics != nil && (r.Method == "GET" || r.Method == "HEAD") {
		s.o.Metrics.ServeHTTP(w, r)
		return http.StatusOK
	}
	parts := strings.Split(raw, "/")
	for i := range parts {
		p, err := url.PathUnescape(parts[i])
		if err != nil {
			return general(w, http.StatusBadRequest)
		}
		parts[i] = p
	}
	for _, rt := range s.routes {
		args, ok := rt.match(parts)
		if !ok {
			continue
		}
		method := r.Method
		if method == "HEAD" {
			method = "GET"
		}
		h, ok := rt.methods[method]
		switch {
		case method == "OPTIONS":
			w.Header().Set("Allow", rt.allow())
			w.Header().Set("Content-Type", jsonType)
			w.WriteHeader(http.StatusOK)
			return http.StatusOK
		case !ok:
			w.Header().Set("Allow", rt.allow())
			return general(w, http.StatusMethodNotAllowed)
		case !sendsJSON(r):
			return general(w, http.StatusUnsupportedMediaType)
		case !takesJSON(r):
			return general(w, http.StatusNotAcceptable)
		}
		a, err := s.patiently(forwarded(h), request{Request: r, args: args, body: new([]byte)}, rt)
		if err != nil {
			return fail(w, err)
		}
		return write(w, r, a)
	}
	return general(w, http.StatusNotFound)
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
