package postgrest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/axiom-data-science/hydraulics/internal/pg"
)

const allowed = "OPTIONS,GET,HEAD"

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.allowOrigin(w, r)
	if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
		w.WriteHeader(http.StatusOK) // a preflight
		return
	}
	if err := s.serve(w, r); err != nil {
		if _, begun := errors.AsType[*broken](err); begun {
			if r.Context().Err() == nil {
				s.log.Error("read api: " + r.Method + " " + r.URL.Path + ": answer broken off: " + err.Error())
			}
			abort(w, r)
			return
		}
		answer := asAPIError(err)
		if answer.status == http.StatusInternalServerError && r.Context().Err() == nil {
			s.log.Error("read api: " + r.Method + " " + r.URL.Path + ": " + err.Error())
		}
		answer.write(w, r)
	}
}

// abort ends an answer so that the client does not take it for the whole. To
// HTTP/1.0, which proxies speak, any orderly end of the connection is one.
func abort(w http.ResponseWriter, r *http.Request) {
	if !r.ProtoAtLeast(1, 1) {
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0) // a reset
			}
			_ = conn.Close()
			return
		}
	}
	panic(http.ErrAbortHandler)
}

// allowOrigin lets pages of other sites read answers: there is nothing here
// that is not for everyone.
func (s *Server) allowOrigin(w http.ResponseWriter, r *http.Request) {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return
	}
	h := w.Header()
	switch {
	case len(s.options.CORSOrigins) == 0:
		h.Set("Access-Control-Allow-Origin", "*")
	case slices.Contains(s.options.CORSOrigins, origin):
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Vary", "Origin")
	default:
		return
	}
	if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
		h.Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
		headers := "Authorization, Accept, Accept-Language, Content-Language"
		if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
			headers = asked + ", " + headers
		}
		h.Set("Access-Control-Allow-Headers", headers)
		h.Set("Access-Control-Max-Age", "86400")
		return
	}
	h.Set("Access-Control-Expose-Headers", "Content-Encoding, Content-Location, Content-Range, Content-Type, Date, Location, Preference-Applied, Proxy-Status, Server, Transfer-Encoding, Range-Unit")
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) error {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(parts) > 1 && parts[0] != "rpc" || len(parts) > 2 {
		return failure(http.StatusNotFound, "PGRST125", "Invalid path specified in request URL")
	}
	if token := r.Header.Get("Authorization"); strings.HasPrefix(strings.ToLower(token), "bearer ") {
		return failure(http.StatusInternalServerError, "PGRST300", "Server lacks JWT secret")
	}
	of := s.options.Schemas[0]
	if profile := r.Header.Get("Accept-Profile"); profile != "" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		if of = profile; !slices.Contains(s.options.Schemas, profile) {
			return failure(http.StatusNotAcceptable, "PGRST106", "Invalid schema: %s", profile).
				hint("Only the following schemas are exposed: %s", strings.Join(s.options.Schemas, ", "))
		}
	}
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodOptions:
		w.Header().Set("Allow", allowed)
		return failure(http.StatusMethodNotAllowed, "PGRST117", "Unsupported HTTP method: %s", r.Method)
	case parts[0] == "":
		return s.describe(w, r, of)
	case parts[0] == "rpc":
		name := strings.Join(parts[1:], "")
		return failure(http.StatusNotFound, "PGRST202", "Could not find the function %s.%s in the schema cache", of, name).
			details("Functions are not offered by this server.")
	}
	name, asCSV := s.named(of, parts[0])
	t, known, err := s.find(r.Context(), of, name)
	if err != nil {
		return err
	}
	if r.Method == http.MethodOptions {
		w.Header().Set("Allow", allowed)
		w.WriteHeader(http.StatusOK)
		return nil
	}
	return s.answer(w, r, t, known, asCSV)
}

// named gives the table of a path, and whether its rows are wanted as CSV:
// table.csv is for browsers and spreadsheets, which cannot say so by a header.
func (s *Server) named(of, path string) (table string, asCSV bool) {
	table, asCSV = strings.CutSuffix(path, ".csv")
	if known := s.schema.Load(); asCSV && known != nil && known.tables[of][path] != nil {
		return path, false
	}
	return table, asCSV
}

// answer gives a table's rows.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, t *table, known *schema, asCSV bool) error {
	media, stripped := mediaCSV, false
	if !asCSV {
		var err error
		if media, stripped, err = negotiate(r, mediaJSON, mediaCSV, mediaObject, mediaArray); err != nil {
			return err
		}
	}
	values := parseParameters(r.URL.RawQuery)
	q, err := s.readQuery(t, values, r.Header)
	if err != nil {
		return err
	}
	prefer, err := readPreferences(r.Header, known)
	if err != nil {
		return err
	}
	out := &output{w: w, form: form{media: media, stripped: stripped, empty: r.Method == http.MethodHead}}
	var total *int64 // nil unless it was asked for
	out.head = func(rows int64) {
		s.head(w, r, q, out.form, prefer, values, rows, total)
		if asCSV {
			w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": t.name + ".csv"}))
		}
		w.WriteHeader(status(rows, total))
	}
	err = s.transact(r, prefer, func(ctx context.Context, tx pgx.Tx, waiting *pg.Patience) (err error) {
		if total, err = q.total(ctx, tx, prefer.count, s.options.MaxRows); err != nil {
			return err
		}
		if total != nil && q.offset > *total {
			w.Header().Set("Content-Range", "*/"+strconv.FormatInt(*total, 10))
			return badRange("An offset of %d was requested, but there are only %d rows.", q.offset, *total)
		}
		waiting.Heard()
		out.waiting = waiting
		return out.read(ctx, tx, q, prefer.count == "exact", total)
	})
	if err == nil {
		err = out.finish()
	}
	if err != nil && out.begun {
		return &broken{err}
	}
	return err
}

