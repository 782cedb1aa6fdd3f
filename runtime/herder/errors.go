package herder

import "fmt"

// Reason says what kind of refusal an [Error] is.
type Reason int

// The reasons, and what the REST API makes of them.
const (
	BadRequest  Reason = iota // 400
	NotFound                  // 404
	Conflict                  // 409
	Forbidden                 // 403
	Unavailable               // 503
)

// Error is a request that the herder refuses, in words for the client.
type Error struct {
	Reason Reason
	Text   string
}

// Error gives the text.
func (e *Error) Error() string { return e.Text }

// ErrRebalance is a request that has to wait for a rebalance of the cluster.
var ErrRebalance = &Error{Conflict, "Cannot complete request because of a conflicting operation (e.g. worker rebalance)"}

func refuse(r Reason, format string, args ...any) error {
	return &Error{Reason: r, Text: fmt.Sprintf(format, args...)}
}
