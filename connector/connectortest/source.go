package connectortest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// SourceCase describes a source to [Source].
type SourceCase struct {
	New   func() connector.Source
	Props connector.Props
	// Want is the number of records the source system holds for these Props,
	// at least 2. After them Poll gives nothing or ErrDone.
	Want int
	// Break, where it can be done, makes the system fail, as if it was away or
	// its disk was bad, until mend is called. What is there stays the same.
	Break func() (mend func())
	// KnownFailures are cases of the suite that the source fails, with the reason.
	KnownFailures map[string]string
}

// Source checks the promises of a source, which package connector's comments
// make and doc.go of this package lists.
func Source(t *testing.T, c SourceCase) { suite(t, c.KnownFailures, c.promises()) }

func (c SourceCase) promises() []promise {
	return []promise{
		{"describes itself", func(t testing.TB) { Plugin(t, c.New()) }},
		{"stops twice and without a start", c.stops},
		{"gives valid records, the same ones again", c.repeats},
		{"resumes behind every committed offset", c.resumes},
		{"loses nothing over restarts", c.restarts},
		{"an outage loses nothing", c.outage},
		{"leaves records as they are", c.leaves},
		{"an idle Poll ends with its context", c.idle},
		{"leaves no goroutine", c.goroutines},
	}
}

// feed is a source at work, and what it gave.
type feed struct {
	t      testing.TB
	source connector.Source
	given  []connector.SourceRecord
	done   bool
	// discarded says that records came beside a retriable error: the runtime
	// discards them, since they come again.
	discarded bool
}

func (c SourceCase) start(t testing.TB, offsets *Offsets) *feed {
	t.Helper()
	s := c.New()
	t.Cleanup(func() { _ = s.Stop() })
	ctx := Context(t)
	ctx.Offsets = offsets
	conf := configure(t, &ctx, s, c.Props)
	if err := s.Start(t.Context(), ctx, conf); err != nil {
		t.Fatalf("start: %v", err)
	}
	return &feed{t: t, source: s}
}

// poll calls Poll as the runtime does, and the source's listeners behind it.
func (f *feed) poll(ctx context.Context) (batch []connector.SourceRecord, err error) {
	f.t.Helper()
	batch, err = f.source.Poll(ctx)
	switch {
	case errors.Is(err, connector.ErrDone):
		f.done, err = true, nil
	case connector.KindOf(err) == connector.KindRetriable:
		f.discarded = f.discarded || len(batch) > 0
		return nil, err
	}
	f.given = append(f.given, batch...)
	if l, ok := f.source.(connector.RecordCommitter); ok {
		for i, r := range batch {
			if err := l.CommitRecord(f.t.Context(), r, &connector.RecordMetadata{Offset: int64(i)}); err != nil {
				f.t.Fatalf("commit of record: %v", err)
			}
		}
	}
	if l, ok := f.source.(connector.Committer); ok && len(batch) > 0 {
		if err := l.Commit(f.t.Context()); err != nil {
			f.t.Fatalf("commit: %v", err)
		}
	}
	return batch, err
}

// until polls until the source has given want records, or is done.
func (f *feed) until(want int) []connector.SourceRecord {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	for len(f.given) < want && !f.done && ctx.Err() == nil {
		if _, err := f.poll(ctx); err != nil && connector.KindOf(err) != connector.KindRetriable && ctx.Err() == nil {
			f.t.Fatalf("poll: %v", err)
		}
	}
	if len(f.given) != want {
		why := ""
		if f.discarded {
			why = "; records that it gives beside a retriable error are discarded, and are to come again"
		}
		f.t.Fatalf("the source gives %d records, want %d%s", len(f.given), want, why)
	}
	return f.given
}

// all gives all records of a fresh source behind the committed offsets.
func (c SourceCase) all(t testing.TB, offsets *Offsets, want int) []connector.SourceRecord {
	t.Helper()
	f := c.start(t, offsets)
	records := f.until(want)
	stopTwice(t, f.source)
	return records
}

// undisturbed gives all records of one run, and skips a source that cannot resume.
func (c SourceCase) undisturbed(t testing.TB) []connector.SourceRecord {
	t.Helper()
	if c.Want < 2 {
		t.Fatalf("the case wants %d records, it needs 2", c.Want)
	}
	return c.all(t, new(Offsets), c.Want)
}

func (c SourceCase) resumable(t testing.TB) []connector.SourceRecord {
	t.Helper()
	records := c.undisturbed(t)
	for _, r := range records {
		if r.SourceOffset == nil {
			t.Skip("the source has no offsets: it cannot resume")
		}
	}
	return records
}

func (c SourceCase) stops(t testing.TB) {
	stopTwice(t, c.New())
	f := c.start(t, new(Offsets))
	stopTwice(t, f.source)
}

