package model

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/infer/serving"
)

// service is a model behind one or more servers. Tasks that use the same model
// in the same way share it: its connections, its bound on requests at once, and
// what is known about the servers.
type service struct {
	key   [32]byte
	users atomic.Int32 // changes under servicesMu
	opts  Options
	given Manifest      // as it was given
	name  string        // of the model in results
	png   bool          // images are sent as they are
	room  chan struct{} // a place for each request's images, under way or encoded ahead
	slots chan struct{} // a place for each request under way
	most  atomic.Int64  // images that the servers take in one request
	now   func() time.Time

	mu        sync.Mutex
	endpoints []*endpoint // fixed; their state changes under mu
	last      int         // that was picked
	plan      *plan       // once a server has described the model
	waiting   *waiting    // request that other tasks may join
}

var (
	servicesMu sync.Mutex
	services   = map[[32]byte]*service{}
)

// remote is one user of a service.
type remote struct {
	*service
	closed bool
}

// item is an image of a request, and where its result belongs.
type item struct {
	image  serving.Image
	result *Result
}

func openRemote(opts Options) (Classifier, error) {
	m, text, err := manifestOf(opts, source{})
	if err != nil {
		return nil, err
	}
	if opts.BatchSize <= 0 {
		opts.BatchSize = 8
	}
	if opts.InFlight <= 0 {
		opts.InFlight = 4
	}
	if opts.Timeout <= 0 {
		opts.Timeout = time.Minute
	}
	if opts.Refresh <= 0 {
		opts.Refresh = 30 * time.Second
	}
	// What stands for the files is what they hold.
	plain := opts
	plain.Transport = nil
	key := sha256.Sum256(fmt.Appendf(nil, "%+v\n%p\n%s\n%q", plain, opts.Transport, text, m.Labels))
	servicesMu.Lock()
	defer servicesMu.Unlock()
	s := services[key]
	if s == nil {
		if s, err = newService(opts, m); err != nil {
			return nil, err
		}
		s.key, services[key] = key, s
	}
	s.users.Add(1)
	return &remote{service: s}, nil
}

func newService(opts Options, m Manifest) (*service, error) {
	s := &service{opts: opts, given: m, now: time.Now, slots: make(chan struct{}, opts.InFlight)}
	// While the servers work the next images are encoded.
	s.room = make(chan struct{}, opts.InFlight+min(opts.InFlight, runtime.GOMAXPROCS(0)))
	s.most.Store(int64(opts.BatchSize))
	var targets []serving.Target
	for text := range strings.SplitSeq(opts.Model, ",") {
		t, err := serving.Parse(strings.TrimSpace(text), opts.Protocol, opts.Format)
		if err != nil {
			return nil, err
		}
		if len(targets) > 0 && t.Format != targets[0].Format {
			return nil, fmt.Errorf("model: %s gets images as %s, %s as %s: servers of one model have to take the same", targets[0], targets[0].Format, t, t.Format)
		}
		targets = append(targets, t)
	}
	s.name, s.png = cmp.Or(opts.Name, m.Name, targets[0].Name), targets[0].Format == serving.PNG
	for _, t := range targets {
		c, err := serving.Dial(t, serving.Options{Timeout: opts.Timeout, Connections: opts.InFlight, Transport: opts.Transport})
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		s.endpoints = append(s.endpoints, &endpoint{service: s, client: c, target: t})
	}
	return s, nil
}

// Close gives up the model; the last user ends the connections.
func (r *remote) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	servicesMu.Lock()
	defer servicesMu.Unlock()
	if r.users.Add(-1) > 0 {
		return nil
	}
	delete(services, r.key)
	return r.close()
}

func (s *service) close() error {
	var errs []error
	for _, e := range s.endpoints {
		errs = append(errs, e.client.Close())
	}
	return errors.Join(errs...)
}

// Classify sends the images in requests of about equal size, several at once.
// An image that is no image is not sent. After a request that failed by the
// server's fault the others are not tried any more: the runtime will come again.
func (r *remote) Classify(ctx context.Context, images [][]byte) []Result {
	results := make([]Result, len(images))
	if len(images) == 0 {
		return results
	}
	if err := r.prepare(ctx); err != nil {
		for i := range results {
			results[i].Err = err
		}
		return results
	}
	most := int(r.most.Load())
	parts := (len(images) + most - 1) / most
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	for range min(parts, cap(r.room)) {
		wg.Go(func() { // ends when no part is left
			for i := int(next.Add(1) - 1); i < parts; i = int(next.Add(1) - 1) {
				from, to := i*len(images)/parts, (i+1)*len(images)/parts
				err := failed.Load()
				if err == nil {
					if e := r.part(ctx, images[from:to], results[from:to]); e != nil {
						failed.Store(&e)
					}
					continue
				}
				for k := range results[from:to] {
					results[from+k].Err = *err
				}
			}
		})
	}
	wg.Wait()
	return results
}

