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
		"Pow":  tensorBinary(0, three(math.Pow), nil),
		"Max":  tensorSeveral(arithmetic{0, three(largest), func(a, b int64) (int64, bool) { return max(a, b), true }}, false),
		"Min":  tensorSeveral(arithmetic{0, three(smallest), func(a, b int64) (int64, bool) { return min(a, b), true }}, false),
		"Sum":  tensorSeveral(arithmetic{fast: '+'}, false),
		"Mean": tensorSeveral(arithmetic{fast: '+'}, true),

		"Equal": tensorCompare(func(order int) bool { return order == 0 }), "Less": tensorCompare(func(order int) bool { return order < 0 }),
		"Greater": tensorCompare(func(order int) bool { return order > 0 }), "LessOrEqual": tensorCompare(func(order int) bool { return order <= 0 }),
		"GreaterOrEqual": tensorCompare(func(order int) bool { return order >= 0 }), "IsNaN": tensorIs(isNaN), "IsInf": tensorIs(isInf),
		"Not": tensorNot, "And": tensorLogic(func(a, b int64) (int64, bool) { return a & b, true }), "Or": tensorLogic(func(a, b int64) (int64, bool) { return a | b, true }),
		"Xor": tensorLogic(func(a, b int64) (int64, bool) { return a ^ b, true }), "Where": tensorWhere,

		"Abs": tensorMap(math.Abs), "Ceil": tensorMap(math.Ceil), "Cos": tensorMap(math.Cos), "Erf": tensorEach(erfCurve.run), "Exp": tensorMap(math.Exp), "Floor": tensorMap(math.Floor),
		"Gelu": tensorGelu, "Log": tensorMap(math.Log), "Mish": tensorMap(mish), "Neg": tensorMap(func(x float64) float64 { return -x }),
		"Reciprocal": tensorMap(func(x float64) float64 { return 1 / x }), "Round": tensorMap(math.RoundToEven), "Sin": tensorMap(math.Sin),
		"Softplus": tensorMap(softplus), "Sqrt": tensorMap(math.Sqrt), "Softsign": tensorMap(func(x float64) float64 { return x / (1 + math.Abs(x)) }), "Sign": tensorMap(sign),
		"Tan": tensorMap(math.Tan), "Asin": tensorMap(math.Asin), "Acos": tensorMap(math.Acos), "Atan": tensorMap(math.Atan), "Sinh": tensorMap(math.Sinh), "Cosh": tensorMap(math.Cosh),
		"Asinh": tensorMap(math.Asinh), "Acosh": tensorMap(math.Acosh), "Atanh": tensorMap(math.Atanh),
		"Selu": tensorMapBy(selu, parameter{"alpha", 1.6732632}, parameter{"gamma", 1.0507010}), "Celu": tensorMapBy(celu, parameter{"alpha", 1}),
		"ThresholdedRelu": tensorMapBy(thresholded, parameter{"alpha", 1}), "Shrink": tensorMapBy(shrink, parameter{"lambd", 0.5}, parameter{"bias", 0}),
		"Swish": tensorMapBy(swish, parameter{"alpha", 1}),

		"ReduceMean": tensorReduce(0, plus, meanOf), "ReduceSum": tensorReduce(0, plus, alone), "ReduceL1": tensorReduce(0, plusAbs, alone),
		"ReduceL2": tensorReduce(0, plusSquare, rootOf), "ReduceSumSquare": tensorReduce(0, plusSquare, alone), "ReduceProd": tensorReduce(1, times, alone),
		"ReduceMax": tensorReduce(math.Inf(-1), largest, alone), "ReduceMin": tensorReduce(math.Inf(1), smallest, alone),
		"ReduceLogSum": tensorReduce(0, plus, logOf), "ReduceLogSumExp": tensorReduce(math.Inf(-1), plusExp, alone),
		"GlobalAveragePool": tensorGlobal(always(meanOfAll)), "GlobalMaxPool": tensorGlobal(always(largestOfAll)), "GlobalLpPool": tensorGlobal(powers),
		"LpNormalization": tensorLpNorm, "MeanVarianceNormalization": tensorMeanVariance,

		"Attention": tensorAttention, "Softmax": tensorSoftmax(false), "LogSoftmax": tensorSoftmax(true), "LayerNormalization": tensorLayerNorm(false), "InstanceNormalization": tensorInstanceNorm,
		"GroupNormalization": tensorGroupNorm, "RMSNormalization": tensorLayerNorm(true), "BatchNormalization": tensorBatchNorm, "LRN": tensorLRN,
		"MatMul": tensorMatMul, "PRelu": tensorPRelu, "Gemm": tensorGemm, "Einsum": tensorEinsum, "ScatterND": tensorScatter, "Identity": lowerIdentity, "Dropout": lowerDropout,
		"Conv": tensorConv, "MaxPool": tensorPool(maxPool), "AveragePool": tensorPool(averagePool), "LpPool": tensorLpPool, "ConvTranspose": tensorConvTranspose,
		"Resize": tensorResize, "Upsample": tensorResize, "DepthToSpace": tensorDepthToSpace, "SpaceToDepth": tensorSpaceToDepth,
		"Relu": tensorMap(func(x float64) float64 { return max(x, 0) }), "Tanh": tensorMap(math.Tanh), "Sigmoid": tensorMap(logistic), "Clip": tensorClip,

		"Reshape": tensorReshape, "Flatten": tensorFlatten, "Squeeze": tensorSqueeze, "Unsqueeze": tensorUnsqueeze, "Transpose": tensorTranspose,
		"Slice": tensorSlice, "Split": tensorSplit, "Expand": tensorExpand, "Tile": tensorTile, "Gather": tensorGather, "GatherND": tensorGatherND, "Concat": tensorConcat, "Pad": tensorPad,
		"Shape": tensorShapeOf, "ConstantOfShape": tensorConstantOfShape, "Range": tensorRange, "Cast": tensorCast,
	}
}

// lowered lowers a node as one on images or, where that is not what it is, as
// one on tensors. What an attempt in vain emitted goes.
func (n *node) lowered() (ref, error) {
	image, tensor := operators[n.op], general[n.op]
	if tensor == nil || image != nil && (imagesFirst[n.op] || !n.readsTensor()) {
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

// imagesFirst are the operators that are tried on images even where they read a tensor:
// activations, which are of both in vectors, and those of images, where a tensor is one.
var imagesFirst = map[string]bool{"Relu": true, "Tanh": true, "Sigmoid": true, "Clip": true, "Erf": true, "Gelu": true, "Conv": true, "MaxPool": true, "AveragePool": true,
	"GlobalAveragePool": true, "GlobalMaxPool": true, "BatchNormalization": true}

func (n *node) readsTensor() bool {
	for _, name := range n.in {
		if n.l.refs[name].shape != nil {
			return true
		}
	}
	return false
}
