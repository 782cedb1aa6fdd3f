// Package biovolume measures the particle in an image: area, shape and the volume of the cell in um^3.
//
// The image is a PNG in a field of the value, as bytes or, in JSON without a schema, as base64. What is added:
//
//	blob_area            int32     pixels of the particle
//	equivalent_diameter  float64   diameter of a disc of that area, px
//	major_axis_length    float64   px
//	eccentricity         float64   0 is a disc
//	perimeter            int32     pixels of the outline
//	convex_area          int32     pixels of the convex hull
//	area_ratio           float64   convex_area / blob_area
//	method               string    sor or distmap, how the volume was computed
//	biovolume_px         float64   px^3
//	biovolume            float64   um^3
//	algorithm            string    seed, the original's
//	biovolume_status     string    with on.no.blob=null: ok, or why the others are null
//	outline              bytes     with outline=true: a PNG of the image with the particle's outline
//
// See the package internal/imaging for the algorithm and its papers.
package biovolume
