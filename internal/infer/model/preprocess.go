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
	// maxPixels bounds what an image may unpack to, and maxLine its sides: the
	// weights of filters are some for every pixel of a side.
	maxPixels = 1 << 26
	maxLine   = 1 << 16
	// maxPixelsPerByte is more than a PNG can hold: deflate packs 1032 to 1 at best, and a pixel has a bit at least.
	maxPixelsPerByte = 8 * 1032
)

// Preprocessor makes a model's input of an image. It is immutable.
type Preprocessor struct {
	height, width, channels int
	bgr                     bool
	filter                  string
	keepAspect, padBefore   bool
	fill                    Fill
	table                   [256]float32   // of a pixel's value, without mean and std
	norm                    [][256]float32 // the same with them, per channel of the input; nil without
	scale                   float32
	mean, std               [3]float32
}

// NewPreprocessor follows a manifest, with defaults for what it leaves out.
func NewPreprocessor(m Manifest) *Preprocessor {
	m = m.orDefaults()
	p := &Preprocessor{
		height: m.Input.Height, width: m.Input.Width, channels: m.Input.Channels, bgr: m.Input.Order == "BGR",
		filter: m.Resize.Filter, keepAspect: m.Resize.KeepAspect, padBefore: m.Resize.Pad == padBefore, fill: m.Resize.Fill, scale: float32(m.Scale),
	}
	for v := range p.table {
		p.table[v] = float32(float64(v) * m.Scale)
	}
	if len(m.Mean)+len(m.Std) == 0 {
		return p
	}
	p.norm = make([][256]float32, p.channels)
	for c := range p.norm {
		p.mean[c], p.std[c] = channel(m.Mean, c, 0), channel(m.Std, c, 1)
		for v := range p.norm[c] {
			p.norm[c][v] = (p.table[v] - p.mean[c]) / p.std[c]
		}
	}
	return p
}

// channel gives the number of a channel from a list of one for all, or one for
// each.
func channel(list []float64, c int, def float32) float32 {
	if len(list) == 0 {
		return def
	}
	return float32(list[min(c, len(list)-1)])
}

// Size gives the number of values of an input: height x width x channels.
func (p *Preprocessor) Size() int { return p.height * p.width * p.channels }

// pixelValues tells whether inputs are pixel values times the scale, of which
// there are 256.
func (p *Preprocessor) pixelValues() bool {
	return p.filter != filterKerasBilinear && p.norm == nil
}

// Tensor decodes a PNG into dst, which has Size values: rows, columns,
// channels. The error is about the image.
func (p *Preprocessor) Tensor(dst []float32, file []byte) error {
	img, err := p.decode(file)
	if err != nil {
		return err
	}
	if p.filter == filterKerasBilinear {
		p.kerasBilinear(dst, img)
		return nil
	}
	img = p.resized(img)
	for y := range img.h {
		p.look(dst[y*p.width*p.channels:], img.row(y), img.n)
	}
	return nil
}

// look puts a row of an image of n channels through the tables.
func (p *Preprocessor) look(dst []float32, row []byte, n int) {
	at := 0
	switch {
	case p.norm != nil:
		for x := 0; x < len(row); x += n {
			for c := range p.norm {
				dst[at] = p.norm[c][row[x+p.source(c, n)]]
				at++
			}
		}
	case n == p.channels && !p.bgr:
		for x, v := range row {
			dst[x] = p.table[v]
		}
	case n == 1: // gray for a model of three channels
		for x, b := range row {
			v, to := p.table[b], (*[3]float32)(dst[3*x:])
			to[0], to[1], to[2] = v, v, v
		}
	default:
		for ; at < len(row); at += 3 {
			dst[at], dst[at+1], dst[at+2] = p.table[row[at+2]], p.table[row[at+1]], p.table[row[at]]
		}
	}
}

// source gives the channel of an image of n channels that is channel c of the
// input.
func (p *Preprocessor) source(c, n int) int {
	switch {
	case n == 1:
		return 0
	case p.bgr:
		return 2 - c
	}
	return c
}

// Pixels gives the pixel values that Tensor puts through its table, in the order
// of the input. It is not for Keras's bilinear filter, whose values are fractions.
func (p *Preprocessor) Pixels(dst, file []byte) error {
	img, err := p.decode(file)
	if err != nil {
		return err
	}
	img = p.resized(img)
	line := p.width * p.channels
	for y := range img.h {
		row, to := img.row(y), dst[y*line:(y+1)*line]
		switch {
		case y > 0 && bytes.Equal(row, img.row(y-1)): // as in an image that was enlarged
			copy(to, dst[(y-1)*line:y*line])
		case img.n == p.channels && !p.bgr:
			copy(to, row)
		case img.n == 1: // gray for a model of three channels
			for x, v := range row {
				to[3*x], to[3*x+1], to[3*x+2] = v, v, v
			}
		default:
			for x := 0; x < len(row); x += 3 {
				to[x], to[x+1], to[x+2] = row[x+2], row[x+1], row[x]
			}
		}
	}
	return nil
}

// decode reads a PNG, which must not grow too large where it is padded before it
// is resized.
func (p *Preprocessor) decode(file []byte) (picture, error) {
	if p.padBefore {
		conf, err := headOf(file)
		if err != nil {
			return picture{}, err
		}
		if w, h := squared(conf.Width, conf.Height, p.width, p.height); w > maxPixels/h || max(w, h) > maxLine {
			return picture{}, fmt.Errorf("image of %d x %d pixels is too large once it is padded to %d x %d", conf.Width, conf.Height, w, h)
		}
	}
	return decode(file, p.channels)
}

// headOf reads the head of a PNG, whose size must be one that can be decoded.
func headOf(file []byte) (image.Config, error) {
	conf, err := png.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return conf, fmt.Errorf("image is not a PNG that can be read: %w", err)
	}
	if conf.Width <= 0 || conf.Height <= 0 || conf.Width > maxPixels/conf.Height || max(conf.Width, conf.Height) > maxLine {
		return conf, fmt.Errorf("image of %d x %d pixels is empty or too large", conf.Width, conf.Height)
	}
	return conf, nil
}

// decode reads a PNG for a model of so many channels. A gray image stays so.
func decode(file []byte, channels int) (picture, error) {
	conf, err := headOf(file)
	if err != nil {
		return picture{}, err
	}
	if conf.Width*conf.Height > maxPixelsPerByte*len(file) { // before memory is spent on them
		return picture{}, fmt.Errorf("image of %d x %d pixels is cut off: %d bytes do not hold them", conf.Width, conf.Height, len(file))
	}
	img, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		return picture{}, fmt.Errorf("image is not a PNG that can be read: %w", err)
	}
	if img.Bounds().Empty() {
		return picture{}, errors.New("image has no pixels")
	}
	return pictureOf(img, channels), nil
}

// pictureOf takes the colours of an image, and its brightness for a model of
// one channel.
func pictureOf(img image.Image, channels int) picture {
	b := img.Bounds()
	if gray, ok := img.(*image.Gray); ok {
		return picture{w: b.Dx(), h: b.Dy(), n: 1, stride: gray.Stride, pix: gray.Pix}
	}
	p := newPicture(b.Dx(), b.Dy(), channels)
	at := 0
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl := rgb(img, x, y)
			if channels == 1 {
				// ITU-R 601-2 luma, as Pillow computes it.
				p.pix[at] = byte((uint32(r)*19595 + uint32(g)*38470 + uint32(bl)*7471 + 0x8000) >> 16)
			} else {
				p.pix[at], p.pix[at+1], p.pix[at+2] = r, g, bl
			}
			at += channels
		}
	}
	return p
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
