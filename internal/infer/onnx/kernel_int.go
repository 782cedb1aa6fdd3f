package onnx

import "unsafe"

// intKernels are what an instruction set contributes to networks of integers.
// Activations are bytes, whatever the file has: int8 is shifted by 128. Sums are
// exact in 32 bits, so that all sets give the same bits.
type intKernels struct {
	// nr is the number of output channels of a panel, packed half as wide where
	// that is enough.
	nr int
	// panel multiplies pixels with the weights of one panel, depthwise filters
	// each channel by itself.
	panel, depthwise func(*intPanelArgs)
	// scale goes from floats to bytes, from bytes to others or to floats; add
	// adds bytes to bytes.
	scale, add func(*scaleArgs)
}

func (k *intKernels) width(n int) int {
	if 2*n <= k.nr {
		return k.nr / 2
	}
	return k.nr
}

// quad is how many channels a product takes at a time. It reads past a pixel's
// channels, with weights of 0 for what does not exist.
const quad = 4

// intPanelArgs are m neighbouring output pixels and n output channels:
//
//	sum = start[j] + sum over t, k of a[taps[t]+i*aStep+k]*w[((t*depth+k)/4*width(n)+j)*4+k%4]
//	y = clamp(float(sum)*mult[j] + add[j] + res[i*resStep+j]*resScale)
//
// with one rounding per product and sum of floats. Either floats or bytes is
// the output at i*outStep+j: y, or y rounded half to even plus zero. depth is a
// multiple of 4. In a depthwise filter k is j and the weight filters[t*n+j].
type intPanelArgs struct {
	floats           []float32
	bytes            []uint8
	a                []uint8
	res              []float32 // or nil
	w                []int8
	filters          []int32
	start            []int32
	mult, add        []float32
	taps             []int
	depth            int
	m, n             int
	outStep, aStep   int
	resStep          int
	resScale, lo, hi float32
	zero             int32
	tile             intTileArgs
}

// scaleArgs are m pixels of c channels: of a, floats or bytes,
//
//	y = clamp((a[i*aStep+j] - zeroA)*scale[j] + shift[j])
//
// or, to bytes and without scale, of floats a, of bytes a, and of bytes a and b
//
//	y = clamp(a[i*aStep+j]/step)
//	y = clamp((a[i*aStep+j] - zeroA)*scaleA/step)
//	y = clamp(((a[i*aStep+j] - zeroA)*scaleA + (b[i*bStep+j] - zeroB)*scaleB)/step)
//
// and to floats or bytes as in intPanelArgs. In bytes NaN is lo. The first rounds
// once, the others as the operators do: what is rounded already often falls on a
// half again, where the last bit decides.
type scaleArgs struct {
	floats                []float32
	bytes                 []uint8
	aFloats               []float32
	a, b                  []uint8
	scale, shift          []float32
	zeroA, zeroB          float32
	scaleA, scaleB, step  float32
	m, c                  int
	outStep, aStep, bStep int
	lo, hi                float32
	zero                  int32
	asm                   scaleRowArgs
}

// intTileArgs are what the assembly of products and filters reads: see tileArgs.
type intTileArgs struct {
	out, a, res, w, start  unsafe.Pointer
	mult, add              *float32
	taps                   *int
	ntaps, depth, tiles, n int // depth in quads
	outStep, aStep         int
	resStep, wStep         int
	outTile, aTile         int
	resTile, hasRes        int
	toBytes                int
	resScale, lo, hi       float32
	zero                   int32
}

// scaleRowArgs are the same for pixels.
type scaleRowArgs struct {
	out, a, b             unsafe.Pointer
	scale, shift          *float32
	m, c                  int
	outStep, aStep, bStep int
	zeroA, zeroB          float32
	scaleA, scaleB, step  float32
	lo, hi                float32
	zero                  int32
}
