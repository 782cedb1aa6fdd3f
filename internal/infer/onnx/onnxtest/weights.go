// Package onnxtest makes the weights and inputs of tests, the same as
// testdata/weights.py makes for ONNX Runtime.
package onnxtest

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

// Uniform fills dst with numbers from lo to hi that depend on the name: element
// i is lo + (hi-lo)*u, rounded once to float32, u being the upper 24 bits of the
// i-th output of splitmix64 from the name's FNV-1a hash, as a fraction.
func Uniform(dst []float32, name string, lo, hi float64) {
	h := fnv.New64a()
	h.Write([]byte(name))
	state := h.Sum64()
	for i := range dst {
		state += 0x9E3779B97F4A7C15
		z := state
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		z ^= z >> 31
		u := float64(z>>40) / (1 << 24)
		dst[i] = float32(lo + float64((hi-lo)*u))
	}
}

// Fill gives a tensor without data its weights, by the rule in its doc string:
// "fill uniform LO HI".
func Fill(name, doc string, dst []float32) error {
	rest, ok := strings.CutPrefix(doc, "fill uniform ")
	los, his, two := strings.Cut(rest, " ")
	lo, err1 := strconv.ParseFloat(los, 64)
	hi, err2 := strconv.ParseFloat(his, 64)
	if !ok || !two || err1 != nil || err2 != nil {
		return fmt.Errorf("tensor %q: %q is no rule for its weights", name, doc)
	}
	Uniform(dst, name, lo, hi)
	return nil
}
