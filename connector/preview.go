package connector

import "context"

// Preview is what a plugin is told where records are only looked at: it may ask its
// system, but writes nothing to it. Transforms, predicates, and sources up to Poll
// do what they always do. A Converter that would write somewhere, and a Previewer,
// tell what they would do.
type Preview struct {
	// Offline is that servers which compute for a transform, such as those of models,
	// are not asked: records pass as they are, and the plugin tells what it would ask.
	Offline bool
	// Execute lets a sink try what it would write where it can take all of it back,
	// as in a transaction.
	Execute bool
	// Would takes what the plugin would do. It is safe from any goroutine.
	Would func(Effect)
}

// Effect is something that a plugin would do to its system.
type Effect struct {
	// Does says it in a line: "register a schema with subject t-value".
	Does string `json:"does"`
	// Text is what exactly: a statement, a request, lines. It has no secrets.
	Text string `json:"text,omitempty"`
	// Records are those that it is made of, by their places among the records that a
	// Previewer was given; nil where it is of none in particular.
	Records []int `json:"records,omitempty"`
	// Warnings are what one should know before it is done.
	Warnings []string `json:"warnings,omitempty"`
}

// Previewer is a Sink that shows what it would write, without which a preview ends
// before the sink.
type Previewer interface {
	// Preview is called in place of Start and Put, once, and Stop after it. c.Preview
	// is there, and c.Reporter takes the records that cannot be written, whether the
	// connector tolerates them or not.
	Preview(ctx context.Context, c Context, conf Config, records []Record) error
}
