package onnx

import (
	"fmt"
	"strings"
)

// kernels is everything that a processor's instruction set contributes. The
// portable ones are kernel_portable.go; others only have to fill this struct.
// All of them give the same number for the same output: they start from the
// bias, add the products in the order of the weights and then the residual,
// and clamp. Those in assembly agree to the bit, but for the sign of a zero and
// which NaN it is between amd64 and arm64; the portable ones round each product,
// which a fused multiply-add does not. Erf, Gelu, exponentials and the end of a
// norm arm64 leaves to the portable ones, so that they may differ there in the last bit.
type kernels struct {
	name string
	// nr is the number of output channels that the weights of a panel hold.
	nr int
	// halves tells that a panel of at most nr/2 channels is packed half as wide.
	halves bool
	// tile is how many pixels the panel kernel works on at once.
	tile int
	// panel multiplies pixels with the weights of one panel.
	panel func(*panelArgs)
	// depthwise filters each channel of pixels by itself.
	depthwise func(*depthwiseArgs)
	// affine, binary and activate work on pixels: a*scale + shift, a fn b, and
	// the activation of a; the first two end with the bounds of act.
	affine, activate func(*pixelArgs)
	binary           func(fn byte, p *pixelArgs)
	// norm ends a norm of layers: (a - mean) * inverse * scale + shift.
	norm func(p *pixelArgs, mean, inverse float32)
	// exp gives exp(a - top), where no a is above top.
	exp func(p *pixelArgs, top float32)
	// pool takes the maximum or mean of windows.
	pool func(*poolArgs)
	// mean averages each channel of an image.
	mean func(out, arena []float32, in view)
	// ints are the kernels of integers, without which quantised models run in
	// floats; nil where the processor has none.
	ints *intKernels
}

// width is how wide the panel of n channels is packed: nr, or half of that.
func (k *kernels) width(n int) int {
	if k.halves && 2*n <= k.nr {
		return k.nr / 2
	}
	return k.nr
}

// kernelSet gives the kernels of a name, or with "" the best that the
// processor runs.
func kernelSet(name string) (*kernels, error) {
	sets := kernelSets()
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
	return nil, fmt.Errorf("kernels %q are not known or not for this processor, which runs: %s", name, strings.Join(have, ", "))
}

// panelArgs are m neighbouring output pixels and n <= nr output channels:
//
//	out[i*outStep+j] = clamp(bias[j] + sum over t, k of a[taps[t]+i*aStep+k]*w[(t*depth+k)*width(n)+j] + res[i*resStep+j])
//
// A is read where it lies in the input image: taps are the offsets of the
// kernel's elements from the first, aStep is the distance between the inputs
// of neighbouring outputs. NaN passes through the clamp.
type panelArgs struct {
	out, a, res, w, bias []float32 // res may be nil; w and bias have no gaps
	taps                 []int
	depth                int // inputs per tap
	m, n                 int
	outStep              int
	aStep                int
	resStep              int
	lo, hi               float32
	tile                 tileArgs
}

// depthwiseArgs are m neighbouring output pixels of c channels:
//
//	out[i*outStep+j] = clamp(bias[j] + sum over t of a[taps[t]+i*aStep+j]*w[t*c+j] + res[i*resStep+j])
type depthwiseArgs struct {
	out, a, res, w, bias []float32
	taps                 []int
	m, c                 int
	outStep              int
	aStep                int
	resStep              int
	lo, hi               float32
	tile                 tileArgs
}

// pixelArgs are m pixels of c channels, and what is done with each:
//
//	out[i*outStep+j] = f(a[i*aStep+j], b[i*bStep+j] or scale[j], shift[j])
//
// out may be a.
type pixelArgs struct {
	out, a, b, scale, shift []float32
	m, c                    int
	outStep, aStep, bStep   int
	act                     act
	asm                     rowArgs
}

// poolArgs are m windows of c channels; a mean divides by n.
type poolArgs struct {
	out, a         []float32
	taps           []int
	m, c           int
	outStep, aStep int
	kind           poolKind
	n              int
	asm            rowArgs
}

// tileArgs are what the assembly of products and filters reads, in the
// caller's memory so that nothing is allocated; steps and
// distances are in bytes. It counts tiles down and moves out, res and a on to the last tile.
type tileArgs struct {
	out, a, res, w, bias   *float32
	taps                   *int
	ntaps, depth, tiles, n int
	outStep, aStep         int
	resStep, wStep         int
	outTile, aTile         int
	resTile, hasRes        int
	lo, hi                 float32
}

// rowArgs are the same for pixels. lo and hi are the bounds, the factor and sum of a
// hard sigmoid, or lo the divisor of a mean.
type rowArgs struct {
	out, a, b, scale, shift *float32
	taps                    *int
	ntaps, m, c             int
	outStep, aStep, bStep   int
	lo, hi                  float32
	alpha, beta             float32 // of rounding; or alpha what an exponential is taken from
}
