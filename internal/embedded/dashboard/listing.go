package dashboard

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// settled is how old a listing's newest file is before the listing has a date: dates are whole seconds, and another
// bin may come within the same one.
const settled = 2 * time.Second

// serveListing answers with a list of the bins, or of what is in one: with an ETag, and with Last-Modified where the
// list has a date, and 304 to who has it already.
func serveListing(w http.ResponseWriter, r *http.Request, contentType string, body []byte, modified time.Time) {
	sum := sha256.Sum256(body)
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	w.Header().Set("Content-Type", contentType)
	http.ServeContent(w, r, "", modified, bytes.NewReader(body))
}

// listJSON is [serveListing] for JSON made of bins.
func (s *server) listJSON(w http.ResponseWriter, r *http.Request, v any, bins []listed) {
	body, err := json.Marshal(v)
	if err != nil {
		s.Log.Error("listing", "path", r.URL.Path, "err", err)
		http.Error(w, "the list cannot be made", http.StatusInternalServerError)
		return
	}
	serveListing(w, r, "application/json", append(body, '\n'), s.modified(bins))
}

// modified is when the newest of the files changed that a list of bins is made of; zero when that was just now, or is
// unknown.
func (s *server) modified(bins []listed) time.Time {
	var newest time.Time
	look := func(path string) {
		if info, err := os.Stat(path); err == nil && info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	look(filepath.Join(s.Dir, NotesFile))
	for _, b := range bins {
		look(b.ADC)
	}
	if time.Since(newest) < settled {
		return time.Time{}
	}
	return newest
}
