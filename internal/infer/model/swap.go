package model

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Swap says how a model is replaced while it is in use: by another content of
// its file, manifest or labels, or by the version that its server now serves.
type Swap struct {
	// Every is how often that is looked for, 0 for never.
	Every time.Duration
	// Canary is a folder of PNG files on which the new model is compared with the
	// one in use; empty for the last images that were classified.
	Canary string
	// Images is how many of them, 0 for 32.
	Images int
	// Agreement is the least share of them, 0 to 1, that gets the same class.
	Agreement float64
	// Drift is the largest mean distance of the scores: half the sum of the
	// differences, 0 where all are equal and 1 where they have nothing in common.
	Drift float64
	// AnyLabels allows classes that come or go.
	AnyLabels bool
	// Note is told of every swap and of every one that was refused or taken
	// back, from one goroutine at a time.
	Note func(SwapEvent)
}

// SwapEvent is one attempt to replace a model.
type SwapEvent struct {
	From, To string // NAME:VERSION; To is empty where the new one was not loaded
	// Images is how many images both were compared on; Agreement and Drift are
	// what that gave.
	Images           int
	Agreement, Drift float64
	// Err says why the model in use stays; nil after a swap.
	Err error
}

// swapping is a classifier whose model is replaced between batches.
type swapping struct {
	opts  Options // of one model, without Swap and with Scores
	keep  bool    // scores are wanted by the caller too
	swap  Swap
	print string // of the files that current was made of; the watcher's
	stop  context.CancelFunc
	done  chan struct{} // closed when the watcher has ended

	mu      sync.Mutex // held while a batch is classified
	current Classifier
	before  Classifier // until the first batch through current was fine
	name    string     // of current, once it is known
	pinned  bool       // current asks its server for one version
	recent  []sample
	next    int // in recent, once that is full
}

// sample is an image and what the model in use makes of it.
type sample struct {
	image  []byte
	class  string
	labels []string
	scores []float32
}

// openSwapping opens a model that is replaced while it is in use. Its watcher
// ends with Close.
func openSwapping(opts Options) (Classifier, error) {
	s := &swapping{opts: opts, keep: opts.Scores, swap: opts.Swap, done: make(chan struct{})}
	s.opts.Swap, s.opts.Scores = Swap{}, true
	if s.swap.Images <= 0 {
		s.swap.Images = 32
	}
	if s.swap.Note == nil {
		s.swap.Note = func(SwapEvent) {}
	}
	if s.swap.Canary != "" {
		if _, err := canaries(s.swap.Canary, s.swap.Images); err != nil {
			return nil, err
		}
	}
	s.print = fingerprint(s.opts)
	var err error
	if s.current, err = Open(s.opts); err != nil {
		return nil, err
	}
	if l, ok := s.current.(*local); ok {
		s.name = l.name
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go s.watch(ctx)
	return s, nil
}

// Close ends the watcher and releases the model.
func (s *swapping) Close() error {
	s.stop()
	<-s.done
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.current.Close()
	if s.before != nil {
		err = errors.Join(err, s.before.Close())
		s.before = nil
	}
	return err
}

// labels gives the labels of the model in use, nil before its first answer.
func (s *swapping) labels() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return labelsOf(s.current)
}

// Classify takes a whole batch through one model.
func (s *swapping) Classify(ctx context.Context, images [][]byte) []Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	results := s.current.Classify(ctx, images)
	if s.before != nil {
		results = s.confirm(ctx, images, results)
	}
	s.pin(ctx, images, results)
	for i, r := range results {
		if r.Err == nil && len(r.Scores) > 0 {
			s.remember(sample{images[i], r.Class, r.By.Labels, r.Scores})
		}
		if !s.keep {
			results[i].Scores = nil
		}
	}
	return results
}

// confirm judges the first batch of a new model. Where it fails on an image
// that the one before can classify, that one takes over again, with the whole
// batch: so each image is classified by one model.
func (s *swapping) confirm(ctx context.Context, images [][]byte, results []Result) []Result {
	fine, waiting := false, false
	for i, r := range results {
		if r.Err == nil {
			fine = true
			continue
		}
		if connector.KindOf(r.Err) == connector.KindRetriable {
			waiting = true
			continue
		}
		if s.before.Classify(ctx, images[i:i+1])[0].Err != nil {
			continue // the image's fault
		}
		event := SwapEvent{From: s.name, Err: fmt.Errorf("taken back with its first batch: %w", r.Err)}
		event.Err = errors.Join(event.Err, s.current.Close())
		s.current, s.before, s.name = s.before, nil, ""
		results = s.current.Classify(ctx, images)
		event.To = event.From
		for _, r := range results {
			if r.Err == nil {
				event.From, s.name = r.Model, r.Model
			}
		}
		s.swap.Note(event)
		return results
	}
	if fine && !waiting {
		s.discardLocked(s.before)
		s.before = nil
	}
	return results
}

