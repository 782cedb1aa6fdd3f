package model

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
)

const (
	// maxPixels bounds what an image may unpack to.
	maxPixels = 1 << 26
	// maxPixelsPerByte is more than a PNG can hold: deflate packs 1032 to 1 at best, and a pixel has a bit at least.
	maxPixelsPerByte = 8 * 1032
)

// Preprocessor makes a model's input of an image. It is immutable.
type Preprocessor struct {
	height, width, channels int
	bgr                     bool
	table                   [256]float32
}

// NewPreprocessor follows a manifest, with defaults for what it leaves out.
func NewPreprocessor(m Manifest) *Preprocessor {
	m = m.orDefaults()
	p := &Preprocessor{height: m.Input.Height, width: m.Input.Width, channels: m.Input.Channels, bgr: m.Input.Order == "BGR"}
	for v := range p.table {
		p.table[v] = float32(float64(v) * m.Scale)
	}
	return p
}

// Size gives the number of values of an input: height x width x channels.
func (p *Preprocessor) Size() int { return p.height * p.width * p.channels }

// Tensor decodes a PNG into dst, which has Size values: rows, columns,
// channels. The error is about the image.
func (p *Preprocessor) Tensor(dst []float32, file []byte) error {
	pixels := make([]byte, p.Size())
	if err := p.Pixels(pixels, file); err != nil {
		return err
	}
	for i, v := range pixels {
		dst[i] = p.table[v]
	}
	return nil
}

// Pixels is Tensor before scaling.
func (p *Preprocessor) Pixels(dst, file []byte) error {
	conf, err := png.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return fmt.Errorf("image is not a PNG that can be read: %w", err)
	}
	if conf.Width <= 0 || conf.Height <= 0 || conf.Width > maxPixels/conf.Height {
		return fmt.Errorf("image of %d x %d pixels is empty or too large", conf.Width, conf.Height)
	}
	if conf.Width*conf.Height > maxPixelsPerByte*len(file) { // before memory is spent on them
		return fmt.Errorf("image of %d x %d pixels is cut off: %d bytes do not hold them", conf.Width, conf.Height, len(file))
	}
	img, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		return fmt.Errorf("image is not a PNG that can be read: %w", err)
	}
	if img.Bounds().Empty() {
		return errors.New("image has no pixels")
	}
	p.resize(dst, img)
	return nil
}

// resize takes the nearest pixel, as Pillow does.
func (p *Preprocessor) resize(dst []byte, img image.Image) {
	b := img.Bounds()
	rows, cols := nearest(b.Dy(), p.height), nearest(b.Dx(), p.width)
	gray, isGray := img.(*image.Gray)
	i := 0
	for _, y := range rows {
		for _, x := range cols {
			if isGray {
				v := gray.Pix[y*gray.Stride+x]
				for range p.channels {
					dst[i] = v
					i++
				}
				continue
			}
			r, g, bl := rgb(img, b.Min.X+x, b.Min.Y+y)
			if p.channels == 1 {
				// ITU-R 601-2 luma, as Pillow computes it.
				dst[i] = byte((uint32(r)*19595 + uint32(g)*38470 + uint32(bl)*7471 + 0x8000) >> 16)
				i++
				continue
			}
			if p.bgr {
				r, bl = bl, r
			}
			dst[i], dst[i+1], dst[i+2] = r, g, bl
			i += 3
		}
	}
}

// nearest gives the source index of each of out elements of in, as Pillow
// does. The position is a running sum: floor((2i+1)*in/(2*out)) differs from
// it where the sum has drifted just below a whole number.
func nearest(in, out int) []int {
	scale := float64(in) / float64(out)
	at := scale * 0.5
	index := make([]int, out)
	for i := range index {
		index[i] = min(int(at), in-1)
		at += scale
	}
	return index
}

// rgb gives a pixel's colour without transparency: it is dropped, not blended,
// as Pillow does. Of 16 bits the upper 8 count.
func rgb(img image.Image, x, y int) (r, g, b byte) {
	switch c := img.At(x, y).(type) {
	case color.NRGBA:
		return c.R, c.G, c.B
	case color.RGBA: // opaque, as PNG without transparency is decoded
		return c.R, c.G, c.B
	case color.NRGBA64:
		return byte(c.R >> 8), byte(c.G >> 8), byte(c.B >> 8)
	case color.Gray16:
		return byte(c.Y >> 8), byte(c.Y >> 8), byte(c.Y >> 8)
	default:
		n := color.NRGBAModel.Convert(c).(color.NRGBA)
		return n.R, n.G, n.B
	}
}
