package postgrest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/axiom-data-science/hydraulics/internal/pg"
)

// Options say what to serve. Zero values of the numbers stand for defaults.
type Options struct {
	// URI is the database, as postgres://user:password@host:port/name.
	URI string
	// Schemas are those whose tables are served, the first one by default.
	Schemas []string
	// AnonRole is the role that queries run as; the user of URI is a member.
	AnonRole string
	// MaxRows is the most rows of an answer; 0 is no limit.
	MaxRows int64
	// StatementTimeout ends a query of which nothing comes for longer; 0 is 30 seconds.
	StatementTimeout time.Duration
	// Pool is the number of connections; 0 is 10.
	Pool int32
	// PoolTimeout is how long a request waits for one; 0 is 10 seconds.
	PoolTimeout time.Duration
	// Channel is the notification channel on which the tables are read again;
	// empty is pgrst.
	Channel string
	// Deaf has the tables read again once a minute instead of at notifications:
	// behind a pooler that shares connections there are none.
	Deaf bool
	// ExtraSearchPath are schemas for functions and operators beside the served one.
	ExtraSearchPath []string
	// Aggregates offers count(), sum() and so on in select.
	Aggregates bool
	// CORSOrigins are the web sites that may ask; none is all.
	CORSOrigins []string
	// OpenAPIMode is follow-privileges (or empty), ignore-privileges or disabled.
	OpenAPIMode string
	// PublicURL is what the description says the address is; empty is the request's host.
	PublicURL string
	// Log takes what goes wrong behind the scenes; nil is slog's default.
	Log *slog.Logger
}

// errBusy is that no connection was free in time.
var errBusy = errors.New("all connections of the pool are busy")

// staleAfter is how old what is known of the tables must be before a request
// for an unknown one makes it read again: a table may have been made without
// a notification.
const staleAfter = 5 * time.Second

// Server answers queries. It is an http.Handler.
type Server struct {
	options Options
	log     *slog.Logger
	pool    *pgxpool.Pool
	// searchPath is what queries run with: the served schemas and those beside them.
	searchPath string
	schema     atomic.Pointer[schema] // nil until it was read
	reading    sync.Mutex             // one reader at a time
	read       atomic.Int64           // when it was last tried, nanoseconds since 1970
	stop       context.CancelFunc
	stopped    chan struct{}
}

// New makes a server and reads the tables. When the database cannot be reached
// now the server answers 503 and goes on trying; a mistake, such as a role that
// does not exist, is an error. Close ends it.
func New(ctx context.Context, o Options) (*Server, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	conf, remarks, err := pg.ParseOptions(pg.Options{URL: o.URI, ApplicationName: "hydraulics read-api", MaxConns: o.Pool})
	if err != nil {
		return nil, fmt.Errorf("db-uri: %w", err)
	}
	for _, r := range remarks {
		o.Log.Warn("db-uri: " + r)
	}
	conf.ConnConfig.BuildContextWatcherHandler = cancelAtServer
	pool, err := pg.NewPool(ctx, conf)
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", pg.Place(conf), err)
	}
	s := &Server{options: o, log: o.Log, pool: pool, searchPath: o.searchPath(), stopped: make(chan struct{})}
	if err := s.reload(ctx); err != nil {
		err = fmt.Errorf("database %s: %w", pg.Place(conf), pg.OneLine(err))
		if advice := pg.Advice(err); advice != "" {
			err = fmt.Errorf("%w: %s", err, advice)
		}
		if pg.Classify(err) != pg.Environment {
			pool.Close()
			return nil, err
		}
		s.log.Warn("retrying: " + err.Error())
	}
	var life context.Context
	life, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	go func() { // ends with Close
		defer close(s.stopped)
		s.listen(life)
	}()
	return s, nil
}

// cancelAtServer has the server end the query of a request that nobody waits for
// any more; its connection goes on, unless the server does not end it in time.
func cancelAtServer(conn *pgconn.PgConn) ctxwatch.Handler {
	return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: 5 * time.Second}
}

// dropAtOnce is for the connection that listens: the server has nothing to end.
func dropAtOnce(conn *pgconn.PgConn) ctxwatch.Handler {
	return &pgconn.DeadlineContextWatcherHandler{Conn: conn.Conn()}
}

func (o *Options) searchPath() string {
	var names []string
	for _, name := range slices.Concat(o.Schemas, o.ExtraSearchPath) {
		names = append(names, pg.Quote(name))
	}
	return strings.Join(names, ", ")
}

