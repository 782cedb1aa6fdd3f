package pg

import (
	"context"
	"errors"
	"io"
	"net"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
)

// Class says what an error of the server or on the way to it is about.
type Class int

// The classes.
const (
	// Other is a mistake of configuration or a defect: logins, addresses.
	Other Class = iota
	// Environment may be over later: connection, resources, shutdown, deadlock.
	Environment
	// Record is what the server says of a row, in whatever words: its values, a
	// constraint, a trigger, a policy. Of a statement that writes no rows it is a
	// mistake of configuration. 42501 is one or the other: see [Table.Grants].
	Record
	// Structure is a table or column that is not as expected.
	Structure
)

// String gives the class's name in lower case.
func (c Class) String() string { return [...]string{"other", "environment", "record", "structure"}[c] }

// byClass are the SQLSTATE classes that are of one kind throughout. All others,
// those that functions of the database make up among them, are Record.
var byClass = map[string]Class{
	"08": Environment, // connection
	"40": Environment, // rollback: serialization failure, deadlock
	"53": Environment, // resources: disk full, too many connections
	"57": Environment, // operator: shutdown, cancelled, timeout
	"58": Environment, // system: I/O
	"F0": Environment, // configuration file
	"HV": Environment, // the other server of a foreign table
	"28": Other,       // login
	"3D": Other,       // no such database
}

// byState are single states that differ from their class.
var byState = map[string]Class{
	"26000": Environment, // a named statement that is not there: see Advice
	"42P05": Environment, // or is there already
	"25006": Environment, // read-only: a server that is a standby now
	"25P03": Environment, // idle in a transaction for too long
	"25P04": Environment, // a transaction that took too long
	"55P03": Environment, // lock not available
	"55006": Environment, // object in use
	"XX001": Environment, // damaged data
	"XX002": Environment, // damaged index
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
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		c := classOf(e.Code)
		if connecting && c != Environment {
			return Other // who may not log in has written no row
		}
		return c
	}
	if _, silent := errors.AsType[*Silence](err); silent {
		return Environment
	}
	if _, ok := errors.AsType[net.Error](err); ok || connecting || pgconn.Timeout(err) || pgconn.SafeToRetry(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, context.DeadlineExceeded) {
		return Environment
	}
	return Other
}

func classOf(state string) Class {
	if c, ok := byState[state]; ok {
		return c
	}
	if len(state) == 5 {
		if c, ok := byClass[state[:2]]; ok {
			return c
		}
	}
	return Record
}

// Advice says what to do about an error that has its remedy in the address, empty
// for others. Statements are named only where a URL asks.
func Advice(err error) string {
	if s := State(err); s == "26000" || s == "42P05" {
		return "a pooler shares connections: take default_query_exec_mode=cache_statement out of the URL, or say prepareThreshold=0"
	}
	return ""
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

// hidden stands for what may be a row's values.
const hidden = "[hidden]"

// Redacted gives an error of the server without what may tell a row's values;
// other errors as they are. State and class stay. Texts are not read for their
// meaning: servers translate them, functions of the database make them up.
func Redacted(err error) error {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return err
	}
	c := *e
	c.Detail, c.Hint, c.Where, c.InternalQuery = "", "", "", ""
	switch {
	case e.Where != "": // in a function, which may say, or run, anything
		c.Message = hidden
	case strings.HasPrefix(c.Code, "22"): // others quote names of columns and constraints
		c.Message = quotedValue.ReplaceAllString(c.Message, hidden)
		if strings.ContainsFunc(c.Message, func(r rune) bool { return r >= utf8.RuneSelf }) {
			c.Message = hidden // translated, with the quotes of another language
		}
	}
	return &c
}
