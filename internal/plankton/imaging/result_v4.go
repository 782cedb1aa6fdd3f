package imaging

import (
	"encoding/hex"
	"slices"
	"strings"
)

// ResultV4 is what [Analyser.AnalyseV4] found in one image.
type ResultV4 struct {
	Width, Height int
	Status        Status   // OK or NoBlob
	Mask          *Mask    // of all blobs
	MaskArea      int      // px
	Blobs         []BlobV4 // the largest first: it stands for the image
	BiovolumeUm3  float64  // of the largest blob
}

// BlobV4 holds the measures of one connected blob, in px, px^2, px^3 and degrees.
type BlobV4 struct {
	Area                                int
	BoundingBoxWidth, BoundingBoxHeight int
	Extent                              float64 // area / area of the bounding box
	EquivDiameter                       float64 // of a disc of the area
	MajorAxisLength, MinorAxisLength    float64 // of the ellipse with the same sample covariance
	Eccentricity                        float64
	Orientation                         float64 // of the major axis, counter-clockwise from the rows, above -90 and up to 90
	Perimeter                           float64
	ConvexArea, ConvexPerimeter         float64
	Solidity                            float64 // area / convex area, which can be more than 1
	MinFeretDiameter, MaxFeretDiameter  float64
	AreaRatio                           float64 // convex area / area
	P                                   float64 // equivalent diameter / major axis

	Method                                      Method
	Biovolume, RepresentativeWidth, SurfaceArea float64 // by the method
	// The volumes by both methods; of blobs that are not the largest, by the chosen one only.
	DistmapVolume, SORVolume float64
}

// largest is the largest blob, one of zeros if there is none.
func (r *ResultV4) largest() *BlobV4 {
	if len(r.Blobs) == 0 {
		return new(BlobV4)
	}
	return &r.Blobs[0]
}

// BlobColumnsV4 are the columns of a blob in the reference's (WHOIGit/ifcb-features) tables, in its order.
var BlobColumnsV4 = []Column[BlobV4]{
	{"Area", func(b *BlobV4) any { return b.Area }},
	{"Biovolume", func(b *BlobV4) any { return b.Biovolume }},
	{"BoundingBox_xwidth", func(b *BlobV4) any { return b.BoundingBoxWidth }},
	{"BoundingBox_ywidth", func(b *BlobV4) any { return b.BoundingBoxHeight }},
	{"ConvexArea", func(b *BlobV4) any { return b.ConvexArea }},
	{"ConvexPerimeter", func(b *BlobV4) any { return b.ConvexPerimeter }},
	{"Eccentricity", func(b *BlobV4) any { return b.Eccentricity }},
	{"EquivDiameter", func(b *BlobV4) any { return b.EquivDiameter }},
	{"Extent", func(b *BlobV4) any { return b.Extent }},
	{"MajorAxisLength", func(b *BlobV4) any { return b.MajorAxisLength }},
	{"MinorAxisLength", func(b *BlobV4) any { return b.MinorAxisLength }},
	{"Orientation", func(b *BlobV4) any { return b.Orientation }},
	{"Perimeter", func(b *BlobV4) any { return b.Perimeter }},
	{"RepresentativeWidth", func(b *BlobV4) any { return b.RepresentativeWidth }},
	{"Solidity", func(b *BlobV4) any { return b.Solidity }},
	{"SurfaceArea", func(b *BlobV4) any { return b.SurfaceArea }},
	{"maxFeretDiameter", func(b *BlobV4) any { return b.MaxFeretDiameter }},
	{"minFeretDiameter", func(b *BlobV4) any { return b.MinFeretDiameter }},
}

// ColumnsV4 are the columns of a result, in the order of the reference data's golden-ifcb-features.csv and with two more.
// Measures are those of the largest blob, summed ones of all blobs. An image without a blob has zeros, and nil where
// zero would say something.
var ColumnsV4 = pick("status numBlobs mask_area blob_sha256 Area Biovolume method distmap_volume sor_volume area_ratio p " +
	"EquivDiameter MajorAxisLength MinorAxisLength Eccentricity Orientation ConvexArea ConvexPerimeter Perimeter " +
	"RepresentativeWidth Solidity Extent SurfaceArea BoundingBox_xwidth BoundingBox_ywidth maxFeretDiameter " +
	"minFeretDiameter summedArea summedBiovolume summedConvexArea summedMajorAxisLength summedMinorAxisLength " +
	"summedPerimeter summedSurfaceArea summedConvexPerimeter biovolume_um3")

