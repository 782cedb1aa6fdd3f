package plankton

import (
	"fmt"
	"hash/fnv"
	"image"
	"math"
	"math/rand/v2"
)

// PixelsPerMicron is the scale of the images: that of the instrument at Woods Hole.
const PixelsPerMicron = 3.4

// Particle is one drawn specimen.
type Particle struct {
	Class     string
	VolumePx  float64 // true volume, px^3
	VolumeUM3 float64 // true volume, um^3 at PixelsPerMicron
	Image     *image.Gray
}

// Draw makes specimen number index of a class: the same seed, class and index give the same particle. An unknown
// class is an error that lists the known ones.
func Draw(seed uint64, name string, index int) (Particle, error) {
	c, ok := classByName(name)
	if !ok {
		return Particle{}, fmt.Errorf("synthetic class %q: want one of %v", name, Classes())
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%s/%d", name, index)
	return c.draw(rand.New(rand.NewPCG(seed, h.Sum64()))), nil
}

// Pick makes a specimen of a class chosen by its share in a bin.
func Pick(rng *rand.Rand) Particle {
	left := rng.Float64()
	for _, c := range classes {
		if left -= c.share; left < 0 {
			return c.draw(rng)
		}
	}
	return classes[len(classes)-1].draw(rng)
}

const (
	// marginX and marginY are what the camera adds around a particle, px, and fringe how far the blur reaches.
	marginX, marginY = 14, 10
	// subsamples per px and axis: the volume of the smallest class is then within 1 % of the exact one.
	subsamples = 4
	// stepX is the step of image widths.
	stepX = 8
)

func (c class) draw(rng *rand.Rand) Particle {
	s := c.build(rng, around(rng, 0, 0.1))
	var all solid
	all.join(s.body.parts...)
	all.join(s.bristle.parts...)
	lo, hi := all.extent()
	width := roundUp(hi.x-lo.x+2*marginX, stepX)
	height := roundUp(hi.y-lo.y+2*marginY, 2)
	middle := lo.add(hi).times(0.5)
	origin := point{middle.x - float64(width)/2 + between(rng, -2, 2), middle.y - float64(height)/2 + between(rng, -2, 2)}

	light := newField(width, height)
	volume := s.shade(light, origin, newTexture(rng))
	light = light.blurred(between(rng, 0.5, 0.9))
	return Particle{
		Class: c.name, VolumePx: volume, VolumeUM3: volume / math.Pow(PixelsPerMicron, 3),
		Image: expose(light, rng),
	}
}

func roundUp(v float64, step int) int { return int(math.Ceil(v/float64(step))) * step }

// shade fills light with the share of light that passes, 1 for none lost, and sums up the volume in px^3.
func (s specimen) shade(light *field, origin point, grain texture) (volume float64) {
	const weight = 1.0 / (subsamples * subsamples)
	for y := range light.height {
		for x := range light.width {
			var sum float64
			for i := range subsamples * subsamples {
				p := origin.add(point{
					float64(x) + (float64(i%subsamples)+0.5)/subsamples,
					float64(y) + (float64(i/subsamples)+0.5)/subsamples,
				})
				thickness, passed := s.sample(p, grain)
				volume += thickness * weight
				sum += passed * weight
			}
			light.at(x, y, sum)
		}
	}
	return volume
}

// sample gives thickness and passing light at one place.
func (s specimen) sample(p point, grain texture) (thickness, passed float64) {
	h, edge := s.body.depth(p)
	bristle, _ := s.bristle.depth(p)
	thickness = max(h, bristle)
	switch {
	case h > 0:
		absorbed := 0.035 * s.opacity * h * (1 + s.grain*grain.value(p))
		if s.nucleus != nil {
			if inner, _ := s.nucleus.depth(p); inner > 0 {
				absorbed += 0.35
			}
		}
		rim := smooth((edge - 0.72) / 0.28)
		return thickness, math.Exp(-max(absorbed, 0.08)) * (1 - 0.55*s.rim*rim)
	case bristle > 0:
		return thickness, 0.62
	case edge < reach: // the bright fringe around a particle slightly out of focus
		return 0, 1 + 0.05*(reach-edge)/(reach-1)
	}
	return 0, 1
}

// smooth goes from 0 to 1 without corners.
func smooth(u float64) float64 {
	u = min(max(u, 0), 1)
	return u * u * (3 - 2*u)
}

// expose turns passing light into grey values: a flash of about 200 that falls off to one side, and camera noise.
func expose(light *field, rng *rand.Rand) *image.Gray {
	level := around(rng, 200, 6)
	tiltX, tiltY := around(rng, 0, 4), around(rng, 0, 3)
	noise := between(rng, 1.5, 3)
	gray := image.NewGray(image.Rect(0, 0, light.width, light.height))
	for y := range light.height {
		for x := range light.width {
			flash := level + tiltX*(float64(x)/float64(light.width)-0.5) + tiltY*(float64(y)/float64(light.height)-0.5)
			v := math.Round(flash*light.pass[y*light.width+x] + noise*rng.NormFloat64())
			gray.Pix[y*gray.Stride+x] = uint8(min(max(v, 0), 255))
		}
	}
	return gray
}

// field holds the passing light per px, row by row.
type field struct {
	width, height int
	pass          []float64
}

func newField(width, height int) *field {
	return &field{width: width, height: height, pass: make([]float64, width*height)}
}

func (f *field) at(x, y int, v float64) { f.pass[y*f.width+x] = v }

// blurred is the field through a lens: a Gaussian of this deviation in px, edges replicated.
func (f *field) blurred(deviation float64) *field {
	const radius = 3
	var kernel [2*radius + 1]float64
	var total float64
	for i := range kernel {
		d := float64(i - radius)
		kernel[i] = math.Exp(-d * d / (2 * deviation * deviation))
		total += kernel[i]
	}
	pass := func(in *field, dx, dy int) *field {
		out := newField(in.width, in.height)
		for y := range in.height {
			for x := range in.width {
				var sum float64
				for i, k := range kernel {
					xx := min(max(x+dx*(i-radius), 0), in.width-1)
					yy := min(max(y+dy*(i-radius), 0), in.height-1)
					sum += k * in.pass[yy*in.width+xx]
				}
				out.at(x, y, sum/total)
			}
		}
		return out
	}
	return pass(pass(f, 1, 0), 0, 1)
}

// texture is a smooth random pattern between -1 and 1: a sum of plane waves, as chloroplasts mottle a cell.
type texture [6]wave

type wave struct{ kx, ky, phase float64 }

func newTexture(rng *rand.Rand) texture {
	var t texture
	for i := range t {
		direction, length := between(rng, 0, 2*math.Pi), between(rng, 5, 14)
		sin, cos := math.Sincos(direction)
		t[i] = wave{2 * math.Pi * cos / length, 2 * math.Pi * sin / length, between(rng, 0, 2*math.Pi)}
	}
	return t
}

func (t texture) value(p point) float64 {
	var sum float64
	for _, w := range t {
		sum += math.Sin(w.kx*p.x + w.ky*p.y + w.phase)
	}
	return sum / 3
}
