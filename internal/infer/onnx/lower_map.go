package onnx

import (
	"fmt"
	"math"
)

// Functions of each element.

func tensorMap(fn func(float64) float64) func(*node) (ref, error) {
	return tensorEach(apply(func(v float32) float32 { return float32(fn(float64(v))) }))
}

func tensorEach(fn func(out, in []float32)) func(*node) (ref, error) {
	return func(n *node) (ref, error) {
		x, err := n.floats(0)
		if err != nil {
			return x, err
		}
		return n.compute(&mapBody{fn}, x.dims(), x)
	}
}

// parameter is an attribute of such a function, and what it is where it is not given.
type parameter struct {
	name string
	def  float32
}

// tensorMapBy is a function of each element and of up to two attributes.
func tensorMapBy(fn func(x, p, q float64) float64, params ...parameter) func(*node) (ref, error) {
	return func(n *node) (ref, error) {
		var values [2]float64
		for i, p := range params {
			values[i] = float64(n.floatAttr(p.name, p.def))
		}
		return tensorMap(func(x float64) float64 { return fn(x, values[0], values[1]) })(n)
	}
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func swish(x, alpha, _ float64) float64 { return x * logistic(alpha*x) }

func selu(x, alpha, gamma float64) float64 {
	if x > 0 {
		return gamma * x
	}
	return gamma * alpha * math.Expm1(x)
}

func celu(x, alpha, _ float64) float64 { return max(x, 0) + min(0, alpha*math.Expm1(x/alpha)) }

func thresholded(x, alpha, _ float64) float64 {
	if x > alpha {
		return x
	}
	return 0
}

func shrink(x, lambda, bias float64) float64 {
	switch {
	case x < -lambda:
		return x + bias
	case x > lambda:
		return x - bias
	}
	return 0
}

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}

func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

func mish(x float64) float64 { return x * math.Tanh(softplus(x)) }

// gelu gives the activation that a node is.
func (n *node) gelu() (act, error) {
	switch how := n.stringAttr("approximate", "none"); how {
	case "none":
		return act{kind: actGelu}, nil
	case "tanh":
		return act{kind: actGeluTanh}, nil
	default:
		return act{}, fmt.Errorf("attribute approximate: %s is not known", how)
	}
}

func lowerGelu(n *node) (ref, error) {
	a, err := n.gelu()
	if err != nil {
		return ref{}, err
	}
	return n.activate(a)
}

// tensorGelu is of constants.
func tensorGelu(n *node) (ref, error) {
	a, err := n.gelu()
	if err != nil {
		return ref{}, err
	}
	return tensorEach(a.apply)(n)
}
