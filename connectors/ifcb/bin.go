package ifcb

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/plankton/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// bin is a bin under way: its images one after the other.
type bin struct {
	id       ifcb.BinID
	numbers  []int // targets with an image that is to be had, ascending
	next     int   // index into numbers
	expected int   // images that it has, given or not
	progress
	table   []ifcb.Target // of the .adc; empty when it cannot be had
	targets map[int]ifcb.Target
	header  ifcb.Header
	short   error // the table breaks off: there may have been more images
	fewer   error // there are fewer images than the header says
	// headless says why the header was not to be had: it is asked for again, and then done without.
	headless error
	sample   sample
	reader   imageReader
}

// imageReader gives the images of a bin under way.
type imageReader interface {
	// image gives one image. An error that [dashboard.IsGone] is of this image alone.
	image(ctx context.Context, number int) (image, error)
	// check tells whether the bin's files are still those that were opened.
	check() error
	close()
}

// image is one image file.
type image struct {
	number        int
	png           []byte
	width, height int
}

func (b *bin) image(ctx context.Context, number int) (image, error) {
	return b.reader.image(ctx, number)
}

func (b *bin) check() error { return b.reader.check() }

func (b *bin) close() { b.reader.close() }

// maxReason bounds the reason that is kept of a failure, bytes.
const maxReason = 300

// lose notes an image that cannot be had, and keeps why the first one could not. It tells whether that is new.
func (b *bin) lose(number int, err error) bool {
	known := slices.Contains(b.missing, any(int64(number)))
	if !known {
		b.missing = append(b.missing[:len(b.missing):len(b.missing)], int64(number))
	}
	if b.why == "" {
		b.why = reason(err)
	}
	return !known
}

// give notes an image that was given. It may be one that was missing before.
func (b *bin) give(number int) {
	b.after, b.given = max(b.after, number), b.given+1
	if i := slices.Index(b.missing, any(int64(number))); i >= 0 {
		b.missing = slices.Concat(b.missing[:i], b.missing[i+1:])
	}
	if len(b.missing) == 0 {
		b.why = ""
	}
}

func reason(err error) string {
	text := err.Error()
	return strings.ToValidUTF8(text[:min(len(text), maxReason)], "?")
}

// leftOut is a bin that is not wanted. Its reason is empty when it is none of those that were asked for.
type leftOut struct {
	reason string
	sample sample
	asked  bool // whether to ask again: the dashboard may take its flag back
}

func (e *leftOut) Error() string { return "left out: " + e.reason }

// growing is a bin that is being written. It is looked at again after a time.
type growing struct {
	wait  time.Duration
	lacks string // what is waited for
}

func (e *growing) Error() string { return "its files are being written: " + e.lacks }

// openBin opens a bin behind the last image that was given before.
func (l *timeline) openBin(ctx context.Context, w waiting) (*bin, error) {
	known, err := l.ask(ctx, w.id)
	if err != nil {
		return nil, err
	}
	b, err := l.site.open(ctx, w.id)
	if err != nil {
		return nil, err
	}
	b.progress = w.progress
	b.targets = make(map[int]ifcb.Target, len(b.table))
	for _, t := range b.table {
		b.targets[t.Number] = t
	}
	b.sample = l.newSample(w.id, b.table, b.header, known)
	told := b.headless == nil || l.lastAttempt(w.id) // else the header may still tell the type
	if types := l.opts.sampleTypes; told && !types.Wants(b.sample.typeName, b.sample.flags) {
		b.close()
		return nil, &leftOut{reason: "sample.types leaves out " + b.sample.kind(), sample: b.sample}
	}
	all := len(b.numbers)
	unreadable := b.unreadable()
	b.expected = all + len(unreadable)
	b.numbers = slices.DeleteFunc(b.numbers, func(n int) bool { return !w.wants(n) })
	b.given = all - len(b.numbers)
	if !b.fresh() { // what was missing will not come
		b.numbers = slices.DeleteFunc(b.numbers, func(n int) bool { return n <= w.after })
	}
	for _, t := range unreadable {
		if b.lose(t.Number, t.Bad) {
			l.log.Error("image failed", "bin", b.id.String(), "roi", t.Number, "err", t.Bad)
		}
	}
	b.countFewer()
	return b, nil
}

// unreadable are the lines of the table that cannot be read, but for those whose image is to be had without.
func (b *bin) unreadable() []ifcb.Target {
	return slices.DeleteFunc(ifcb.Unreadable(b.table), func(t ifcb.Target) bool { return slices.Contains(b.numbers, t.Number) })
}

// freshFor is how long after its time a bin may still be arriving at its dashboard.
const freshFor = day

func (b *bin) fresh() bool { return time.Since(b.id.Time()) < freshFor }

// countFewer compares the table with the header, which the instrument writes when the bin is done.
func (b *bin) countFewer() {
	said, ok := b.header.Float("roiCount")
	if images := len(ifcb.NewBin(b.id, b.table, ifcb.Header{}, nil, 0).Raw()) + len(ifcb.Unreadable(b.table)); ok && float64(images) < said {
		b.fewer = fmt.Errorf("%d of the %v images of its header", images, said)
	}
}

// arriving tells what a bin lacks that may still come.
func (b *bin) arriving() error {
	switch {
	case b.headless != nil:
		return fmt.Errorf("its header: %w", b.headless)
	case !b.fresh():
		return nil
	case b.short != nil:
		return b.short
	case b.next == len(b.numbers) && len(b.missing) > 0:
		return fmt.Errorf("%d of %d images are not there: %s", len(b.missing), b.expected, b.why)
	}
	return b.fewer
}

// ask gives what the dashboard itself knows of a bin. A bin that is not wanted for it is an error that is a leftOut.
func (l *timeline) ask(ctx context.Context, id ifcb.BinID) (dashboard.Details, error) {
	tags := l.address.TagList()
	decides := l.opts.skip || len(tags) > 0 || !l.opts.sampleTypes.IsZero()
	if !l.opts.metadata && !decides {
		return dashboard.Details{}, nil
	}
	known, err := l.site.Details(ctx, id)
	switch {
	case err != nil && !dashboard.IsGone(err) && decides:
		return dashboard.Details{}, err // it would be a guess
	case err != nil: // a bonus: it never holds up images
		return dashboard.Details{}, nil
	case !known.HasTags(tags):
		return dashboard.Details{}, &leftOut{}
	case known.Skip && l.opts.skip:
		return known, &leftOut{"the dashboard flags it to be skipped", l.newSample(id, nil, ifcb.Header{}, known), true}
	}
	return known, nil
}

// facts are what a bin's table and header tell.
type facts struct {
	table  []ifcb.Target
	header ifcb.Header
}
