package plankton

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The volume that drawing sums up is that of the solid.
func TestVolumeIsTrue(t *testing.T) {
	tests := []struct {
		name string
		part part
		want float64 // px^3
	}{
		{"sphere of the smallest class", newEllipsoid(point{0.3, 0.1}, 5.5, 5.5, 0), 4 * math.Pi / 3 * 5.5 * 5.5 * 5.5},
		{"sphere", newEllipsoid(point{0.3, 0.1}, 20, 20, 0), 4 * math.Pi / 3 * 20 * 20 * 20},
		{"ellipsoid, tilted", newEllipsoid(point{}, 30, 12, 0.4), 4 * math.Pi / 3 * 30 * 12 * 12},
		{"cylinder, tilted", newCylinder(point{}, 14, 10, 0.3), math.Pi * 10 * 10 * 14},
		{"rod with round ends", newRod(point{-20, 3}, point{20, -5}, 6, 6), math.Pi*36*math.Hypot(40, 8) + 4*math.Pi/3*216},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s specimen
			s.body.join(tt.part)
			light := newField(80, 80)
			got := s.shade(light, point{-40, -40}, newTexture(rand.New(rand.NewPCG(1, 1))))
			if math.Abs(got-tt.want) > 0.01*tt.want {
				t.Errorf("%.1f px^3, want %.1f", got, tt.want)
			}
		})
	}
}

func TestUnionCountsOnce(t *testing.T) {
	var s specimen
	s.body.join(newEllipsoid(point{}, 15, 15, 0), newEllipsoid(point{}, 15, 15, 0))
	got := s.shade(newField(80, 80), point{-40, -40}, texture{})
	if want := 4 * math.Pi / 3 * 15 * 15 * 15; math.Abs(got-want) > 0.01*want {
		t.Errorf("%.1f px^3, want %.1f", got, want)
	}
}
