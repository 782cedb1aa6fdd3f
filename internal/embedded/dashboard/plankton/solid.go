package plankton

import "math"

// point is a place in px, x to the right, y down.
type point struct{ x, y float64 }

func (p point) add(q point) point             { return point{p.x + q.x, p.y + q.y} }
func (p point) sub(q point) point             { return point{p.x - q.x, p.y - q.y} }
func (p point) times(f float64) point         { return point{p.x * f, p.y * f} }
func (p point) dot(q point) float64           { return p.x*q.x + p.y*q.y }
func (p point) length() float64               { return math.Hypot(p.x, p.y) }
func (p point) turned(sin, cos float64) point { return point{p.x*cos - p.y*sin, p.x*sin + p.y*cos} }

// part is a simple solid that is symmetric to the image plane.
type part interface {
	// depth is the solid's thickness at p in px (0 outside) and how far p is from its axis or centre to its edge:
	// below 1 inside, above 1 outside.
	depth(p point) (thickness, edge float64)
	// extent is the box around the part.
	extent() (lo, hi point)
}

// ellipsoid is a prolate or oblate one: half axes a along x, b along y and in depth, turned by an angle.
type ellipsoid struct {
	centre   point
	a, b     float64
	sin, cos float64
}

func newEllipsoid(centre point, a, b, angle float64) ellipsoid {
	sin, cos := math.Sincos(angle)
	return ellipsoid{centre: centre, a: a, b: b, sin: sin, cos: cos}
}

func (e ellipsoid) depth(p point) (float64, float64) {
	q := p.sub(e.centre).turned(-e.sin, e.cos)
	rho := math.Hypot(q.x/e.a, q.y/e.b)
	if rho >= 1 {
		return 0, rho
	}
	return 2 * e.b * math.Sqrt(1-rho*rho), rho
}

func (e ellipsoid) extent() (point, point) {
	half := point{math.Hypot(e.a*e.cos, e.b*e.sin), math.Hypot(e.a*e.sin, e.b*e.cos)}
	return e.centre.sub(half), e.centre.add(half)
}

// rod is a round rod with round ends from a point to another, its radius changing linearly.
type rod struct {
	from, to     point
	rFrom, rTo   float64
	along        point
	squareLength float64
}

func newRod(from, to point, rFrom, rTo float64) rod {
	along := to.sub(from)
	return rod{from: from, to: to, rFrom: rFrom, rTo: rTo, along: along, squareLength: along.dot(along)}
}

func (r rod) depth(p point) (float64, float64) {
	t := 0.0
	if r.squareLength > 0 {
		t = min(max(p.sub(r.from).dot(r.along)/r.squareLength, 0), 1)
	}
	radius := r.rFrom + t*(r.rTo-r.rFrom)
	rho := p.sub(r.from.add(r.along.times(t))).length() / radius
	if rho >= 1 {
		return 0, rho
	}
	return 2 * radius * math.Sqrt(1-rho*rho), rho
}

func (r rod) extent() (point, point) {
	grow := max(r.rFrom, r.rTo)
	return point{min(r.from.x, r.to.x) - grow, min(r.from.y, r.to.y) - grow},
		point{max(r.from.x, r.to.x) + grow, max(r.from.y, r.to.y) + grow}
}

// cylinder is one with flat ends, its axis in the image plane.
type cylinder struct {
	centre       point
	half, radius float64
	sin, cos     float64
}

func newCylinder(centre point, length, radius, angle float64) cylinder {
	sin, cos := math.Sincos(angle)
	return cylinder{centre: centre, half: length / 2, radius: radius, sin: sin, cos: cos}
}

func (c cylinder) depth(p point) (float64, float64) {
	q := p.sub(c.centre).turned(-c.sin, c.cos)
	along, across := math.Abs(q.x)/c.half, math.Abs(q.y)/c.radius
	if rho := max(along, across); rho >= 1 {
		return 0, rho
	}
	return 2 * c.radius * math.Sqrt(1-across*across), max(along, across)
}

func (c cylinder) extent() (point, point) {
	half := point{
		math.Abs(c.half*c.cos) + math.Abs(c.radius*c.sin),
		math.Abs(c.half*c.sin) + math.Abs(c.radius*c.cos),
	}
	return c.centre.sub(half), c.centre.add(half)
}

// reach is how far from a part, as a multiple of its half size, its fringe still shows.
const reach = 1.18

// solid is a union of parts. Each has a box, its fringe included, outside which it need not be looked at.
type solid struct {
	parts []part
	boxes [][2]point
}

func (s *solid) join(parts ...part) {
	for _, p := range parts {
		lo, hi := p.extent()
		grow := hi.sub(lo).times((reach - 1) / 2).add(point{1, 1})
		s.parts = append(s.parts, p)
		s.boxes = append(s.boxes, [2]point{lo.sub(grow), hi.add(grow)})
	}
}

// depth is the union's thickness at p, and the edge measure of the part that is nearest to p in that sense (infinite
// beyond the fringe of all parts).
func (s *solid) depth(p point) (thickness, edge float64) {
	edge = math.Inf(1)
	for i, part := range s.parts {
		if box := &s.boxes[i]; p.x < box[0].x || p.x > box[1].x || p.y < box[0].y || p.y > box[1].y {
			continue
		}
		h, e := part.depth(p)
		thickness = max(thickness, h)
		edge = min(edge, e)
	}
	return thickness, edge
}

func (s *solid) extent() (lo, hi point) {
	lo, hi = point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for _, part := range s.parts {
		l, h := part.extent()
		lo = point{min(lo.x, l.x), min(lo.y, l.y)}
		hi = point{max(hi.x, h.x), max(hi.y, h.y)}
	}
	return lo, hi
}
