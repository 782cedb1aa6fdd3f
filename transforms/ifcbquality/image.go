package ifcbquality

import (
	"encoding/base64"
	"fmt"
	"image"
	"math"

	"github.com/axiom-data-science/hydraulics/internal/data/fields"
	"github.com/axiom-data-science/hydraulics/internal/plankton/imaging"
)

// imageCheck is what an image must show; 0 asks for nothing.
type imageCheck struct {
	field           string
	contrast, focus float64
}

// check gives the reasons against a record's image, if it has one. An image that cannot be read is one.
func (c imageCheck) check(in fields.Reader) ([]string, error) {
	value := in.Get(c.field)
	if value == nil || c.contrast == 0 && c.focus == 0 {
		return nil, nil
	}
	data, isBytes := value.([]byte)
	if text, isText := value.(string); isText {
		var err error
		if data, err = base64.StdEncoding.DecodeString(text); err != nil {
			return []string{"the image is not base64"}, nil
		}
	} else if !isBytes {
		return nil, fmt.Errorf("field %s: expected an image as bytes or base64, got %T", c.field, value)
	}
	gray, err := imaging.DecodePNG(data)
	if err != nil {
		return []string{"the image cannot be read: " + err.Error()}, nil
	}
	var reasons []string
	if d := contrast(gray); c.contrast > 0 && d < c.contrast {
		reasons = append(reasons, fmt.Sprintf("the image is empty: its contrast of %.4g is below %.4g", d, c.contrast))
	}
	if f := focus(gray); c.focus > 0 && f < c.focus {
		reasons = append(reasons, fmt.Sprintf("the image is out of focus: its sharpness of %.4g is below %.4g", f, c.focus))
	}
	return reasons, nil
}

// spread sums up numbers.
type spread struct{ n, sum, squares float64 }

func (s *spread) add(v float64) { s.n, s.sum, s.squares = s.n+1, s.sum+v, s.squares+v*v }

// variance is 0 of no numbers.
func (s *spread) variance() float64 {
	if s.n == 0 {
		return 0
	}
	mean := s.sum / s.n
	return max(s.squares/s.n-mean*mean, 0)
}

// contrast is the standard deviation of the grey values.
func contrast(g *image.Gray) float64 {
	var s spread
	for y := range g.Rect.Dy() {
		for _, v := range g.Pix[y*g.Stride : y*g.Stride+g.Rect.Dx()] {
			s.add(float64(v))
		}
	}
	return math.Sqrt(s.variance())
}

// focus is the variance of the Laplacian of the grey values (J. L. Pech-Pacheco et al., Diatom autofocusing in brightfield
// microscopy, ICPR 2000): edges that are out of focus have little.
func focus(g *image.Gray) float64 {
	var s spread
	for y := 1; y < g.Rect.Dy()-1; y++ {
		for x := 1; x < g.Rect.Dx()-1; x++ {
			at := y*g.Stride + x
			p := g.Pix
			s.add(float64(p[at-1]) + float64(p[at+1]) + float64(p[at-g.Stride]) + float64(p[at+g.Stride]) - 4*float64(p[at]))
		}
	}
	return s.variance()
}
