package onnx

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
)

// Options say how to load a model. The zero value suits most.
type Options struct {
	// Height, Width and Channels are the size of the input where the file
	// leaves it open; where it does not they must agree or be 0.
	Height, Width, Channels int
	// Layout is the order of the input's axes, NHWC or NCHW, where the graph
	// does not tell; "" to find out.
	Layout string
	// Output names the output with the scores, where there are several; "" is the
	// only one, or the only one that has Labels values.
	Output string
	Labels int
	// Embed asks for a second output: Embedding, an output or any other tensor of
	// the graph, or with "" the only other output.
	Embed     bool
	Embedding string
	Limits    Limits // zero fields are DefaultLimits
	// Kernels is the instruction set to use: portable, on amd64 avx2, avx512 or
	// avx512vnni, which runs quantised models in integers, on arm64 neon; "" for
	// the environment variable HYDRAULICS_ONNX_KERNELS or, where that is not set, the
	// best that the processor has. One that it lacks is an error.
	Kernels string
	// External reads a file beside the model that holds weights, by its path with
	// slashes, which does not lead out of the model's folder. Without it weights in
	// other files are an error. What it returns is not changed.
	External func(name string) ([]byte, error)
	// Fill gives weights to a tensor that has a shape but no data, from its name
	// and documentation. Without it such a tensor is an error.
	Fill func(name, doc string, dst []float32) error
}

// Model is a network ready to run. It is immutable: any number of sessions
// share it.
type Model struct{ plan *plan }

// Load reads an ONNX file. Its error names the node, operator and attribute
// that this engine does not run. The data is not kept.
func Load(data []byte, opts Options) (*Model, error) {
	opts.Limits = opts.Limits.orDefault()
	k, err := kernelSet(cmp.Or(opts.Kernels, os.Getenv("HYDRAULICS_ONNX_KERNELS")))
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	pl, err := load(data, opts, k)
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	return &Model{plan: pl}, nil
}

func load(data []byte, opts Options, k *kernels) (*plan, error) {
	g, err := parseModel(data, opts.Limits)
	if err != nil {
		return nil, err
	}
	p, err := lower(g, opts)
	if err != nil {
		return nil, err
	}
	rewrite(p)
	if k.ints != nil {
		integers(p)
	}
	return newPlan(p, k, opts.Limits)
}

// Kernels gives the name of the instruction set it runs on.
func (m *Model) Kernels() string { return m.plan.kernels }

// InputSize gives the height, width and channels of the image it takes.
func (m *Model) InputSize() (height, width, channels int) {
	return m.plan.in.h, m.plan.in.w, m.plan.in.c
}

// OutputDims gives the shape of the scores of one image, without the batch.
func (m *Model) OutputDims() []int { return slices.Clone(m.plan.outs[0].dims[1:]) }

// OutputSize gives the number of scores of one image.
func (m *Model) OutputSize() int { return m.plan.outs[0].size() }

// EmbeddingSize gives the number of values of the embedding of one image, 0
// where it was not asked for.
func (m *Model) EmbeddingSize() int {
	if len(m.plan.outs) < 2 {
		return 0
	}
	return m.plan.outs[1].size()
}

// WeightBytes and ArenaBytes give the memory of the shared weights and of one
// session.
func (m *Model) WeightBytes() int { return m.plan.weights }

// ArenaBytes gives the memory of one session.
func (m *Model) ArenaBytes() int {
	n := 4 * (m.plan.arena + blockFloats)
	if m.plan.bytes > 0 {
		n += m.plan.bytes + blockBytes
	}
	return n
}

// Session runs a model on one image at a time. It is used from one goroutine
// at a time and allocates nothing after it was made.
type Session struct {
	plan               *plan
	arena              []float32
	scratch            []float32
	bytes, byteScratch []uint8
	panel              panelArgs
	depthwise          depthwiseArgs
	pixels             pixelArgs
	pool               poolArgs
	intPanel           intPanelArgs
	scale              scaleArgs
	matrix, noBias     []float32   // of products of tensors: one packed, and zeros
	operands           [][]float32 // of a body
}

