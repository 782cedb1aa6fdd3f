package dashboard

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
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// generation2 is ifcbdb.
type generation2 struct {
	*Client
	Address
}

func (g *generation2) Kind() string { return "dashboard of generation 2" }

func (g *generation2) api(path string) string { return g.Base + "/api/" + path }

func (g *generation2) binURL(id ifcb.BinID) string { return g.Base + "/data/" + id.String() }

// span is a year: the table of a period is one request.
func (g *generation2) Span() time.Duration { return 366 * day }

func (g *generation2) query() string { return "?dataset=" + url.QueryEscape(g.Dataset) }

// tagQuery adds the tags to a query.
func (g *generation2) tagQuery() string {
	if g.Tags == "" {
		return ""
	}
	return "&tags=" + url.QueryEscape(g.Tags)
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
		if !slices.Contains(names, g.Dataset) {
			return false, connector.Fatal(fmt.Errorf("%s has no dataset %s; it has %s: check dashboard.url and dataset",
				g.Base, g.Dataset, strings.Join(names, ", ")))
		}
		return true, nil
	}
	if err != nil && !IsAbsent(err) {
		return false, err
	}
	bins, _, err := g.Recent(ctx, time.Time{})
	if IsAbsent(err) {
		return false, nil
	}
	return len(bins) > 0, err
}

// recent is the newest bin. 404 means that there is none.
func (g *generation2) Recent(ctx context.Context, since time.Time) ([]ifcb.BinID, bool, error) {
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

// flaggedBin is a bin in a list, and whether it is to be skipped.
type flaggedBin struct {
	id   ifcb.BinID
	skip bool
}

// period asks for the table of metadata.
func (g *generation2) Period(ctx context.Context, from, until time.Time) ([]ifcb.BinID, error) {
	listed, err := g.table(ctx, from, until)
	bins := make([]ifcb.BinID, len(listed))
	for i, b := range listed {
		bins[i] = b.id
	}
	return bins, err
}

// table lists the bins of a period from the table of metadata, and where that is not there from the temperatures, the
// one legacy feed that does, without bins to be skipped. The table answers 404 when the period has no bin, too.
func (g *generation2) table(ctx context.Context, from, until time.Time) ([]flaggedBin, error) {
	start, end := from.UTC().Format(time.DateOnly), until.UTC().Format(time.DateOnly)
	data, err := g.listing(ctx, fmt.Sprintf("%s?start_date=%s&end_date=%s&include_skip=true%s",
		g.api("export_metadata/"+url.PathEscape(g.Dataset)), start, end, g.tagQuery()))
	if err == nil {
		return metadataBins(data)
	}
	if !IsAbsent(err) {
		return nil, err
	}
	var feed feed1
	next := until.UTC().Truncate(day).Add(day).Format(time.DateOnly)
	err = g.list(ctx, fmt.Sprintf("%s/%s/api/feed/temperature/start/%s/end/%s", g.Base, url.PathEscape(g.Dataset), start, next), &feed)
	if IsAbsent(err) {
		return nil, nil
	}
	var bins []flaggedBin
	for _, id := range feed.bins() {
		bins = append(bins, flaggedBin{id: id})
	}
	return bins, err
}

// metadataBins reads the columns pid and skip. A table without the latter flags none.
func metadataBins(table []byte) ([]flaggedBin, error) {
	in := csv.NewReader(bytes.NewReader(table))
	in.FieldsPerRecord = -1 // tags make columns
	names, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("export_metadata: %w", err)
	}
	pid, skip := slices.Index(names, "pid"), slices.Index(names, "skip")
	if pid < 0 {
		return nil, errors.New("export_metadata: the table has no column pid")
	}
	var bins []flaggedBin
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return bins, nil
		}
		if err != nil {
			return nil, fmt.Errorf("export_metadata: %w", err)
		}
		if pid >= len(row) {
			continue
		}
		for _, id := range parsePIDs(row[pid : pid+1]) {
			bins = append(bins, flaggedBin{id, skip >= 0 && skip < len(row) && isSet(row[skip])})
		}
	}
}

// isSet reads a flag: all but nothing, 0, false and no.
func isSet(flag string) bool {
	switch strings.ToLower(strings.TrimSpace(flag)) {
	case "", "0", "0.0", "false", "f", "no", "n":
		return false
	}
	return true
}

// shown asks for the table of the time that they are of, in pieces where that is long.
func (g *generation2) Shown(ctx context.Context, bins []ifcb.BinID) ([]ifcb.BinID, error) {
	left := slices.Clone(bins)
	slices.SortFunc(left, ifcb.BinID.Compare)
	var shown []ifcb.BinID
	for len(left) > 0 {
		n := slices.IndexFunc(left, func(id ifcb.BinID) bool { return id.Time().Sub(left[0].Time()) > g.Span() })
		if n < 0 {
			n = len(left)
		}
		listed, err := g.table(ctx, left[0].Time(), left[n-1].Time())
		if err != nil {
			return nil, err
		}
		for _, b := range listed {
			if _, wanted := slices.BinarySearchFunc(left[:n], b.id, ifcb.BinID.Compare); wanted && !b.skip {
				shown = append(shown, b.id)
			}
		}
		left = left[n:]
	}
	return ifcb.NewestFirst(shown), nil
}

// earliest is a time before all IFCBs: one request covers any period.
func (g *generation2) Earliest(context.Context) (time.Time, error) { return ifcb.Dawn, nil }

func (g *generation2) images(ctx context.Context, id ifcb.BinID) ([]int, error) {
	var list struct {
		Images []int `json:"images"`
	}
	err := g.json(ctx, g.api("list_images/"+id.String()), &list)
	return list.Images, err
}

func (g *generation2) Details(ctx context.Context, id ifcb.BinID) (Details, error) {
	var bin struct {
		Latitude   looseNumber `json:"lat"`
		Longitude  looseNumber `json:"lng"`
		Depth      looseNumber `json:"depth"`
		Volume     looseNumber `json:"ml_analyzed"`
		SampleType looseText   `json:"sample_type"`
		Skip       bool        `json:"skip"`
		Tags       []string    `json:"tags"`
	}
	err := g.json(ctx, g.api("bin/"+id.String())+g.query(), &bin)
	return Details{Latitude: bin.Latitude.value, Longitude: bin.Longitude.value, Depth: bin.Depth.value, Volume: bin.Volume.value,
		SampleType: strings.TrimSpace(string(bin.SampleType)), Skip: bin.Skip, Tags: bin.Tags}, err
}
