package postgrest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/axiom-data-science/hydraulics/internal/pg"
)

const (
	// chunk is how much of an answer is in memory. What is shorter goes out whole,
	// with its length, and an error before its end is one the client can read.
	chunk = 64 << 10
	// clientPatience is how long a client may take for a chunk: it holds a
	// connection and a transaction.
	clientPatience = time.Minute
)

// broken is an error after the first byte of an answer.
type broken struct{ error }

func (b *broken) Unwrap() error { return b.error }

// output writes rows to a client as they come.
type output struct {
	w       http.ResponseWriter
	form    form
	head    func(rows int64) // writes status and headers
	waiting *pg.Patience     // for the database
	buffer  []byte
	rows    int64 // of the page
	begun   bool
}

// read reads the page and writes it; finish writes the rest. The number of rows
// stands in the head of an answer: where the number of all rows is known exactly
// it follows, else the server counts the page before it gives its first row.
func (o *output) read(ctx context.Context, tx pgx.Tx, q *query, exact bool, total *int64) error {
	if exact {
		o.rows = *total - q.offset
		if q.limit >= 0 {
			o.rows = min(o.rows, q.limit)
		}
		if err := o.single(); err != nil {
			return err
		}
	}
	if o.form.empty {
		if exact {
			return nil
		}
		sql, args := q.pageCount()
		if err := tx.QueryRow(ctx, sql, args...).Scan(&o.rows); err != nil {
			return err
		}
		return o.single()
	}
	sql, args := q.document(o.form, !exact)
	rows, err := tx.Query(ctx, sql, append([]any{pgx.QueryResultFormats{pgx.TextFormatCode}}, args...)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if err := o.page(rows, !exact); err != nil {
		return err
	}
	return rows.Err()
}

// page writes rows; the first column of counted ones is their number.
func (o *output) page(rows pgx.Rows, counted bool) error {
	skip := 0
	if counted {
		skip = 1
	}
	fields := rows.FieldDescriptions() // none where the server refused the statement
	o.open(fields[min(skip, len(fields)):])
	n := int64(0)
	for ; rows.Next(); n++ {
		values := rows.RawValues()
		if counted && n == 0 {
			var err error
			if o.rows, err = strconv.ParseInt(string(values[0]), 10, 64); err != nil {
				return fmt.Errorf("number of rows: %w", err)
			}
			if err := o.single(); err != nil {
				return err
			}
		}
		o.row(n, values[skip:])
		if len(o.buffer) >= chunk {
			if err := o.send(); err != nil {
				return err
			}
		}
	}
	if rows.Err() == nil && counted && n == 0 {
		if err := o.single(); err != nil {
			return err
		}
	}
	o.close()
	return nil
}

// single refuses any number of rows but one where one object was asked for.
func (o *output) single() error {
	if o.form.media == mediaObject && o.rows != 1 {
		return failure(http.StatusNotAcceptable, "PGRST116", "Cannot coerce the result to a single JSON object").details("The result contains %d rows", o.rows)
	}
	return nil
}

// open writes what is before the rows.
func (o *output) open(fields []pgconn.FieldDescription) {
	switch o.form.media {
	case mediaCSV:
		for i, f := range fields {
			o.cell(i, []byte(f.Name))
		}
	case mediaJSON, mediaArray:
		o.buffer = append(o.buffer, '[')
	}
}

// row writes a row as RFC 4180 has it, values as PostgreSQL prints them; or as
// json_agg has it.
func (o *output) row(n int64, values [][]byte) {
	if o.form.media == mediaCSV {
		o.buffer = append(o.buffer, '\n')
		for i, v := range values {
			o.cell(i, v)
		}
		return
	}
	switch {
	case n > 0 && o.form.stripped:
		o.buffer = append(o.buffer, ',')
	case n > 0:
		o.buffer = append(o.buffer, ", \n "...)
	}
	o.buffer = append(o.buffer, values[0]...)
}

// close writes what is behind the rows.
func (o *output) close() {
	if o.form.media == mediaJSON || o.form.media == mediaArray {
		o.buffer = append(o.buffer, ']')
	}
}

// cell writes a value of CSV: a null is nothing, an empty text is "".
func (o *output) cell(i int, v []byte) {
	if i > 0 {
		o.buffer = append(o.buffer, ',')
	}
	switch {
	case v == nil:
	case len(v) > 0 && !bytes.ContainsAny(v, "\",\r\n") && v[0] != ' ' && v[len(v)-1] != ' ':
		o.buffer = append(o.buffer, v...)
	default:
		o.buffer = append(o.buffer, '"')
		o.buffer = append(o.buffer, bytes.ReplaceAll(v, []byte(`"`), []byte(`""`))...)
		o.buffer = append(o.buffer, '"')
	}
}

// send gives the client what there is. The database waits meanwhile, and its
// time does not run.
func (o *output) send() error {
	if !o.begun {
		o.begun = true
		o.head(o.rows)
	}
	o.waiting.Rest()
	defer o.waiting.Heard()
	client := http.NewResponseController(o.w)
	if err := client.SetWriteDeadline(time.Now().Add(clientPatience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("client: %w", err)
	}
	if _, err := o.w.Write(o.buffer); err != nil {
		return fmt.Errorf("client: %w", err)
	}
	o.buffer = o.buffer[:0]
	return nil
}

// finish gives the client the rest, and the whole of a short answer.
func (o *output) finish() error {
	if !o.begun && !o.form.empty {
		o.w.Header().Set("Content-Length", strconv.Itoa(len(o.buffer)))
	}
	if err := o.send(); err != nil {
		return err
	}
	err := http.NewResponseController(o.w).SetWriteDeadline(time.Time{}) // the connection may bring the next request
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}
