// Package imaging finds the particle in an image of an Imaging FlowCytobot and measures it: outline by phase
// congruency, area, shape and biovolume. It has two algorithms, each the same as its original stage for stage, with the
// same counts, masks and volumes; golden rows of independent references hold it to that.
//
//   - [Analyser.Analyse] is that of the original hydraulics, "seed".
//   - [Analyser.AnalyseV4] is the present one of the Woods Hole Oceanographic Institution (WHOIGit/ifcb-features 1.3),
//     "v4". It shrinks blobs where seed grows them, takes each connected blob by itself, and turns it before it makes a
//     solid of revolution of it.
//
// For example:
//
//	analyser := imaging.NewAnalyser(imaging.Options{})
//	gray, err := imaging.DecodePNG(data)
//	result, err := analyser.Analyse(gray)
//	if result.Status == imaging.OK {
//		fmt.Println(result.BiovolumeUm3)
//	}
//
// The stages, a file each: phase congruency (P. Kovesi, "Phase congruency detects corners and edges", DICTA 2003) in
// phase.go with the filters of filters.go, on the transforms of fft.go and fft2d.go and the kernels of kernel.go; edges and dark pixels in edges.go; closing, dilation and thinning in
// morphology.go and thin.go; components and holes in components.go; the measures of the region in region.go, hull.go,
// distances.go and volume.go (E. A. Moberg and H. M. Sosik, "Distance maps to estimate cell volume from two-dimensional
// plankton images", Limnol. Oceanogr. Methods 10, 2012). What v4 does differently is in the files *_v4.go: its mask in
// mask_v4.go and dark_v4.go, the measures of a blob in blob_v4.go, perimeter_v4.go and hull_v4.go, its two solids in
// thickness_v4.go (by distance map) and revolution_v4.go.
//
// All arithmetic is in float64, on the image at its exact size: padding it to a faster size changes the result. Only where
// v4's reference computes in float32, in its dark pixels and its distance map, is it done in that, in the same order.
// Products that are added are rounded first, float64(x*y)+z, so that no platform fuses them.
package imaging
