package dashboard

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

const day = 24 * time.Hour

// Dataset is one dataset of a dashboard.
type Dataset struct {
	generation
	client  *Client
	address Address
}

// generation is what the two generations do differently.
type generation interface {
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
	// Details gives what the dashboard itself knows of a bin.
	Details(ctx context.Context, id ifcb.BinID) (Details, error)
	// Shown gives those of some bins that the dashboard lists and does not flag to be skipped.
	Shown(ctx context.Context, bins []ifcb.BinID) ([]ifcb.BinID, error)
	// binURL is where a bin's files are: the URL without extension.
	binURL(id ifcb.BinID) string
	// images lists the target numbers that have an image.
	images(ctx context.Context, id ifcb.BinID) ([]int, error)
}

// Details are facts about a bin that are not in its own files, as the dashboard tells them: numbers may stand for
// "unknown". A nil pointer is unknown, and so are nil tags.
type Details struct {
	Latitude, Longitude, Depth *float64
	Volume                     *float64 // ml
	SampleType                 string
	Skip                       bool
	Tags                       []string
}

// URL is where a bin's files are: an image's address is it with the image's number and extension, _00002.png.
func (d *Dataset) URL(id ifcb.BinID) string { return d.binURL(id) }

// HasTags tells whether a bin may have all of some tags. Where its own are unknown the listing has chosen already.
func (d Details) HasTags(wanted []string) bool {
	return d.Tags == nil || !slices.ContainsFunc(wanted, func(t string) bool { return !slices.Contains(d.Tags, t) })
}

// Detect finds the dataset at an address. generation is 1 or 2 where it is known.
func Detect(ctx context.Context, c *Client, a Address, generation string) (*Dataset, error) {
	one, two := &generation1{Client: c, Address: a}, &generation2{Client: c, Address: a}
	d := &Dataset{client: c, address: a}
	switch generation {
	case "1":
		d.generation = one
		return d, nil
	case "2":
		d.generation = two
		return d, nil
	}
	if ok, err := two.probe(ctx); err != nil {
		return nil, err
	} else if ok {
		d.generation = two
		return d, nil
	}
	if ok, err := one.probe(ctx); err != nil {
		return nil, err
	} else if ok {
		d.generation = one
		return d, nil
	}
	return nil, connector.Fatal(fmt.Errorf("%s is no IFCB dashboard that has %s: it answers neither %s/feed.json nor api/list_datasets: "+
		"check dashboard.url and dataset", a.Base, a.Series(), a.Series()))
}

// Names gives the names of all datasets of a dashboard of generation 2.
func Names(ctx context.Context, c *Client, base string) ([]string, error) {
	names, err := (&generation2{Client: c, Address: Address{Base: base}}).datasets(ctx)
	switch {
	case IsAbsent(err) || err == nil && names == nil:
		return nil, connector.Fatal(fmt.Errorf("%s does not list its datasets, as dashboards of generation 2 do: name them in datasets", base))
	case err == nil && len(names) == 0:
		return nil, connector.Retriable(fmt.Errorf("%s lists no dataset yet", base))
	}
	return names, err
}

// Bins lists the bins of a period, [from, until), oldest first. A zero from is the first bin, a zero until now. Bins
// of the future are left out.
func (d *Dataset) Bins(ctx context.Context, from, until time.Time) ([]ifcb.BinID, error) {
	now := time.Now()
	if until.IsZero() || until.After(now) {
		until = now
	}
	if from.IsZero() {
		var err error
		if from, err = d.Earliest(ctx); err != nil {
			return nil, err
		}
	}
	var bins []ifcb.BinID
	for start := from; start.Before(until); {
		end := start.Add(d.Span())
		if end.After(until) {
			end = until
		}
		piece, err := d.Period(ctx, start, end.Add(-time.Nanosecond))
		if err != nil {
			return nil, err
		}
		bins = append(bins, piece...)
		start = end
	}
	bins = slices.DeleteFunc(ifcb.NewestFirst(bins), func(id ifcb.BinID) bool { return id.Time().Before(from) || !id.Time().Before(until) })
	slices.Reverse(bins)
	return bins, nil
}

// parsePIDs reads lids or pids; of a URL only the lid counts, since a dashboard behind a proxy names its own host. What
// is no name of a bin is left out: dashboards hold other instruments' files too.
func parsePIDs(pids []string) []ifcb.BinID {
	bins := make([]ifcb.BinID, 0, len(pids))
	for _, pid := range pids {
		if id, err := ifcb.ParseBinID(strings.TrimSuffix(pid, "/")); err == nil {
			bins = append(bins, id)
		}
	}
	return bins
}