func (c SourceCase) repeats(t testing.TB) {
	first, again := c.undisturbed(t), c.undisturbed(t)
	for _, r := range first {
		checkSourceRecord(t, r)
	}
	comparePartitions(t, "another run without a commit", again, first)
}

// resumes commits in every place of the undisturbed run (at most mostPlaces of
// them) and wants the rest of it, record for record.
func (c SourceCase) resumes(t testing.TB) {
	const mostPlaces = 48
	all := c.resumable(t)
	places := min(len(all)-1, mostPlaces)
	for i := range places {
		k := 1 + i*(len(all)-1)/places
		rest := c.all(t, commit(t, all[:k]), len(all)-k)
		comparePartitions(t, fmt.Sprintf("a restart behind record %d of %d", k, len(all)), rest, all[k:])
	}
	of := byPartition(all)
	for _, p := range slices.Sorted(maps.Keys(of)) { // one partition is far ahead of the others
		var others []connector.SourceRecord
		for _, r := range all {
			if partitionOf(r) != p {
				others = append(others, r)
			}
		}
		if len(others) > 0 {
			comparePartitions(t, "a restart with partition "+p+" done", c.all(t, commit(t, of[p]), len(others)), others)
		}
	}
	f := c.start(t, commit(t, all))
	defer stopTwice(t, f.source)
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), grace)
		_, _ = f.poll(ctx)
		cancel()
	}
	if len(f.given) > 0 {
		t.Fatalf("with everything committed a restart gives %d records again, first %s", len(f.given), describe(f.given[0]))
	}
}

// restarts commits half of each batch and starts anew: offsets lead on from where
// the source has resumed, too.
func (c SourceCase) restarts(t testing.TB) {
	all := c.resumable(t)
	var through []connector.SourceRecord
	offsets := new(Offsets)
	for len(through) < len(all) {
		f := c.start(t, offsets)
		f.until1(len(all) - len(through))
		half := f.given[:(len(f.given)+1)/2]
		for _, r := range half {
			if err := offsets.Commit(r); err != nil {
				t.Fatal(err)
			}
		}
		through = append(through, half...)
		stopTwice(t, f.source)
	}
	comparePartitions(t, "restarts within every batch", through, all)
}

// until1 polls until there is a batch; left is how many records there can be.
func (f *feed) until1(left int) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	for len(f.given) == 0 {
		_, err := f.poll(ctx)
		if err != nil && connector.KindOf(err) != connector.KindRetriable {
			f.t.Fatalf("poll: %v", err)
		}
		if len(f.given) == 0 && (f.done || ctx.Err() != nil) {
			f.t.Fatalf("after a restart the source gives nothing, %d records are left", left)
		}
	}
}

// outage breaks the system before each poll: whatever was read when it failed
// comes again.
func (c SourceCase) outage(t testing.TB) {
	all := c.undisturbed(t)
	if c.Break == nil {
		t.Skip("the case has no way to break the system")
	}
	c.startsBroken(t)
	f := c.start(t, new(Offsets))
	for until := time.Now().Add(patience); len(f.given) < len(all) && !f.done; {
		mend := c.Break()
		ctx, cancel := context.WithTimeout(t.Context(), grace)
		_, err := f.poll(ctx)
		ended := ctx.Err() != nil
		cancel()
		mend()
		if err != nil && connector.KindOf(err) != connector.KindRetriable && !ended {
			t.Fatalf("an outage is not retriable but %s: %v", connector.KindOf(err), err)
		}
		if len(f.given) < len(all) && !f.done {
			if _, err := f.poll(t.Context()); err != nil && connector.KindOf(err) != connector.KindRetriable {
				t.Fatalf("poll: %v", err)
			}
		}
		if time.Now().After(until) {
			break
		}
	}
	stopTwice(t, f.source)
	if f.discarded && len(f.given) < len(all) {
		t.Fatalf("%d of %d records are lost: those beside a retriable error are discarded, and are to come again", len(all)-len(f.given), len(all))
	}
	comparePartitions(t, "outages", f.given, all)
}

// startsBroken wants that a start in an outage may be tried again.
func (c SourceCase) startsBroken(t testing.TB) {
	t.Helper()
	s := c.New()
	mend := c.Break()
	defer mend()
	ctx := Context(t)
	ctx.Offsets = new(Offsets)
	conf := configure(t, &ctx, s, c.Props)
	err := s.Start(t.Context(), ctx, conf)
	if err != nil && connector.KindOf(err) != connector.KindRetriable {
		t.Errorf("start in an outage is not retriable but %s: %v", connector.KindOf(err), err)
	}
	stopTwice(t, s)
}

