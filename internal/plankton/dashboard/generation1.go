package dashboard

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// generation1 is the Flask dashboard. Everything hangs off the time series' path, which may carry tags (mvco:tag).
type generation1 struct {
	*Client
	Address
	flags dayFlags
}

// dayFlags are the bins of a day that are flagged to be skipped.
type dayFlags struct {
	day     time.Time
	at      time.Time // when they were asked for
	skipped map[ifcb.BinID]bool
}

// flagsLast is how long the flags of a day are believed.
const flagsLast = time.Minute

type feed1 []struct {
	PID  string `json:"pid"`
	Skip bool   `json:"skip"`
}

func (f feed1) bins() []ifcb.BinID {
	pids := make([]string, len(f))
	for i, entry := range f {
		pids[i] = entry.PID
	}
	return parsePIDs(pids)
}

func (g *generation1) Kind() string { return "dashboard of generation 1" }

func (g *generation1) root() string { return g.Base + "/" + url.PathEscape(g.Series()) }

func (g *generation1) binURL(id ifcb.BinID) string { return g.root() + "/" + id.String() }

// span is a week: a day is a request.
func (g *generation1) Span() time.Duration { return 7 * day }

func (g *generation1) probe(ctx context.Context) (bool, error) {
	var feed feed1
	err := g.list(ctx, g.root()+"/feed.json", &feed)
	if IsAbsent(err) {
		return false, nil
	}
	return err == nil, err
}

// feedLength is how many bins feed.json lists; a shorter one is all there are.
const feedLength = 25

// recent is feed.json, the newest 25 bins, and the lists of their days and of today, since feed.json may leave out bins
// that are flagged to be skipped.
func (g *generation1) Recent(ctx context.Context, since time.Time) ([]ifcb.BinID, bool, error) {
	var feed feed1
	if err := g.list(ctx, g.root()+"/feed.json", &feed); err != nil {
		return nil, false, err
	}
	bins := feed.bins()
	complete := len(feed) < feedLength
	days := []time.Time{time.Now().UTC().Truncate(day)}
	for _, id := range bins {
		complete = complete || !id.Time().After(since)
		if d := id.Time().Truncate(day); id.Time().After(since) && d.Before(days[len(days)-1]) {
			days = append(days, d)
		}
	}
	for _, d := range days {
		flagged, err := g.day(ctx, d)
		if err != nil && !IsAbsent(err) {
			return nil, false, err
		}
		bins = append(bins, flagged.bins()...)
	}
	return bins, complete, nil
}

// period asks day by day. A bin taken at midnight exactly is on two days.
func (g *generation1) Period(ctx context.Context, from, until time.Time) ([]ifcb.BinID, error) {
	var bins []ifcb.BinID
	for d := from.UTC().Truncate(day); !d.After(until); d = d.Add(day) {
		feed, err := g.day(ctx, d)
		if err != nil {
			return nil, err
		}
		bins = append(bins, feed.bins()...)
	}
	return bins, nil
}

// day lists the bins of a day with their flags, and notes these. Where that is not there the plain list leaves flagged
// ones out.
func (g *generation1) day(ctx context.Context, d time.Time) (feed1, error) {
	var feed feed1
	err := g.list(ctx, fmt.Sprintf("%s/api/feed/day_skip/%s", g.root(), d.Format(time.DateOnly)), &feed)
	if IsAbsent(err) {
		err = g.list(ctx, fmt.Sprintf("%s/api/feed/day/%s", g.root(), d.Format(time.DateOnly)), &feed)
	}
	if err != nil {
		return nil, err
	}
	g.flags = dayFlags{day: d, at: time.Now(), skipped: map[ifcb.BinID]bool{}}
	for _, entry := range feed {
		if bin, err := ifcb.ParseBinID(entry.PID); err == nil && entry.Skip {
			g.flags.skipped[bin] = true
		}
	}
	return feed, nil
}

// shown asks for the lists of their days.
func (g *generation1) Shown(ctx context.Context, bins []ifcb.BinID) ([]ifcb.BinID, error) {
	byDay := map[time.Time][]ifcb.BinID{}
	for _, id := range bins {
		d := id.Time().Truncate(day)
		byDay[d] = append(byDay[d], id)
	}
	var shown []ifcb.BinID
	for d, wanted := range byDay {
		feed, err := g.day(ctx, d)
		if err != nil {
			return nil, err
		}
		listed := feed.bins()
		for _, id := range wanted {
			if slices.Contains(listed, id) && !g.flags.skipped[id] {
				shown = append(shown, id)
			}
		}
	}
	return shown, nil
}

// earliest asks for the bin nearest to a time before all IFCBs.
func (g *generation1) Earliest(ctx context.Context) (time.Time, error) {
	var nearest struct {
		PID string `json:"pid"`
	}
	if err := g.json(ctx, g.root()+"/api/feed/nearest/2000-01-01", &nearest); err != nil {
		return time.Time{}, err
	}
	id, err := ifcb.ParseBinID(nearest.PID)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s/api/feed/nearest: %w", g.root(), err)
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

// details of generation 1 are the flag of a bin, in the list of its day; its tags choose the list itself.
func (g *generation1) Details(ctx context.Context, id ifcb.BinID) (Details, error) {
	d := id.Time().Truncate(day)
	if !g.flags.day.Equal(d) || time.Since(g.flags.at) > flagsLast {
		if _, err := g.day(ctx, d); err != nil {
			return Details{}, err
		}
	}
	return Details{Skip: g.flags.skipped[id]}, nil
}
