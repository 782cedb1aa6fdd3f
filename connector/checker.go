package connector

import (
	"context"
	"time"
)

// Checker is a plugin of any kind that looks whether the systems that its configuration
// names would do, before anything runs. Without it what it needs of them shows when its
// tasks start.
type Checker interface {
	// Check calls found for each thing that it looked at, as soon as it knows. It asks
	// its systems as tasks do, and writes nothing anywhere. A source or sink is an instance
	// of its own, which is never started, and gives back itself what it opened; other
	// plugins are configured. It returns soon after ctx is cancelled.
	Check(ctx context.Context, c Context, conf Config, found func(Finding))
}

// Finding is one thing that a [Checker] looked at.
type Finding struct {
	// What names it, without secrets: "database plankton on db:5432".
	What string
	// Says is what one may want to know of it: "PostgreSQL 17.2".
	Says string
	// Err is what is wrong; its code, see [Coded], leads to the remedy.
	Err error
	// Warning is that tasks would run in spite of Err.
	Warning bool
	// Clock is what a system's clock says at this moment; zero where nobody was told.
	Clock time.Time
}
