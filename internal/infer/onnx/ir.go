package onnx

import "math"

// The intermediate form: operations on images in memory. A value is always
// height x width x channels of one image; what the file calls its axes is the
// business of lowering.

// value is one intermediate image or, with h = w = 1, vector.
type value struct {
	h, w, c int
	def     *op   // nil for the input
	users   int   // operations that read it, counted by program.dropDead
	out     bool  // the caller reads it
	grid    *grid // of what is kept as bytes; nil for floats
}

func (v *value) size() int { return v.h * v.w * v.c }

type opKind uint8

const (
	opConv opKind = iota + 1 // convolution or, 1x1, matrix product
	opPool
	opGlobal // mean or maximum over the image
	opAffine // x*scale + shift per channel
	opAct
	opBinary // of two images, or an image and a vector
	opConcat // of channels
	opSoftmax
	opNorm // of each pixel: its channels less their mean, by their deviation, times scale, plus shift
	opPad
	opFlatten
	opBody  // of tensors
	opLoad  // a tensor of an image
	opStore // an image of a tensor
)

// op is one operation. Its activation, if any, comes last.
type op struct {
	kind opKind
	name string // of the node, for errors
	in   []*value
	out  *value
	act  act

	win     window    // conv, pool, pad
	w, bias []float32 // conv: [out][in/groups][kh][kw], and a bias per output channel
	groups  int
	ints    *intWeights // conv: the same weights as integers, where the file has them
	grid    *grid       // conv: of its input, when it sums integers
	res     *value      // conv: added before the activation
	rows    int         // of a tensor that is seen as an image: so many pixels in one row
	pre     *op         // conv: an affine operation or a gate that its input passes first
	scale   []float32   // affine, norm
	shift   []float32

	pool   poolKind // pool, global
	padded bool     // average pool: padding counts
	fn     byte     // binary: + - *
	fill   float32  // pad
	chw    bool     // flatten: channels first
	axes   string   // load: the tensor's
	eps    float64  // norm: added to the square of the deviation
	origin bool     // norm: the deviation is from zero
	body   body
	args   []operand // of the body
}

// window is the geometry of a convolution, pool or padding.
type window struct {
	kh, kw, sh, sw, dh, dw   int
	top, left, bottom, right int
}

func (w window) one() bool {
	return w.kh == 1 && w.kw == 1 && w.sh == 1 && w.sw == 1 && w.top|w.left|w.bottom|w.right == 0
}

// onePixel is the window of a matrix product.
var onePixel = window{kh: 1, kw: 1, sh: 1, sw: 1, dh: 1, dw: 1}

type poolKind uint8

const (
	poolMax poolKind = iota
	poolMean
)

type actKind uint8

const (
	actNone actKind = iota
	actClamp
	actSigmoid
	actSilu
	actHardSigmoid
	actHardSwish
	actTanh
	actLeaky
	actElu
	actQuantised // rounded to the numbers that integers stand for; not a clamp
	actErf
	actGelu
	actGeluTanh
)

// act is an activation. Clamp has lo and hi, which may be infinite; the others
// use alpha and beta as ONNX does. Quantised has the scale in alpha, the zero
// point in beta and the integers' range in lo and hi.
type act struct {
	kind        actKind
	lo, hi      float32
	alpha, beta float32
}

var inf = float32(math.Inf(1))

// bounds gives what a kernel clamps to: everything, without a clamp.
func (a act) bounds() (lo, hi float32) {
	if a.kind == actClamp {
		return a.lo, a.hi
	}
	return -inf, inf
}

// program is a network in the intermediate form, in an order that can run.
type program struct {
	ops  []*op
	in   *value
	outs []ref // that the caller reads, the scores first
}

// reads gives the values an operation reads.
func (o *op) reads() []*value {
	list := o.in[:len(o.in):len(o.in)]
	if o.res != nil {
		list = append(list, o.res)
	}
	if o.pre != nil && o.pre.kind == opBinary {
		list = append(list, o.pre.in[1])
	}
	return list
}
