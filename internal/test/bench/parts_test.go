package bench

import (
	"bytes"
	"image"
	"image/png"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard/plankton"
	"github.com/axiom-data-science/hydraulics/internal/infer/model"
	"github.com/axiom-data-science/hydraulics/internal/plankton/imaging"
)

// BenchmarkParts measures what the transforms do with one image each.
func BenchmarkParts(b *testing.B) {
	var pictures []*image.Gray
	var files [][]byte
	for _, class := range plankton.Classes() {
		for i := range 10 {
			p, err := plankton.Draw(7, class, i)
			check(b, err)
			var file bytes.Buffer
			check(b, png.Encode(&file, p.Image))
			pictures, files = append(pictures, p.Image), append(files, file.Bytes())
		}
	}
	b.Run("decode", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			_, err := imaging.DecodePNG(files[i%len(files)])
			check(b, err)
		}
	})
	b.Run("classify", func(b *testing.B) {
		c, err := model.Open(model.Options{Model: "../../../configs/demo/demo-plankton.onnx", Threads: 1})
		check(b, err)
		b.Cleanup(func() { check(b, c.Close()) })
		for i := 0; b.Loop(); i++ {
			check(b, c.Classify(b.Context(), files[i%len(files):][:1])[0].Err)
		}
	})
	b.Run("biovolume", func(b *testing.B) {
		a := imaging.NewAnalyser(imaging.Options{PixelsPerMicron: 3.4})
		for i := 0; b.Loop(); i++ {
			_, err := a.Analyse(pictures[i%len(pictures)])
			check(b, err)
		}
	})
}
