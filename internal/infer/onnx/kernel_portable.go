package onnx

// portable are the kernels in plain Go.
var portable = kernels{name: "portable", nr: portableNR, panel: portablePanel, depthwise: portableDepthwise,
	affine: portableAffine, activate: portableActivate, binary: portableBinary, pool: portablePool, mean: portableMean, norm: portableNorm, exp: portableExp, tile: 2}

const portableNR = 4

// portablePanel works in tiles of 2 pixels by 4 channels: eight sums, which a
// processor's registers hold.
func portablePanel(p *panelArgs) {
	i := 0
	for ; i+2 <= p.m; i += 2 {
		portableTile2(p, i)
	}
	if i < p.m {
		portableTile1(p, i)
	}
}

func portableTile2(p *panelArgs, i int) {
	b := (*[4]float32)(p.bias)
	s0, s1, s2, s3 := b[0], b[1], b[2], b[3]
	t0, t1, t2, t3 := s0, s1, s2, s3
	w := p.w
	for _, tap := range p.taps {
		x := p.a[tap+i*p.aStep:][:p.depth]
		y := p.a[tap+(i+1)*p.aStep:][:p.depth]
		for k, u := range x {
			v := y[k]
			q := (*[4]float32)(w[4*k:])
			s0 += float32(u * q[0])
			t0 += float32(v * q[0])
			s1 += float32(u * q[1])
			t1 += float32(v * q[1])
			s2 += float32(u * q[2])
			t2 += float32(v * q[2])
			s3 += float32(u * q[3])
			t3 += float32(v * q[3])
		}
		w = w[4*p.depth:]
	}
	p.store(i, [4]float32{s0, s1, s2, s3})
	p.store(i+1, [4]float32{t0, t1, t2, t3})
}

func portableTile1(p *panelArgs, i int) {
	b := (*[4]float32)(p.bias)
	s0, s1, s2, s3 := b[0], b[1], b[2], b[3]
	w := p.w
	for _, tap := range p.taps {
		for k, u := range p.a[tap+i*p.aStep:][:p.depth] {
			q := (*[4]float32)(w[4*k:])
			s0 += float32(u * q[0])
			s1 += float32(u * q[1])
			s2 += float32(u * q[2])
			s3 += float32(u * q[3])
		}
		w = w[4*p.depth:]
	}
	p.store(i, [4]float32{s0, s1, s2, s3})
}

// store ends the sums of one pixel.
func (p *panelArgs) store(i int, sums [4]float32) {
	out := p.out[i*p.outStep:][:p.n]
	if p.res != nil {
		for j, r := range p.res[i*p.resStep:][:p.n] {
			sums[j] += r
		}
	}
	for j := range out {
		out[j] = clamp(sums[j], p.lo, p.hi)
	}
}

// clamp lets NaN pass.
func clamp(v, lo, hi float32) float32 {
	if v < lo {
		return lo
	}
	if v > hi {
		return hi
	}
	return v
}

func portableDepthwise(p *depthwiseArgs) {
	for i := range p.m {
		out := p.out[i*p.outStep:][:p.c]
		copy(out, p.bias)
		for t, tap := range p.taps {
			x := p.a[tap+i*p.aStep:][:p.c]
			w := p.w[t*p.c:][:p.c]
			for j, v := range x {
				out[j] += float32(v * w[j])
			}
		}
		if p.res != nil {
			for j, r := range p.res[i*p.resStep:][:p.c] {
				out[j] += r
			}
		}
		for j, v := range out {
			out[j] = clamp(v, p.lo, p.hi)
		}
	}
}
