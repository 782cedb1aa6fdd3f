package model

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// compare judges a candidate by the canary images.
func (s *swapping) compare(ctx context.Context, candidate Classifier) (SwapEvent, error) {
	var event SwapEvent
	if l, ok := candidate.(*local); ok {
		event.To = l.name
	}
	if err := s.labelsFit(s.labels(), labelsOf(candidate)); err != nil {
		return event, err
	}
	known, err := s.samples(ctx)
	if err != nil {
		return event, err
	}
	same, drift := 0, 0.0
	for i, k := range known {
		// One at a time: records that flow meanwhile have the cores too.
		r := candidate.Classify(ctx, [][]byte{k.image})[0]
		if r.Err != nil {
			return event, fmt.Errorf("canary image %d, which the model in use classifies as %s: %w", i+1, k.class, r.Err)
		}
		event.To = r.Model
		if err := s.labelsFit(k.labels, r.By.Labels); err != nil {
			return event, err
		}
		if r.Class == k.class {
			same++
		}
		drift += distance(k, r)
	}
	if event.Images = len(known); event.Images == 0 {
		return event, nil
	}
	event.Agreement, event.Drift = float64(same)/float64(len(known)), drift/float64(len(known))
	switch {
	case event.Agreement < s.swap.Agreement:
		return event, fmt.Errorf("%d of %d canary images get another class: %.3g agree, at least %.3g must; lower canary.agreement where that is meant", len(known)-same, len(known), event.Agreement, s.swap.Agreement)
	case event.Drift > s.swap.Drift:
		return event, fmt.Errorf("the scores of %d canary images are %.3g away on average, the bound is %.3g; raise canary.drift where that is meant", len(known), event.Drift, s.swap.Drift)
	}
	return event, nil
}

// labelsOf gives a classifier's labels, nil where the first image will tell.
func labelsOf(c Classifier) []string {
	switch c := c.(type) {
	case *local:
		return c.manifest.Labels
	case *swapping:
		return c.labels()
	}
	return nil
}

// labelsFit wants the same classes, in any order.
func (s *swapping) labelsFit(old, new []string) error {
	if s.swap.AnyLabels || old == nil || new == nil {
		return nil
	}
	if text := labelsDiffer(old, new); text != "" {
		return fmt.Errorf("its classes are others: %s; canary.labels=any allows that", text)
	}
	return nil
}

// labelsDiffer says what differs between two sets of labels, "" for nothing.
func labelsDiffer(old, new []string) string {
	var parts []string
	for _, side := range []struct {
		word        string
		list, other []string
	}{{"without", old, new}, {"with", new, old}} {
		var list []string
		for _, l := range side.list {
			if !slices.Contains(side.other, l) {
				list = append(list, l)
			}
		}
		if n := len(list); n > 5 {
			list = append(list[:5], fmt.Sprintf("%d more", n-5))
		}
		if len(list) > 0 {
			parts = append(parts, side.word+" "+strings.Join(list, ", "))
		}
	}
	return strings.Join(parts, "; ")
}

// samples gives the canary images with what the model in use makes of them.
func (s *swapping) samples(ctx context.Context) ([]sample, error) {
	if s.swap.Canary == "" {
		s.mu.Lock()
		defer s.mu.Unlock()
		return slices.Clone(s.recent), nil
	}
	images, err := canaries(s.swap.Canary, s.swap.Images)
	if err != nil {
		return nil, err
	}
	var known []sample
	for _, img := range images {
		r := s.one(ctx, img)
		switch {
		case r.Err == nil:
			known = append(known, sample{img, r.Class, r.By.Labels, r.Scores})
		case connector.KindOf(r.Err) == connector.KindData: // no image for anyone
		default:
			return nil, fmt.Errorf("canary: the model in use: %w", r.Err)
		}
	}
	if len(known) == 0 {
		return nil, errors.New("canary: the model in use can classify none of the images in " + s.swap.Canary)
	}
	return known, nil
}

// one has the model in use classify an image between two batches.
func (s *swapping) one(ctx context.Context, img []byte) Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current.Classify(ctx, [][]byte{img})[0]
}

// distance is the total variation distance of two score vectors, by label.
func distance(a sample, b Result) float64 {
	sum, left := 0.0, 0.0
	for _, v := range b.Scores {
		left += float64(v)
	}
	for i, label := range a.labels {
		p, q := float64(a.scores[i]), 0.0
		k := i
		if k >= len(b.By.Labels) || b.By.Labels[k] != label {
			k = slices.Index(b.By.Labels, label)
		}
		if k >= 0 {
			q = float64(b.Scores[k])
		}
		sum += max(p-q, q-p)
		left -= q
	}
	return (sum + max(left, 0)) / 2
}
