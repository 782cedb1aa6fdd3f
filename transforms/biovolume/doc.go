// Package biovolume measures the particle in an image: area, shape and the volume of the cell in um^3.
//
// The image is a PNG in a field of the value, as bytes or, in JSON without a schema, as base64. What is added:
//
//	blob_area            int32     pixels of the particle
//	equivalent_diameter  float64   diameter of a disc of that area, px
//	major_axis_length    float64   px
//	minor_axis_length    float64   px
//	eccentricity         float64   0 is a disc
//	perimeter            int32     pixels of the outline; algorithm seed only
//	convex_area          int32     pixels of the convex hull; algorithm seed only
//	blobs                int32     parts of the particle, of which the largest is measured; algorithm v4 only
//	area_ratio           float64   area of the convex hull / blob_area
//	method               string    sor or distmap, how the volume was computed
//	biovolume_px         float64   px^3
//	biovolume            float64   um^3
//	algorithm            string    seed, the original's, or v4, that of WHOIGit/ifcb-features 1.3
//	algorithm_version    string    of ifcb-features for v4
//	biovolume_status     string    with on.no.blob=null: ok, or why the others are null
//	mask                 bytes     with mask=true: a PNG of the particle's pixels, 255 on 0
//	outline              bytes     with outline=true: a PNG of the image with the particle's outline
//
// With v4 all are measures of the largest connected part; the lengths and areas that v4 has in place of the counted
// perimeter and convex_area are not comparable with those, so it has no such fields.
//
// See the package internal/plankton/imaging for the algorithm and its papers.
package biovolume
