package model

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/infer/serving"
)

// endpoint is one of a service's servers. After a failure it is left alone for
// a second, twice as long after each further one, unless no other is better.
type endpoint struct {
	*service
	client serving.Client
	target serving.Target

	// Guarded by the service's mu.
	busy     int // requests under way
	failures int // since the last answer
	until    time.Time

	asking sync.Mutex // held while the server describes the model
	state  sync.Mutex
	known  *known // nil when the server has to be asked again
	pin    bool   // answers do not name their version
}

// known is what a server said about a model, with the labels once the number
// of outputs is known.
type known struct {
	serving.Description
	at time.Time

	mu       sync.Mutex
	manifest Manifest
}

// inferred is an answer and what was known about the model that gave it.
type inferred struct {
	answer serving.Answer
	known  *known
	from   serving.Target
}

// Bounds of the time that a server is left alone.
const (
	firstRest = time.Second
	longRest  = 30 * time.Second
)

// labelled gives the manifest for a number of outputs.
func (k *known) labelled(outputs int) (*Manifest, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.manifest.labelsFor(outputs); err != nil {
		return nil, err
	}
	return &k.manifest, nil
}

// pick takes the server with the least to do that is not left alone and was not
// tried, or else the one that was left alone longest; nil where all were tried.
// It guards tried.
func (s *service) pick(tried map[*endpoint]bool) *endpoint {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	var best *endpoint
	better := func(e *endpoint) bool {
		resting, rests := now.Before(e.until) || e.failures > 0 && e.busy > 0, now.Before(best.until) || best.failures > 0 && best.busy > 0
		switch {
		case resting != rests:
			return rests
		case rests:
			return e.until.Before(best.until)
		}
		return e.busy < best.busy
	}
	at := s.last
	for i := range s.endpoints {
		k := (s.last + 1 + i) % len(s.endpoints)
		if e := s.endpoints[k]; !tried[e] && (best == nil || better(e)) {
			best, at = e, k
		}
	}
	if best != nil {
		best.busy++
		tried[best] = true
		s.last = at
	}
	return best
}

// done tells how a request went.
func (e *endpoint) done(err error, stopped bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.busy--
	switch {
	case connector.KindOf(err) != connector.KindRetriable:
		e.failures, e.until = 0, time.Time{}
	case !stopped:
		e.until = e.now().Add(min(longRest, firstRest<<min(e.failures, 10)))
		e.failures++
	}
}

// prepare sees to it that images can be encoded.
func (s *service) prepare(ctx context.Context) error {
	s.mu.Lock()
	ready := s.plan != nil
	s.mu.Unlock()
	if ready {
		return nil
	}
	return s.failover(ctx, map[*endpoint]bool{}, func(e *endpoint) error {
		_, err := e.describe(ctx)
		return err
	})
}

// errNone says that all servers are being asked already.
var errNone = errors.New("no other model server is left to ask")

// failover calls do with one server after another until it does not fail by the
// server's being away.
func (s *service) failover(ctx context.Context, tried map[*endpoint]bool, do func(*endpoint) error) error {
	var errs []error
	var after time.Duration
	for e := s.pick(tried); e != nil; e = s.pick(tried) {
		err := do(e)
		e.done(err, ctx.Err() != nil)
		if connector.KindOf(err) != connector.KindRetriable || ctx.Err() != nil {
			return err
		}
		if c, ok := errors.AsType[*connector.Error](err); ok && (len(errs) == 0 || c.After < after) {
			after = c.After
		}
		errs = append(errs, err)
	}
	switch len(errs) {
	case 0:
		return connector.Retriable(errNone)
	case 1:
		return errs[0]
	}
	return connector.Retriable(errors.Join(errs...), connector.After(after))
}

// infer asks for some images, a second server too when the first one takes long
// and hedging is wanted. No request is under way when it returns.
func (s *service) infer(ctx context.Context, items []item) (inferred, error) {
	if err := enter(ctx, s.slots); err != nil {
		return inferred{}, err
	}
	defer func() { <-s.slots }()
	images := make([]serving.Image, len(items))
	for i, it := range items {
		images[i] = it.image
	}
	try := func(ctx context.Context, tried map[*endpoint]bool) (got inferred, err error) {
		err = s.failover(ctx, tried, func(e *endpoint) error {
			got, err = e.infer(ctx, images)
			return err
		})
		return got, err
	}
	if s.opts.Hedge <= 0 || len(s.endpoints) < 2 {
		return try(ctx, map[*endpoint]bool{})
	}
	return s.hedged(ctx, try)
}

