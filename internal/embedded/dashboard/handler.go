package dashboard

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// Options say what to serve, and how.
type Options struct {
	// Dir holds raw bins, flat or in day directories, and maybe a [NotesFile]. Bins that appear there are served from
	// the next request on.
	Dir string
	// Generation is 1 or 2.
	Generation int
	// Dataset is the name of the one dataset (generation 1: time series), "demo" when empty.
	Dataset string
	// BaseURL is what pids begin with, as a dashboard behind a proxy has it configured; when empty the host that the
	// client asked.
	BaseURL string
	// ListBins adds generation 2's api/list_bins, which newer deployments no longer have.
	ListBins bool
	// Log tells about files that cannot be read; nil discards it.
	Log *slog.Logger
}

// server is what the routes of both generations share.
type server struct {
	Options
	folder *folder
	now    func() time.Time
}

// New makes the handler. The error is about the options.
func New(o Options) (http.Handler, error) {
	if o.Dataset == "" {
		o.Dataset = "demo"
	}
	if strings.ContainsAny(o.Dataset, "/?#% ") || o.Dataset == "api" || o.Dataset == "data" {
		return nil, fmt.Errorf("dataset %q: want a name that can stand in a URL, other than api and data", o.Dataset)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.BaseURL = strings.TrimSuffix(o.BaseURL, "/")
	s := &server{Options: o, folder: newFolder(o.Dir), now: time.Now}
	if _, err := s.folder.list(); err != nil {
		return nil, err
	}
	switch o.Generation {
	case 1:
		return s.generation1(), nil
	case 2:
		return s.generation2(), nil
	}
	return nil, fmt.Errorf("dashboard generation %d: want 1 or 2", o.Generation)
}

// pid is a bin's URL. Both generations build it from a configured base, not from what the client asked.
func (s *server) pid(r *http.Request, id ifcb.BinID) string {
	base := s.BaseURL
	if base == "" {
		base = "http://" + r.Host
	}
	return base + "/" + s.Dataset + "/" + id.String()
}

// isDataset tells whether a path names the dataset; generation 1 allows tags behind it ("mvco:tag1:tag2").
func (s *server) isDataset(name string) bool {
	dataset, _, _ := strings.Cut(name, ":")
	return dataset == s.Dataset
}

// bins lists the bins, oldest first, or answers 500.
func (s *server) bins(w http.ResponseWriter) ([]listed, bool) {
	files, err := s.folder.list()
	if err != nil {
		s.Log.Error("listing bins", "err", err)
		http.Error(w, "the bins cannot be listed", http.StatusInternalServerError)
		return nil, false
	}
	return files, true
}

// within are the bins of a closed interval, oldest first.
func (s *server) within(w http.ResponseWriter, start, end time.Time) ([]listed, bool) {
	bins, ok := s.bins(w)
	outside := func(b listed) bool { return b.ID.Time().Before(start) || b.ID.Time().After(end) }
	return slices.DeleteFunc(bins, outside), ok
}

// file is what a path's last part asks for: a bin, maybe one of its targets or products, in a format.
type file struct {
	id      ifcb.BinID
	target  int    // 0 for the bin
	product string // "short", "roisizes"
	ext     string // without dot; "" without one
}

// parseFile reads "{lid}[_{target}][_{product}][.{ext}]".
func parseFile(name string) (file, bool) {
	stem, ext, _ := strings.Cut(name, ".")
	if id, err := ifcb.ParseBinID(stem); err == nil {
		return file{id: id, ext: ext}, true
	}
	if target, err := ifcb.ParseTargetID(stem); err == nil {
		return file{id: target.Bin, target: target.Number, ext: ext}, true
	}
	cut := strings.LastIndexByte(stem, '_')
	if cut < 0 {
		return file{}, false
	}
	id, err := ifcb.ParseBinID(stem[:cut])
	return file{id: id, product: stem[cut+1:], ext: ext}, err == nil
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client is gone: nobody to tell
}

// the two spellings of a time: Django's JSON and generation 1 write the first, isoformat() the second.
func dateZ(id ifcb.BinID) string      { return id.Time().Format("2006-01-02T15:04:05Z") }
func dateOffset(id ifcb.BinID) string { return id.Time().Format("2006-01-02T15:04:05+00:00") }
