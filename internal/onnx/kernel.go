package onnx

// kernels is everything that a processor's instruction set contributes. The
// portable ones are kernel_portable.go; others only have to fill this struct.
// All of them give the same number for the same output: they start from the
// bias, add the products in the order of the weights and then the residual,
// and clamp.
type kernels struct {
	name string
	// nr is the number of output channels that the weights of a panel hold.
	nr int
	// panel multiplies pixels with the weights of one panel.
	panel func(*panelArgs)
	// depthwise filters each channel of pixels by itself.
	depthwise func(*depthwiseArgs)
}

// panelArgs are m neighbouring output pixels and n <= nr output channels:
//
//	out[i*outStep+j] = clamp(bias[j] + sum over t, k of a[taps[t]+i*aStep+k]*w[(t*depth+k)*nr+j] + res[i*resStep+j])
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
}
