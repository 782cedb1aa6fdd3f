package postgrest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/axiom-data-science/hydraulics/internal/pg"
)

// apiError is an error as clients read it. Codes and messages are PostgREST's.
type apiError struct {
	status  int
	Code    string  `json:"code"`
	Message string  `json:"message"`
	Details *string `json:"details"`
	Hint    *string `json:"hint"`
}

func (e *apiError) Error() string { return e.Code + ": " + e.Message }

func failure(status int, code, format string, args ...any) *apiError {
	return &apiError{status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

func notEmbedded(name string) *apiError {
	return failure(http.StatusBadRequest, "PGRST108", "'%s' is not an embedded resource in this request", name).
		hint("Verify that '%s' is included in the 'select' query parameter.", name)
}

func noSchemaCache() *apiError {
	return failure(http.StatusServiceUnavailable, "PGRST002", "Could not query the database for the schema cache. Retrying.")
}

func (e *apiError) details(format string, args ...any) *apiError {
	text := fmt.Sprintf(format, args...)
	e.Details = &text
	return e
}

func (e *apiError) hint(format string, args ...any) *apiError {
	text := fmt.Sprintf(format, args...)
	e.Hint = &text
	return e
}

func badRange(details string, args ...any) *apiError {
	return failure(http.StatusRequestedRangeNotSatisfiable, "PGRST103", "Requested range not satisfiable").details(details, args...)
}

// byClass are the statuses of SQLSTATE classes; others are 400.
var byClass = map[string]int{
	"08": http.StatusServiceUnavailable, "53": http.StatusServiceUnavailable,
	"28": http.StatusForbidden, "0L": http.StatusForbidden, "0P": http.StatusForbidden,
	"09": 500, "25": 500, "2D": 500, "38": 500, "39": 500, "3B": 500, "40": 500, "54": 500, "55": 500, "57": 500, "58": 500, "F0": 500, "HV": 500, "XX": 500,
}

// byState are the statuses of single SQLSTATEs.
var byState = map[string]int{
	"23503": http.StatusConflict, "23505": http.StatusConflict, "25006": http.StatusMethodNotAllowed,
	"42501": http.StatusUnauthorized,                                                                                       // the anonymous role may not: a token might help
	"57P01": http.StatusServiceUnavailable, "57P02": http.StatusServiceUnavailable, "57P03": http.StatusServiceUnavailable, // the server goes or comes
	"57P04": http.StatusServiceUnavailable, "57P05": http.StatusServiceUnavailable,
	"25P03": http.StatusServiceUnavailable, "25P04": http.StatusServiceUnavailable,
	"26000": http.StatusServiceUnavailable, "42P05": http.StatusServiceUnavailable, // a pooler between
	"42P01": http.StatusNotFound, "42883": http.StatusNotFound, "42P17": 500,
}

// asAPIError gives the answer for an error of a query.
func asAPIError(err error) *apiError {
	if e, ok := errors.AsType[*apiError](err); ok {
		return e
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return failure(http.StatusServiceUnavailable, "PGRST000", "Database connection error. Retrying the connection.")
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		status, ok := byState[e.Code]
		if !ok {
			if status, ok = byClass[e.Code[:min(2, len(e.Code))]]; !ok {
				status = http.StatusBadRequest
			}
		}
		answer := failure(status, e.Code, "%s", e.Message)
		if e.Detail != "" {
			answer.Details = &e.Detail
		}
		if hint := cmp.Or(pg.Advice(err), e.Hint); hint != "" {
			answer.Hint = &hint
		}
		return answer
	}
	switch {
	case errors.Is(err, errBusy):
		return failure(http.StatusGatewayTimeout, "PGRST003", "Timed out acquiring connection from connection pool.")
	case errors.Is(err, context.Canceled):
		return failure(http.StatusServiceUnavailable, "PGRST001", "Database client error. Retrying the connection.")
	case pg.Classify(err) == pg.Environment:
		return failure(http.StatusServiceUnavailable, "PGRST000", "Database connection error. Retrying the connection.")
	}
	return failure(http.StatusInternalServerError, "PGRSTX00", "Internal server error")
}

// write answers with the error. A HEAD has no body: the code goes into a header.
func (e *apiError) write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if e.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	h.Set("Proxy-Status", "PostgREST; error="+strings.Map(tokenOnly, e.Code))
	h.Set("Content-Type", "application/json; charset=utf-8")
	body, err := json.Marshal(e)
	if err != nil {
		panic(err) // four texts
	}
	w.WriteHeader(e.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client has gone
	}
}

func tokenOnly(r rune) rune {
	if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
		return r
	}
	return -1
}
