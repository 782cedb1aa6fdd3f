package main

import "fmt"

// slices writes the area between two slices of a solid.
type slices struct {
	*writer
	parameters map[string]int // their registers with AVX-512
}

// strip writes eight partial sums of two triangles per step along the edges.
func (w *writer) strip() {
	w.function("Strip", "stripArgs", "The area of the triangles between two slices, in eight partial sums.")
	w.Op("MOVQ stripArgs_cos(DI), SI")
	w.Op("MOVQ stripArgs_sin(DI), DX")
	w.Op("MOVQ stripArgs_steps(DI), CX")
	s := slices{w, map[string]int{}}
	if w.Opmask {
		for _, name := range []string{"y0", "y1", "r0", "r1", "gapSquare"} {
			s.parameters[name] = s.parameter(name)
		}
	}
	sums := make([]int, 8/w.Lanes)
	for i := range sums {
		sums[i] = w.take()
		w.do3("VXORPD", sums[i], sums[i], sums[i])
	}
	w.Mark("step")
	for i, sum := range sums {
		s.step(i*w.size(), sum)
	}
	w.Op("ADDQ $64, SI")
	w.Op("ADDQ $64, DX")
	w.Op("DECQ CX")
	w.Op("JNZ step")
	w.Op("MOVQ stripArgs_sums(DI), AX")
	for i, sum := range sums {
		w.Op("VMOVUPD %s, %d(AX)", w.V(sum), i*w.size())
	}
	w.End()
}

// parameter gives a register that is filled with a parameter.
func (s slices) parameter(name string) int {
	if r, ok := s.parameters[name]; ok {
		return r
	}
	r := s.take()
	s.broadcast(fmt.Sprintf("stripArgs_%s(DI)", name), r)
	return r
}

// done gives it back, unless it is kept.
func (s slices) done(name string, r int) {
	if _, ok := s.parameters[name]; !ok {
		s.drop(r)
	}
}

// point is a point of a slice's edge, from the cosine and sine so many bytes further.
func (s slices) point(slice string, disp int) (y, z int) {
	y, z = s.take(), s.take()
	r := s.parameter("r" + slice)
	s.with("VMULPD", fmt.Sprintf("%d(SI)", disp), r, y)
	s.with("VMULPD", fmt.Sprintf("%d(DX)", disp), r, z)
	s.done("r"+slice, r)
	middle := s.parameter("y" + slice)
	s.do3("VADDPD", middle, y, y)
	s.done("y"+slice, middle)
	return y, z
}

// step adds two triangles per lane: a and b are neighbours on the one edge, c and d on the other.
func (s slices) step(disp, sum int) {
	ay, az := s.point("0", disp)
	dy, dz := s.point("1", disp+8)
	vy, vz := s.take(), s.take()
	s.do3("VSUBPD", ay, dy, vy)
	s.do3("VSUBPD", az, dz, vz)
	cy, cz := s.point("1", disp)
	s.do3("VSUBPD", ay, cy, ay)
	s.do3("VSUBPD", az, cz, az)
	s.drop(cy, cz)
	first := s.triangle(ay, az, vy, vz)
	by, bz := s.point("0", disp+8)
	s.do3("VSUBPD", by, dy, by)
	s.do3("VSUBPD", bz, dz, bz)
	s.drop(dy, dz)
	second := s.triangle(by, bz, vy, vz)
	s.do3("VADDPD", first, second, first)
	s.do3("VADDPD", sum, first, sum)
	s.drop(first, second, vy, vz)
}

// triangle is [triangle]; it spends u.
func (s slices) triangle(uy, uz, vy, vz int) int {
	x, t := s.take(), s.take()
	s.do3("VMULPD", uy, vz, x)
	s.do3("VMULPD", uz, vy, t)
	s.do3("VSUBPD", x, t, x)
	s.do3("VMULPD", x, x, x)
	s.do3("VSUBPD", uz, vz, uz)
	s.do3("VMULPD", uz, uz, uz)
	s.do3("VSUBPD", vy, uy, uy)
	s.do3("VMULPD", uy, uy, uy)
	s.do3("VADDPD", uz, uy, t)
	gap := s.parameter("gapSquare")
	s.do3("VMULPD", gap, t, t)
	s.done("gapSquare", gap)
	s.do3("VADDPD", x, t, x)
	s.Op("VSQRTPD %s, %s", s.V(x), s.V(x))
	s.with("VMULPD", constant("half"), x, x)
	s.drop(t, uy, uz)
	return x
}
