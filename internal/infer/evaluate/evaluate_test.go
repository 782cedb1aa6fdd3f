package evaluate

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/infer/model"
)

// put writes a file into a folder.
func put(t *testing.T, data []byte, parts ...string) {
	t.Helper()
	file := filepath.Join(parts...)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func openDemo(t *testing.T) model.Classifier {
	t.Helper()
	c, err := model.Open(model.Options{Model: "demo/demo-plankton.onnx"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// TestAsPython compares with the report of examples/train-classifier on the
// same images; testdata/record.py wrote it down.
func TestAsPython(t *testing.T) {
	c := openDemo(t)
	m, known := model.Describe(c)
	if !known {
		t.Fatal("a file's model is described when it is open")
	}
	labels := m.Labels
	images, err := filepath.Glob("../model/testdata/images/*.png")
	if err != nil || len(images) < 12 {
		t.Fatalf("%d images, %v", len(images), err)
	}
	dir := t.TempDir()
	for i, file := range images {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, to := range []int{i % len(labels), (3*i + 1) % len(labels)} {
			put(t, data, dir, labels[to], filepath.Base(file))
		}
	}
	r, err := Folder(t.Context(), c, dir)
	if err != nil {
		t.Fatal(err)
	}
	if r.Model != "demo-plankton:1" {
		t.Errorf("model %q", r.Model)
	}
	r.Model, r.Folder = "", ""
	got, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/report.json")
	if err != nil {
		t.Fatal(err)
	}
	var g, w map[string]any
	if err := errors.Join(json.Unmarshal(got, &g), json.Unmarshal(want, &w)); err != nil {
		t.Fatal(err)
	}
	if math.Abs(g["macro_f1"].(float64)-w["macro_f1"].(float64)) > 1e-12 { // sums are in another order there
		t.Errorf("macro F1 is %v, expected %v", g["macro_f1"], w["macro_f1"])
	}
	delete(g, "macro_f1")
	delete(w, "macro_f1")
	if d := cmp.Diff(w, g); d != "" {
		t.Error(d)
	}
	var predictions map[string][2]any
	text, err := os.ReadFile("testdata/predictions.json")
	if err := errors.Join(err, json.Unmarshal(text, &predictions)); err != nil || len(predictions) != len(r.Predictions) {
		t.Fatalf("%d predictions, expected %d, %v", len(r.Predictions), len(predictions), err)
	}
	for _, p := range r.Predictions {
		x := predictions[p.File]
		if prob, _ := x[1].(float64); x[0] != p.Guess || math.Abs(prob-float64(p.Prob)) > 1e-5 {
			t.Errorf("%s: %s with %g, ONNX Runtime says %v", p.File, p.Guess, p.Prob, x)
		}
	}
}

func TestFormats(t *testing.T) {
	r := New([]string{"a", "b", "<i>"})
	r.Model = "m:1"
	for _, x := range []string{"aa", "aa", "ab", "bb", "ba", "ba"} {
		r.Add(Prediction{File: "x,y.png", Truth: x[:1], Guess: x[1:], Prob: 0.1})
	}
	r.Unread = []Unread{{"a/x.gif", "it is no PNG"}}
	want := `model     m:1
images    6 of 2 classes
accuracy  0.5000
unread    1, the first is a/x.gif: it is no PNG

            class  images  precision  recall      f1
  1             a       3     0.5000  0.6667  0.5714
  2             b       3     0.5000  0.3333  0.4000
  3           <i>       0     0.0000  0.0000  0.0000
    mean of classes     6     0.5000  0.5000  0.4857

taken for another, commonest first
     2  b for a
     1  a for b

confusion, rows are the truth, columns what the model says
   1 2 3
 1 2 1 .
 2 2 1 .
 3 . . .
`
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	if d := cmp.Diff(squeeze(want), squeeze(written(t, r, "text"))); d != "" {
		t.Error(d)
	}
	rows, err := csv.NewReader(strings.NewReader(written(t, r, "csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([][]string{
		{"class", "images", "precision", "recall", "f1", "a", "b", "<i>"},
		{"a", "3", "0.5", "0.6666666666666666", "0.5714285714285714", "2", "1", "0"},
		{"b", "3", "0.5", "0.3333333333333333", "0.4", "2", "1", "0"},
		{"<i>", "0", "0", "0", "0", "0", "0", "0"},
	}, rows); d != "" {
		t.Error(d)
	}
	if page := written(t, r, "html"); strings.Contains(page, "<i>") || !strings.Contains(page, "&lt;i&gt;") || !strings.Contains(page, "0.5714") {
		t.Errorf("the page shows no numbers, or a label as markup:\n%s", page)
	}
	var b bytes.Buffer
	if err := r.WritePredictions(&b); err != nil || !strings.HasPrefix(b.String(), "file,truth,guess,prob\n\"x,y.png\",a,a,0.1\n") {
		t.Errorf("%v %s", err, b.String())
	}
	if err := r.Write(&b, "pdf"); err == nil || !strings.Contains(err.Error(), `"pdf" is not one of text, json, csv, html`) {
		t.Errorf("got %v", err)
	}
}

func written(t *testing.T, r *Report, format string) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.Write(&b, format); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// away is a classifier of a model that cannot be asked.
type away struct{}

func (away) Close() error { return nil }

func (away) Classify(_ context.Context, images [][]byte) []model.Result {
	list := make([]model.Result, len(images))
	for i := range list {
		list[i].Err = connector.Retriable(errors.New("server is away"))
	}
	return list
}

func TestBadFolders(t *testing.T) {
	image, err := os.ReadFile("../model/testdata/images/gray.png")
	if err != nil {
		t.Fatal(err)
	}
	demo := openDemo(t)
	for _, c := range []struct {
		name  string
		c     model.Classifier
		files map[string][]byte
		want  string
	}{
		{"nothing", demo, nil, "holds no folders: it needs one of images for each class"},
		{"no class folders", demo, map[string][]byte{"a.png": image}, "holds no folders"},
		{"unknown class", demo, map[string][]byte{"demo-rod/a.png": image, "diatom/a.png": image}, "the model knows no class diatom: rename the folder or take it away; its classes are demo-chain, "},
		{"no images", demo, map[string][]byte{"demo-rod/a.txt": image, "demo-rod/b.png": []byte("GIF")}, "no image could be classified: demo-rod/a.txt: it is no PNG"},
		{"no model", away{}, map[string][]byte{"x/a.png": image}, "x/a.png: server is away"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, data := range c.files {
				put(t, data, dir, name)
			}
			if _, err := Folder(t.Context(), c.c, dir); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// TestUnread: images that cannot be read are listed, and the others counted.
func TestUnread(t *testing.T) {
	image, err := os.ReadFile("../model/testdata/images/gray.png")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for i := range 2*batch + 3 {
		put(t, image, dir, "demo-rod", fmt.Sprintf("%03d.png", i))
	}
	put(t, image[:200], dir, "demo-rod", "070.png")
	put(t, image, dir, "demo-rod", "x.JPG")
	put(t, image, dir, ".hidden", "x.png")
	put(t, image, dir, "demo-rod", ".hidden.png")
	r, err := Folder(t.Context(), openDemo(t), dir)
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, u := range r.Unread {
		files = append(files, filepath.Base(u.File))
	}
	if d := cmp.Diff([]string{"x.JPG", "070.png"}, files, cmp.Transformer("set", func(list []string) map[string]bool {
		set := map[string]bool{}
		for _, f := range list {
			set[f] = true
		}
		return set
	})); d != "" || r.Images() != 2*batch+2 {
		t.Errorf("%d images; %s", r.Images(), d)
	}
}
