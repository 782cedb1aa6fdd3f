package imaging

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
)

// DecodePNG gives the grey image of a PNG of any kind. Its size is checked before memory is spent on its pixels.
func DecodePNG(data []byte) (*image.Gray, error) {
	config, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("not a readable PNG: %w", err)
	}
	if err := checkSize(config.Width, config.Height); err != nil {
		return nil, err
	}
	decoded, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("not a readable PNG: %w", err)
	}
	return ToGray(decoded), nil
}

// ToGray makes an image grey: of 16 bits the upper 8, of colours the luma of ITU-R BT.601 in whole numbers as Pillow
// computes it; transparency is ignored. A grey image is given back as it is.
func ToGray(from image.Image) *image.Gray {
	if gray, ok := from.(*image.Gray); ok {
		return gray
	}
	bounds := from.Bounds()
	gray := image.NewGray(image.Rect(0, 0, bounds.Dx(), bounds.Dy()))
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			gray.Pix[y*gray.Stride+x] = luma(from.At(bounds.Min.X+x, bounds.Min.Y+y))
		}
	}
	return gray
}

func luma(c color.Color) uint8 {
	switch c := c.(type) {
	case color.Gray16:
		return uint8(c.Y >> 8)
	case color.NRGBA64: // its conversion to 8 bits multiplies by alpha
		return luma(color.NRGBA{R: uint8(c.R >> 8), G: uint8(c.G >> 8), B: uint8(c.B >> 8)})
	}
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	return uint8((uint32(n.R)*19595 + uint32(n.G)*38470 + uint32(n.B)*7471 + 1<<15) >> 16)
}
