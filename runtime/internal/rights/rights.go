// Package rights says who asks a worker over HTTP, and what that one may do.
package rights

import (
	"context"
	"fmt"
	"net/http"
)

// Role is what somebody may do. Each may do what those before it may.
type Role int8

// The roles.
const (
	None      Role = iota // what workers sign, and whether a worker is well
	View                  // look: at states, records and configurations without their secrets
	Operate               // restart, pause, stop and resume; levels of loggers
	Configure             // make, change and delete connectors, and their offsets
)

var names = [...]string{"none", "view", "operate", "configure"}

// String gives the name.
func (r Role) String() string { return names[r] }

// ParseRole reads the name of a role that somebody can have.
func ParseRole(name string) (Role, error) {
	for r := View; r <= Configure; r++ {
		if r.String() == name {
			return r, nil
		}
	}
	return None, fmt.Errorf("role %q is not there: want view, operate or configure", name)
}

// Who is somebody who asks.
type Who struct {
	Name string // empty for one who did not log in
	Role Role
	// Anyone tells that nobody has to log in where others than this machine can ask:
	// what is in records is not for them.
	Anyone bool
	// Session tells that one worker alone knows who it is, by a session, or has given its
	// word: other workers have to be told.
	Session bool
}

// Guarded is a handler of requests that not everybody may make.
type Guarded interface {
	http.Handler
	// Takes gives the role that a request takes.
	Takes(r *http.Request) Role
}

type key struct{}

// With gives a context of a request by somebody.
func With(ctx context.Context, who Who) context.Context { return context.WithValue(ctx, key{}, who) }

// Of gives who makes the request of a context. One of nobody, that no door has let
// in, may do all: it was made in this program.
func Of(ctx context.Context) Who {
	if who, ok := ctx.Value(key{}).(Who); ok {
		return who
	}
	return Who{Role: Configure}
}
