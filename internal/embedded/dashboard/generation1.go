package dashboard

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// feedLength is how many bins generation 1's feed.json lists.
const feedLength = 25

type feedEntry struct {
	PID  string `json:"pid"`
	Date string `json:"date"`
	Skip *bool  `json:"skip,omitempty"`
}

func (s *server) entry1(r *http.Request, id ifcb.BinID) feedEntry {
	return feedEntry{PID: s.pid(r, id), Date: dateZ(id)}
}

func (s *server) generation1() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, serve http.HandlerFunc) {
		mux.HandleFunc("GET "+pattern, func(w http.ResponseWriter, r *http.Request) {
			if !s.isDataset(r.PathValue("ts")) {
				s.notFound(w, r)
				return
			}
			serve(w, r)
		})
	}
	handle("/{ts}/{$}", s.index)
	handle("/{ts}/feed.json", s.feed1)
	handle("/{ts}/api/feed/day/{date}", func(w http.ResponseWriter, r *http.Request) { s.day1(w, r, false) })
	handle("/{ts}/api/feed/day_skip/{date}", func(w http.ResponseWriter, r *http.Request) { s.day1(w, r, true) })
	handle("/{ts}/api/feed/nearest/{date}", s.nearest1)
	handle("/{ts}/{file}", s.file)
	mux.HandleFunc("/", s.notFound)
	return mux
}

// feedBins are the bins of a time series that a feed can show, oldest first: those with all tags of its label, without
// the ones to skip unless they are asked for.
func (s *server) feedBins(r *http.Request, bins []listed, withSkip bool) []listed {
	_, label, tagged := strings.Cut(r.PathValue("ts"), ":")
	var tags []string
	if tagged {
		tags = strings.Split(label, ":")
	}
	return slices.DeleteFunc(bins, func(b listed) bool { return b.skip && !withSkip || !b.hasTags(tags) })
}

// feed1 lists the newest bins that are not of the future, newest first.
func (s *server) feed1(w http.ResponseWriter, r *http.Request) {
	bins, ok := s.within(w, time.Time{}, s.now())
	if !ok {
		return
	}
	bins = s.feedBins(r, bins, false)
	bins = bins[max(len(bins)-feedLength, 0):]
	entries := []feedEntry{}
	for _, b := range slices.Backward(bins) {
		entries = append(entries, s.entry1(r, b.ID))
	}
	s.listJSON(w, r, entries, bins)
}

// day1 lists the bins of a day, oldest first. The interval is closed on both sides: a bin taken at midnight exactly
// is on two days.
func (s *server) day1(w http.ResponseWriter, r *http.Request, withSkip bool) {
	at, ok := s.date(w, r)
	if !ok {
		return
	}
	start := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
	bins, ok := s.within(w, start, start.AddDate(0, 0, 1))
	if !ok {
		return
	}
	bins = s.feedBins(r, bins, withSkip)
	entries := []feedEntry{}
	for _, b := range bins {
		entry := s.entry1(r, b.ID)
		if withSkip {
			entry.Skip = &b.skip
		}
		entries = append(entries, entry)
	}
	s.listJSON(w, r, entries, bins)
}

// nearest1 gives the bin nearest in time, as generation 1 understands it: it looks as far ahead as the last bin before
// the time lies behind, and sorts by signed difference, so that a bin ahead in that window wins, the last of them.
func (s *server) nearest1(w http.ResponseWriter, r *http.Request) {
	at, ok := s.date(w, r)
	if !ok {
		return
	}
	files, ok := s.bins(w)
	if !ok {
		return
	}
	files = s.feedBins(r, files, false)
	if len(files) == 0 {
		s.notFound(w, r)
		return
	}
	after := slices.IndexFunc(files, func(f listed) bool { return f.ID.Time().After(at) })
	choice := files[0]
	switch {
	case after < 0:
		choice = files[len(files)-1]
	case after > 0:
		choice = files[after-1]
		window := at.Add(at.Sub(choice.ID.Time()))
		for _, f := range files[after:] {
			if f.ID.Time().After(window) {
				break
			}
			choice = f
		}
	}
	writeJSON(w, s.entry1(r, choice.ID))
}

func (s *server) date(w http.ResponseWriter, r *http.Request) (time.Time, bool) {
	at, err := ifcb.ParseDate(r.PathValue("date"))
	if err != nil {
		http.Error(w, "bad date", http.StatusBadRequest)
		return time.Time{}, false
	}
	return at, true
}
