package imaging

import "math"

func power(v complex128) float64 {
	return float64(real(v)*real(v)) + float64(imag(v)*imag(v))
}

// portableEnergy adds the square of one orientation's phase congruency to the moments.
//
// With the sum S of the responses r, the energy is the sum over r of r.u - |r x u| for S's direction u = S/(|S| + epsilon):
// that is (|S|^2 - sum of |r x S|)/(|S| + epsilon). Most pixels have less of it than the noise, which needs no root to see.
func portableEnergy(p *energyArgs) {
	moments := p.moments[:p.groups]
	for i := range moments {
		a, b, c, d := get(p.r0, 2*i), get(p.r1, 2*i), get(p.r2, 2*i), get(p.r3, 2*i)
		sum := a + b + c + d
		square := power(sum)
		energy := square - cross(a, sum) - cross(b, sum) - cross(c, sum) - cross(d, sum)
		if energy <= 0 || float64(energy*energy) < p.noiseSquare*square {
			if a == 0 && b == 0 && c == 0 && d == 0 { // 0/0 as in the original: no edge
				moments[i] = math.NaN()
			}
			continue
		}
		norm := math.Sqrt(square) + epsilon
		if energy -= float64(p.noise * norm); energy <= 0 {
			continue
		}
		a0, a1, a2, a3 := math.Sqrt(power(a)), math.Sqrt(power(b)), math.Sqrt(power(c)), math.Sqrt(power(d))
		amplitudes := a0 + a1 + a2 + a3
		spread := float64((amplitudes/(max(a0, a1, a2, a3)+epsilon) - 1) * (1.0 / (scales - 1)))
		congruency := energy / (norm * amplitudes * (1 + exp(float64(gain*(cutOff-spread)))))
		moments[i] += float64(congruency * congruency)
	}
}

// cross is the area between two vectors.
func cross(a, b complex128) float64 {
	return math.Abs(float64(real(a)*imag(b)) - float64(imag(a)*real(b)))
}

func portablePowers(p *powerArgs) {
	for i := range p.dst[:p.rows*p.columns] {
		p.dst[i] = power(get(p.src, 2*i))
	}
}

// portableBetween compares the bits: of numbers that are not negative they order as the numbers do, and need no
// branches, which here no processor could foresee.
func portableBetween(p *betweenArgs) {
	low, high := math.Float64bits(p.low), math.Float64bits(p.high)
	below, n := 0, 0
	for _, v := range p.src[:p.count] {
		bits := math.Float64bits(v)
		under, over := (bits-low)>>63, (high-bits)>>63
		below += int(under)
		p.dst[n] = v
		n += int(1 - (under | over))
	}
	p.kept, p.below = n, below
}

func portableStrip(p *stripArgs) {
	cos, sin := p.cos[:8*p.steps+1], p.sin[:8*p.steps+1]
	point := func(y, r float64, j int) edge { return edge{y + float64(r*cos[j]), float64(r * sin[j])} }
	var sums [8]float64
	b, d := point(p.y0, p.r0, 0), point(p.y1, p.r1, 0)
	for j := range 8 * p.steps {
		a, c := b, d
		b, d = point(p.y0, p.r0, j+1), point(p.y1, p.r1, j+1)
		vy, vz := a.y-d.y, a.z-d.z // the diagonal
		sums[j%8] += triangle(p.gapSquare, a.y-c.y, a.z-c.z, vy, vz) + triangle(p.gapSquare, b.y-d.y, b.z-d.z, vy, vz)
	}
	copy(p.sums, sums[:])
}

// edge is a point of a slice's edge.
type edge struct{ y, z float64 }

// triangle is the area between two vectors that both lead back by a gap along the axis.
func triangle(gapSquare, uy, uz, vy, vz float64) float64 {
	x, y, z := float64(uy*vz)-float64(uz*vy), uz-vz, vy-uy
	return float64(0.5 * math.Sqrt(float64(x*x)+float64(gapSquare*(float64(y*y)+float64(z*z)))))
}
