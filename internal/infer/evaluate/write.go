package evaluate

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Formats are the forms of a report that Write knows.
var Formats = []string{"text", "json", "csv", "html"}

// Write writes a report in one of Formats.
func (r *Report) Write(w io.Writer, format string) error {
	switch format {
	case "text":
		return r.text(w)
	case "json":
		e := json.NewEncoder(w)
		e.SetIndent("", " ")
		return e.Encode(r)
	case "csv":
		return r.csv(w)
	case "html":
		return page.Execute(w, pageOf{r})
	}
	return fmt.Errorf("format: %q is not one of %s", format, strings.Join(Formats, ", "))
}

// text writes what a person wants to see first.
func (r *Report) text(w io.Writer) error {
	var b strings.Builder
	if r.Model != "" {
		fmt.Fprintf(&b, "model     %s\n", r.Model)
	}
	if r.Folder != "" {
		fmt.Fprintf(&b, "folder    %s\n", r.Folder)
	}
	fmt.Fprintf(&b, "images    %d of %d classes\naccuracy  %.4f\n", r.Images(), r.withImages(), r.Accuracy())
	if len(r.Unread) > 0 {
		fmt.Fprintf(&b, "unread    %d, the first is %s: %s\n", len(r.Unread), r.Unread[0].File, r.Unread[0].Why)
	}
	b.WriteString("\n")
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "\tclass\timages\tprecision\trecall\tf1\t\n")
	for i, c := range r.PerClass() {
		fmt.Fprintf(t, "%d\t%s\t%d\t%.4f\t%.4f\t%.4f\t\n", i+1, c.Name, c.Images, c.Precision, c.Recall, c.F1)
	}
	m := r.Macro()
	fmt.Fprintf(t, "\tmean of classes\t%d\t%.4f\t%.4f\t%.4f\t\n", m.Images, m.Precision, m.Recall, m.F1)
	if err := t.Flush(); err != nil {
		return err
	}
	if list := r.mistakes(10); len(list) > 0 {
		b.WriteString("\ntaken for another, commonest first\n")
		for _, x := range list {
			fmt.Fprintf(&b, "%6d  %s for %s\n", x.images, x.truth, x.guess)
		}
	}
	b.WriteString("\nconfusion, rows are the truth, columns what the model says\n")
	t = tabwriter.NewWriter(&b, 0, 0, 1, ' ', tabwriter.AlignRight)
	for i := range r.Classes {
		fmt.Fprintf(t, "\t%d", i+1)
	}
	fmt.Fprint(t, "\t\n")
	for i, row := range r.Confusion {
		fmt.Fprint(t, i+1)
		for _, n := range row {
			fmt.Fprintf(t, "\t%s", dotted(n))
		}
		fmt.Fprint(t, "\t\n")
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// dotted makes zeros easy to overlook.
func dotted(n int) string {
	if n == 0 {
		return "."
	}
	return strconv.Itoa(n)
}

func (r *Report) withImages() int {
	n := 0
	for _, c := range r.PerClass() {
		if c.Images > 0 {
			n++
		}
	}
	return n
}

// csv writes a row per class: its numbers, then its row of the confusion matrix.
func (r *Report) csv(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(append([]string{"class", "images", "precision", "recall", "f1"}, r.Classes...)); err != nil {
		return err
	}
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	for i, c := range r.PerClass() {
		row := []string{c.Name, strconv.Itoa(c.Images), number(c.Precision), number(c.Recall), number(c.F1)}
		for _, n := range r.Confusion[i] {
			row = append(row, strconv.Itoa(n))
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// WritePredictions writes a CSV row per image: file, truth, guess, prob.
func (r *Report) WritePredictions(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"file", "truth", "guess", "prob"}); err != nil {
		return err
	}
	for _, p := range r.Predictions {
		if err := out.Write([]string{p.File, p.Truth, p.Guess, strconv.FormatFloat(float64(p.Prob), 'g', -1, 32)}); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// pageOf is what the page shows.
type pageOf struct{ *Report }

// Shade gives the colour of a cell: the part of its row, white to blue.
func (p pageOf) Shade(row, col int) template.CSS {
	total := 0
	for _, n := range p.Confusion[row] {
		total += n
	}
	part := math.Sqrt(ratio(p.Confusion[row][col], total)) // so that few are seen
	return template.CSS(fmt.Sprintf("background:hsl(210 70%% %d%%)", int(100-55*part)))
}

// Number prints a ratio.
func (p pageOf) Number(v float64) string { return fmt.Sprintf("%.4f", v) }

var page = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Evaluation {{.Model}}</title>
<style>
body{font:14px system-ui,sans-serif;margin:2em}
table{border-collapse:collapse;margin:1em 0}
td,th{padding:2px 6px;text-align:right;border:1px solid #ddd;font-weight:normal}
th.row,td.name{text-align:left;white-space:nowrap}
th.col{writing-mode:vertical-rl;text-align:left;white-space:nowrap}
</style>
<h1>{{if .Model}}{{.Model}}{{else}}Evaluation{{end}}</h1>
<p>{{.Images}} images{{if .Folder}} of {{.Folder}}{{end}}, accuracy {{.Number .Accuracy}}{{if .Unread}}, {{len .Unread}} files could not be read{{end}}</p>
<table><tr><th class="row">class<th>images<th>precision<th>recall<th>F1</tr>
{{range .PerClass}}<tr><td class="name">{{.Name}}<td>{{.Images}}<td>{{$.Number .Precision}}<td>{{$.Number .Recall}}<td>{{$.Number .F1}}</tr>
{{end}}</table>
<h2>Confusion</h2>
<p>Rows are the truth, columns what the model says; the colour is the part of the row.</p>
<table><tr><th>{{range .Classes}}<th class="col">{{.}}{{end}}</tr>
{{range $i, $row := .Confusion}}<tr><th class="row">{{index $.Classes $i}}{{range $k, $n := $row}}<td style="{{$.Shade $i $k}}">{{if $n}}{{$n}}{{end}}{{end}}</tr>
{{end}}</table>
`))