// part classifies the images of one request. Its error is one that is no
// image's fault; the results have it too.
func (s *service) part(ctx context.Context, images [][]byte, results []Result) error {
	if err := enter(ctx, s.room); err != nil {
		for i := range results {
			results[i].Err = err
		}
		return err
	}
	defer func() { <-s.room }()
	items := make([]item, 0, len(images))
	defer func() {
		for _, it := range items {
			it.image.Free()
		}
	}()
	for i, file := range images {
		img, err := s.plan.image(file)
		if err != nil {
			results[i].Err = connector.Data(err)
			continue
		}
		items = append(items, item{img, &results[i]})
	}
	if len(items) == 0 {
		return nil
	}
	if s.opts.Delay > 0 && len(items) < int(s.most.Load()) && s.users.Load() > 1 {
		s.join(ctx, items)
	} else {
		s.send(ctx, items)
	}
	for _, it := range items {
		if err := it.result.Err; err != nil && connector.KindOf(err) != connector.KindData {
			return err
		}
	}
	return nil
}

// enter takes a place, which is given back by receiving.
func enter(ctx context.Context, places chan struct{}) error {
	select {
	case places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return connector.Retriable(ctx.Err())
	}
}

// send asks for the images of one request. One that is too large for the server
// is halved, and so are later ones. Where the server refuses it as such, each
// image is sent alone, so that a bad one does not take the others with it.
func (s *service) send(ctx context.Context, items []item) {
	if most := int(s.most.Load()); len(items) > most {
		s.send(ctx, items[:most])
		s.send(ctx, items[most:])
		return
	}
	got, err := s.infer(ctx, items)
	large := errors.Is(err, serving.ErrTooLarge)
	switch {
	case large && len(items) > 1:
		half := int64(len(items)+1) / 2
		for most := s.most.Load(); most > half && !s.most.CompareAndSwap(most, half); most = s.most.Load() {
		}
		s.send(ctx, items)
		return
	case large && !s.png: // every image is as large
		err = connector.Fatal(fmt.Errorf("one image is more than the server takes in a message, raise its limit (such as grpc.max_receive_message_length): %w", err))
	case connector.KindOf(err) == connector.KindData && len(items) > 1:
		for i := range items {
			s.send(ctx, items[i:i+1])
		}
		return
	}
	for i, it := range items {
		if err != nil {
			it.result.Err = err
			continue
		}
		*it.result = s.result(got, i)
	}
}

// result judges one row of an answer.
func (s *service) result(got inferred, i int) Result {
	row := got.answer.Rows[i]
	m, err := got.known.labelled(len(row))
	if err != nil {
		return Result{Err: connector.Fatal(fmt.Errorf("model server %s: %w", got.from, err))}
	}
	version := cmp.Or(s.opts.Version, got.answer.Version, s.given.Version)
	if version == "" {
		return Result{Err: connector.Fatal(fmt.Errorf("model server %s does not tell the model's version: set model.version, or version in the manifest", got.from))}
	}
	r := choose(m, row)
	if !s.opts.Scores {
		r.Scores = nil
	}
	r.Model = identity(s.name, version)
	return r
}

// waiting is a request that is not full, of one task, that others may join.
type waiting struct {
	items  []item        // guarded by the service's mu until it is sent
	full   chan struct{} // closed when it is to be sent at once
	done   chan struct{} // closed when the results are there
	cancel context.CancelFunc
}

// join puts images into a request of several tasks and returns when they have
// their results. The task that comes first waits for others, and sends. A task
// that is stopped breaks the request off for all: they come again.
func (s *service) join(ctx context.Context, items []item) {
	s.mu.Lock()
	w := s.waiting
	if w != nil && len(w.items)+len(items) <= int(s.most.Load()) {
		w.items = append(w.items, items...)
		if len(w.items) == int(s.most.Load()) {
			s.waiting = nil
			close(w.full)
		}
		s.mu.Unlock()
		defer context.AfterFunc(ctx, w.cancel)()
		<-w.done
		return
	}
	if w != nil {
		close(w.full)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w = &waiting{items: items[:len(items):len(items)], full: make(chan struct{}), done: make(chan struct{}), cancel: cancel}
	s.waiting = w
	s.mu.Unlock()
	timer := time.NewTimer(s.opts.Delay)
	defer timer.Stop()
	select {
	case <-w.full:
	case <-timer.C:
	case <-ctx.Done():
	}
	s.mu.Lock()
	if s.waiting == w {
		s.waiting = nil
	}
	s.mu.Unlock()
	s.send(ctx, w.items)
	close(w.done)
}
