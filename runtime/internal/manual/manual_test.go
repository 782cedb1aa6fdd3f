package manual

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/docs"
)

// ask asks for a path as a browser does, or as a program that takes everything.
func ask(t *testing.T, at, accept string) *httptest.ResponseRecorder {
	t.Helper()
	mux := http.NewServeMux()
	Add(mux)
	r := httptest.NewRequest("GET", at, nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	return w
}

const browser = "text/html,application/xhtml+xml,*/*;q=0.8"

var (
	href = regexp.MustCompile(`(?:href|src)="([^"]+)"`)
	ids  = regexp.MustCompile(`id="([^"]+)"`)
	// link is one of Markdown.
	link = regexp.MustCompile(`\]\(([^)\s]+)\)`)
)

// all gives the documents.
func all(t *testing.T) []string {
	t.Helper()
	var files []string
	err := fs.WalkDir(docs.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && path.Ext(name) == ".md" {
			files = append(files, name)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	return files
}

// TestLabelsOfCells has each cell say what its column is, which a phone shows, and the parts of a table their roles.
func TestLabelsOfCells(t *testing.T) {
	got := ask(t, base+"plugins/postgres.md", browser).Body.String()
	for _, want := range []string{`<table role="table">`, `<td role="cell" data-label="key"><code>connection.url</code></td>`, `<td role="cell" data-label="default">required</td>`, `<th role="columnheader">what it is</th>`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in the page of a plugin", want)
		}
	}
}

// TestLinksOfPages follows each link of each document that is served, and looks for
// scripts and styles that the page's policy would not run.
func TestLinksOfPages(t *testing.T) {
	anchors := map[string]map[string]bool{} // of each document
	for _, file := range all(t) {
		w := ask(t, base+file, browser)
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			t.Fatalf("%s: %d %s", file, w.Code, w.Header())
		}
		anchors[base+file] = map[string]bool{"": true}
		for _, m := range ids.FindAllStringSubmatch(w.Body.String(), -1) {
			anchors[base+file][m[1]] = true
		}
		if bad := regexp.MustCompile(`<script|style=|javascript:|<!-- raw`).FindString(w.Body.String()); bad != "" {
			t.Errorf("%s has %s", file, bad)
		}
	}
	anchors[base] = anchors[base+docs.Index]
	for _, file := range all(t) {
		at := &url.URL{Path: base + file}
		for _, m := range href.FindAllStringSubmatch(ask(t, at.Path, browser).Body.String(), -1) {
			to, err := at.Parse(strings.ReplaceAll(m[1], "&amp;", "&"))
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case to.Host != "" || !strings.HasPrefix(to.Path, base): // the web, the page's own
			case anchors[to.Path] != nil:
				if !anchors[to.Path][to.Fragment] {
					t.Errorf("%s: %s leads to no heading", file, m[1])
				}
			default:
				if w := ask(t, to.Path, browser); w.Code != http.StatusOK {
					t.Errorf("%s: %s: %d", file, m[1], w.Code)
				}
			}
		}
	}
}

// TestLinksOfFiles looks for the files that documents link to.
func TestLinksOfFiles(t *testing.T) {
	const root = "../../.."
	files := []string{"README.md", "DESIGN.md", "CONTRIBUTING.md", "llms.txt"}
	for _, file := range all(t) {
		files = append(files, "docs/"+file)
	}
	fence := regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(string(text), ""), -1) {
			to, _, _ := strings.Cut(m[1], "#")
			if to == "" || strings.Contains(to, "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(file), filepath.FromSlash(to))); err != nil {
				t.Errorf("%s: %s: %v", file, m[1], err)
			}
		}
	}
}

func TestAnswers(t *testing.T) {
	tests := []struct {
		name, at, accept, kind, has string
		code                        int
	}{
		{"the list", "/llms.txt", "*/*", "text/plain; charset=utf-8", "(docs/quickstart.md)", 200},
		{"the first page", "/docs/", browser, "text/html; charset=utf-8", `<a href="quickstart.md">`, 200},
		{"as it is written", "/docs/quickstart.md", "*/*", "text/markdown; charset=utf-8", "# Quick start\n", 200},
		{"an example", "/docs/plugins/examples/cast.yaml", browser, "text/plain; charset=utf-8", "connectors:\n", 200},
		{"a picture", "/docs/pictures/page-overview-dark.png", "image/*", "image/png", "PNG", 200},
		{"a failure", "/docs/failures.md", browser, "text/html; charset=utf-8", `<h3 id="h2001">H2001</h3>`, 200},
		{"the style", "/docs/manual.css", browser, "text/css; charset=utf-8", ".manual", 200},
		{"a link to what is no document", "/docs/own-source.md", browser, "text/html; charset=utf-8", "<p>examples/custom-source is", 200},
		{"none", "/docs/nothing.md", browser, "text/plain; charset=utf-8", "404", 404},
		{"a way out", "/docs/%2e%2e/go.mod", browser, "", "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := ask(t, tt.at, tt.accept)
			if tt.code == 0 {
				if w.Code == http.StatusOK {
					t.Errorf("%d %s", w.Code, w.Body)
				}
				return
			}
			if w.Code != tt.code || w.Header().Get("Content-Type") != tt.kind || !strings.Contains(w.Body.String(), tt.has) {
				t.Errorf("%d %s, want %d %s and %s:\n%s", w.Code, w.Header(), tt.code, tt.kind, tt.has, w.Body)
			}
		})
	}
}
