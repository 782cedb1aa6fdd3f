package dashboard

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"io/fs"
	"net/http"
	"os"
	"strings"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// open opens a bin; ok is false after it has answered that it is not there.
func (s *server) open(w http.ResponseWriter, r *http.Request, id ifcb.BinID) (bin *ifcb.Bin, adcPath string, ok bool) {
	adcPath, found := s.folder.find(id)
	if !found {
		s.notFound(w, r)
		return nil, "", false
	}
	bin, err := ifcb.Open(adcPath)
	if err != nil {
		s.Log.Warn("reading bin", "err", err)
		s.notFound(w, r)
		return nil, "", false
	}
	return bin, adcPath, true
}

// notFound answers as the generation does: plain text, or Django's page.
func (s *server) notFound(w http.ResponseWriter, r *http.Request) {
	if s.Generation == 1 {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	fmt.Fprint(w, "<!doctype html>\n<html lang=\"en\"><head><title>Not Found</title></head><body><h1>Not Found</h1>"+
		"<p>The requested resource was not found on this server.</p></body></html>\n")
}

// attach sets the content type and, in generation 2, the name to save under.
func (s *server) attach(w http.ResponseWriter, name, contentType string) {
	w.Header().Set("Content-Type", contentType)
	if s.Generation == 2 {
		w.Header().Set("Content-Disposition", "attachment; filename="+name)
	}
}

// rawTypes are the files of a bin that are served as they are. No real dashboard has the truth about one.
var rawTypes = map[string]string{"adc": "text/csv", "hdr": "text/plain", "roi": "application/octet-stream", TruthExt[1:]: "text/csv"}

// file answers what hangs off a bin's or a target's name.
func (s *server) file(w http.ResponseWriter, r *http.Request) {
	f, ok := parseFile(r.PathValue("file"))
	if !ok {
		s.notFound(w, r)
		return
	}
	s.serveFile(w, r, f)
}

// serveFile answers the routes that hang off a bin's or a target's name and are the same in both generations.
func (s *server) serveFile(w http.ResponseWriter, r *http.Request, f file) {
	switch {
	case f.target > 0 && f.product == "" && (f.ext == "png" || f.ext == "jpg"):
		s.serveImage(w, r, f)
	case f.target == 0 && f.product == "" && rawTypes[f.ext] != "":
		s.serveRaw(w, r, f)
	case f.target == 0 && f.product == "" && f.ext == "zip":
		s.serveZip(w, r, f)
	case f.target == 0 && f.product == "roisizes" && f.ext == "":
		s.serveSizes(w, r, f)
	case f.target == 0 && f.product == "short" && f.ext == "json":
		s.serveShort(w, r, f)
	default:
		s.notFound(w, r)
	}
}

func (s *server) serveRaw(w http.ResponseWriter, r *http.Request, f file) {
	adcPath, ok := s.folder.find(f.id)
	if !ok {
		s.notFound(w, r)
		return
	}
	in, err := os.Open(strings.TrimSuffix(adcPath, "adc") + f.ext)
	if err != nil {
		s.notFound(w, r)
		return
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		s.notFound(w, r)
		return
	}
	name := f.id.String() + "." + f.ext
	s.attach(w, name, rawTypes[f.ext])
	http.ServeContent(w, r, name, info.ModTime(), in)
}

func (s *server) serveImage(w http.ResponseWriter, r *http.Request, f file) {
	bin, _, ok := s.open(w, r, f.id)
	if !ok {
		return
	}
	defer bin.Close()
	roi, err := bin.ServedAt(f.target)
	if err != nil {
		s.notFound(w, r)
		return
	}
	if f.ext == "png" {
		data, err := pngOf(bin, roi)
		if err != nil {
			s.imageError(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(data)
		return
	}
	gray, err := bin.Gray(roi)
	if err != nil {
		s.imageError(w, r, err)
		return
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, gray, &jpeg.Options{Quality: 75}); err != nil {
		s.imageError(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	_, _ = w.Write(out.Bytes())
}

func (s *server) imageError(w http.ResponseWriter, r *http.Request, err error) {
	s.Log.Warn("reading image", "err", err)
	s.notFound(w, r)
}

func (s *server) serveZip(w http.ResponseWriter, r *http.Request, f file) {
	bin, adcPath, ok := s.open(w, r, f.id)
	if !ok {
		return
	}
	defer bin.Close()
	if !bin.HasPixels() {
		s.imageError(w, r, fmt.Errorf("bin %s: its .roi: %w", f.id, fs.ErrNotExist))
		return
	}
	s.attach(w, f.id.String()+".zip", "application/zip")
	var err error
	if s.Generation == 1 {
		err = writeZip1(w, bin, s.pid(r, f.id))
	} else {
		err = writeZip2(w, bin, adcPath)
	}
	if err != nil { // the status is out: all that is left is to break the transfer off
		s.Log.Warn("writing zip", "bin", f.id, "err", err)
		panic(http.ErrAbortHandler)
	}
}

// serveSizes lists the images. Both generations exchange height and width: the client has to live with it.
func (s *server) serveSizes(w http.ResponseWriter, r *http.Request, f file) {
	bin, _, ok := s.open(w, r, f.id)
	if !ok {
		return
	}
	defer bin.Close()
	sizes := struct {
		Number []int    `json:"targetNumber"`
		PID    []string `json:"pid"`
		Height []int    `json:"height"`
		Width  []int    `json:"width"`
	}{[]int{}, []string{}, []int{}, []int{}}
	for _, roi := range bin.Served() {
		width, height := roi.Size()
		sizes.Number = append(sizes.Number, roi.Number)
		sizes.PID = append(sizes.PID, fmt.Sprintf("%s_%05d", s.pid(r, f.id), roi.Number))
		sizes.Height = append(sizes.Height, width)
		sizes.Width = append(sizes.Width, height)
	}
	writeJSON(w, sizes)
}

func (s *server) serveShort(w http.ResponseWriter, r *http.Request, f file) {
	bin, _, ok := s.open(w, r, f.id)
	if !ok {
		return
	}
	defer bin.Close()
	values := headerValues(bin.Header)
	values["date"], values["pid"] = dateZ(f.id), s.pid(r, f.id)
	writeJSON(w, values)
}
