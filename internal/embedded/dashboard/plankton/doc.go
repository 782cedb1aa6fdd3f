// Package plankton draws synthetic plankton: grey images as an Imaging FlowCytobot takes them, of particles whose
// class and volume are known. The same seed gives the same images.
//
// A particle is a solid: the union of ellipsoids, tapered rods and cylinders, seen from the side. Its thickness along
// the line of sight, h(x,y) in px, is at once what darkens the image (Beer-Lambert, with texture, a dark rim and a
// bright fringe) and what sums up to the true volume: V = sum h dA, in px^3.
package plankton
