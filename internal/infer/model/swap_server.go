package model

import (
	"context"
	"fmt"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/infer/serving"
)

// pin makes the model in use the version of its server that answered first, so
// that another one is used only after it was compared. A server whose URL
// names the version already, or that cannot be asked for one, stays as it is.
func (s *swapping) pin(ctx context.Context, images [][]byte, results []Result) {
	for i, r := range results {
		if s.pinned && r.Err != nil && connector.KindOf(r.Err) != connector.KindData {
			// A server may take a version away. The next one is waited for.
			results[i].Err = connector.Retriable(fmt.Errorf("%w; another version of the model is used once it passes the comparison", r.Err))
		}
		if s.pinned || s.name != "" || r.Err != nil {
			continue
		}
		s.name = r.Model
		c, ok := s.version(r)
		if !ok {
			continue
		}
		if same := c.Classify(ctx, images[i:i+1])[0]; same.Err != nil || same.Model != r.Model {
			s.discardLocked(c)
			if connector.KindOf(same.Err) == connector.KindRetriable {
				s.name = "" // the next batch will tell
			}
			continue
		}
		s.discardLocked(s.current)
		s.current, s.pinned = c, true
	}
}

// version opens the version that answered, where its server can be asked for it.
func (s *swapping) version(r Result) (Classifier, bool) {
	_, version := r.NameVersion()
	if !Remote(s.opts.Model) || s.opts.Version != "" || version == "" {
		return nil, false
	}
	opts := s.opts
	var urls []string
	for text := range strings.SplitSeq(opts.Model, ",") {
		t, err := serving.Parse(strings.TrimSpace(text), opts.Protocol, opts.Format)
		if err != nil || t.Version != "" || t.Label != "" {
			return nil, false
		}
		urls = append(urls, t.AtVersion(version))
	}
	opts.Model = strings.Join(urls, ",")
	c, err := Open(opts)
	return c, err == nil
}

// lookAtServer gives the watcher of a server: it asks for one image without
// naming a version, and sees which one answers.
func (s *swapping) lookAtServer() func(context.Context) {
	refused := ""
	return func(ctx context.Context) {
		s.mu.Lock()
		name, pinned, known := s.name, s.pinned, len(s.recent) > 0 || s.swap.Canary != ""
		s.mu.Unlock()
		if !pinned || !known {
			return
		}
		img, err := s.probe()
		if err != nil {
			return // the comparison will say so
		}
		front, err := Open(s.opts)
		if err != nil {
			return // it was opened before
		}
		r := front.Classify(ctx, [][]byte{img})[0]
		s.discard(front)
		if r.Err != nil || r.Model == name || r.Model == refused {
			return
		}
		if candidate, ok := s.version(r); ok {
			s.try(ctx, candidate, nil)
			s.mu.Lock()
			if s.name == name {
				refused = r.Model
			}
			s.mu.Unlock()
		}
	}
}

// probe gives an image that the model in use can classify.
func (s *swapping) probe() ([]byte, error) {
	if s.swap.Canary == "" {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.recent[0].image, nil
	}
	images, err := canaries(s.swap.Canary, 1)
	if err != nil {
		return nil, err
	}
	return images[0], nil
}
