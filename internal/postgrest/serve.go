package postgrest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
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
		answer := asAPIError(err)
		if answer.status == http.StatusInternalServerError && r.Context().Err() == nil {
			s.log.Error("read api: " + r.Method + " " + r.URL.Path + ": " + err.Error())
		}
		answer.write(w, r)
	}
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
	t, known, err := s.find(r.Context(), of, parts[0])
	if err != nil {
		return err
	}
	if r.Method == http.MethodOptions {
		w.Header().Set("Allow", allowed)
		w.WriteHeader(http.StatusOK)
		return nil
	}
	return s.answer(w, r, t, known)
}

// answer gives a table's rows.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, t *table, known *schema) error {
	media, stripped, err := negotiate(r, mediaJSON, mediaCSV, mediaObject, mediaArray)
	if err != nil {
		return err
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return failure(http.StatusBadRequest, "PGRST100", "failed to parse query string").details("a %% is not followed by two hexadecimal digits, or there is a semicolon: escape it as %%3B")
	}
	q, err := s.readQuery(t, values, r.Header)
	if err != nil {
		return err
	}
	prefer, err := readPreferences(r.Header, known)
	if err != nil {
		return err
	}
	f := form{object: media == mediaObject, stripped: stripped, empty: r.Method == http.MethodHead}
	var res result
	err = s.transact(r, prefer, func(ctx context.Context, tx pgx.Tx) error {
		if media == mediaCSV && !f.empty {
			res, err = q.csv(ctx, tx, prefer.count == "exact")
		} else {
			res, err = q.json(ctx, tx, f, prefer.count == "exact")
		}
		if err == nil && (prefer.count == "planned" || prefer.count == "estimated") {
			res.total, err = q.estimate(ctx, tx, prefer.count, s.options.MaxRows)
		}
		return err
	})
	if err != nil {
		return err
	}
	if f.object && res.rows != 1 {
		return failure(http.StatusNotAcceptable, "PGRST116", "Cannot coerce the result to a single JSON object").details("The result contains %d rows", res.rows)
	}
	if res.total != nil && q.offset > *res.total {
		w.Header().Set("Content-Range", "*/"+strconv.FormatInt(*res.total, 10))
		return badRange("An offset of %d was requested, but there are only %d rows.", q.offset, *res.total)
	}
	s.send(w, r, q, media, stripped, prefer, values, res)
	return nil
}

// send writes an answer's headers and body.
func (s *Server) send(w http.ResponseWriter, r *http.Request, q *query, media string, stripped bool, prefer preferences, values url.Values, res result) {
	kind := media
	if stripped {
		kind += ";nulls=stripped"
	}
	h := w.Header()
	h.Set("Content-Type", kind+"; charset=utf-8")
	h.Set("Content-Range", contentRange(q.offset, res.rows, res.total))
	h.Set("Range-Unit", "items")
	location := "/" + url.PathEscape(q.table.name)
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
	status := http.StatusOK
	if res.total != nil && res.rows < *res.total {
		status = http.StatusPartialContent
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(res.body) // the client has gone
	}
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

// result is what a query gave.
type result struct {
	total *int64 // nil unless it was asked for
	rows  int64
	body  []byte
}

// transact runs queries in a read-only transaction as the anonymous role.
func (s *Server) transact(r *http.Request, prefer preferences, do func(context.Context, pgx.Tx) error) error {
	ctx := r.Context()
	conn, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // without effect after the commit
	names := []string{"search_path", "statement_timeout", "request.method", "request.path", "role"}
	values := []string{s.searchPath, strconv.FormatInt(s.options.StatementTimeout.Milliseconds(), 10),
		r.Method, strings.ToValidUTF8(strings.ReplaceAll(r.URL.Path, "\x00", ""), ""), s.options.AnonRole}
	if prefer.timezone != "" {
		names, values = append(names, "timezone"), append(values, prefer.timezone)
	}
	if _, err := tx.Exec(ctx, "SELECT set_config(n, v, true) FROM unnest($1::text[], $2::text[]) AS u(n, v)", names, values); err != nil {
		return err
	}
	if err := do(ctx, tx); err != nil {
		return err
	}
	return tx.Commit(ctx)
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

func (q *query) json(ctx context.Context, tx pgx.Tx, f form, counted bool) (res result, err error) {
	sql, args := q.document(f, counted)
	err = tx.QueryRow(ctx, sql, args...).Scan(&res.total, &res.rows, &res.body)
	return res, err
}

// csv writes the page as RFC 4180 has it, values as PostgreSQL prints them; a
// null is nothing, an empty text is "".
func (q *query) csv(ctx context.Context, tx pgx.Tx, counted bool) (res result, err error) {
	if counted {
		sql, args := q.count()
		if err := tx.QueryRow(ctx, sql, args...).Scan(&res.total); err != nil {
			return res, err
		}
	}
	sql, args := q.plain()
	rows, err := tx.Query(ctx, sql, append([]any{pgx.QueryExecModeDescribeExec, pgx.QueryResultFormats{pgx.TextFormatCode}}, args...)...)
	if err != nil {
		return res, err
	}
	defer rows.Close()
	var out bytes.Buffer
	for i, d := range rows.FieldDescriptions() {
		if i > 0 {
			out.WriteByte(',')
		}
		writeCell(&out, []byte(d.Name))
	}
	for rows.Next() {
		res.rows++
		out.WriteByte('\n')
		for i, v := range rows.RawValues() {
			if i > 0 {
				out.WriteByte(',')
			}
			writeCell(&out, v)
		}
	}
	res.body = out.Bytes()
	return res, rows.Err()
}

func writeCell(out *bytes.Buffer, v []byte) {
	if v == nil {
		return
	}
	if len(v) > 0 && !bytes.ContainsAny(v, "\",\r\n") && v[0] != ' ' && v[len(v)-1] != ' ' {
		out.Write(v)
		return
	}
	out.WriteByte('"')
	out.Write(bytes.ReplaceAll(v, []byte(`"`), []byte(`""`)))
	out.WriteByte('"')
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
	var exact *int64
	sql, args = q.count()
	err := tx.QueryRow(ctx, sql, args...).Scan(&exact)
	return exact, err
}