// FeatureColumnsV4 are the columns of a result in the reference's table of a bin, in its order.
var FeatureColumnsV4 = append(ofLargest(), pick("numBlobs summedArea summedBiovolume summedConvexArea "+
	"summedConvexPerimeter summedMajorAxisLength summedMinorAxisLength summedPerimeter summedSurfaceArea "+
	"Area_over_PerimeterSquared Area_over_Perimeter summedConvexPerimeter_over_Perimeter")...)

// pick gives columns of a result by name.
func pick(names string) []Column[ResultV4] {
	all := append(ofLargest(), []Column[ResultV4]{
		{"status", func(r *ResultV4) any { return string(r.Status) }},
		{"numBlobs", func(r *ResultV4) any { return len(r.Blobs) }},
		{"mask_area", func(r *ResultV4) any { return r.MaskArea }},
		{"blob_sha256", func(r *ResultV4) any { h := r.Mask.SHA256(); return hex.EncodeToString(h[:]) }},
		{"method", func(r *ResultV4) any { return r.ifOK(string(r.largest().Method)) }},
		{"distmap_volume", func(r *ResultV4) any { return r.ifOK(r.largest().DistmapVolume) }},
		{"sor_volume", func(r *ResultV4) any { return r.ifOK(r.largest().SORVolume) }},
		{"area_ratio", func(r *ResultV4) any { return r.ifOK(r.largest().AreaRatio) }},
		{"p", func(r *ResultV4) any { return r.ifOK(r.largest().P) }},
		{"biovolume_um3", func(r *ResultV4) any { return r.ifOK(r.BiovolumeUm3) }},
		{"summedArea", func(r *ResultV4) any { return r.sum(func(b *BlobV4) float64 { return float64(b.Area) }) }},
		{"summedBiovolume", func(r *ResultV4) any { return r.sum(func(b *BlobV4) float64 { return b.Biovolume }) }},
		{"summedConvexArea", func(r *ResultV4) any { return r.sum(func(b *BlobV4) float64 { return b.ConvexArea }) }},
		{"summedConvexPerimeter", func(r *ResultV4) any { return r.sum(convexPerimeter) }},
		{"summedMajorAxisLength", func(r *ResultV4) any { return r.sum(func(b *BlobV4) float64 { return b.MajorAxisLength }) }},
		{"summedMinorAxisLength", func(r *ResultV4) any { return r.sum(func(b *BlobV4) float64 { return b.MinorAxisLength }) }},
		{"summedPerimeter", func(r *ResultV4) any { return r.sum(perimeter) }},
		{"summedSurfaceArea", func(r *ResultV4) any { return r.sum(func(b *BlobV4) float64 { return b.SurfaceArea }) }},
		{"Area_over_PerimeterSquared", func(r *ResultV4) any {
			b := r.largest()
			return r.ratio(float64(b.Area), b.Perimeter*b.Perimeter)
		}},
		{"Area_over_Perimeter", func(r *ResultV4) any { return r.ratio(float64(r.largest().Area), r.largest().Perimeter) }},
		{"summedConvexPerimeter_over_Perimeter", func(r *ResultV4) any { return r.ratio(r.sum(convexPerimeter), r.sum(perimeter)) }},
	}...)
	var picked []Column[ResultV4]
	for _, name := range strings.Fields(names) {
		i := slices.IndexFunc(all, func(c Column[ResultV4]) bool { return c.Name == name })
		picked = append(picked, all[i])
	}
	return picked
}

// ofLargest makes columns of a blob columns of a result.
func ofLargest() []Column[ResultV4] {
	var of []Column[ResultV4]
	for _, c := range BlobColumnsV4 {
		of = append(of, Column[ResultV4]{c.Name, func(r *ResultV4) any { return c.Value(r.largest()) }})
	}
	return of
}

func perimeter(b *BlobV4) float64       { return b.Perimeter }
func convexPerimeter(b *BlobV4) float64 { return b.ConvexPerimeter }

// sum adds a measure over all blobs.
func (r *ResultV4) sum(of func(*BlobV4) float64) float64 {
	var sum float64
	for i := range r.Blobs {
		sum += of(&r.Blobs[i])
	}
	return sum
}

// ratio is a/b, nil where it says nothing.
func (r *ResultV4) ratio(a, b float64) any {
	if a == 0 || b == 0 {
		return nil
	}
	return a / b
}

func (r *ResultV4) ifOK(v any) any {
	if r.Status != OK {
		return nil
	}
	return v
}
