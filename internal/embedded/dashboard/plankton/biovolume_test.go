package plankton_test

import (
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard/plankton"
	"github.com/axiom-data-science/hydraulics/internal/plankton/imaging"
)

// Both algorithms find about the true volume of particles whose depth a silhouette tells: round ones, and chains of
// cylinders. seed's outlines are dilated, so it finds too much, most of all where it fills the gaps of a chain.
func TestBiovolumeIsNearTheTruth(t *testing.T) {
	type limits struct{ low, high float64 } // of what is found / true volume
	tests := []struct {
		class    string
		seed, v4 limits
	}{
		{"demo-sphere", limits{1, 1.3}, limits{0.95, 1.05}},
		{"demo-ellipsoid", limits{1, 1.3}, limits{0.85, 1}},
		{"demo-chain", limits{1.1, 1.8}, limits{0.9, 1.25}},
		// v4 takes a pixel off all round, and what is not much darker than the ground: of these it keeps the thicker part.
		{"demo-rod", limits{0.9, 1.2}, limits{0.04, 0.4}},
		{"demo-spiral", limits{1.2, 1.7}, limits{0.15, 0.55}},
	}
	images := 8
	if testing.Short() {
		images = 2
	}
	analyser := imaging.NewAnalyser(imaging.Options{PixelsPerMicron: plankton.PixelsPerMicron})
	for _, tt := range tests {
		t.Run(tt.class, func(t *testing.T) {
			for i := range images {
				p := draw(t, 1, tt.class, i)
				seed, err := analyser.Analyse(p.Image)
				if err != nil {
					t.Fatal(err)
				}
				v4, err := analyser.AnalyseV4(p.Image)
				if err != nil {
					t.Fatal(err)
				}
				if len(v4.Blobs) != 1 {
					t.Errorf("%d: v4 finds %d blobs", i, len(v4.Blobs))
				}
				if ratio := seed.BiovolumeUm3 / p.VolumeUM3; ratio < tt.seed.low || ratio > tt.seed.high {
					t.Errorf("%d: seed finds %.3f of the true volume, want %v", i, ratio, tt.seed)
				}
				if ratio := v4.BiovolumeUm3 / p.VolumeUM3; ratio < tt.v4.low || ratio > tt.v4.high {
					t.Errorf("%d: v4 finds %.3f of the true volume, want %v", i, ratio, tt.v4)
				}
			}
		})
	}
}
