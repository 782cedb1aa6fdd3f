package biovolume

import (
	"image"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/plankton/imaging"
)

// measure is a field of a result of type R.
type measure[R any] struct {
	field connector.Field
	of    func(*R) any
}

// algorithm is a way to measure: the fields it gives and how they come about.
type algorithm struct {
	fields  []connector.Field
	least   string // size of a particle
	analyse func(*imaging.Analyser, *image.Gray) (found, error)
}

// found is what an algorithm found in an image.
type found struct {
	status imaging.Status
	mask   *imaging.Mask
	values []any // of the fields, nil unless the status is OK
}

var algorithms = map[string]algorithm{
	imaging.Seed: newAlgorithm(seedMeasures, "150 pixels", (*imaging.Analyser).Analyse,
		func(r *imaging.Result) (imaging.Status, *imaging.Mask) { return r.Status, r.Blob }),
	imaging.V4: newAlgorithm(v4Measures, "41 pixels", (*imaging.Analyser).AnalyseV4,
		func(r *imaging.ResultV4) (imaging.Status, *imaging.Mask) { return r.Status, r.Mask }),
}

func newAlgorithm[R any](measures []measure[R], least string, analyse func(*imaging.Analyser, *image.Gray) (R, error),
	outcome func(*R) (imaging.Status, *imaging.Mask)) algorithm {
	a := algorithm{least: least, analyse: func(analyser *imaging.Analyser, gray *image.Gray) (found, error) {
		r, err := analyse(analyser, gray)
		if err != nil {
			return found{}, err
		}
		f := found{values: make([]any, len(measures))}
		if f.status, f.mask = outcome(&r); f.status == imaging.OK {
			for i, m := range measures {
				f.values[i] = m.of(&r)
			}
		}
		return f, nil
	}}
	for _, m := range measures {
		a.fields = append(a.fields, m.field)
	}
	return a
}

// The fields that both algorithms have.
var (
	blobArea   = connector.F("blob_area", connector.Int32Schema.WithDoc("Area of the particle, px."))
	diameter   = connector.F("equivalent_diameter", connector.Float64Schema.WithDoc("Diameter of a disc of the particle's area, px."))
	majorAxis  = connector.F("major_axis_length", connector.Float64Schema.WithDoc("Major axis of the ellipse with the particle's second moments, px."))
	roundness  = connector.F("eccentricity", connector.Float64Schema.WithDoc("Eccentricity of that ellipse, 0 for a disc."))
	areaRatio  = connector.F("area_ratio", connector.Float64Schema.WithDoc("Convex area divided by area."))
	method     = connector.F("method", connector.StringSchema.WithDoc("How the volume was computed: sor (solid of revolution) or distmap (distance map)."))
	volumePx   = connector.F("biovolume_px", connector.Float64Schema.WithDoc("Biovolume, px^3."))
	volume     = connector.F("biovolume", connector.Float64Schema.WithDoc("Biovolume, um^3."))
	minorAxis  = connector.F("minor_axis_length", connector.Float64Schema.WithDoc("Minor axis of that ellipse, px."))
	calculated = connector.F("algorithm", connector.StringSchema.WithDoc("Algorithm of the measures."))
	version    = connector.F("algorithm_version", connector.StringSchema.WithDoc("Its version: that of ifcb-features for v4."))
)

var seedMeasures = []measure[imaging.Result]{
	{blobArea, func(r *imaging.Result) any { return int32(r.BlobArea) }},
	{diameter, func(r *imaging.Result) any { return r.EquivalentDiameter }},
	{majorAxis, func(r *imaging.Result) any { return r.MajorAxisLength }},
	{minorAxis, func(r *imaging.Result) any { return r.MinorAxisLength }},
	{roundness, func(r *imaging.Result) any { return r.Eccentricity }},
	{connector.F("perimeter", connector.Int32Schema.WithDoc("Pixels of the particle's outline.")),
		func(r *imaging.Result) any { return int32(r.Perimeter) }},
	{connector.F("convex_area", connector.Int32Schema.WithDoc("Area of the particle's convex hull, px.")),
		func(r *imaging.Result) any { return int32(r.ConvexArea) }},
	{areaRatio, func(r *imaging.Result) any { return r.AreaRatio }},
	{method, func(r *imaging.Result) any { return string(r.Method) }},
	{volumePx, func(r *imaging.Result) any { return r.BiovolumePx }},
	{volume, func(r *imaging.Result) any { return r.BiovolumeUm3 }},
	{calculated, func(*imaging.Result) any { return imaging.Seed }},
	{version, func(*imaging.Result) any { return imaging.Versions[imaging.Seed] }},
}

var v4Measures = []measure[imaging.ResultV4]{
	{blobArea, func(r *imaging.ResultV4) any { return int32(r.Blobs[0].Area) }},
	{diameter, func(r *imaging.ResultV4) any { return r.Blobs[0].EquivDiameter }},
	{majorAxis, func(r *imaging.ResultV4) any { return r.Blobs[0].MajorAxisLength }},
	{minorAxis, func(r *imaging.ResultV4) any { return r.Blobs[0].MinorAxisLength }},
	{roundness, func(r *imaging.ResultV4) any { return r.Blobs[0].Eccentricity }},
	{connector.F("blobs", connector.Int32Schema.WithDoc("Parts of the particle; the other fields are of the largest.")),
		func(r *imaging.ResultV4) any { return int32(len(r.Blobs)) }},
	{areaRatio, func(r *imaging.ResultV4) any { return r.Blobs[0].AreaRatio }},
	{method, func(r *imaging.ResultV4) any { return string(r.Blobs[0].Method) }},
	{volumePx, func(r *imaging.ResultV4) any { return r.Blobs[0].Biovolume }},
	{volume, func(r *imaging.ResultV4) any { return r.BiovolumeUm3 }},
	{calculated, func(*imaging.ResultV4) any { return imaging.V4 }},
	{version, func(*imaging.ResultV4) any { return imaging.Versions[imaging.V4] }},
}

// fields are what is added, by the configuration: the status with on.no.blob=null, where the measures may be null, then
// the pictures.
func (t *Transform) fields() []connector.Field {
	var fields []connector.Field
	for _, f := range t.algorithm.fields {
		if t.nullable {
			f.Schema = f.Schema.AsOptional()
		}
		fields = append(fields, f)
	}
	if t.nullable {
		fields = append(fields, connector.F("biovolume_status",
			connector.StringSchema.WithDoc("ok, or why the measures are null: no_blob or hull_error.")))
	}
	if t.mask {
		fields = append(fields, connector.F("mask", connector.BytesSchema.WithDoc("The particle's pixels, 255 on 0, a PNG file.")))
	}
	if t.outline {
		fields = append(fields, connector.F("outline", connector.BytesSchema.WithDoc("The image with the particle's outline, a PNG file.")))
	}
	return fields
}

// values are the values of the fields, of an image in which this was found.
func (t *Transform) values(f found, gray *image.Gray) ([]any, error) {
	values := f.values
	if t.nullable {
		values = append(values, string(f.status))
	}
	if t.mask {
		mask, err := f.mask.PNG()
		if err != nil {
			return nil, err
		}
		values = append(values, mask)
	}
	if !t.outline {
		return values, nil
	}
	outline, err := imaging.Outline(gray, f.mask)
	return append(values, outline), err
}
