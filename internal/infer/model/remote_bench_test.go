package model

import (
	"image"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/infer/serving"
)

// BenchmarkEncode makes what is sent of an image of about the median size.
func BenchmarkEncode(b *testing.B) {
	picture := image.NewGray(image.Rect(0, 0, 120, 80))
	for i := range picture.Pix {
		picture.Pix[i] = byte(180 + i%7 - i%120*i%31)
	}
	file := encoded(b, picture)
	for _, format := range []string{serving.Binary, serving.JSON} {
		b.Run(format, func(b *testing.B) {
			p := newPlan(Manifest{}, format)
			for b.Loop() {
				img, err := p.image(file)
				if err != nil {
					b.Fatal(err)
				}
				img.Free()
			}
		})
	}
}