// complete checks the options and fills defaults in.
func (o *Options) complete() error {
	if o.URI == "" {
		return errors.New("db-uri is missing: the database, such as postgres://user:password@localhost:5432/topics")
	}
	if o.AnonRole == "" {
		return errors.New("db-anon-role is missing: the role that queries run as, such as web_anon")
	}
	if len(o.Schemas) == 0 {
		o.Schemas = []string{"public"}
	}
	switch o.OpenAPIMode {
	case "", "follow-privileges", "ignore-privileges", "disabled":
	default:
		return fmt.Errorf("openapi-mode: %q is not follow-privileges, ignore-privileges or disabled", o.OpenAPIMode)
	}
	if o.MaxRows < 0 || o.Pool < 0 || o.StatementTimeout < 0 || o.PoolTimeout < 0 {
		return errors.New("a number or time is negative")
	}
	if o.StatementTimeout == 0 {
		o.StatementTimeout = 30 * time.Second
	}
	if o.Pool == 0 {
		o.Pool = 10
	}
	if o.PoolTimeout == 0 {
		o.PoolTimeout = 10 * time.Second
	}
	if o.Channel == "" {
		o.Channel = "pgrst"
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return nil
}

// Close ends the listening and closes the connections. It waits for requests
// that are under way: shut the HTTP server down before.
func (s *Server) Close() {
	s.stop()
	<-s.stopped
	s.pool.Close()
}

// Ready tells whether the tables are known and the database answers.
func (s *Server) Ready(ctx context.Context) bool {
	return s.schema.Load() != nil && s.pool.Ping(ctx) == nil
}

// reload reads the tables again.
func (s *Server) reload(ctx context.Context) error {
	s.reading.Lock()
	defer s.reading.Unlock()
	s.read.Store(time.Now().UnixNano())
	ctx, waiting := pg.WithPatience(ctx, catalogTimeout)
	defer waiting.End()
	read, err := readSchema(ctx, s.pool, s.options.Schemas, s.options.AnonRole)
	if err != nil {
		return waiting.Explain(err)
	}
	s.schema.Store(read)
	return nil
}

// listen keeps up with changed tables, for ever.
func (s *Server) listen(ctx context.Context) {
	const least, most = 500 * time.Millisecond, 30 * time.Second
	follow := s.hear
	if s.options.Deaf {
		follow = s.wait
	}
	wait := least
	for ctx.Err() == nil {
		began := time.Now()
		err := follow(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > most {
			wait = least
		}
		s.log.Warn("following changes of tables: "+err.Error(), "retry_after", wait)
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		wait = min(2*wait, most)
	}
}

// catalogTimeout is how long reading the tables may take.
const catalogTimeout = 30 * time.Second

// deafInterval is how often the tables are read again without notifications.
const deafInterval = time.Minute

// wait reads the tables again and again, until that fails.
func (s *Server) wait(ctx context.Context) error {
	ticker := time.NewTicker(deafInterval)
	defer ticker.Stop()
	for {
		if err := s.reload(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// hear reads the tables now, for a notification may have been missed, and at
// every notification, until the connection breaks.
func (s *Server) hear(ctx context.Context) error {
	conf := s.pool.Config().ConnConfig
	conf.BuildContextWatcherHandler = dropAtOnce
	conn, err := pgx.ConnectConfig(ctx, conf)
	if err != nil {
		return err
	}
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(ending) // it is broken, or we end
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+pg.Quote(s.options.Channel)); err != nil {
		return err
	}
	for {
		if err := s.reload(ctx); err != nil {
			return err
		}
		for {
			n, err := conn.WaitForNotification(ctx)
			if err != nil {
				return err
			}
			if n.Payload == "" || n.Payload == "reload schema" {
				break
			}
		}
	}
}

// find gives a served table.
func (s *Server) find(ctx context.Context, of, name string) (*table, *schema, error) {
	known := s.schema.Load()
	if known == nil {
		return nil, nil, noSchemaCache()
	}
	t := known.tables[of][name]
	if t == nil && time.Since(time.Unix(0, s.read.Load())) > staleAfter {
		if err := s.reload(ctx); err != nil {
			return nil, nil, err
		}
		known = s.schema.Load()
		t = known.tables[of][name]
	}
	if t == nil {
		err := failure(404, "PGRST205", "Could not find the table '%s.%s' in the schema cache", of, name)
		if near := known.like(of, name); near != "" {
			err = err.hint("Perhaps you meant the table '%s.%s'", of, near)
		}
		return nil, nil, err
	}
	return t, known, nil
}

// Admin answers /live (the process serves) and /ready (it can answer queries)
// with 200 or 503.
func (s *Server) Admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /live", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
		defer cancel()
		if !s.Ready(ctx) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	return mux
}
