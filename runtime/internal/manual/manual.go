// Package manual shows the documents as web pages: below /docs/, at the names of their
// files, so that their links work here as between files; and the list of them at
// /llms.txt. Who does not ask for HTML gets a document as it is written.
package manual

import (
	"bytes"
	_ "embed"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	tables "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"github.com/axiom-data-science/hydraulics/docs"
)

// base is where the documents are.
const base = "/docs/"

// style is what documents have beside the page's own style.
//
//go:embed manual.css
var style []byte

// markdown leaves HTML in documents out, which is goldmark's default.
var markdown = goldmark.New(goldmark.WithExtensions(extension.Table),
	goldmark.WithParserOptions(parser.WithAutoHeadingID(), parser.WithASTTransformers(util.Prioritized(inner{}, 100), util.Prioritized(labels{}, 100))))

var frame = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}} - hydraulics</title>
<link rel="icon" href="{{.Root}}icon.svg">
<link rel="stylesheet" href="{{.Root}}page.css">
<link rel="stylesheet" href="{{.Root}}docs/manual.css">
</head>
<body>
<header><nav aria-label="Documentation"><a href="{{.Root}}">Worker</a> <a href="{{.Root}}docs/">Documentation</a> <a href="{{.Root}}docs/plugins/README.md">Plugins</a> <a href="{{.Root}}docs/failures.md">Failures</a></nav></header>
<main class="manual">
{{.Body}}</main>
</body>
</html>
`))

// Add has a server of pages show the documents.
func Add(mux *http.ServeMux) {
	mux.HandleFunc("GET "+base+"{file...}", show)
	mux.HandleFunc("GET /llms.txt", list)
	mux.HandleFunc("GET "+base+"manual.css", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, "text/css; charset=utf-8", style)
	})
}

func list(w http.ResponseWriter, _ *http.Request) {
	text, err := docs.LLMs()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, "text/plain; charset=utf-8", []byte(text))
}

// show answers with a document, an example or a picture.
func show(w http.ResponseWriter, r *http.Request) {
	file := r.PathValue("file")
	if file == "" {
		file = docs.Index
	}
	source, err := fs.ReadFile(docs.FS, file)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Add("Vary", "Accept")
	switch {
	case path.Ext(file) == ".png":
		answer(w, "image/png", source)
	case path.Ext(file) != ".md":
		answer(w, "text/plain; charset=utf-8", source)
	case !strings.Contains(r.Header.Get("Accept"), "text/html"):
		answer(w, "text/markdown; charset=utf-8", source)
	default:
		body, err := page(file, source)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		answer(w, "text/html; charset=utf-8", body)
	}
}

// answer sends what has no state.
func answer(w http.ResponseWriter, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(body) // who asked is gone
}

// page makes a document a web page.
func page(file string, source []byte) ([]byte, error) {
	title, err := docs.Title(file)
	if err != nil {
		return nil, err
	}
	at := parser.NewContext()
	at.Set(document, file)
	var body, out bytes.Buffer
	if err := markdown.Convert(source, &body, parser.WithContext(at)); err != nil {
		return nil, err
	}
	err = frame.Execute(&out, struct {
		Title, Root string
		Body        template.HTML
	}{title, strings.Repeat("../", 1+strings.Count(file, "/")), template.HTML(body.String())})
	return out.Bytes(), err
}

// document is where the parser knows what it reads.
var document = parser.NewContextKey()

// inner makes links to files that are not among the documents plain text.
type inner struct{}

// Transform changes what was parsed.
func (inner) Transform(root *ast.Document, _ text.Reader, at parser.Context) {
	file, _ := at.Get(document).(string)
	var outer []*ast.Link
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // nothing in it fails
		if l, ok := n.(*ast.Link); ok && entering && !known(file, string(l.Destination)) {
			outer = append(outer, l)
		}
		return ast.WalkContinue, nil
	})
	for _, l := range outer {
		for l.FirstChild() != nil {
			l.Parent().InsertBefore(l.Parent(), l, l.FirstChild())
		}
		l.Parent().RemoveChild(l.Parent(), l)
	}
}

// labels has each cell of a table know its column's head, which it shows on a phone, and
// says the roles again that a browser forgets of what is no table in its style.
type labels struct{}

// Transform changes what was parsed.
func (labels) Transform(root *ast.Document, source text.Reader, _ parser.Context) {
	var heads []string
	column := 0
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // nothing in it fails
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n.Kind() {
		case tables.KindTable:
			n.SetAttributeString("role", "table")
		case tables.KindTableHeader:
			heads = heads[:0]
		case tables.KindTableRow:
			n.SetAttributeString("role", "row")
			column = 0
		case tables.KindTableCell:
			if n.Parent().Kind() == tables.KindTableHeader {
				n.SetAttributeString("role", "columnheader")
				heads = append(heads, string(n.Lines().Value(source.Source())))
				break
			}
			n.SetAttributeString("role", "cell")
			if column < len(heads) {
				n.SetAttributeString("data-label", heads[column])
				column++
			}
		}
		return ast.WalkContinue, nil
	})
}

// known tells whether a link of a document leads to another, or to the web.
func known(file, to string) bool {
	if strings.HasPrefix(to, "#") || strings.Contains(to, "://") {
		return true
	}
	to, _, _ = strings.Cut(to, "#")
	_, err := fs.Stat(docs.FS, path.Join(path.Dir(file), to))
	return err == nil
}
