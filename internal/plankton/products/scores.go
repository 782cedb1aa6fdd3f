package products

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/hdf5"
)

// Scores are the probabilities that a model gave the images of a bin.
type Scores struct {
	lid   string
	table *table    // a column for each class, in the order of their names
	model string    // of the image that was classified last
	at    time.Time // when it was; zero if unknown
}

// NewScores is for the images of the bin with this name.
func NewScores(lid string) *Scores { return &Scores{lid: lid, table: newTable("pid")} }

// Add adds the probability of each class of an image, or puts them in the place of what there is of it. A model that has
// other classes than the one before adds columns, which are empty for the other's images.
func (s *Scores) Add(number int, scores map[string]float32, model string, at time.Time) {
	if all := withClasses(s.table.columns, slices.Collect(maps.Keys(scores))); !slices.Equal(all, s.table.columns) {
		s.table = s.table.widened(all)
	}
	row := make([]string, len(s.table.columns))
	row[0] = imageName(s.lid, number)
	for i, class := range s.table.columns[1:] {
		if p, ok := scores[class]; ok {
			row[i+1] = strconv.FormatFloat(float64(p), 'g', -1, 32)
		}
	}
	s.table.rows[number] = [][]string{row}
	if !at.Before(s.at) {
		s.model, s.at = model, at
	}
}

// withClasses adds the columns of classes, in the order of their names.
func withClasses(columns, classes []string) []string {
	all := append(slices.Clone(columns[1:]), classes...)
	slices.Sort(all)
	return append([]string{columns[0]}, slices.Compact(all)...)
}

// CSV is the table that ifcb-inference writes: the image, and a column for each class.
func (s *Scores) CSV() ([]byte, error) { return s.table.encode() }

// HDF5 is the file that ifcb_classifier and ifcb-inference write, and dashboards read as class scores of version 3:
// output_scores (image by class, NaN where the model that classified the image has no such class), class_labels,
// roi_numbers, output_classes (of the largest score, from 0), and metadata with attributes.
func (s *Scores) HDF5() ([]byte, error) {
	classes := s.table.columns[1:]
	var numbers []uint32
	var best []uint16
	var scores []float32
	for _, number := range s.table.numbers() {
		largest := 0
		values := make([]float32, len(classes))
		for i, text := range s.table.rows[number][0][1:] {
			values[i] = float32(math.NaN())
			if text != "" {
				v, err := strconv.ParseFloat(text, 32)
				if err != nil {
					return nil, fmt.Errorf("image %d, class %s: %q is no probability", number, classes[i], text)
				}
				values[i] = float32(v)
			}
			if values[i] > values[largest] || math.IsNaN(float64(values[largest])) {
				largest = i
			}
		}
		scores, best, numbers = append(scores, values...), append(best, uint16(largest)), append(numbers, uint32(number))
	}
	metadata := []hdf5.Attribute{{Name: "version", Value: "v3"}, {Name: "model_id", Value: s.model}, {Name: "bin_id", Value: s.lid}}
	if !s.at.IsZero() {
		metadata = append(metadata, hdf5.Attribute{Name: "timestamp", Value: s.at.UTC().Format(time.RFC3339)})
	}
	return hdf5.Encode([]hdf5.Dataset{
		{Name: "metadata", Attributes: metadata},
		{Name: "output_classes", Dims: []int{len(best)}, Data: best},
		{Name: "output_scores", Dims: []int{len(numbers), len(classes)}, Data: scores},
		{Name: "class_labels", Dims: []int{len(classes)}, Data: classes},
		{Name: "roi_numbers", Dims: []int{len(numbers)}, Data: numbers},
	})
}

// over gives the scores on those that an older table has of other images; nil for no table.
func (s *Scores) over(older []byte) (*Scores, error) {
	if older == nil {
		return s, nil
	}
	old, err := readTable(older)
	if err != nil {
		return nil, err
	}
	if old.columns[0] != s.table.columns[0] {
		return nil, fmt.Errorf("its first column is %s and not %s", old.columns[0], s.table.columns[0])
	}
	all := withClasses(s.table.columns, old.columns[1:])
	both := *s
	both.table, err = s.table.widened(all).over(old.widened(all))
	return &both, err
}
