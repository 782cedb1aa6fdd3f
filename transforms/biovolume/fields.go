package biovolume

import (
	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/imaging"
)

// measures are the fields that every image gets.
var measures = []struct {
	field connector.Field
	of    func(*imaging.Result) any
}{
	{connector.F("blob_area", connector.Int32Schema.WithDoc("Area of the particle, px.")),
		func(r *imaging.Result) any { return int32(r.BlobArea) }},
	{connector.F("equivalent_diameter", connector.Float64Schema.WithDoc("Diameter of a disc of the particle's area, px.")),
		func(r *imaging.Result) any { return r.EquivalentDiameter }},
	{connector.F("major_axis_length", connector.Float64Schema.WithDoc("Major axis of the ellipse with the particle's second moments, px.")),
		func(r *imaging.Result) any { return r.MajorAxisLength }},
	{connector.F("eccentricity", connector.Float64Schema.WithDoc("Eccentricity of that ellipse, 0 for a disc.")),
		func(r *imaging.Result) any { return r.Eccentricity }},
	{connector.F("perimeter", connector.Int32Schema.WithDoc("Pixels of the particle's outline.")),
		func(r *imaging.Result) any { return int32(r.Perimeter) }},
	{connector.F("convex_area", connector.Int32Schema.WithDoc("Area of the particle's convex hull, px.")),
		func(r *imaging.Result) any { return int32(r.ConvexArea) }},
	{connector.F("area_ratio", connector.Float64Schema.WithDoc("Convex area divided by area.")),
		func(r *imaging.Result) any { return r.AreaRatio }},
	{connector.F("method", connector.StringSchema.WithDoc("How the volume was computed: sor (solid of revolution) or distmap (distance map).")),
		func(r *imaging.Result) any { return string(r.Method) }},
	{connector.F("biovolume_px", connector.Float64Schema.WithDoc("Biovolume, px^3.")),
		func(r *imaging.Result) any { return r.BiovolumePx }},
	{connector.F("biovolume", connector.Float64Schema.WithDoc("Biovolume, um^3.")),
		func(r *imaging.Result) any { return r.BiovolumeUm3 }},
	{connector.F("algorithm", connector.StringSchema.WithDoc("Algorithm of the measures.")),
		func(*imaging.Result) any { return algorithmSeed }},
}

// fields are what is added, by the configuration: the status with on.no.blob=null, where the measures may be null, and
// the outline as the last.
func (t *Transform) fields() []connector.Field {
	var fields []connector.Field
	for _, m := range measures {
		f := m.field
		if t.nullable {
			f.Schema = f.Schema.AsOptional()
		}
		fields = append(fields, f)
	}
	if t.nullable {
		fields = append(fields, connector.F("biovolume_status",
			connector.StringSchema.WithDoc("ok, or why the measures are null: no_blob or hull_error.")))
	}
	if t.outline {
		fields = append(fields, connector.F("outline", connector.BytesSchema.WithDoc("The image with the particle's outline, a PNG file.")))
	}
	return fields
}

// values are the values of the fields; the outline is left to be filled in.
func (t *Transform) values(r *imaging.Result) []any {
	values := make([]any, t.width)
	for i, m := range measures {
		if r.Status == imaging.OK {
			values[i] = m.of(r)
		}
	}
	if t.nullable {
		values[len(measures)] = string(r.Status)
	}
	return values
}
