package imaging

import (
	"fmt"
	"os"
	"strings"
)

// kernels is everything that a processor's instruction set contributes. The portable ones are kernel_portable.go;
// others only have to fill this struct. All of them give the same bits: every product is rounded, and sums are taken in
// the same order.
//
// Complex numbers lie in groups: the real parts of as many neighbours as there are lanes, then their imaginary parts.
// Rows are padded to whole groups.
type kernels struct {
	name  string
	lanes int
	// stages and lasts are the butterflies of a transform: those of the last stage have no twiddle factors.
	stages, lasts butterflies
	// chirp multiplies rows with a number each, conjugateChirp the conjugates of rows.
	chirp, conjugateChirp func(*stageArgs)
	filter                func(*filterArgs)
	transpose             func(*transposeArgs)
	energy                func(*energyArgs)
	powers                func(*powerArgs)
	between               func(*betweenArgs)
	strip                 func(*stripArgs)
}

// butterflies are indexed by their radix: at 0 is that of any odd prime.
type butterflies [9]func(*stageArgs)

func (b *butterflies) of(radix int) func(*stageArgs) {
	if radix < len(b) && b[radix] != nil {
		return b[radix]
	}
	return b[0]
}

// group is how many float64 a group has.
func (k *kernels) group() int { return 2 * k.lanes }

// groups is how many groups n neighbours take.
func (k *kernels) groups(n int) int { return (n + k.lanes - 1) / k.lanes }

// at is the place of a column's real part in its row.
func (k *kernels) at(column int) int { return column/k.lanes*k.group() + column%k.lanes }

// kernelsVariable names the environment variable that chooses the kernels.
const kernelsVariable = "HYDRAULICS_IMAGING_KERNELS"

// chosenKernels gives the kernels that the environment names, or the best that the processor runs.
func chosenKernels() (*kernels, error) {
	sets := kernelSets()
	name := os.Getenv(kernelsVariable)
	if name == "" {
		return sets[len(sets)-1], nil
	}
	var have []string
	for _, k := range sets {
		if k.name == name {
			return k, nil
		}
		have = append(have, k.name)
	}
	return nil, fmt.Errorf("%s: kernels %q are not known or not for this processor, which runs: %s", kernelsVariable, name, strings.Join(have, ", "))
}

// stageArgs are one stage of radix r, of outer times inner groups for each input:
//
//	y[p*yStep+q+k*yNext] = w[p*(r-1)+k-1] * sum over j of x[p*inner+q+j*xNext] * exp(-2 pi i j*k/r)
//
// without w where k is 0 and in a last stage. Distances count float64. A chirp multiplies the outer rows of x with
// twiddle[row]. The assembly counts down and changes what it needs; it reads the slices' addresses only.
type stageArgs struct {
	x, y                []float64
	twiddle             []complex128
	roots               []complex128
	folds               []float64 // room for 2*half groups
	outer, inner        int
	xNext, yNext, yStep int
	half, rootStep      int // of a prime radix: r/2, and the bytes of so many roots
}

// filterArgs are rows of groups: dst = spectrum * (radial*angular). The rows of dst follow one another, the next ones of
// the others are so many float64 further, or back. The first ones are at the places named At.
type filterArgs struct {
	dst, spectrum, radial, angular        []float64
	spectrumAt, radialAt, angularAt       int
	spectrumStep, radialStep, angularStep int
	rows, groups                          int
}

// transposeArgs are squares of lanes rows, below one another, of so many groups: dst[column][row] = src[row][column].
// The steps between rows count float64.
type transposeArgs struct {
	src, dst         []float64
	srcStep, dstStep int
	squares, groups  int
}

// energyArgs are the responses of an orientation's filters at so many groups of pixels, and their moments. exp is the
// table of exponentials.
type energyArgs struct {
	moments, r0, r1, r2, r3, exp []float64
	noise, noiseSquare           float64
	groups                       int
}

// powerArgs are rows of so many columns in groups: dst are their absolute values' squares, rows without gaps, with room
// for a vector at the end.
type powerArgs struct {
	src, dst      []float64
	rows, columns int
}

// betweenArgs are values of which dst shall be those from low to high, with room for a vector more. kept is their number,
// below that of the lower ones.
type betweenArgs struct {
	src, dst    []float64
	count       int
	low, high   float64
	kept, below int
}

// stripArgs are two slices of a solid of revolution, a gap apart along the axis: their edges are the points
// (y + r*cos, r*sin). Each of 8 sums has the area of the triangles at every eighth of the 8*steps parts of the edges.
type stripArgs struct {
	cos, sin, sums            []float64
	y0, r0, y1, r1, gapSquare float64
	steps                     int
}
