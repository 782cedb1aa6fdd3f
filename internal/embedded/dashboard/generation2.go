package dashboard

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

func (s *server) generation2() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, serve http.HandlerFunc) { mux.HandleFunc("GET "+pattern, serve) }
	handle("/api/list_datasets", func(w http.ResponseWriter, r *http.Request) {
		s.listJSON(w, r, map[string]any{"datasets": []string{s.Dataset}}, nil)
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
	handle("/data/{file}", s.file)
	handle("/{ds}/{file}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("ds") != s.Dataset {
			s.notFound(w, r)
			return
		}
		s.file(w, r)
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

// shown are the bins of a timeline: those not to be skipped.
func shown(bins []listed) []listed {
	return slices.DeleteFunc(bins, func(b listed) bool { return b.skip })
}

// mostRecent2 gives the newest bin that is not of the future.
func (s *server) mostRecent2(w http.ResponseWriter, r *http.Request) {
	if !s.known(w, r, r.URL.Query().Get("dataset")) {
		return
	}
	now := s.now()
	bins, ok := s.within(w, time.Time{}, now)
	if !ok {
		return
	}
	if bins = shown(bins); len(bins) == 0 {
		s.notFound(w, r)
		return
	}
	newest := bins[len(bins)-1]
	answer := map[string]any{
		"pid": newest.ID.String(), "timestamp": dateOffset(newest.ID), "time_since": int(now.Sub(newest.ID.Time()).Seconds()),
		"temperature": nil, "humidity": nil,
	}
	if bin, err := ifcb.Open(newest.ADC); err == nil {
		answer["temperature"], answer["humidity"] = optional(bin.Header.Float("temperature")), optional(bin.Header.Float("humidity"))
		bin.Close()
	}
	writeJSON(w, answer)
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
	var said note
	previous, next := "", ""
	for _, f := range files {
		switch {
		case f.ID == bin.ID:
			said = f.note
		case f.skip:
		case f.ID.Time().Before(bin.ID.Time()):
			previous = f.ID.String()
		case next == "" && f.ID.Time().After(bin.ID.Time()):
			next = f.ID.String()
		}
	}
	volume, volumeErr := bin.MLAnalyzed()
	lat, lng := position(bin, said)
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
		"lat": number(lat), "lng": number(lng), "depth": number(said.values["depth"]), "size": size,
		"datasets": []string{s.Dataset}, "primary_dataset": s.Dataset, "tags": append([]string{}, said.tags...), "comments": []string{},
		"skip": said.skip, "sample_type": said.values["sample_type"], "cruise": said.values["cruise"], "previous_bin_id": previous, "next_bin_id": next,
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
	s.listJSON(w, r, map[string]any{"images": numbers}, nil)
}

// number is a text as a number, or nothing.
func number(text string) any {
	v, err := strconv.ParseFloat(text, 64)
	return optional(v, err == nil)
}

// position is where a bin was taken, as noted or else as its header tells; empty where neither does.
func position(bin *ifcb.Bin, said note) (lat, lng string) {
	if lat, lng = said.values["latitude"], said.values["longitude"]; lat != "" && lng != "" {
		return lat, lng
	}
	if lat, lng, ok := bin.Header.Position(); ok {
		return decimal(lat), decimal(lng)
	}
	return "", ""
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

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
	files = shown(files)
	entries := []map[string]any{}
	for _, f := range files {
		entry := map[string]any{"pid": s.pid(r, f.ID), "date": dateZ(f.ID), name: nil}
		if bin, err := ifcb.Open(f.ADC); err == nil {
			entry[name] = optional(bin.Header.Float(name))
			bin.Close()
		}
		entries = append(entries, entry)
	}
	s.listJSON(w, r, entries, files)
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
	filter := query.Get("skip_filter")
	files = slices.DeleteFunc(files, func(b listed) bool { return b.skip && filter == "exclude" || !b.skip && filter == "only" })
	if query.Get("format") == "csv" {
		var table bytes.Buffer
		table.WriteString("pid,sample_time,skip\n")
		for _, f := range files {
			fmt.Fprintf(&table, "%s,%s,%t\n", f.ID, dateOffset(f.ID), f.skip)
		}
		serveListing(w, r, "text/csv", table.Bytes(), s.modified(files))
		return
	}
	type row struct {
		PID  string `json:"pid"`
		Time string `json:"sample_time"`
		Skip bool   `json:"skip"`
	}
	rows := []row{}
	for _, f := range files {
		rows = append(rows, row{f.ID.String(), dateOffset(f.ID), f.skip})
	}
	s.listJSON(w, r, map[string]any{"data": rows}, files)
}
