package model

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"
)

// FuzzPixels: whatever the bytes, there is an error or an input of the right size, in grey and in colour.
func FuzzPixels(f *testing.F) {
	for _, img := range []image.Image{
		image.NewGray(image.Rect(0, 0, 5, 3)), image.NewGray16(image.Rect(0, 0, 2, 3)), image.NewNRGBA64(image.Rect(0, 0, 2, 2)),
		image.NewPaletted(image.Rect(0, 0, 3, 1), color.Palette{color.Black, color.Transparent}),
	} {
		var file bytes.Buffer
		if err := png.Encode(&file, img); err != nil {
			f.Fatal(err)
		}
		f.Add(file.Bytes())
		f.Add(file.Bytes()[:file.Len()/2])
	}
	color := NewPreprocessor(Manifest{Input: Input{Height: 7, Width: 5}})
	gray := NewPreprocessor(Manifest{Input: Input{Height: 7, Width: 5, Channels: 1}})
	f.Fuzz(func(t *testing.T, file []byte) {
		colorErr, grayErr := color.Pixels(make([]byte, color.Size()), file), gray.Pixels(make([]byte, gray.Size()), file)
		if (colorErr == nil) != (grayErr == nil) {
			t.Fatalf("in colour %v, in grey %v", colorErr, grayErr)
		}
	})
}