// NewSession makes a session with an arena of its own.
func (m *Model) NewSession() *Session {
	s := &Session{plan: m.plan, arena: make([]float32, m.plan.arena), bytes: make([]uint8, m.plan.bytes)}
	scratch, byteScratch, taps, matrix, operands := blockFloats, 0, 0, 0, 0
	for _, st := range m.plan.steps {
		switch st := st.(type) {
		case *convStep:
			if st.pre != nil || st.gate != nil { // others read their input where it lies
				scratch = max(scratch, scratchStep(st.depth))
			}
		case *intConvStep:
			if st.pre != nil {
				byteScratch = max(byteScratch, blockBytes, byteStep(st.channels)+quad)
			}
		case *bodyStep:
			operands = max(operands, len(st.in))
			if m, ok := st.body.(*matmulBody); ok {
				s.noBias = slices.Grow(s.noBias, m.k.nr)[:m.k.nr]
				matrix = max(matrix, m.packedSize())
			}
		case *poolStep:
			taps = max(taps, min(st.win.kh, st.in.h)*min(st.win.kw, st.in.w))
		}
	}
	s.matrix, s.operands = make([]float32, matrix), make([][]float32, 0, operands)
	s.byteScratch = make([]uint8, byteScratch)
	s.scratch, s.pool.taps = make([]float32, scratch), make([]int, 0, taps)
	return s
}

// ErrOpenSize is the error of Load for a model whose file leaves the size of
// the input open, without a size in the options.
var ErrOpenSize = errors.New("the model leaves the size of its input open: it must be given")

// ErrShape is the error of Run for slices of another length than the model's.
var ErrShape = errors.New("onnx: pixels or scores have the wrong length")

// Run puts the model's scores for one image into the first of outputs and the
// embedding, where it was asked for, into the second, in the order of the file's
// axes. The pixels are always in the order height, width, channels, whatever the
// file's is.
func (s *Session) Run(pixels []float32, outputs ...[]float32) error {
	in := s.plan.in
	if len(pixels) != in.size() || len(outputs) != len(s.plan.outs) {
		return fmt.Errorf("%w: %d pixels of %d, %d outputs of %d", ErrShape, len(pixels), in.size(), len(outputs), len(s.plan.outs))
	}
	for i, o := range s.plan.outs {
		if len(outputs[i]) != o.size() {
			return fmt.Errorf("%w: %d values of %d of output %d", ErrShape, len(outputs[i]), o.size(), i)
		}
	}
	for y := range in.h {
		if in.ps == in.c {
			copy(s.arena[in.off+y*in.rs:][:in.w*in.c], pixels[y*in.w*in.c:])
			continue
		}
		for x := range in.w {
			copy(in.pixel(s.arena, y, x), pixels[(y*in.w+x)*in.c:])
		}
	}
	for _, st := range s.plan.steps {
		st.run(s)
	}
	for i, o := range s.plan.outs {
		o.copy(outputs[i], s.arena)
	}
	return nil
}

// copy gives the output in the order of the file's axes.
func (out output) copy(scores, arena []float32) {
	if out.axes == "" { // of a tensor
		copy(scores, arena[out.off:][:out.c])
		return
	}
	var sy, sx, sc int // distances in scores
	n := 1
	for i := len(out.axes) - 1; i >= 0; i-- {
		switch out.axes[i] {
		case 'H':
			sy = n
		case 'W':
			sx = n
		case 'C':
			sc = n
		}
		n *= out.dims[i]
	}
	for y := range out.h {
		for x := range out.w {
			for c, v := range out.pixel(arena, y, x) {
				scores[y*sy+x*sx+c*sc] = v
			}
		}
	}
}
