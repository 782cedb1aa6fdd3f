// Package imaging finds the particle in an image of an Imaging FlowCytobot and measures it: outline by phase
// congruency, area, shape and biovolume. It is the algorithm of the original hydraulics ("seed"), stage for stage, and
// gives the same counts, masks and volumes; golden rows of an independent reference hold it to that.
//
//	analyser := imaging.NewAnalyser(imaging.Options{})
//	gray, err := imaging.DecodePNG(data)
//	result := analyser.Analyse(gray)
//	if result.Status == imaging.OK {
//		fmt.Println(result.BiovolumeUm3)
//	}
//
// The stages, a file each: phase congruency (P. Kovesi, "Phase congruency detects corners and edges", DICTA 2003) in
// phase.go on the transforms of fft.go; edges and dark pixels in edges.go; closing, dilation and thinning in
// morphology.go and thin.go; components and holes in components.go; the measures of the region in region.go, hull.go
// and volume.go (E. A. Moberg and H. M. Sosik, "Distance maps to estimate cell volume from two-dimensional plankton
// images", Limnol. Oceanogr. Methods 10, 2012).
//
// All arithmetic is in float64, on the image at its exact size: padding it to a faster size changes the result.
// Products that are added are rounded first, float64(x*y)+z, so that no platform fuses them.
package imaging
