package onnx

import "math"

// normStep takes mean and deviation of the channels of each pixel.
type normStep struct {
	k            *kernels
	in, out      view
	eps          float64
	origin       bool
	scale, shift []float32
}

func (n *normStep) run(s *Session) {
	p := &s.pixels
	p.scale, p.shift, p.m, p.c = n.scale, n.shift, 1, n.out.c
	for y := range n.out.h {
		for x := range n.out.w {
			p.a, p.out = n.in.pixel(s.arena, y, x), n.out.pixel(s.arena, y, x)
			mean := 0.0
			if !n.origin {
				mean = sumOf(p.a) / float64(p.c)
			}
			inverse := 1 / math.Sqrt(squaresOf(p.a, mean)/float64(p.c)+n.eps)
			n.k.norm(p, float32(mean), float32(inverse))
		}
	}
}

// squaresOf is sumOf of the squares of the distances from mean.
func squaresOf(x []float32, mean float64) float64 {
	var a, b, c, d float64
	for ; len(x) >= 4; x = x[4:] {
		p, q, r, s := float64(x[0])-mean, float64(x[1])-mean, float64(x[2])-mean, float64(x[3])-mean
		a, b, c, d = a+float64(p*p), b+float64(q*q), c+float64(r*r), d+float64(s*s)
	}
	for _, v := range x {
		p := float64(v) - mean
		a += float64(p * p)
	}
	return (a + b) + (c + d)
}
