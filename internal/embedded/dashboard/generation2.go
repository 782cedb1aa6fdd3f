package dashboard

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/ifcb"
)

func (s *server) generation2() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, serve http.HandlerFunc) { mux.HandleFunc("GET "+pattern, serve) }
	handle("/api/list_datasets", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, map[string]any{"datasets": []string{s.Dataset}})
	})
	handle("/api/most_recent_bin", s.mostRecent2)
	handle("/api/export_metadata/{$}", s.exportMetadata2)
	handle("/api/export_metadata/{ds}", s.exportMetadata2)
	handle("/api/bin/{lid}", s.details2)
	handle("/api/list_images/{lid}", s.listImages2)
	if s.ListBins {
		handle("/api/list_bins", s.listBins2)
	}
	handle("/{ds}/{$}", func(w http.ResponseWriter, r *http.Request) {
		if s.known(w, r, r.PathValue("ds")) {
			s.index(w, r)
		}
	})
	handle("/data/{file}", s.file2)
	handle("/{ds}/{file}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("ds") != s.Dataset {
			s.notFound(w, r)
			return
		}
		s.file2(w, r)
	})
	handle("/{ds}/api/feed/{metric}/start/{start}/end/{end}", s.metricFeed2)
	mux.HandleFunc("/", s.notFound)
	return mux
}

// known tells whether the query's dataset is served, and answers 404 otherwise. Without one everything is meant.
func (s *server) known(w http.ResponseWriter, r *http.Request, dataset string) bool {
	if dataset == "" || dataset == s.Dataset {
		return true
	}
	s.notFound(w, r)
	return false
}

func (s *server) file2(w http.ResponseWriter, r *http.Request) {
	f, ok := parseFile(r.PathValue("file"))
	if !ok {
		s.notFound(w, r)
		return
	}
	s.serveFile(w, r, f)
}

func (s *server) bin2(w http.ResponseWriter, r *http.Request) (*ifcb.Bin, bool) {
	id, err := ifcb.ParseBinID(r.PathValue("lid"))
	if err != nil || !s.known(w, r, r.URL.Query().Get("dataset")) {
		if err != nil {
			s.notFound(w, r)
		}
		return nil, false
	}
	bin, _, ok := s.open(w, r, id)
	return bin, ok
}

// mostRecent2 gives the newest bin that is not of the future.
func (s *server) mostRecent2(w http.ResponseWriter, r *http.Request) {
	if !s.known(w, r, r.URL.Query().Get("dataset")) {
		return
	}
	files, ok := s.bins(w)
	if !ok {
		return
	}
	now := s.now()
	for i := len(files) - 1; i >= 0; i-- {
		id := files[i].ID
		if id.Time().After(now) {
			continue
		}
		answer := map[string]any{
			"pid": id.String(), "timestamp": dateOffset(id), "time_since": int(now.Sub(id.Time()).Seconds()),
			"temperature": nil, "humidity": nil,
		}
		if bin, err := ifcb.Open(files[i].ADC); err == nil {
			answer["temperature"], answer["humidity"] = metric(bin, "temperature"), metric(bin, "humidity")
			bin.Close()
		}
		writeJSON(w, answer)
		return
	}
	s.notFound(w, r)
}

func metric(bin *ifcb.Bin, name string) any {
	if v, ok := bin.Header.Float(name); ok {
		return v
	}
	return nil
}

func optional(v float64, ok bool) any {
	if ok {
		return v
	}
	return nil
}

// details2 is the bin's page as JSON. The has_* fields are false there, whatever products exist.
func (s *server) details2(w http.ResponseWriter, r *http.Request) {
	bin, ok := s.bin2(w, r)
	if !ok {
		return
	}
	defer bin.Close()
	files, ok := s.bins(w)
	if !ok {
		return
	}
	previous, next := "", ""
	for i, f := range files {
		if f.ID != bin.ID {
			continue
		}
		if i > 0 {
			previous = files[i-1].ID.String()
		}
		if i+1 < len(files) {
			next = files[i+1].ID.String()
		}
	}
	volume, volumeErr := bin.MLAnalyzed()
	lat, lng, located := bin.Header.Position()
	triggers := 0
	if n := len(bin.Targets); n > 0 {
		triggers = bin.Targets[n-1].Trigger
	}
	images, size := len(bin.Served()), 0
	for _, t := range bin.Targets {
		size += t.Width * t.Height
	}
	answer := map[string]any{
		"lid": bin.ID.String(), "timestamp_iso": dateOffset(bin.ID), "instrument": bin.ID.IFCB(),
		"num_triggers": triggers, "num_images": images, "ml_analyzed": fmt.Sprintf("%.1f ml", volume),
		"lat": optional(lat, located), "lng": optional(lng, located), "depth": nil, "size": size,
		"datasets": []string{s.Dataset}, "primary_dataset": s.Dataset, "tags": []string{}, "comments": []string{},
		"skip": false, "sample_type": "", "cruise": "", "previous_bin_id": previous, "next_bin_id": next,
		"has_blobs": false, "has_features": false, "has_class_scores": false, "concentration": nil,
	}
	if volumeErr == nil {
		answer["concentration"] = fmt.Sprintf("%.1f ROIs/ml", float64(images)/volume)
	}
	writeJSON(w, answer)
}