// remember keeps the last images for the next comparison.
func (s *swapping) remember(x sample) {
	if s.swap.Canary != "" {
		return
	}
	if len(s.recent) < s.swap.Images {
		s.recent = append(s.recent, x)
		return
	}
	s.recent[s.next] = x
	s.next = (s.next + 1) % len(s.recent)
}

// watch looks for another model until ctx ends.
func (s *swapping) watch(ctx context.Context) {
	defer close(s.done)
	tick := time.NewTicker(s.swap.Every)
	defer tick.Stop()
	look := s.lookAtFiles()
	if Remote(s.opts.Model) {
		look = s.lookAtServer()
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			look(ctx)
		}
	}
}

// lookAtFiles gives the watcher of files. A change is taken up when it has
// lasted from one look to the next, so that a file is not read while it is
// written; one that was refused is tried again when it changes again.
func (s *swapping) lookAtFiles() func(context.Context) {
	seen := s.print
	return func(ctx context.Context) {
		now := fingerprint(s.opts)
		settled := now == seen
		seen = now
		if now == s.print || !settled {
			return
		}
		candidate, err := Open(s.opts)
		if err == nil && now != fingerprint(s.opts) {
			s.discard(candidate)
			return // written meanwhile
		}
		s.print = now
		if err == nil && s.same(candidate) {
			s.discard(candidate)
			return // touched, not changed
		}
		s.try(ctx, candidate, err)
	}
}

// same tells whether a candidate is what is in use already.
func (s *swapping) same(candidate Classifier) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, okA := s.current.(*local)
	b, okB := candidate.(*local)
	return okA && okB && a.loaded == b.loaded && a.name == b.name
}

// discard closes a classifier that is not used after all.
func (s *swapping) discard(c Classifier) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.discardLocked(c)
}

// discardLocked is discard for a caller that holds the lock.
func (s *swapping) discardLocked(c Classifier) {
	if err := c.Close(); err != nil {
		s.swap.Note(SwapEvent{From: s.name, Err: err})
	}
}

// try compares a candidate with the model in use and puts it in that one's
// place. err is why there is none.
func (s *swapping) try(ctx context.Context, candidate Classifier, err error) {
	var event SwapEvent
	if err == nil {
		event, err = s.compare(ctx, candidate)
		if ctx.Err() != nil {
			s.discard(candidate)
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	event.From = s.name
	if err != nil {
		if candidate != nil {
			err = errors.Join(err, candidate.Close())
		}
		event.Err = err
		s.swap.Note(event)
		return
	}
	if s.before != nil { // no batch came since the last swap
		s.discardLocked(s.before)
	}
	s.before, s.current, s.name = s.current, candidate, event.To
	s.recent, s.next = nil, 0 // its scores will be others
	s.swap.Note(event)
}

// fingerprint tells files apart by their sizes and times: the model's, its
// manifest's and its labels'.
func fingerprint(opts Options) string {
	stem := strings.TrimSuffix(opts.Model, filepath.Ext(opts.Model))
	names := []string{opts.Model, stem + ".yaml", stem + ".yml"}
	for _, name := range labelFiles(opts.Model) {
		names = append(names, filepath.Join(filepath.Dir(opts.Model), name))
	}
	for _, given := range []string{opts.Manifest, opts.Labels} {
		if given != "" {
			names = append(names, given)
		}
	}
	var text strings.Builder
	for _, name := range names {
		if info, err := os.Stat(name); err == nil {
			fmt.Fprintf(&text, "%s %d %d\n", name, info.Size(), info.ModTime().UnixNano())
		}
	}
	return text.String()
}

// canaries reads the first n PNG files of a folder, by name.
func canaries(dir string, n int) ([][]byte, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.png"))
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("canary: there is no PNG file in the folder %s", dir)
	}
	slices.Sort(names)
	var images [][]byte
	for _, name := range names[:min(n, len(names))] {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("canary: %w", err)
		}
		images = append(images, data)
	}
	return images, nil
}
