package pg

import (
	"context"
	"errors"
	"io"
	"net"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Class says what an error of the server or on the way to it is about.
type Class int

// The classes.
const (
	// Other is a mistake of configuration or a defect: privileges, passwords, syntax.
	Other Class = iota
	// Environment may be over later: connection, resources, shutdown, deadlock.
	Environment
	// Record is about the values of a row, and would come again with them.
	Record
	// Structure is a table or column that is not as expected.
	Structure
)

// String gives the class's name in lower case.
func (c Class) String() string { return [...]string{"other", "environment", "record", "structure"}[c] }

// byClass are the SQLSTATE classes that are of one kind throughout.
var byClass = map[string]Class{
	"08": Environment, // connection
	"40": Environment, // rollback: serialization failure, deadlock
	"53": Environment, // resources: disk full, too many connections
	"57": Environment, // operator: shutdown, cancelled, timeout
	"58": Environment, // system: I/O
	"21": Record,      // cardinality: a row twice in one upsert
	"22": Record,      // data
	"23": Record,      // constraint
	"54": Record,      // program limit: an index row too large
}

// byState are single states that differ from their class.
var byState = map[string]Class{
	"25006": Environment, // read-only: a server that is a standby now
	"55P03": Environment, // lock not available
	"55006": Environment, // object in use
	"42804": Record,      // type mismatch
	"42846": Record,      // no cast
	"42P01": Structure,   // no such table
	"42703": Structure,   // no such column
	"42701": Structure,   // column is there already
	"42P07": Structure,   // table is there already
	"42P10": Structure,   // no constraint for ON CONFLICT
	"3F000": Structure,   // no such schema
}

// Classify gives the class of an error of pgx, Other for nil.
func Classify(err error) Class {
	if err == nil {
		return Other
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		if c, ok := byState[e.Code]; ok {
			return c
		}
		if len(e.Code) == 5 {
			return byClass[e.Code[:2]]
		}
		return Other
	}
	if _, ok := errors.AsType[net.Error](err); ok || pgconn.Timeout(err) || pgconn.SafeToRetry(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, context.DeadlineExceeded) {
		return Environment
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return Environment
	}
	return Other
}

// State gives the SQLSTATE of an error, empty when the server did not send it.
func State(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// quotedValue is where the server's messages on values quote one.
var quotedValue = regexp.MustCompile(`(?s)".*"`)

// Redacted gives an error of the server without the parts that quote a row's
// values; other errors as they are. State and class stay.
func Redacted(err error) error {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return err
	}
	c := *e
	c.Detail, c.Where, c.InternalQuery = "", "", ""
	if strings.HasPrefix(c.Code, "22") { // others quote names of columns and constraints
		c.Message = quotedValue.ReplaceAllString(c.Message, "[hidden]")
	}
	return &c
}
