package features

import (
	"image"
	"slices"

	"github.com/axiom-data-science/hydraulics/internal/plankton/imaging"
)

// algorithm is a way to measure images.
type algorithm struct {
	columns []string // of a row after the id
	measure measureFunc
}

// measureFunc measures an image.
type measureFunc func(*imaging.Analyser, *image.Gray) (measured, error)

// measured is what became of a picture.
type measured struct {
	values []any // of the algorithm's columns
	v4     *imaging.ResultV4
	err    error
}

var algorithms = map[string]algorithm{
	imaging.Seed: {names(seedColumns), func(a *imaging.Analyser, gray *image.Gray) (measured, error) {
		r, err := a.Analyse(gray)
		return measured{values: valuesOf(seedColumns, &r, err)}, err
	}},
	imaging.V4: {names(imaging.ColumnsV4), func(a *imaging.Analyser, gray *image.Gray) (measured, error) {
		r, err := a.AnalyseV4(gray)
		return measured{values: valuesOf(imaging.ColumnsV4, &r, err), v4: &r}, err
	}},
}

// seedColumns are the seed's columns: what most readers look for first, then the rest.
var seedColumns = func() []imaging.Column[imaging.Result] {
	first := []string{"width", "height", "blob_area", "method", "biovolume_px", "biovolume_um3", "status"}
	columns := slices.Clone(imaging.Columns)
	place := func(c imaging.Column[imaging.Result]) int {
		if i := slices.Index(first, c.Name); i >= 0 {
			return i
		}
		return len(first)
	}
	slices.SortStableFunc(columns, func(a, b imaging.Column[imaging.Result]) int { return place(a) - place(b) })
	return columns
}()

func names[R any](columns []imaging.Column[R]) []string {
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
	}
	return names
}

// valuesOf are the values of a result's columns, none of one that an error kept from being.
func valuesOf[R any](columns []imaging.Column[R], r *R, err error) []any {
	if err != nil {
		return nil
	}
	var values []any
	for _, c := range columns {
		values = append(values, c.Value(r))
	}
	return values
}
