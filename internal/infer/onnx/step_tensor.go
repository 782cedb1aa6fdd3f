package onnx

// bodyStep computes a tensor.
type bodyStep struct {
	body body
	in   [][]float32 // constants; nil for what is at the same place of at
	at   []view
	out  view
}

func (b *bodyStep) run(s *Session) {
	list := s.operands[:0]
	for i, k := range b.in {
		if k == nil {
			k = s.arena[b.at[i].off:][:b.at[i].c]
		}
		list = append(list, k)
	}
	b.body.run(s, s.arena[b.out.off:][:b.out.c], list)
}

// tensorStep emits the step of a body.
func (pl *planner) tensorStep(o *op, out view) {
	s := &bodyStep{body: o.body, out: out, in: make([][]float32, len(o.args)), at: make([]view, len(o.args))}
	for i, a := range o.args {
		if s.in[i] = a.k; a.k == nil {
			s.at[i] = pl.view(o.in[a.at])
		}
	}
	switch b := o.body.(type) {
	case *matmulBody:
		b.k = pl.k
	case *softmaxBody:
		b.k = pl.k
	}
	pl.add(s)
}

// loadStep makes a tensor of an image.
type loadStep struct {
	in  output // with the tensor's axes
	out view
}

func (l *loadStep) run(s *Session) { l.in.copy(s.arena[l.out.off:][:l.out.c], s.arena) }

// storeStep makes an image of a tensor whose axes are N, C, H, W.
type storeStep struct{ in, out view }

func (t *storeStep) run(s *Session) {
	area := t.out.h * t.out.w
	for y := range t.out.h {
		for x := range t.out.w {
			at := t.in.off + y*t.out.w + x
			for c := range t.out.pixel(s.arena, y, x) {
				s.arena[t.out.off+y*t.out.rs+x*t.out.ps+c] = s.arena[at+c*area]
			}
		}
	}
}
