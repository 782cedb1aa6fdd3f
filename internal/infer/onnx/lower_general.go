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
		"Equal":   tensorCompare(func(a, b int64) (int64, bool) { return truth(a == b) }),
		"Less":    tensorCompare(func(a, b int64) (int64, bool) { return truth(a < b) }),
		"Greater": tensorCompare(func(a, b int64) (int64, bool) { return truth(a > b) }),

		"Abs": tensorMap(math.Abs), "Ceil": tensorMap(math.Ceil), "Cos": tensorMap(math.Cos), "Erf": tensorMap(math.Erf), "Exp": tensorMap(math.Exp), "Floor": tensorMap(math.Floor),
		"Gelu": tensorGelu, "Log": tensorMap(math.Log), "Mish": tensorMap(mish), "Neg": tensorMap(func(x float64) float64 { return -x }),
		"Reciprocal": tensorMap(func(x float64) float64 { return 1 / x }), "Round": tensorMap(math.RoundToEven), "Sin": tensorMap(math.Sin),
		"Softplus": tensorMap(softplus), "Sqrt": tensorMap(math.Sqrt), "Softsign": tensorMap(func(x float64) float64 { return x / (1 + math.Abs(x)) }),

		"ReduceMean": tensorReduce(0, plus, meanOf), "ReduceSum": tensorReduce(0, plus, alone), "ReduceL1": tensorReduce(0, plusAbs, alone),
		"ReduceL2": tensorReduce(0, plusSquare, rootOf), "ReduceSumSquare": tensorReduce(0, plusSquare, alone), "ReduceProd": tensorReduce(1, times, alone),
		"ReduceMax": tensorReduce(math.Inf(-1), largest, alone), "ReduceMin": tensorReduce(math.Inf(1), smallest, alone),

		"Softmax": tensorSoftmax(false), "LogSoftmax": tensorSoftmax(true), "LayerNormalization": tensorLayerNorm, "InstanceNormalization": tensorInstanceNorm,
		"GroupNormalization": tensorGroupNorm, "LRN": tensorLRN, "MatMul": tensorMatMul, "PRelu": tensorPRelu, "ConvTranspose": tensorConvTranspose, "Resize": tensorResize,
		"Where": tensorWhere,

		"Reshape": tensorReshape, "Flatten": tensorFlatten, "Squeeze": tensorSqueeze, "Unsqueeze": tensorUnsqueeze, "Transpose": tensorTranspose,
		"Slice": tensorSlice, "Split": tensorSplit, "Expand": tensorExpand, "Tile": tensorTile, "Gather": tensorGather, "Concat": tensorConcat, "Pad": tensorPad,
		"Shape": tensorShapeOf, "ConstantOfShape": tensorConstantOfShape, "Range": tensorRange, "Cast": tensorCast,
	}
}

func tensorCompare(fn func(a, b int64) (int64, bool)) func(*node) (ref, error) {
	return tensorBinary(0, nil, fn)
}

// lowered lowers a node as one on images or, where that is not what it is, as
// one on tensors. What an attempt in vain emitted goes.
func (n *node) lowered() (ref, error) {
	image, tensor := operators[n.op], general[n.op]
	if tensor == nil || image != nil && !n.readsTensor() {
		mark := len(n.l.ops)
		out, err := image(n)
		if err == nil || tensor == nil {
			return out, err
		}
		n.l.ops = n.l.ops[:mark]
		if out, err := tensor(n); err == nil {
			return out, nil
		}
		n.l.ops = n.l.ops[:mark]
		return out, err
	}
	return tensor(n)
}

func (n *node) readsTensor() bool {
	for _, name := range n.in {
		if n.l.refs[name].shape != nil {
			return true
		}
	}
	return false
}
