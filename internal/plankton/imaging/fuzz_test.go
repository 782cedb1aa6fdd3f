package imaging

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"
)

// FuzzDecodePNG: whatever the bytes, there is an error or an image of as many grey values as it has pixels.
func FuzzDecodePNG(f *testing.F) {
	deep := image.NewNRGBA64(image.Rect(0, 0, 2, 2))
	deep.SetNRGBA64(1, 1, color.NRGBA64{R: 0xffff, G: 0x8000, B: 1, A: 0x1234})
	for _, img := range []image.Image{
		image.NewGray(image.Rect(0, 0, 5, 3)), image.NewGray16(image.Rect(0, 0, 2, 3)), deep,
		image.NewPaletted(image.Rect(0, 0, 3, 1), color.Palette{color.Black, color.Transparent}),
	} {
		var file bytes.Buffer
		if err := png.Encode(&file, img); err != nil {
			f.Fatal(err)
		}
		f.Add(file.Bytes())
		f.Add(file.Bytes()[:file.Len()/2])
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		gray, err := DecodePNG(file)
		if err != nil {
			return
		}
		w, h := gray.Rect.Dx(), gray.Rect.Dy()
		if w <= 0 || h <= 0 || w*h > MaxPixels || len(gray.Pix) < (h-1)*gray.Stride+w {
			t.Fatalf("%v with %d grey values", gray.Rect, len(gray.Pix))
		}
	})
}
