package onnx

// Limits bound what a file may ask for. A file beyond them is refused.
type Limits struct {
	// Nodes is the largest number of nodes in a graph.
	Nodes int
	// Elements is the largest number of elements of one tensor, weights or
	// intermediate.
	Elements int
	// Total is the largest number of elements of all weights together, and of
	// all intermediate tensors that are alive at once.
	Total int
}

// DefaultLimits are generous for image classifiers: the largest in wide use
// have 350 million weights.
var DefaultLimits = Limits{Nodes: 20_000, Elements: 1 << 28, Total: 1 << 29}

// Limits of what has no other bound.
const (
	maxRank       = 8
	maxAttributes = 64
	maxNodeInputs = 4096 // of a Concat
	maxInts       = 4096 // of an attribute
	// tensorsPerNode bounds initialisers, inputs and outputs together.
	tensorsPerNode = 16
	maxExternals   = 4096 // files with weights
	maxBatch       = 1 << 16
	// maxConstantInts bounds integers that are computed at load: indices and masks.
	maxConstantInts = 1 << 20
)

func (l Limits) orDefault() Limits {
	if l.Nodes == 0 {
		l.Nodes = DefaultLimits.Nodes
	}
	if l.Elements == 0 {
		l.Elements = DefaultLimits.Elements
	}
	if l.Total == 0 {
		l.Total = DefaultLimits.Total
	}
	return l
}
