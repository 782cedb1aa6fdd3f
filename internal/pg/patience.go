package pg

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Patience ends the wait for a server that says nothing for a time: it cancels
// the context of what waits, which drops the connection. The time begins anew
// with each answer, so that much work is no matter and none at all is.
type Patience struct {
	limit  time.Duration
	timer  *time.Timer
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// WithPatience gives a context that ends when nothing is heard for the limit.
// The caller calls End.
func WithPatience(ctx context.Context, limit time.Duration) (context.Context, *Patience) {
	p := &Patience{limit: limit}
	p.ctx, p.cancel = context.WithCancelCause(ctx)
	p.timer = time.AfterFunc(limit, func() { p.cancel(&Silence{After: limit}) })
	return p.ctx, p
}

// Heard says that the server has answered, and that more is waited for.
func (p *Patience) Heard() { p.timer.Reset(p.limit) }

// Rest says that nothing is waited for until Heard.
func (p *Patience) Rest() { p.timer.Stop() }

// End frees what the patience holds.
func (p *Patience) End() {
	p.timer.Stop()
	p.cancel(nil)
}

// Explain gives an error that came of lost patience as a [Silence], others as
// they are.
func (p *Patience) Explain(err error) error {
	if silence, ok := errors.AsType[*Silence](context.Cause(p.ctx)); ok && err != nil {
		return &Silence{After: silence.After, Where: strings.TrimSuffix(err.Error(), ": "+context.Canceled.Error())}
	}
	return err
}

// Silence is the error that a server did not answer in time. It is one of the
// environment.
type Silence struct {
	After time.Duration
	Where string // what was waited for
}

// Error gives the text.
func (s *Silence) Error() string {
	return fmt.Sprintf("no answer within %s: %s", s.After, s.Where)
}
