package model

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"

	"github.com/axiom-data-science/hydraulics/internal/infer/serving"
)

// plan is how images of a model are encoded. It is immutable.
type plan struct {
	manifest Manifest
	format   string
	prep     *Preprocessor
	shape    []int // of one image as it is sent
	pixels   bool  // inputs are pixel values times the scale: there are 256 of them
	texts    [256]string
	bits     [256]uint32
	bytes    sync.Pool // of *[]byte: the pixels of an image
	floats   sync.Pool // of *[]float32: its values where they are no pixels
}

func newPlan(m Manifest, format string) *plan {
	m = m.orDefaults()
	p := &plan{manifest: m, format: format, prep: NewPreprocessor(m), shape: []int{m.Input.Height, m.Input.Width, m.Input.Channels}}
	if m.Input.Layout == "NCHW" {
		p.shape = []int{m.Input.Channels, m.Input.Height, m.Input.Width}
	}
	for v, x := range p.prep.table {
		p.texts[v] = strconv.FormatFloat(float64(x), 'g', -1, 32)
		p.bits[v] = math.Float32bits(x)
	}
	p.pixels = p.prep.pixelValues()
	return p
}

// image encodes an image file.
func (p *plan) image(file []byte) (serving.Image, error) {
	if p.format == serving.PNG {
		if _, err := headOf(file); err != nil {
			return nil, err
		}
		return serving.NewImage(base64.StdEncoding.EncodedLen(len(file))+16, func(b []byte) ([]byte, error) {
			b = append(b, `{"b64":"`...)
			return append(base64.StdEncoding.AppendEncode(b, file), `"}`...), nil
		})
	}
	if p.pixels {
		return encode(p, &p.bytes, file, p.prep.Pixels, bytes.Equal,
			func(b []byte, values []byte) []byte {
				for i, v := range values {
					if i > 0 {
						b = append(b, ',')
					}
					b = append(b, p.texts[v]...)
				}
				return b
			},
			func(to []byte, values []byte) {
				for i, v := range values {
					binary.LittleEndian.PutUint32(to[4*i:4*i+4], p.bits[v])
				}
			})
	}
	return encode(p, &p.floats, file, p.prep.Tensor, slices.Equal[[]float32],
		func(b []byte, values []float32) []byte {
			for i, v := range values {
				if i > 0 {
					b = append(b, ',')
				}
				b = strconv.AppendFloat(b, float64(v), 'g', -1, 32)
			}
			return b
		},
		func(to []byte, values []float32) {
			for i, v := range values {
				binary.LittleEndian.PutUint32(to[4*i:4*i+4], math.Float32bits(v))
			}
		})
}

// encode prepares an image and writes its values, pixels or numbers, as they
// are sent. scratch has room for two of the model's inputs.
func encode[T byte | float32](p *plan, scratch *sync.Pool, file []byte, prepare func([]T, []byte) error, same func(a, b []T) bool, text func([]byte, []T) []byte, bits func([]byte, []T)) (serving.Image, error) {
	room, ok := scratch.Get().(*[]T)
	if !ok {
		room = new(make([]T, 2*p.prep.Size()))
	}
	defer scratch.Put(room)
	values, planes := (*room)[:p.prep.Size()], (*room)[p.prep.Size():]
	if err := prepare(values, file); err != nil {
		return nil, err
	}
	if p.manifest.Input.Layout == "NCHW" {
		channels, area := p.shape[0], p.shape[1]*p.shape[2]
		for i := range area {
			for c := range channels {
				planes[c*area+i] = values[i*channels+c]
			}
		}
		values = planes
	}
	if p.format == serving.Binary {
		return serving.NewImage(4*len(values), func(b []byte) ([]byte, error) { return appendBinary(b, values, p.line(), same, bits), nil })
	}
	return serving.NewImage(11*len(values), func(b []byte) ([]byte, error) {
		b, _ = appendNested(b, values, p.shape, text)
		return b, nil
	})
}

// line is the number of values of a row of the image as it is sent.
func (p *plan) line() int {
	if p.manifest.Input.Layout == "NCHW" {
		return p.shape[2]
	}
	return p.shape[1] * p.shape[2]
}