func (s *server) listImages2(w http.ResponseWriter, r *http.Request) {
	bin, ok := s.bin2(w, r)
	if !ok {
		return
	}
	defer bin.Close()
	numbers := []int{}
	for _, roi := range bin.Served() {
		numbers = append(numbers, roi.Number)
	}
	writeJSON(w, map[string]any{"images": numbers})
}

// period reads start_date and end_date of a query; the end day is included.
func (s *server) period(w http.ResponseWriter, r *http.Request) (start, end time.Time, ok bool) {
	start, end = time.Time{}, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, to := range map[string]*time.Time{"start_date": &start, "end_date": &end} {
		text := r.URL.Query().Get(name)
		if text == "" {
			continue
		}
		t, err := ifcb.ParseDate(text)
		if err != nil {
			http.Error(w, "bad "+name, http.StatusBadRequest)
			return start, end, false
		}
		if *to = t; name == "end_date" {
			*to = t.AddDate(0, 0, 1).Add(-time.Nanosecond)
		}
	}
	return start, end, true
}

func (s *server) within(w http.ResponseWriter, start, end time.Time) ([]ifcb.File, bool) {
	files, ok := s.bins(w)
	var inside []ifcb.File
	for _, f := range files {
		if t := f.ID.Time(); !t.Before(start) && !t.After(end) {
			inside = append(inside, f)
		}
	}
	return inside, ok
}

var metadataColumns = []string{
	"pid", "sample_time", "ifcb", "ml_analyzed", "latitude", "longitude", "depth", "cruise", "cast", "niskin",
	"sample_type", "n_images", "comment_summary", "trigger_selection", "skip",
}

// exportMetadata2 is the table of bins, by pid. Without a dataset its first column, dataset, is missing.
func (s *server) exportMetadata2(w http.ResponseWriter, r *http.Request) {
	dataset := r.PathValue("ds")
	if !s.known(w, r, dataset) {
		return
	}
	start, end, ok := s.period(w, r)
	if !ok {
		return
	}
	files, ok := s.within(w, start, end)
	if !ok {
		return
	}
	if len(files) == 0 {
		s.notFound(w, r)
		return
	}
	slices.SortFunc(files, func(a, b ifcb.File) int { return strings.Compare(a.ID.String(), b.ID.String()) })
	s.attach(w, "metadata.csv", "text/csv")
	out := csv.NewWriter(w)
	defer out.Flush()
	prefix := []string{}
	if dataset != "" {
		prefix = []string{dataset}
		_ = out.Write(append([]string{"dataset"}, metadataColumns...))
	} else {
		_ = out.Write(metadataColumns)
	}
	for _, f := range files {
		bin, err := ifcb.Open(f.ADC)
		if err != nil {
			s.Log.Warn("reading bin", "err", err)
			continue
		}
		_ = out.Write(append(prefix[:len(prefix):len(prefix)], metadataRow(bin)...))
		bin.Close()
	}
}

func metadataRow(bin *ifcb.Bin) []string {
	number := func(v float64, ok bool) string {
		if !ok {
			return ""
		}
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	volume, err := bin.MLAnalyzed()
	lat, lng, located := bin.Header.Position()
	sampleType, _ := bin.Header.Get("sampleType")
	trigger, _ := bin.Header.Get("PMTtriggerSelection_DAQ_MCConly")
	return []string{
		bin.ID.String(), bin.ID.Time().Format("2006-01-02 15:04:05+00:00"), strconv.Itoa(bin.ID.Instrument()),
		number(volume, err == nil), number(lat, located), number(lng, located), "", "", "", "", sampleType,
		strconv.Itoa(len(bin.Served())), "", trigger, "0",
	}
}

// metricFeed2 is the one legacy feed that lists the bins of a period.
func (s *server) metricFeed2(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("metric")
	if !s.known(w, r, r.PathValue("ds")) {
		return
	}
	start, startErr := ifcb.ParseDate(r.PathValue("start"))
	end, endErr := ifcb.ParseDate(r.PathValue("end"))
	if (name != "temperature" && name != "humidity") || startErr != nil || endErr != nil {
		s.notFound(w, r)
		return
	}
	files, ok := s.within(w, start, end)
	if !ok {
		return
	}
	entries := []map[string]any{}
	for _, f := range files {
		entry := map[string]any{"pid": s.pid(r, f.ID), "date": dateZ(f.ID), name: nil}
		if bin, err := ifcb.Open(f.ADC); err == nil {
			entry[name] = metric(bin, name)
			bin.Close()
		}
		entries = append(entries, entry)
	}
	writeJSON(w, entries)
}

// listBins2 lists the bins, oldest first; newer deployments do not have it.
func (s *server) listBins2(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if !s.known(w, r, query.Get("dataset")) {
		return
	}
	start, end, ok := s.period(w, r)
	if !ok {
		return
	}
	files, ok := s.within(w, start, end)
	if !ok {
		return
	}
	type row struct {
		PID  string `json:"pid"`
		Time string `json:"sample_time"`
		Skip bool   `json:"skip"`
	}
	rows := []row{}
	for _, f := range files {
		if query.Get("skip_filter") != "only" {
			rows = append(rows, row{f.ID.String(), dateOffset(f.ID), false})
		}
	}
	writeJSON(w, map[string]any{"data": rows})
}
