package imaging

import (
	"crypto/sha256"
	"encoding/hex"
	"image"
)

// Status says how far an analysis got.
type Status string

// The statuses.
const (
	OK Status = "ok"
	// NoBlob: no part of at least 150 px (in v4: 41 px) was found. Everything after the mask is zero.
	NoBlob Status = "no_blob"
	// HullError: the outline's pixels are in one line, or there is none since the shape is the whole image. Hull and
	// volumes are zero.
	HullError Status = "hull_error"
)

// Result is what was found in one image. The counts are pixels after each stage, for comparison with other
// implementations; lengths are in px, areas in px^2, volumes in px^3 unless their name says um^3.
type Result struct {
	Width, Height int
	Status        Status

	MomentSum, MomentMax float64 // of the moments of phase congruency
	MomentsNearThreshold int     // pixels whose moment is within 1e-7 of the threshold: they could differ elsewhere
	EdgesRaw, Edges      int     // before and after the border was cleaned
	KmeansC0, KmeansC1   float64 // grey values
	DarkThreshold        float64
	Dark, EdgesOrDark    int
	Closed, Dilated      int
	Thinned, Filled      int

	BlobArea, Components int
	Blob                 *Mask

	BlobTouchesBorder  bool
	EquivalentDiameter float64
	MajorAxisLength    float64
	MinorAxisLength    float64 // not in the table
	Eccentricity       float64
	Perimeter          int

	HullVertices, ConvexArea  int
	AreaRatio                 float64 // convex area / area
	P                         float64 // equivalent diameter / major axis
	Method                    Method
	Transect                  float64
	DistmapVolume, SORVolume  float64
	BiovolumePx, BiovolumeUm3 float64 // by the chosen method

	pixels *image.Gray
}

// Column is one column of a table of results of type R.
type Column[R any] struct {
	Name string
	// Value gives an int, float64 or string, nil where the analysis did not get that far.
	Value func(*R) any
}

// Columns are all columns of a result, in the order of golden.csv. A reader of results may be sure of names and order.
var Columns = []Column[Result]{
	{"width", func(r *Result) any { return r.Width }},
	{"height", func(r *Result) any { return r.Height }},
	{"pixel_sum", func(r *Result) any { return r.pixelSum() }},
	{"pixel_sha256", func(r *Result) any { return r.pixelHash() }},
	{"mm_sum", func(r *Result) any { return r.MomentSum }},
	{"mm_max", func(r *Result) any { return r.MomentMax }},
	{"mm_near_thr", func(r *Result) any { return r.MomentsNearThreshold }},
	{"edges_raw", func(r *Result) any { return r.EdgesRaw }},
	{"edges", func(r *Result) any { return r.Edges }},
	{"kmeans_c0", func(r *Result) any { return r.KmeansC0 }},
	{"kmeans_c1", func(r *Result) any { return r.KmeansC1 }},
	{"dark_threshold", func(r *Result) any { return r.DarkThreshold }},
	{"dark", func(r *Result) any { return r.Dark }},
	{"edges_or_dark", func(r *Result) any { return r.EdgesOrDark }},
	{"closed", func(r *Result) any { return r.Closed }},
	{"dilated", func(r *Result) any { return r.Dilated }},
	{"thinned", func(r *Result) any { return r.Thinned }},
	{"filled", func(r *Result) any { return r.Filled }},
	{"blob_area", func(r *Result) any { return r.BlobArea }},
	{"n_components", func(r *Result) any { return r.Components }},
	{"blob_touches_border", func(r *Result) any { return r.ifFound(asBit(r.BlobTouchesBorder)) }},
	{"blob_sha256", func(r *Result) any { h := r.Blob.SHA256(); return hex.EncodeToString(h[:]) }},
	{"equivalent_diameter", func(r *Result) any { return r.ifFound(r.EquivalentDiameter) }},
	{"major_axis_length", func(r *Result) any { return r.ifFound(r.MajorAxisLength) }},
	{"eccentricity", func(r *Result) any { return r.ifFound(r.Eccentricity) }},
	{"perimeter", func(r *Result) any { return r.ifFound(r.Perimeter) }},
	{"hull_vertices", func(r *Result) any { return r.ifOK(r.HullVertices) }},
	{"convex_area", func(r *Result) any { return r.ifOK(r.ConvexArea) }},
	{"area_ratio", func(r *Result) any { return r.ifOK(r.AreaRatio) }},
	{"p", func(r *Result) any { return r.ifOK(r.P) }},
	{"method", func(r *Result) any { return r.ifOK(string(r.Method)) }},
	{"transect", func(r *Result) any { return r.ifOK(r.Transect) }},
	{"distmap_volume", func(r *Result) any { return r.ifOK(r.DistmapVolume) }},
	{"sor_volume", func(r *Result) any { return r.ifOK(r.SORVolume) }},
	{"biovolume_px", func(r *Result) any { return r.ifOK(r.BiovolumePx) }},
	{"biovolume_um3", func(r *Result) any { return r.ifOK(r.BiovolumeUm3) }},
	{"carbon_diatom_pg", func(r *Result) any { return r.ifOK(CarbonSeed(r.BiovolumeUm3, true)) }},
	{"carbon_other_pg", func(r *Result) any { return r.ifOK(CarbonSeed(r.BiovolumeUm3, false)) }},
	{"carbon_mdl_diatom_pg", func(r *Result) any { return r.ifOK(Carbon(r.BiovolumeUm3, true)) }},
	{"carbon_mdl_protist_pg", func(r *Result) any { return r.ifOK(Carbon(r.BiovolumeUm3, false)) }},
	{"status", func(r *Result) any { return string(r.Status) }},
}

func (r *Result) ifFound(v any) any {
	if r.Status == NoBlob {
		return nil
	}
	return v
}

func (r *Result) ifOK(v any) any {
	if r.Status != OK {
		return nil
	}
	return v
}

func asBit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (r *Result) pixelSum() int {
	sum := 0
	r.rows(func(row []byte) {
		for _, v := range row {
			sum += int(v)
		}
	})
	return sum
}

func (r *Result) pixelHash() string {
	h := sha256.New()
	r.rows(func(row []byte) { h.Write(row) })
	return hex.EncodeToString(h.Sum(nil))
}

func (r *Result) rows(f func(row []byte)) {
	for y := range r.Height {
		f(r.pixels.Pix[y*r.pixels.Stride:][:r.Width])
	}
}
