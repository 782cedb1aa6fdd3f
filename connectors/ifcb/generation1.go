package ifcb

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/ifcb"
)

const day = 24 * time.Hour

// generation1 is the Flask dashboard. Everything hangs off the time series' path, which may carry tags (mvco:tag).
type generation1 struct {
	*client
	address
}

type feed1 []struct {
	PID string `json:"pid"`
}

func (f feed1) bins() []ifcb.BinID {
	pids := make([]string, len(f))
	for i, entry := range f {
		pids[i] = entry.PID
	}
	return parsePIDs(pids)
}

func (g *generation1) generation() int { return 1 }

func (g *generation1) series() string { return g.base + "/" + url.PathEscape(g.dataset) }

func (g *generation1) binURL(id ifcb.BinID) string { return g.series() + "/" + id.String() }

func (g *generation1) probe(ctx context.Context) (bool, error) {
	var feed feed1
	err := g.json(ctx, g.series()+"/feed.json", &feed)
	if isAbsent(err) {
		return false, nil
	}
	return err == nil, err
}

// feedLength is how many bins feed.json lists; a shorter one is all there are.
const feedLength = 25

// recent is feed.json, the newest 25 bins.
func (g *generation1) recent(ctx context.Context, since time.Time) ([]ifcb.BinID, bool, error) {
	var feed feed1
	if err := g.json(ctx, g.series()+"/feed.json", &feed); err != nil {
		return nil, false, err
	}
	bins := feed.bins()
	complete := len(feed) < feedLength
	for _, id := range bins {
		complete = complete || !id.Time().After(since)
	}
	return bins, complete, nil
}

// period asks day by day. A bin taken at midnight exactly is on two days.
func (g *generation1) period(ctx context.Context, from, until time.Time) ([]ifcb.BinID, error) {
	var bins []ifcb.BinID
	for d := from.UTC().Truncate(day); !d.After(until); d = d.Add(day) {
		var feed feed1
		if err := g.json(ctx, fmt.Sprintf("%s/api/feed/day/%s", g.series(), d.Format(time.DateOnly)), &feed); err != nil {
			return nil, err
		}
		bins = append(bins, feed.bins()...)
	}
	return bins, nil
}

// earliest asks for the bin nearest to a time before all IFCBs.
func (g *generation1) earliest(ctx context.Context) (time.Time, error) {
	var nearest struct {
		PID string `json:"pid"`
	}
	if err := g.json(ctx, g.series()+"/api/feed/nearest/2000-01-01", &nearest); err != nil {
		return time.Time{}, err
	}
	id, err := ifcb.ParseBinID(nearest.PID)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s/api/feed/nearest: %w", g.series(), err)
	}
	return id.Time().Truncate(day), nil
}

// images reads the list of sizes, whose heights are widths and the other way round: only the numbers are used.
func (g *generation1) images(ctx context.Context, id ifcb.BinID) ([]int, error) {
	var sizes struct {
		Numbers []int `json:"targetNumber"`
	}
	err := g.json(ctx, g.binURL(id)+"_roisizes", &sizes)
	return sizes.Numbers, err
}

// details are unknown to generation 1.
func (g *generation1) details(context.Context, ifcb.BinID) (details, error) { return details{}, nil }