// appendBinary writes values as float32. A line that is like the one before, as
// in an image that was enlarged, is copied.
func appendBinary[T byte | float32](b []byte, values []T, line int, same func(a, b []T) bool, bits func([]byte, []T)) []byte {
	b = slices.Grow(b, 4*len(values))[:4*len(values)]
	for at := 0; at < len(values); at += line {
		from, to := values[at:at+line], b[4*at:4*(at+line)]
		if at > 0 && same(from, values[at-line:at]) {
			copy(to, b[4*(at-line):4*at])
			continue
		}
		bits(to, from)
	}
	return b
}

// appendNested writes values as nested lists of a shape and gives those that
// are left.
func appendNested[T byte | float32](b []byte, values []T, shape []int, text func([]byte, []T) []byte) ([]byte, []T) {
	b = append(b, '[')
	if len(shape) == 1 {
		return append(text(b, values[:shape[0]]), ']'), values[shape[0]:]
	}
	for i := range shape[0] {
		if i > 0 {
			b = append(b, ',')
		}
		b, values = appendNested(b, values, shape[1:], text)
	}
	return append(b, ']'), values
}

// accept compares what a server says with the manifest. What the manifest
// leaves open of the input is what the first server says. It gives the manifest
// with the labels that are known so far.
func (s *service) accept(d serving.Description) (Manifest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.plan
	if p == nil {
		m := s.given
		if len(d.Inputs) == 1 && !s.png {
			m.Input = adopt(m.Input, d.Inputs[0].Shape)
		}
		if err := m.check(); err != nil {
			return m, err
		}
		p = newPlan(m, s.endpoints[0].target.Format)
	}
	m := p.manifest
	m.Name = s.name
	if len(m.Labels) == 0 {
		m.Labels = slices.Clone(d.Labels)
		if err := m.check(); err != nil {
			return m, fmt.Errorf("its metadata: %w", err)
		}
	}
	if err := p.compare(d, m.Labels); err != nil {
		return m, err
	}
	if s.plan == nil {
		s.plan = p
	}
	return m, nil
}

func (s *service) shape() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.plan.shape
}

// adopt fills in a manifest's input from a model's: images, height, width and
// channels, or the channels before the height.
func adopt(in Input, shape []int64) Input {
	if len(shape) != 4 {
		return in
	}
	channels := func(n int64) bool { return n == 1 || n == 3 }
	if in.Layout == "" && channels(shape[1]) && !channels(shape[3]) {
		in.Layout = "NCHW"
	}
	h, w, c := shape[1], shape[2], shape[3]
	if in.Layout == "NCHW" {
		h, w, c = shape[2], shape[3], shape[1]
	}
	for _, x := range []struct {
		own  *int
		says int64
	}{{&in.Height, h}, {&in.Width, w}, {&in.Channels, c}} {
		if *x.own == 0 && x.says > 0 && x.says <= maxSide {
			*x.own = int(x.says)
		}
	}
	return in
}

// compare finds what does not fit between a model and its manifest.
func (p *plan) compare(d serving.Description, labels []string) error {
	var errs []error
	if len(d.Inputs) > 1 {
		errs = append(errs, fmt.Errorf("it has %d inputs, expected one", len(d.Inputs)))
	}
	for _, in := range d.Inputs {
		want := serving.Float32
		if p.format == serving.PNG {
			want = serving.Bytes
		}
		if in.Type != want && in.Type != "" {
			errs = append(errs, fmt.Errorf("its input %s is %s, expected %s for request.format %s", in.Name, in.Type, want, p.format))
		}
		if p.format == serving.PNG || in.Shape == nil {
			continue
		}
		if len(in.Shape) != 4 {
			errs = append(errs, fmt.Errorf("its input %s has %d dimensions, expected 4", in.Name, len(in.Shape)))
			continue
		}
		for i, want := range p.shape {
			if n := in.Shape[i+1]; n > 0 && n != int64(want) {
				errs = append(errs, fmt.Errorf("dimension %d of its input %s is %d, the manifest says %d", i+1, in.Name, n, want))
			}
		}
	}
	if len(d.Outputs) == 1 && len(labels) > 0 {
		out := d.Outputs[0]
		if len(out.Shape) == 2 && out.Shape[1] > 0 && out.Shape[1] != int64(len(labels)) {
			errs = append(errs, fmt.Errorf("its output %s has %d classes, there are %d labels", out.Name, out.Shape[1], len(labels)))
		}
	}
	return errors.Join(errs...)
}
