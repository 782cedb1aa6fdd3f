package ifcb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// site is one dataset of a dashboard: what the two generations do differently.
type site interface {
	// kind says for people what it is.
	kind() string
	// recent lists newest bins, newest first: a cheap look. complete tells that the list reaches back to since.
	recent(ctx context.Context, since time.Time) (bins []ifcb.BinID, complete bool, err error)
	// period lists the bins of the days from to until, both included, in any order.
	period(ctx context.Context, from, until time.Time) ([]ifcb.BinID, error)
	// earliest is the day before which there is no bin.
	earliest(ctx context.Context) (time.Time, error)
	// span is how much of the past is listed at a time, from a day on.
	span() time.Duration
	// details gives what the dashboard itself knows of a bin.
	details(ctx context.Context, id ifcb.BinID) (details, error)
	// shown gives those of some bins that the dashboard lists and does not flag to be skipped.
	shown(ctx context.Context, bins []ifcb.BinID) ([]ifcb.BinID, error)
	// open opens a bin at its first image.
	open(ctx context.Context, l *lane, id ifcb.BinID) (*bin, error)
	// facts reads table and header of a bin that cannot be opened.
	facts(ctx context.Context, l *lane, id ifcb.BinID) (facts, error)
}

// details are facts about a bin that are not in its own files. A nil pointer is unknown, and so are nil tags.
type details struct {
	latitude, longitude, depth *float64
	skip                       bool
	tags                       []string
}

// hasTags tells whether a bin may have all of some tags. Where its own are unknown the listing has chosen already.
func (d details) hasTags(wanted []string) bool {
	return d.tags == nil || !slices.ContainsFunc(wanted, func(t string) bool { return !slices.Contains(d.tags, t) })
}

// tagText is the tags with commas between them; nil when they are unknown.
func (d details) tagText() any {
	if d.tags == nil {
		return nil
	}
	return strings.Join(d.tags, ",")
}

// detect finds out the generation, unless the configuration says it.
func detect(ctx context.Context, c *client, a address, generation string, settle time.Duration) (site, error) {
	if a.folder() != "" {
		return &folder{dir: a.folder(), settle: settle, seen: map[ifcb.BinID]sighting{}}, nil
	}
	one, two := &generation1{client: c, address: a}, &generation2{client: c, address: a}
	switch generation {
	case "1":
		return one, nil
	case "2":
		return two, nil
	}
	if ok, err := two.probe(ctx); ok || err != nil {
		return two, err
	}
	if ok, err := one.probe(ctx); ok || err != nil {
		return one, err
	}
	return nil, connector.Fatal(fmt.Errorf("%s is no IFCB dashboard that has %s: it answers neither %s/feed.json nor api/list_datasets: "+
		"check dashboard.url and dataset", a.base, a.series(), a.series()))
}

// isAbsent tells whether an error means that a route is not there.
func isAbsent(err error) bool {
	return errors.Is(err, errNotFound) || errors.Is(err, errPage) || errors.Is(err, errNotJSON)
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
