package plankton

import (
	"math"
	"math/rand/v2"
	"slices"
)

// class is a kind of particle: its name, its share in a bin, and how a specimen is built. Specimens lie along x, as
// the flow of the instrument turns long cells, tilted by a few degrees.
type class struct {
	name  string
	share float64
	build func(rng *rand.Rand, tilt float64) specimen
}

// specimen is one particle before it is drawn.
type specimen struct {
	body    solid
	bristle solid // thin outgrowths: drawn paler, without rim
	opacity float64
	rim     float64 // 0 to 1, how dark the outline is
	grain   float64 // 0 to 1, how mottled the inside is
	nucleus *ellipsoid
}

var classes = []class{
	{"demo-sphere", 0.15, sphere},
	{"demo-ellipsoid", 0.15, ellipsoidCell},
	{"demo-rod", 0.13, pennate},
	{"demo-chain", 0.12, discChain},
	{"demo-spiny", 0.10, spinyChain},
	{"demo-horned", 0.10, horned},
	{"demo-spiral", 0.10, spiral},
	{"demo-nano", 0.15, nano},
}

// Classes are the names of the classes, in a fixed order.
func Classes() []string {
	names := make([]string, len(classes))
	for i, c := range classes {
		names[i] = c.name
	}
	return names
}

func classByName(name string) (class, bool) {
	i := slices.IndexFunc(classes, func(c class) bool { return c.name == name })
	if i < 0 {
		return class{}, false
	}
	return classes[i], true
}

// between is a number in [lo, hi).
func between(rng *rand.Rand, lo, hi float64) float64 { return lo + (hi-lo)*rng.Float64() }

// around is a normal number about mean, cut at two deviations.
func around(rng *rand.Rand, mean, deviation float64) float64 {
	return mean + deviation*min(max(rng.NormFloat64(), -2), 2)
}

func at(x, y, tilt float64) point {
	sin, cos := math.Sincos(tilt)
	return point{x, y}.turned(sin, cos)
}

func sphere(rng *rand.Rand, _ float64) specimen {
	r := between(rng, 15, 27)
	centre := newEllipsoid(point{between(rng, -0.3, 0.3) * r, between(rng, -0.3, 0.3) * r}, 0.35*r, 0.3*r, 0)
	s := specimen{opacity: 0.75, rim: 0.7, grain: 0.3, nucleus: &centre}
	s.body.join(newEllipsoid(point{}, r, r, 0))
	return s
}

func ellipsoidCell(rng *rand.Rand, tilt float64) specimen {
	b := between(rng, 11, 18)
	a := b * between(rng, 1.6, 2.3)
	centre := newEllipsoid(at(between(rng, -0.4, 0.4)*a, 0, tilt), 0.25*a, 0.5*b, tilt)
	s := specimen{opacity: 0.5, rim: 1, grain: 0.35, nucleus: &centre}
	s.body.join(newEllipsoid(point{}, a, b, tilt))
	return s
}

// pennate is a spindle: two long cones joined at their thick ends.
func pennate(rng *rand.Rand, tilt float64) specimen {
	half, r := between(rng, 40, 75), between(rng, 4, 6.5)
	s := specimen{opacity: 2, rim: 0.9, grain: 0.3}
	s.body.join(
		newRod(at(-half, 0, tilt), at(0, 0, tilt), 1.2, r),
		newRod(at(0, 0, tilt), at(half, 0, tilt), r, 1.2),
	)
	return s
}

// discChain is a row of short cylinders, threaded on a thin strand.
func discChain(rng *rand.Rand, tilt float64) specimen {
	n := 4 + rng.IntN(5)
	radius, length := between(rng, 9, 14), between(rng, 9, 14)
	pitch := length + between(rng, 2.5, 4.5)
	s := specimen{opacity: 0.9, rim: 0.95, grain: 0.25}
	first := -pitch * float64(n-1) / 2
	for i := range n {
		s.body.join(newCylinder(at(first+pitch*float64(i), 0, tilt), length, radius, tilt))
	}
	s.body.join(newRod(at(first, 0, tilt), at(-first, 0, tilt), 1.2, 1.2))
	return s
}

// spinyChain is a few box-like cells with long bristles from their corners.
func spinyChain(rng *rand.Rand, tilt float64) specimen {
	n := 2 + rng.IntN(3)
	radius, length := between(rng, 8, 12), between(rng, 13, 18)
	pitch := length + 3
	s := specimen{opacity: 0.9, rim: 0.9, grain: 0.3}
	first := -pitch * float64(n-1) / 2
	for i := range n {
		x := first + pitch*float64(i)
		s.body.join(newCylinder(at(x, 0, tilt), length, radius, tilt))
		for _, side := range []float64{-1, 1} {
			for _, end := range []float64{-1, 1} {
				reach := between(rng, 22, 34)
				lean := end*between(rng, 4, 14) + 0.12*x
				corner := at(x+end*length/2, side*radius*0.9, tilt)
				elbow := at(x+end*length/2+0.6*lean, side*(radius+0.55*reach), tilt)
				tip := at(x+end*length/2+1.7*lean, side*(radius+reach), tilt)
				s.bristle.join(newRod(corner, elbow, 1.1, 0.9), newRod(elbow, tip, 0.9, 0.6))
			}
		}
	}
	s.body.join(newRod(at(first, 0, tilt), at(-first, 0, tilt), 2.5, 2.5))
	return s
}

// horned is an armoured body with one long horn ahead and two shorter ones behind.
func horned(rng *rand.Rand, tilt float64) specimen {
	r := between(rng, 12, 17)
	ahead, behind := between(rng, 40, 60), between(rng, 22, 34)
	spread := between(rng, 0.45, 0.75)
	s := specimen{opacity: 0.95, rim: 0.85, grain: 0.3}
	s.body.join(
		newEllipsoid(point{}, r, 0.92*r, tilt),
		newRod(at(0.5*r, 0, tilt), at(r+ahead, 0, tilt), 0.55*r, 1.4),
	)
	for _, side := range []float64{-1, 1} {
		root := at(-0.5*r, side*0.55*r, tilt)
		tip := at(-0.5*r-behind*math.Cos(spread), side*(0.55*r+behind*math.Sin(spread)), tilt)
		s.body.join(newRod(root, tip, 0.33*r, 1.3))
	}
	return s
}

// spiral is a round thread wound to a wave, as a helix looks from the side.
func spiral(rng *rand.Rand, tilt float64) specimen {
	turns := between(rng, 1.1, 2.2)
	length := 42 * turns * between(rng, 0.9, 1.15)
	swing, r := between(rng, 11, 17), between(rng, 3.2, 4.8)
	phase := between(rng, 0, 2*math.Pi)
	const steps = 28
	s := specimen{opacity: 2, rim: 0.75, grain: 0.2}
	where := func(i int) point {
		u := float64(i)/steps - 0.5
		return at(u*length, swing*math.Sin(phase+2*math.Pi*turns*u), tilt)
	}
	for i := range steps {
		s.body.join(newRod(where(i), where(i+1), r, r))
	}
	return s
}

func nano(rng *rand.Rand, tilt float64) specimen {
	r := between(rng, 5.5, 9)
	s := specimen{opacity: 2.2, rim: 0.5, grain: 0.2}
	s.body.join(newEllipsoid(point{}, r*between(rng, 1, 1.15), r, tilt))
	return s
}
