package imaging

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
)

// outlineColor marks the outline: nothing in a grey image looks like it.
var outlineColor = color.RGBA{R: 255, G: 176, A: 255}

// Outline draws the outline of a mask on its image and gives the PNG. White is drawn one shade darker, since its place
// in the palette is the outline's.
func Outline(gray *image.Gray, blob *Mask) ([]byte, error) {
	if width, height := blob.Bounds(); width != gray.Rect.Dx() || height != gray.Rect.Dy() {
		return nil, fmt.Errorf("outline: a mask of %d x %d pixels does not fit an image of %d x %d",
			width, height, gray.Rect.Dx(), gray.Rect.Dy())
	}
	const mark = 255
	palette := make(color.Palette, 256)
	for i := range palette {
		palette[i] = color.Gray{Y: uint8(i)}
	}
	palette[mark] = outlineColor
	picture := image.NewPaletted(image.Rect(0, 0, gray.Rect.Dx(), gray.Rect.Dy()), palette)
	for y := range gray.Rect.Dy() {
		from := gray.Pix[gray.PixOffset(gray.Rect.Min.X, gray.Rect.Min.Y+y):]
		for x := range gray.Rect.Dx() {
			picture.Pix[y*picture.Stride+x] = min(from[x], mark-1)
		}
	}
	var outline Mask
	outlineOf(&outline, blob)
	outline.each(func(x, y int) { picture.Pix[y*picture.Stride+x] = mark })
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		return nil, fmt.Errorf("outline: %w", err)
	}
	return out.Bytes(), nil
}

// PNG gives the mask as a grey PNG of 8 bits: 255 is set, 0 is not.
func (m *Mask) PNG() ([]byte, error) {
	picture := image.NewGray(image.Rect(0, 0, m.width, m.height))
	m.each(func(x, y int) { picture.Pix[y*picture.Stride+x] = 255 })
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		return nil, fmt.Errorf("mask: %w", err)
	}
	return out.Bytes(), nil
}
