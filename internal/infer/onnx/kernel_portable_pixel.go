package onnx

import "math"

// The kernels on pixels in plain Go.

func portableAffine(p *pixelArgs) {
	lo, hi := p.act.bounds()
	scale, shift := p.scale[:p.c], p.shift[:p.c]
	for i := range p.m {
		out := p.out[i*p.outStep:][:p.c]
		for j, v := range p.a[i*p.aStep:][:p.c] {
			out[j] = clamp(float32(v*scale[j])+shift[j], lo, hi)
		}
	}
}

func portableBinary(fn byte, p *pixelArgs) {
	lo, hi := p.act.bounds()
	for i := range p.m {
		out, a, b := p.out[i*p.outStep:][:p.c], p.a[i*p.aStep:][:p.c], p.b[i*p.bStep:][:p.c]
		switch fn {
		case '+':
			for j := range out {
				out[j] = clamp(a[j]+b[j], lo, hi)
			}
		case '-':
			for j := range out {
				out[j] = clamp(a[j]-b[j], lo, hi)
			}
		case '*':
			for j := range out {
				out[j] = clamp(a[j]*b[j], lo, hi)
			}
		}
	}
}

func portableActivate(p *pixelArgs) {
	for i := range p.m {
		p.act.apply(p.out[i*p.outStep:][:p.c], p.a[i*p.aStep:][:p.c])
	}
}

// apply applies an activation; dst may be src.
func (a act) apply(dst, src []float32) {
	dst = dst[:len(src)]
	switch a.kind {
	case actNone:
		copy(dst, src)
	case actClamp:
		for i, v := range src {
			dst[i] = clamp(v, a.lo, a.hi)
		}
	case actSigmoid:
		for i, v := range src {
			dst[i] = sigmoid(v)
		}
	case actSilu:
		for i, v := range src {
			dst[i] = v * sigmoid(v)
		}
	case actHardSigmoid:
		for i, v := range src {
			dst[i] = clamp(float32(v*a.alpha)+a.beta, 0, 1)
		}
	case actHardSwish:
		for i, v := range src {
			dst[i] = v * clamp(float32(v*a.alpha)+a.beta, 0, 1)
		}
	case actTanh:
		for i, v := range src {
			dst[i] = float32(math.Tanh(float64(v)))
		}
	case actLeaky:
		for i, v := range src {
			if v < 0 {
				v *= a.alpha
			}
			dst[i] = v
		}
	case actElu:
		for i, v := range src {
			if v < 0 {
				v = a.alpha * float32(math.Expm1(float64(v)))
			}
			dst[i] = v
		}
	case actErf:
		erfCurve.run(dst, src)
	case actGelu:
		geluCurve.run(dst, src)
	case actGeluTanh:
		geluTanhCurve.run(dst, src)
	case actQuantised:
		for i, v := range src {
			q := float32(math.RoundToEven(float64(v/a.alpha))) + a.beta
			dst[i] = (clamp(q, a.lo, a.hi) - a.beta) * a.alpha
		}
	}
}

func sigmoid(v float32) float32 { return float32(1 / (1 + math.Exp(-float64(v)))) }

func portableNorm(p *pixelArgs, mean, inverse float32) {
	scale, shift := p.scale[:p.c], p.shift[:p.c]
	for i := range p.m {
		out := p.out[i*p.outStep:][:p.c]
		for j, v := range p.a[i*p.aStep:][:p.c] {
			out[j] = float32(float32((v-mean)*inverse)*scale[j]) + shift[j]
		}
	}
}

func portableExp(p *pixelArgs, top float32) {
	for i := range p.m {
		out := p.out[i*p.outStep:][:p.c]
		for j, v := range p.a[i*p.aStep:][:p.c] {
			out[j] = float32(expOf(float64(v - top)))
		}
	}
}

func portablePool(p *poolArgs) {
	for i := range p.m {
		out := p.out[i*p.outStep:][:p.c]
		first := -inf
		if p.kind == poolMean {
			first = 0
		}
		for j := range out {
			out[j] = first
		}
		for _, tap := range p.taps {
			in := p.a[tap+i*p.aStep:][:p.c]
			if p.kind == poolMean {
				for j, v := range in {
					out[j] += v
				}
				continue
			}
			for j, v := range in {
				if v > out[j] || v != v {
					out[j] = v
				}
			}
		}
		if p.kind == poolMean {
			for j := range out {
				out[j] /= float32(p.n)
			}
		}
	}
}

// portableMean sums in float64.
func portableMean(out, arena []float32, in view) {
	const lanes = 16
	n := float64(in.h * in.w)
	for c := 0; c < in.c; c += lanes {
		var sums [lanes]float64
		m := min(lanes, in.c-c)
		for y := range in.h {
			for x := range in.w {
				for j, v := range in.pixel(arena, y, x)[c : c+m] {
					sums[j] += float64(v)
				}
			}
		}
		for j := range m {
			out[c+j] = float32(sums[j] / n)
		}
	}
}
