package model

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// ensemble is several models of the same classes; a class's probability is the
// mean of theirs.
type ensemble struct {
	opts    Options
	members []Classifier
	by      map[string]*Manifest // what describes the members that answered, by their names
}

// openEnsemble opens the model and the others, each as one alone would be.
func openEnsemble(opts Options) (_ Classifier, err error) {
	e := &ensemble{opts: opts, by: map[string]*Manifest{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	if opts.Manifest != "" {
		return e, errors.New("ensemble: one manifest cannot describe several models: put each one's beside it")
	}
	for _, file := range append([]string{opts.Model}, opts.Others...) {
		member := opts
		member.Model, member.Others = file, nil
		member.Name, member.Version, member.Scores = "", "", true
		c, err := Open(member)
		if err != nil {
			return e, err
		}
		e.members = append(e.members, c)
		if err := fits(labelsOf(e.members[0]), labelsOf(c), opts.Model, file); err != nil {
			return e, err
		}
	}
	return e, nil
}

// fits wants the same classes, in any order, of two models of an ensemble.
func fits(first, other []string, name, otherName string) error {
	if first == nil || other == nil || slices.Equal(first, other) {
		return nil // of nil its first answer will tell
	}
	if text := labelsDiffer(first, other); text != "" {
		return connector.Coded("H4009", connector.Fatal(fmt.Errorf("ensemble: %s has other classes than %s: %s; train both on the same classes, or give each a manifest whose labels have the same names", redact(otherName), redact(name), text)))
	}
	return nil
}

// Close releases the models.
func (e *ensemble) Close() error {
	var errs []error
	for _, c := range e.members {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// Classify asks one model after the other: each spreads the images over the
// cores. An image that one of them cannot classify is not classified.
func (e *ensemble) Classify(ctx context.Context, images [][]byte) []Result {
	parts := make([][]Result, len(images)) // of the members, by image
	for _, c := range e.members {
		for i, r := range c.Classify(ctx, images) {
			parts[i] = append(parts[i], r)
		}
	}
	results := make([]Result, len(images))
	for i := range results {
		results[i] = e.mean(parts[i])
	}
	return results
}

// mean makes the result of an image from those of the members. Scores are in the
// order of the first one's labels.
func (e *ensemble) mean(parts []Result) Result {
	first := parts[0].By
	var sum []float64
	var names []string
	for _, r := range parts {
		if r.Err != nil {
			return Result{Err: r.Err}
		}
		if err := fits(first.Labels, r.By.Labels, first.Name, r.By.Name); err != nil {
			return Result{Err: err}
		}
		if sum == nil {
			sum = make([]float64, len(r.Scores))
		}
		for i, label := range r.By.Labels {
			k := i
			if first.Labels[k] != label {
				k = slices.Index(first.Labels, label)
			}
			sum[k] += float64(r.Scores[i])
		}
		names = append(names, r.Model)
	}
	name := strings.Join(names, "+")
	by, ok := e.by[name]
	if !ok {
		by = e.describe(parts)
		if len(e.by) > 64 { // versions that are long gone
			clear(e.by)
		}
		e.by[name] = by
	}
	scores := make([]float32, len(sum))
	best := 0
	for i, v := range sum {
		scores[i] = float32(v / float64(len(parts)))
		if scores[i] > scores[best] {
			best = i
		}
	}
	r := Result{Class: by.Labels[best], Prob: scores[best], By: by, Model: name}
	if e.opts.Name != "" || e.opts.Version != "" {
		r.Model = identity(by.Name, by.Version)
	}
	if e.opts.Scores {
		r.Scores = scores
	}
	return r
}

// describe joins the members: names and versions with "+" between, and a digest
// over their digests.
func (e *ensemble) describe(parts []Result) *Manifest {
	var names, versions, digests, preparations []string
	for _, r := range parts {
		name, version := r.NameVersion()
		names, versions = append(names, name), append(versions, version)
		digests, preparations = append(digests, r.By.Digest), append(preparations, r.By.Preparation())
	}
	m := *parts[0].By
	m.Name, m.Version = cmp.Or(e.opts.Name, strings.Join(names, "+")), cmp.Or(e.opts.Version, strings.Join(versions, "+"))
	m.Digest, m.preparation = joined(digests), joined(preparations)
	return &m
}

// joined is the digest of several, that one where all are the same, and none
// where one is missing.
func joined(digests []string) string {
	if slices.Contains(digests, "") {
		return ""
	}
	if len(slices.Compact(slices.Clone(digests))) == 1 {
		return digests[0]
	}
	sum := sha256.Sum256([]byte(strings.Join(digests, "\n")))
	return "sha256:" + hex.EncodeToString(sum[:])
}
