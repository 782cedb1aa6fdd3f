package onnx

import "math"

// general are the operators on tensors and constants. Where operators has one of
// the same name, it is for images, and goes first unless the input is a tensor.
var general map[string]func(*node) (ref, error)

func init() {
	general = map[string]func(*node) (ref, error){
		"Add": tensorBinary('+', nil, func(a, b int64) (int64, bool) { return a + b, true }),
		"Sub": tensorBinary('-', nil, func(a, b int64) (int64, bool) { return a - b, true }),
		"Mul": tensorBinary('*', nil, func(a, b int64) (int64, bool) { return a * b, true }),
		"Div": tensorBinary('/', nil, func(a, b int64) (int64, bool) {
			if b == 0 {
				return 0, false
			}
			return a / b, true
		}),
		"Mod": tensorBinary(0, three(math.Mod), func(a, b int64) (int64, bool) {
			if b == 0 {
				return 0, false
			}
			return ((a % b) + b) % b, true
		}),
		"Pow":     tensorBinary(0, three(math.Pow), nil),
		"Max":     tensorBinary(0, three(largest), func(a, b int64) (int64, bool) { return max(a, b), true }),
		"Min":     tensorBinary(0, three(smallest), func(a, b int64) (int64, bool) { return min(a, b), true }),
		"Equal":   tensorCompare(func(order int) bool { return order == 0 }),
		"Less":    tensorCompare(func(order int) bool { return order < 0 }),
		"Greater": tensorCompare(func(order int) bool { return order > 0 }),

		"Abs": tensorMap(math.Abs), "Ceil": tensorMap(math.Ceil), "Cos": tensorMap(math.Cos), "Erf": tensorMap(math.Erf), "Exp": tensorMap(math.Exp), "Floor": tensorMap(math.Floor),
		"Gelu": tensorGelu, "Log": tensorMap(math.Log), "Mish": tensorMap(mish), "Neg": tensorMap(func(x float64) float64 { return -x }),
		"Reciprocal": tensorMap(func(x float64) float64 { return 1 / x }), "Round": tensorMap(math.RoundToEven), "Sin": tensorMap(math.Sin),
		"Softplus": tensorMap(softplus), "Sqrt": tensorMap(math.Sqrt), "Softsign": tensorMap(func(x float64) float64 { return x / (1 + math.Abs(x)) }),

		"ReduceMean": tensorReduce(0, plus, meanOf), "ReduceSum": tensorReduce(0, plus, alone), "ReduceL1": tensorReduce(0, plusAbs, alone),
		"ReduceL2": tensorReduce(0, plusSquare, rootOf), "ReduceSumSquare": tensorReduce(0, plusSquare, alone), "ReduceProd": tensorReduce(1, times, alone),
		"ReduceMax": tensorReduce(math.Inf(-1), largest, alone), "ReduceMin": tensorReduce(math.Inf(1), smallest, alone),

		"Softmax": tensorSoftmax(false), "LogSoftmax": tensorSoftmax(true), "LayerNormalization": tensorLayerNorm, "InstanceNormalization": tensorInstanceNorm,
		"GroupNormalization": tensorGroupNorm, "LRN": tensorLRN, "MatMul": tensorMatMul, "PRelu": tensorPRelu, "ConvTranspose": tensorConvTranspose, "Resize": tensorResize,
		"Where": tensorWhere, "Gemm": tensorGemm, "Einsum": tensorEinsum, "ScatterND": tensorScatter, "Identity": lowerIdentity,
		"Relu": tensorMap(func(x float64) float64 { return max(x, 0) }), "Tanh": tensorMap(math.Tanh), "Sigmoid": tensorMap(func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }), "Clip": tensorClip,
		"Not": tensorNot, "And": tensorBinary(0, nil, func(a, b int64) (int64, bool) { return a & b, true }), "Or": tensorBinary(0, nil, func(a, b int64) (int64, bool) { return a | b, true }),

		"Reshape": tensorReshape, "Flatten": tensorFlatten, "Squeeze": tensorSqueeze, "Unsqueeze": tensorUnsqueeze, "Transpose": tensorTranspose,
		"Slice": tensorSlice, "Split": tensorSplit, "Expand": tensorExpand, "Tile": tensorTile, "Gather": tensorGather, "GatherND": tensorGatherND, "Concat": tensorConcat, "Pad": tensorPad,
		"Shape": tensorShapeOf, "ConstantOfShape": tensorConstantOfShape, "Range": tensorRange, "Cast": tensorCast,
	}
}

// lowered lowers a node as one on images or, where that is not what it is, as
// one on tensors. What an attempt in vain emitted goes.
func (n *node) lowered() (ref, error) {
	image, tensor := operators[n.op], general[n.op]
	if tensor == nil || image != nil && (activations[n.op] || !n.readsTensor()) {
		mark := len(n.l.ops)
		out, err := image(n)
		if err == nil || tensor == nil {
			return out, err
		}
		n.l.forget(mark)
		if out, err := tensor(n); err == nil {
			return out, nil
		}
		n.l.forget(mark)
		return out, err
	}
	return tensor(n)
}

// forget takes back the operations from a mark on.
func (l *lowerer) forget(mark int) {
	l.ops = l.ops[:mark]
	clear(l.converted) // some of them may be gone
}

// activations are of images and tensors alike, in vectors; general has them for
// constants.
var activations = map[string]bool{"Relu": true, "Tanh": true, "Sigmoid": true, "Clip": true}

func (n *node) readsTensor() bool {
	for _, name := range n.in {
		if n.l.refs[name].shape != nil {
			return true
		}
	}
	return false
}
