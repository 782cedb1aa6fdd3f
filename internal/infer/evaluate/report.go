// Package evaluate compares what a classifier says of labelled images with
// their labels: accuracy, precision, recall and F1 of each class, and the
// confusion matrix, as examples/train-classifier computes them.
package evaluate

import (
	"encoding/json"
	"slices"
)

// Report is a confusion matrix with what it belongs to.
type Report struct {
	Model  string // name and version, where known
	Folder string
	// Classes are the rows (truth) and columns (guess) of the matrix, in order.
	Classes   []string
	Confusion [][]int
	// Unread are the files that are no image that can be classified, with why.
	Unread []Unread
	// Predictions are the results of the images, in order.
	Predictions []Prediction

	index map[string]int
}

// Unread is a file without a result.
type Unread struct {
	File string `json:"file"`
	Why  string `json:"why"`
}

// Prediction is the result of one image.
type Prediction struct {
	File, Truth, Guess string
	Prob               float32
}

// New makes an empty report over these classes; others are added as they come.
func New(classes []string) *Report {
	r := &Report{index: map[string]int{}}
	for _, c := range classes {
		r.class(c)
	}
	return r
}

// class gives the row and column of a class.
func (r *Report) class(name string) int {
	i, ok := r.index[name]
	if ok {
		return i
	}
	i = len(r.Classes)
	r.index[name], r.Classes = i, append(r.Classes, name)
	for k := range r.Confusion {
		r.Confusion[k] = append(r.Confusion[k], 0)
	}
	r.Confusion = append(r.Confusion, make([]int, i+1))
	return i
}

// Add counts one image.
func (r *Report) Add(p Prediction) {
	t, g := r.class(p.Truth), r.class(p.Guess)
	r.Confusion[t][g]++
	r.Predictions = append(r.Predictions, p)
}

// Class is what is known of one class. Precision is of the images that were
// taken for it, recall of those that are; both are 0 where there are none.
type Class struct {
	Name      string  `json:"-"`
	Images    int     `json:"images"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

// Images counts the images that were classified.
func (r *Report) Images() int {
	n := 0
	for _, row := range r.Confusion {
		for _, v := range row {
			n += v
		}
	}
	return n
}

// Accuracy is the part of the images whose class is right, 0 without images.
func (r *Report) Accuracy() float64 {
	right := 0
	for i, row := range r.Confusion {
		right += row[i]
	}
	return ratio(right, r.Images())
}

// PerClass gives the numbers of each class, in order.
func (r *Report) PerClass() []Class {
	list := make([]Class, len(r.Classes))
	for i, name := range r.Classes {
		are, taken := 0, 0
		for k := range r.Classes {
			are += r.Confusion[i][k]
			taken += r.Confusion[k][i]
		}
		hit := r.Confusion[i][i]
		list[i] = Class{Name: name, Images: are, Precision: ratio(hit, taken), Recall: ratio(hit, are), F1: ratio(2*hit, are+taken)}
	}
	return list
}

// Macro gives the means over the classes that have images.
func (r *Report) Macro() Class {
	var m Class
	n := 0
	for _, c := range r.PerClass() {
		if c.Images > 0 {
			n++
			m.Precision, m.Recall, m.F1 = m.Precision+c.Precision, m.Recall+c.Recall, m.F1+c.F1
		}
	}
	m.Images = r.Images()
	if n > 0 {
		m.Precision, m.Recall, m.F1 = m.Precision/float64(n), m.Recall/float64(n), m.F1/float64(n)
	}
	return m
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// mistake is a class that was taken for another.
type mistake struct {
	truth, guess string
	images       int
}

// mistakes gives the commonest confusions, at most so many.
func (r *Report) mistakes(most int) []mistake {
	var list []mistake
	for i, row := range r.Confusion {
		for k, n := range row {
			if i != k && n > 0 {
				list = append(list, mistake{r.Classes[i], r.Classes[k], n})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b mistake) int { return b.images - a.images })
	return list[:min(most, len(list))]
}

// MarshalJSON writes the report as report.json of train.py has it.
func (r *Report) MarshalJSON() ([]byte, error) {
	classes := map[string]Class{}
	for _, c := range r.PerClass() {
		classes[c.Name] = c
	}
	macro := r.Macro()
	return json.Marshal(struct {
		Model     string           `json:"model,omitempty"`
		Folder    string           `json:"folder,omitempty"`
		Images    int              `json:"images"`
		Accuracy  float64          `json:"accuracy"`
		MacroF1   float64          `json:"macro_f1"`
		Labels    []string         `json:"labels"`
		Classes   map[string]Class `json:"classes"`
		Confusion [][]int          `json:"confusion"` // rows: truth
		Unread    []Unread         `json:"unread,omitempty"`
	}{r.Model, r.Folder, r.Images(), r.Accuracy(), macro.F1, r.Classes, classes, r.Confusion, r.Unread})
}
