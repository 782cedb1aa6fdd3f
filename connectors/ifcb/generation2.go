package ifcb

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/ifcb"
)

// firstIFCB is before any bin of a dashboard.
var firstIFCB = time.Date(2005, time.January, 1, 0, 0, 0, 0, time.UTC)

// generation2 is ifcbdb.
type generation2 struct {
	*client
	address
}

func (g *generation2) kind() string { return "dashboard of generation 2" }

func (g *generation2) api(path string) string { return g.base + "/api/" + path }

func (g *generation2) binURL(id ifcb.BinID) string { return g.base + "/data/" + id.String() }

func (g *generation2) open(ctx context.Context, l *lane, id ifcb.BinID) (*bin, error) {
	return openRemote(ctx, l, g, id)
}

func (g *generation2) facts(ctx context.Context, l *lane, id ifcb.BinID) (facts, error) {
	return remoteFacts(ctx, l, g, id)
}

// span is a year: the table of a period is one request.
func (g *generation2) span() time.Duration { return 366 * day }

func (g *generation2) query() string { return "?dataset=" + url.QueryEscape(g.dataset) }

// tagQuery adds the tags to a query.
func (g *generation2) tagQuery() string {
	if g.tags == "" {
		return ""
	}
	return "&tags=" + url.QueryEscape(g.tags)
}

// datasets lists the dashboard's datasets; nil when the answer is another thing.
func (g *generation2) datasets(ctx context.Context) ([]string, error) {
	var list struct {
		Datasets []string `json:"datasets"`
	}
	err := g.json(ctx, g.api("list_datasets"), &list)
	return list.Datasets, err
}

// probe asks for the list of datasets, and where that is not there (before 2020) for the newest bin.
func (g *generation2) probe(ctx context.Context) (bool, error) {
	names, err := g.datasets(ctx)
	if err == nil && names != nil {
		if !slices.Contains(names, g.dataset) {
			return false, connector.Fatal(fmt.Errorf("%s has no dataset %s; it has %s: check dashboard.url and dataset",
				g.base, g.dataset, strings.Join(names, ", ")))
		}
		return true, nil
	}
	if err != nil && !isAbsent(err) {
		return false, err
	}
	bins, _, err := g.recent(ctx, time.Time{})
	if isAbsent(err) {
		return false, nil
	}
	return len(bins) > 0, err
}

// recent is the newest bin. 404 means that there is none.
func (g *generation2) recent(ctx context.Context, since time.Time) ([]ifcb.BinID, bool, error) {
	var newest struct {
		PID string `json:"pid"`
	}
	err := g.list(ctx, g.api("most_recent_bin")+g.query()+g.tagQuery(), &newest)
	if errors.Is(err, errNotFound) {
		return nil, true, nil
	}
	if err != nil {
		return nil, false, err
	}
	id, err := ifcb.ParseBinID(newest.PID)
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", g.api("most_recent_bin"), err)
	}
	return []ifcb.BinID{id}, !id.Time().After(since), nil
}

// period asks for the table of metadata, and where that is not there for the temperatures, the one legacy feed that
// lists the bins of a period. The table answers 404 when the period has no bin, too.
func (g *generation2) period(ctx context.Context, from, until time.Time) ([]ifcb.BinID, error) {
	start, end := from.UTC().Format(time.DateOnly), until.UTC().Format(time.DateOnly)
	data, err := g.listing(ctx, fmt.Sprintf("%s?start_date=%s&end_date=%s&include_skip=true%s",
		g.api("export_metadata/"+url.PathEscape(g.dataset)), start, end, g.tagQuery()))
	if err == nil {
		return metadataBins(data)
	}
	if !isAbsent(err) {
		return nil, err
	}
	var feed feed1
	next := until.UTC().Truncate(day).Add(day).Format(time.DateOnly)
	err = g.list(ctx, fmt.Sprintf("%s/%s/api/feed/temperature/start/%s/end/%s", g.base, url.PathEscape(g.dataset), start, next), &feed)
	if isAbsent(err) {
		return nil, nil
	}
	return feed.bins(), err
}

// metadataBins reads the pid column.
func metadataBins(table []byte) ([]ifcb.BinID, error) {
	in := csv.NewReader(bytes.NewReader(table))
	in.FieldsPerRecord = -1 // tags make columns
	names, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("export_metadata: %w", err)
	}
	column := slices.Index(names, "pid")
	if column < 0 {
		return nil, errors.New("export_metadata: the table has no column pid")
	}
	var pids []string
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return parsePIDs(pids), nil
		}
		if err != nil {
			return nil, fmt.Errorf("export_metadata: %w", err)
		}
		if column < len(row) {
			pids = append(pids, row[column])
		}
	}
}

// earliest is a time before all IFCBs: one request covers any period.
func (g *generation2) earliest(context.Context) (time.Time, error) { return firstIFCB, nil }

func (g *generation2) images(ctx context.Context, id ifcb.BinID) ([]int, error) {
	var list struct {
		Images []int `json:"images"`
	}
	err := g.json(ctx, g.api("list_images/"+id.String()), &list)
	return list.Images, err
}

func (g *generation2) details(ctx context.Context, id ifcb.BinID) (details, error) {
	var bin struct {
		Latitude  *float64 `json:"lat"`
		Longitude *float64 `json:"lng"`
		Depth     *float64 `json:"depth"`
		Skip      bool     `json:"skip"`
		Tags      []string `json:"tags"`
	}
	err := g.json(ctx, g.api("bin/"+id.String())+g.query(), &bin)
	return details{bin.Latitude, bin.Longitude, bin.Depth, bin.Skip, bin.Tags}, err
}