// head sets an answer's headers.
func (s *Server) head(w http.ResponseWriter, r *http.Request, q *query, f form, prefer preferences, values url.Values, rows int64, total *int64) {
	kind := f.media
	if f.stripped {
		kind += ";nulls=stripped"
	}
	h := w.Header()
	h.Set("Content-Type", kind+"; charset=utf-8")
	h.Set("Content-Range", contentRange(q.offset, rows, total))
	h.Set("Range-Unit", "items")
	location := "/" + url.PathEscape(strings.Trim(r.URL.Path, "/"))
	if len(values) > 0 {
		location += "?" + values.Encode()
	}
	h.Set("Content-Location", location)
	if len(s.options.Schemas) > 1 {
		h.Set("Content-Profile", q.table.schema)
	}
	if len(prefer.applied) > 0 {
		h.Set("Preference-Applied", strings.Join(prefer.applied, ", "))
	}
}

func status(rows int64, total *int64) int {
	if total != nil && rows < *total {
		return http.StatusPartialContent
	}
	return http.StatusOK
}

func contentRange(offset, rows int64, total *int64) string {
	text := "*"
	if rows > 0 {
		text = fmt.Sprintf("%d-%d", offset, offset+rows-1)
	}
	if total == nil {
		return text + "/*"
	}
	return fmt.Sprintf("%s/%d", text, *total)
}

// transact runs queries in a read-only transaction as the anonymous role. All of
// them see one state of the tables. Who asks may be slow to read, so the time of
// a statement is bounded here, where it is known who is waited for.
func (s *Server) transact(r *http.Request, prefer preferences, do func(context.Context, pgx.Tx, *pg.Patience) error) error {
	conn, err := s.acquire(r.Context())
	if err != nil {
		return err
	}
	defer conn.Release()
	ctx, waiting := pg.WithPatience(r.Context(), s.options.StatementTimeout)
	defer waiting.End()
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly, IsoLevel: pgx.RepeatableRead})
	if err != nil {
		return waiting.Explain(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // without effect after the commit
	err = s.become(ctx, tx, r, prefer)
	if err == nil {
		err = do(ctx, tx, waiting)
	}
	if err == nil {
		waiting.Heard()
		err = tx.Commit(ctx)
	}
	if pg.State(err) == "57014" && r.Context().Err() == nil {
		return failure(http.StatusInternalServerError, "57014", "canceling statement due to statement timeout")
	}
	return waiting.Explain(err)
}

// become makes the transaction the anonymous role's.
func (s *Server) become(ctx context.Context, tx pgx.Tx, r *http.Request, prefer preferences) error {
	names := []string{"search_path", "request.method", "request.path", "role"}
	values := []string{s.searchPath, r.Method, strings.ToValidUTF8(strings.ReplaceAll(r.URL.Path, "\x00", ""), ""), s.options.AnonRole}
	if prefer.timezone != "" {
		names, values = append(names, "timezone"), append(values, prefer.timezone)
	}
	_, err := tx.Exec(ctx, "SELECT set_config(n, v, true) FROM unnest($1::text[], $2::text[]) AS u(n, v)", names, values)
	return err
}

func (s *Server) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	waiting, cancel := context.WithTimeout(ctx, s.options.PoolTimeout)
	defer cancel()
	conn, err := s.pool.Acquire(waiting)
	if errors.Is(err, context.DeadlineExceeded) && s.pool.Stat().AcquiredConns() >= s.options.Pool {
		return nil, errBusy
	}
	return conn, err
}

// total gives the number of all rows as it was asked for, nil when it was not.
func (q *query) total(ctx context.Context, tx pgx.Tx, how string, most int64) (*int64, error) {
	switch how {
	case "exact":
		return q.all(ctx, tx)
	case "planned", "estimated":
		return q.estimate(ctx, tx, how, most)
	}
	return nil, nil
}

func (q *query) all(ctx context.Context, tx pgx.Tx) (*int64, error) {
	sql, args := q.count()
	var n int64
	err := tx.QueryRow(ctx, sql, args...).Scan(&n)
	return &n, err
}

// estimate gives the planner's number of rows; estimated counts exactly as long
// as there are no more than most.
func (q *query) estimate(ctx context.Context, tx pgx.Tx, how string, most int64) (*int64, error) {
	sql, args := q.plan()
	var text []byte
	if err := tx.QueryRow(ctx, sql, args...).Scan(&text); err != nil {
		return nil, err
	}
	var plans []struct {
		Plan struct {
			Rows float64 `json:"Plan Rows"`
		}
	}
	if err := json.Unmarshal(text, &plans); err != nil || len(plans) == 0 {
		return nil, fmt.Errorf("plan of the query is not as expected: %w", err)
	}
	planned := int64(plans[0].Plan.Rows)
	if how == "planned" || most > 0 && planned > most {
		return &planned, nil
	}
	return q.all(ctx, tx)
}