func (c SourceCase) leaves(t testing.TB) {
	f := c.start(t, new(Offsets))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var batches, copies [][]connector.SourceRecord
	for len(f.given) < c.Want && !f.done && ctx.Err() == nil {
		batch, err := f.poll(ctx)
		if err != nil && connector.KindOf(err) != connector.KindRetriable && ctx.Err() == nil {
			t.Fatalf("poll: %v", err)
		}
		var c []connector.SourceRecord
		for _, r := range batch {
			c = append(c, copySourceRecord(r))
		}
		batches, copies = append(batches, batch), append(copies, c)
	}
	stopTwice(t, f.source)
	for i := range batches {
		for j := range batches[i] {
			if !sameSourceRecord(batches[i][j], copies[i][j]) {
				t.Fatalf("record %d of batch %d was changed after it was handed over: it was %s, and is %s", j, i, describe(copies[i][j]), describe(batches[i][j]))
			}
		}
	}
}

func (c SourceCase) idle(t testing.TB) {
	f := c.start(t, new(Offsets))
	f.until(c.Want)
	for _, wait := range []time.Duration{0, grace} {
		ctx, cancel := context.WithCancel(t.Context())
		stop := time.AfterFunc(wait, cancel)
		within(t, "an idle Poll whose context was cancelled", func() {
			for ctx.Err() == nil && !f.done {
				batch, err := f.source.Poll(ctx)
				f.done = errors.Is(err, connector.ErrDone)
				if len(batch) > 0 {
					t.Errorf("after %d records there comes one more: %s", c.Want, describe(batch[0]))
					return
				}
			}
		})
		stop.Stop()
		cancel()
	}
	stopTwice(t, f.source)
}

func (c SourceCase) goroutines(t testing.TB) {
	noneLeft(t, func() {
		_ = c.New().Stop()
		for range 2 {
			f := c.start(t, new(Offsets))
			f.until(c.Want)
			ctx, cancel := context.WithTimeout(t.Context(), grace)
			if !f.done {
				_, _ = f.source.Poll(ctx)
			}
			cancel()
			stopTwice(t, f.source)
		}
	})
}

func commit(t testing.TB, records []connector.SourceRecord) *Offsets {
	t.Helper()
	offsets := new(Offsets)
	for _, r := range records {
		if err := offsets.Commit(r); err != nil {
			t.Fatal(err)
		}
	}
	return offsets
}

func partitionOf(r connector.SourceRecord) string {
	text, err := json.Marshal(r.SourcePartition)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func byPartition(records []connector.SourceRecord) map[string][]connector.SourceRecord {
	of := map[string][]connector.SourceRecord{}
	for _, r := range records {
		of[partitionOf(r)] = append(of[partitionOf(r)], r)
	}
	return of
}

// comparePartitions compares two runs: records of one source partition are in
// order, between partitions there is none.
func comparePartitions(t testing.TB, what string, got, want []connector.SourceRecord) {
	t.Helper()
	g, w := byPartition(got), byPartition(want)
	for _, p := range slices.Sorted(maps.Keys(w)) {
		for i := range max(len(g[p]), len(w[p])) {
			switch {
			case i >= len(g[p]):
				t.Fatalf("%s: record %d of partition %s is lost: %s", what, i, p, describe(w[p][i]))
			case i >= len(w[p]):
				t.Fatalf("%s: partition %s has one more record: %s", what, p, describe(g[p][i]))
			case !sameSourceRecord(g[p][i], w[p][i]):
				t.Fatalf("%s: record %d of partition %s is %s, want %s", what, i, p, describe(g[p][i]), describe(w[p][i]))
			}
		}
	}
	for p := range g {
		if w[p] == nil {
			t.Fatalf("%s: there is another partition, %s", what, p)
		}
	}
}

// describe is a record on one line, shortened: values may be images.
func describe(r connector.SourceRecord) string {
	const most = 300
	value := r.Value
	if s, ok := value.(*connector.Struct); ok {
		value = s.Values()
	}
	text := fmt.Sprintf("{topic %s, key %v, value %v, offset %v}", r.Topic, r.Key, value, r.SourceOffset)
	if len(text) > most {
		text = text[:most] + "..."
	}
	return text
}

func checkSourceRecord(t testing.TB, r connector.SourceRecord) {
	t.Helper()
	if r.Topic == "" {
		t.Errorf("record has no topic: %s", describe(r))
	}
	if err := connector.Validate(r.KeySchema, r.Key); err != nil {
		t.Errorf("key: %v", err)
	}
	if err := connector.Validate(r.ValueSchema, r.Value); err != nil {
		t.Errorf("value: %v", err)
	}
	if s, ok := r.Value.(*connector.Struct); ok {
		if err := s.Validate(); err != nil {
			t.Errorf("value: %v", err)
		}
	}
	for name, m := range map[string]map[string]any{"partition": r.SourcePartition, "offset": r.SourceOffset} {
		if _, err := json.Marshal(m); err != nil {
			t.Errorf("source %s is not JSON: %v", name, err)
		}
	}
}