// hedged runs try, and a second time once the first has taken too long; both
// take from the same servers, so that each is asked once. The first good answer
// counts.
func (s *service) hedged(ctx context.Context, try func(context.Context, map[*endpoint]bool) (inferred, error)) (inferred, error) {
	type outcome struct {
		inferred
		err error
	}
	outcomes := make(chan outcome, 2)
	tried := map[*endpoint]bool{}
	var wg sync.WaitGroup
	defer wg.Wait() // the images are the caller's again
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	run := func() {
		wg.Go(func() { // ends with its requests, which ctx breaks off
			got, err := try(ctx, tried)
			outcomes <- outcome{got, err}
		})
	}
	run()
	timer := time.NewTimer(s.opts.Hedge)
	defer timer.Stop()
	var errs []error
	for running := 1; running > 0; {
		select {
		case <-timer.C:
			running++
			run()
		case o := <-outcomes:
			if running--; o.err == nil || connector.KindOf(o.err) != connector.KindRetriable {
				return o.inferred, o.err
			}
			if !errors.Is(o.err, errNone) {
				errs = append(errs, o.err)
			}
		}
	}
	return inferred{}, connector.Retriable(errors.Join(errs...))
}

// infer asks one server. The version of the answer is the true one: what the
// answer names, else what the request asked for.
func (e *endpoint) infer(ctx context.Context, images []serving.Image) (inferred, error) {
	k, err := e.describe(ctx)
	if err != nil {
		return inferred{}, err
	}
	r := serving.Request{Images: images, Shape: e.shape(), Model: k.Description}
	e.state.Lock()
	if e.pin {
		r.Version = k.Version
	}
	e.state.Unlock()
	answer, err := e.client.Infer(ctx, r)
	if err == nil && answer.Version == "" && r.Version == "" && k.Version != "" {
		// Which version that was cannot be known: it is asked for by name.
		e.state.Lock()
		e.pin = true
		e.state.Unlock()
		r.Version = k.Version
		answer, err = e.client.Infer(ctx, r)
	}
	if err != nil {
		if connector.KindOf(err) == connector.KindRetriable {
			e.forget()
		}
		return inferred{}, err
	}
	answer.Version = cmp.Or(answer.Version, r.Version)
	if answer.Version != "" && k.Version != "" && answer.Version != k.Version {
		// The server has gone on to another version: its labels count.
		e.forget()
		if k, err = e.describe(ctx); err != nil {
			return inferred{}, err
		}
		if k.Version != answer.Version {
			return inferred{}, connector.Retriable(fmt.Errorf("model server %s: version %s answered while it says that it serves %s", e.target, answer.Version, k.Version))
		}
	}
	return inferred{answer, k, e.target}, nil
}

// forget makes the next request ask what the server serves.
func (e *endpoint) forget() {
	e.state.Lock()
	defer e.state.Unlock()
	e.known = nil
}

// describe gives what the server says about the model, asking it when that is
// not known or was asked too long ago.
func (e *endpoint) describe(ctx context.Context) (*known, error) {
	e.asking.Lock()
	defer e.asking.Unlock()
	e.state.Lock()
	k := e.known
	e.state.Unlock()
	if k != nil && e.now().Sub(k.at) < e.opts.Refresh {
		return k, nil
	}
	d, err := e.client.Describe(ctx)
	if err != nil {
		e.forget()
		return nil, err
	}
	m, err := e.accept(d)
	if err != nil {
		return nil, connector.Fatal(fmt.Errorf("model server %s: %w", e.target, err))
	}
	k = &known{Description: d, at: e.now(), manifest: m}
	e.state.Lock()
	e.known, e.pin = k, e.pin || d.Pin
	e.state.Unlock()
	return k, nil
}
