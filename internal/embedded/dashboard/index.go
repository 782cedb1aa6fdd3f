package dashboard

import (
	"bytes"
	"html/template"
	"net/http"
)

// onPage is how many bins the page of the dataset lists.
const onPage = 100

var indexPage = template.Must(template.New("index").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{.Dataset}}</title></head><body>
<h1>{{.Dataset}}</h1>
<p>A stand-in for an IFCB dashboard of generation {{.Generation}}: {{.Total}} bins, the newest first.</p>
<ul>
{{range .Bins}}<li>{{.}}: {{$bin := .}}{{range $.Exts}}<a href="{{$bin}}.{{.}}">{{.}}</a> {{end}}</li>
{{end}}</ul>
</body></html>
`))

// index is the page of the dataset, for people: programs ask the other routes.
func (s *server) index(w http.ResponseWriter, r *http.Request) {
	files, ok := s.bins(w)
	if !ok {
		return
	}
	var bins []string
	for i := len(files) - 1; i >= 0 && len(bins) < onPage; i-- {
		bins = append(bins, files[i].ID.String())
	}
	var page bytes.Buffer
	if err := indexPage.Execute(&page, map[string]any{"Dataset": s.Dataset, "Generation": s.Generation, "Total": len(files),
		"Bins": bins, "Exts": []string{"adc", "hdr", "roi", "zip"}}); err != nil {
		s.Log.Error("page of the dataset", "path", r.URL.Path, "err", err)
		http.Error(w, "the page cannot be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(page.Bytes()) // the client is gone: nobody to tell
}
