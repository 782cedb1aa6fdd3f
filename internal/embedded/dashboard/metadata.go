package dashboard

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// The columns of generation 2's table of bins before and behind those of the tags.
var (
	columnsBeforeTags = []string{
		"pid", "sample_time", "ifcb", "ml_analyzed", "latitude", "longitude", "depth", "cruise", "cast", "niskin", "sample_type", "n_images",
	}
	columnsBehindTags = []string{"comment_summary", "trigger_selection", "skip"}
)

// exportMetadata2 is the table of bins, by pid. It has as many columns for tags as the bin with most of them needs;
// without a dataset its first column, dataset, is missing. Its last day ends with the midnight behind it, which is the
// first moment of the next one too.
func (s *server) exportMetadata2(w http.ResponseWriter, r *http.Request) {
	dataset := r.PathValue("ds")
	if !s.known(w, r, dataset) {
		return
	}
	start, end, ok := s.period(w, r)
	if !ok {
		return
	}
	bins, ok := s.within(w, start, end.Add(time.Nanosecond))
	if !ok {
		return
	}
	query := r.URL.Query()
	bins = slices.DeleteFunc(bins, func(b listed) bool { return !wanted(b, query) })
	if len(bins) == 0 {
		s.notFound(w, r)
		return
	}
	slices.SortFunc(bins, func(a, b listed) int { return strings.Compare(a.ID.String(), b.ID.String()) })
	table, err := s.metadataTable(bins, dataset)
	if err != nil {
		s.Log.Error("table of bins", "err", err)
		http.Error(w, "the table cannot be made", http.StatusInternalServerError)
		return
	}
	s.attach(w, "metadata.csv", "text/csv")
	serveListing(w, r, "text/csv", table, s.modified(bins))
}

// wanted tells whether the filters of a query let a bin through. Bins to skip are there unless include_skip says no.
func wanted(b listed, query url.Values) bool {
	if text := query.Get("include_skip"); b.skip && text != "" && !strings.EqualFold(text, "true") {
		return false
	}
	if text := query.Get("tags"); text != "" && !b.hasTags(strings.Split(text, ",")) {
		return false
	}
	if text := query.Get("instrument"); text != "" && text != strconv.Itoa(b.ID.Instrument()) {
		return false
	}
	for _, name := range []string{"cruise", "sample_type"} {
		if text := query.Get(name); text != "" && text != b.values[name] {
			return false
		}
	}
	return true
}

func (s *server) metadataTable(bins []listed, dataset string) ([]byte, error) {
	tags := 0
	for _, b := range bins {
		tags = max(tags, len(b.tags))
	}
	var head []string
	if dataset != "" {
		head = append(head, "dataset")
	}
	head = append(head, columnsBeforeTags...)
	for i := range tags {
		head = append(head, fmt.Sprintf("tag%d", i+1))
	}
	rows := [][]string{append(head, columnsBehindTags...)}
	for _, b := range bins {
		bin, err := ifcb.Open(b.ADC)
		if err != nil {
			s.Log.Warn("reading bin", "err", err)
			continue
		}
		var row []string
		if dataset != "" {
			row = append(row, dataset)
		}
		rows = append(rows, append(row, metadataRow(bin, b.note, tags)...))
		bin.Close()
	}
	var out bytes.Buffer
	err := csv.NewWriter(&out).WriteAll(rows)
	return out.Bytes(), err
}

func metadataRow(bin *ifcb.Bin, said note, tags int) []string {
	volume := ""
	if ml, err := bin.MLAnalyzed(); err == nil {
		volume = decimal(ml)
	}
	lat, lng := position(bin, said)
	sampleType, ok := said.values["sample_type"]
	if !ok {
		sampleType, _ = bin.Header.Get("sampleType")
	}
	row := []string{
		bin.ID.String(), bin.ID.Time().Format("2006-01-02 15:04:05+00:00"), strconv.Itoa(bin.ID.Instrument()), volume, lat, lng,
		said.values["depth"], said.values["cruise"], said.values["cast"], said.values["niskin"], sampleType, strconv.Itoa(len(bin.Served())),
	}
	row = append(row, said.tags...)
	row = append(row, make([]string, tags-len(said.tags))...)
	trigger, _ := bin.Header.Get("PMTtriggerSelection_DAQ_MCConly")
	skip := "0"
	if said.skip {
		skip = "1"
	}
	return append(row, said.values["comment_summary"], trigger, skip)
}
