package ifcb

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// Listing is a dataset whose bins can be listed without reading them.
type Listing struct {
	site    site
	client  *client
	address address
}

// OpenListing finds the dataset that a source with these properties reads: dashboard.url or folder, dataset and the
// like. An unreachable dashboard is an error marked retriable.
func OpenListing(ctx context.Context, props connector.Props) (*Listing, error) {
	props = props.Clone()
	props["topic"] = "none" // the source's own, which a listing has no use for
	conf, err := connector.ParsePlugin(new(Source), props)
	if err != nil {
		return nil, err
	}
	o, err := newOptions(conf)
	if err != nil {
		return nil, err
	}
	if len(o.addresses) != 1 {
		return nil, fmt.Errorf("%d datasets: want one", len(o.addresses))
	}
	c := newClient(o.timeout, o.connections)
	found, err := detect(ctx, c, o.addresses[0], o.generation, o.settle)
	if err != nil {
		c.close()
		return nil, err
	}
	return &Listing{site: found, client: c, address: o.addresses[0]}, nil
}

// Close closes connections.
func (l *Listing) Close() { l.client.close() }

// Dataset is the dataset's name, as it stands in records.
func (l *Listing) Dataset() string { return l.address.series() }

// Shown gives those of some bins of the dashboard that it does not flag to be skipped. Where it has no flags that is all.
func (l *Listing) Shown(ctx context.Context, bins []ifcb.BinID) ([]ifcb.BinID, error) {
	shown, err := l.site.shown(ctx, bins)
	if isAbsent(err) {
		return bins, nil
	}
	return shown, err
}

// Bins lists the bins of a period, [from, until), oldest first. A zero from is the first bin, a zero until now. Bins
// of the future are left out.
func (l *Listing) Bins(ctx context.Context, from, until time.Time) ([]ifcb.BinID, error) {
	now := time.Now()
	if until.IsZero() || until.After(now) {
		until = now
	}
	if from.IsZero() {
		var err error
		if from, err = l.site.earliest(ctx); err != nil {
			return nil, err
		}
	}
	var bins []ifcb.BinID
	for start := from; start.Before(until); {
		end := start.Add(l.site.span())
		if end.After(until) {
			end = until
		}
		piece, err := l.site.period(ctx, start, end.Add(-time.Nanosecond))
		if err != nil {
			return nil, err
		}
		bins = append(bins, piece...)
		start = end
	}
	bins = slices.DeleteFunc(distinct(bins), func(id ifcb.BinID) bool { return id.Time().Before(from) || !id.Time().Before(until) })
	slices.Reverse(bins)
	return bins, nil
}
