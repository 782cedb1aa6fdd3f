package ifcb

import (
	"context"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/plankton/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// site is where bins come from: a dataset of a dashboard, or a folder.
type site interface {
	// Kind says for people what it is.
	Kind() string
	// Recent lists newest bins, newest first: a cheap look. complete tells that the list reaches back to since.
	Recent(ctx context.Context, since time.Time) (bins []ifcb.BinID, complete bool, err error)
	// Period lists the bins of the days from to until, both included, in any order.
	Period(ctx context.Context, from, until time.Time) ([]ifcb.BinID, error)
	// Earliest is the day before which there is no bin.
	Earliest(ctx context.Context) (time.Time, error)
	// Span is how much of the past is listed at a time, from a day on.
	Span() time.Duration
	// Details gives what is known of a bin beside its files.
	Details(ctx context.Context, id ifcb.BinID) (dashboard.Details, error)
	// Shown gives those of some bins that are there and not flagged to be skipped.
	Shown(ctx context.Context, bins []ifcb.BinID) ([]ifcb.BinID, error)
	// URL is where a bin's files are at a dashboard, without extension; empty for a folder.
	URL(id ifcb.BinID) string
	// open opens a bin at its first image.
	open(ctx context.Context, id ifcb.BinID) (*bin, error)
	// facts reads table and header of a bin that cannot be opened.
	facts(ctx context.Context, id ifcb.BinID) (facts, error)
}

// findSite finds out what is at an address.
func (l *timeline) findSite(ctx context.Context) (site, error) {
	if dir := folderOf(l.address); dir != "" {
		return &folder{dir: dir, settle: l.opts.settle, once: l.opts.once, log: l.log, seen: map[ifcb.BinID]sighting{}}, nil
	}
	data, err := dashboard.Detect(ctx, l.client, l.address, l.opts.generation)
	if err != nil {
		return nil, err
	}
	return &remote{data, dashboard.OpenOptions{MaxZip: l.opts.maxZip, Header: l.opts.metadata || !l.opts.sampleTypes.IsZero(), Log: l.log}}, nil
}

// remote is a dataset of a dashboard.
type remote struct {
	*dashboard.Dataset
	opts dashboard.OpenOptions
}

func (r *remote) open(ctx context.Context, id ifcb.BinID) (*bin, error) {
	b, err := r.Open(ctx, id, r.opts)
	if err != nil {
		return nil, err
	}
	return &bin{id: id, numbers: b.Numbers, table: b.Table, header: b.Header, short: b.Short, headless: b.HeaderErr, reader: remoteReader{b}}, nil
}

func (r *remote) facts(ctx context.Context, id ifcb.BinID) (facts, error) {
	table, header, err := r.Facts(ctx, id, r.opts.Log)
	return facts{table, header}, err
}

// remoteReader gives the images of a bin at a dashboard.
type remoteReader struct{ bin *dashboard.Bin }

func (r remoteReader) image(ctx context.Context, number int) (image, error) {
	png, width, height, err := r.bin.Image(ctx, number)
	return image{number, png, width, height}, err
}

// check finds nothing: a zip stays what it is, and a dashboard's files are whole.
func (r remoteReader) check() error { return nil }

func (r remoteReader) close() { r.bin.Close() }
