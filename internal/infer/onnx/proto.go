package onnx

import (
	"errors"
	"fmt"
	"math"
)

// graph is what is used of a model file.
type graph struct {
	opset    int64
	producer string
	nodes    []*rawNode
	inits    map[string]*rawTensor
	inputs   []valueInfo
	outputs  []valueInfo

	externals []string // files with weights
}

// rawNode is a node as it stands in the file.
type rawNode struct {
	name, op, domain string
	in, out          []string
	attrs            map[string]*attribute
}

// attribute is a node's attribute; which part is set depends on its kind.
type attribute struct {
	f      float32
	i      int64
	s      string
	t      *rawTensor
	floats []float32
	ints   []int64
}

// valueInfo is the declared type of an input or output. A dimension of -1 is
// unknown.
type valueInfo struct {
	name string
	elem int64
	dims []int64
}

// parseModel reads an ONNX file. It copies what it keeps, except that raw
// tensor data still refers to data.
func parseModel(data []byte, limits Limits) (*graph, error) {
	g := &graph{inits: map[string]*rawTensor{}}
	p := parser{limits: limits, g: g}
	var body []byte
	err := each(data, func(f field) (err error) {
		switch f.id {
		case 2:
			g.producer, err = f.text()
		case 7:
			if body != nil {
				return errors.New("file has two graphs")
			}
			body, err = f.message()
		case 8:
			var b []byte
			if b, err = f.message(); err == nil {
				err = p.opset(b)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if body == nil {
		return nil, errors.New("file has no graph: it is no ONNX model")
	}
	if g.opset == 0 {
		return nil, errors.New("file names no version of the standard operators")
	}
	if err := p.graph(body); err != nil {
		return nil, err
	}
	return g, nil
}

type parser struct {
	limits Limits
	g      *graph
	total  int // elements of all tensors so far
}

func (p *parser) opset(b []byte) error {
	var domain string
	var version int64
	err := each(b, func(f field) (err error) {
		switch f.id {
		case 1:
			domain, err = f.text()
		case 2:
			version = int64(f.num)
		}
		return err
	})
	if err == nil && (domain == "" || domain == "ai.onnx") {
		p.g.opset = version
	}
	return err
}

func (p *parser) graph(b []byte) error {
	return each(b, func(f field) error {
		switch f.id {
		case 1, 5, 11, 12:
		default:
			return nil
		}
		m, err := f.message()
		if err != nil {
			return err
		}
		if most := tensorsPerNode * p.limits.Nodes; len(p.g.inits)+len(p.g.inputs)+len(p.g.outputs) >= most {
			return fmt.Errorf("graph has more than %d tensors, inputs and outputs", most)
		}
		switch f.id {
		case 1:
			if len(p.g.nodes) >= p.limits.Nodes {
				return fmt.Errorf("graph has more than %d nodes", p.limits.Nodes)
			}
			n, err := p.node(m)
			if err != nil {
				return fmt.Errorf("node %d: %w", len(p.g.nodes), err)
			}
			p.g.nodes = append(p.g.nodes, n)
		case 5:
			t, err := p.tensor(m)
			if err != nil {
				return err
			}
			if _, dup := p.g.inits[t.name]; dup || t.name == "" {
				return fmt.Errorf("tensor %q has no name of its own", t.name)
			}
			p.g.inits[t.name] = t
		case 11:
			v, err := p.valueInfo(m)
			p.g.inputs = append(p.g.inputs, v)
			return err
		case 12:
			v, err := p.valueInfo(m)
			p.g.outputs = append(p.g.outputs, v)
			return err
		}
		return nil
	})
}

func (p *parser) node(b []byte) (*rawNode, error) {
	n := &rawNode{attrs: map[string]*attribute{}}
	err := each(b, func(f field) error {
		if f.id < 1 || f.id > 7 || f.id == 6 {
			return nil
		}
		if f.id == 5 {
			m, err := f.message()
			if err != nil {
				return err
			}
			if len(n.attrs) >= maxAttributes {
				return fmt.Errorf("more than %d attributes", maxAttributes)
			}
			return p.attribute(n, m)
		}
		s, err := f.text()
		if err != nil {
			return err
		}
		switch f.id {
		case 1:
			n.in = append(n.in, s)
		case 2:
			n.out = append(n.out, s)
		case 3:
			n.name = s
		case 4:
			n.op = s
		case 7:
			n.domain = s
		}
		if len(n.in) > maxNodeInputs || len(n.out) > maxNodeInputs {
			return fmt.Errorf("more than %d inputs or outputs", maxNodeInputs)
		}
		return nil
	})
	if err == nil && n.op == "" {
		err = errors.New("it has no operator")
	}
	return n, err
}

func (p *parser) attribute(n *rawNode, b []byte) error {
	var name string
	a := new(attribute)
	err := each(b, func(f field) (err error) {
		switch f.id {
		case 1:
			name, err = f.text()
		case 2:
			a.f = math.Float32frombits(uint32(f.num))
		case 3:
			a.i = int64(f.num)
		case 4:
			a.s, err = f.text()
		case 5:
			var m []byte
			if m, err = f.message(); err == nil {
				a.t, err = p.tensor(m)
			}
		case 7:
			a.floats, err = f.floats(a.floats)
		case 8:
			a.ints, err = f.ints(a.ints, maxInts)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("attribute %s: %w", name, err)
	}
	n.attrs[name] = a
	return nil
}

// valueInfo reads ValueInfoProto: name, type {tensor {elem, shape {dim...}}}.
func (p *parser) valueInfo(b []byte) (valueInfo, error) {
	var v valueInfo
	err := each(b, func(f field) (err error) {
		switch f.id {
		case 1:
			v.name, err = f.text()
		case 2:
			var m []byte
			if m, err = f.message(); err == nil {
				err = v.typeProto(m)
			}
		}
		return err
	})
	if err != nil {
		return v, fmt.Errorf("value %q: %w", v.name, err)
	}
	return v, nil
}

func (v *valueInfo) typeProto(b []byte) error {
	return each(b, func(f field) error {
		if f.id != 1 {
			return fmt.Errorf("it is not a tensor (type %d)", f.id)
		}
		m, err := f.message()
		if err != nil {
			return err
		}
		return each(m, func(f field) error {
			switch f.id {
			case 1:
				v.elem = int64(f.num)
			case 2:
				shape, err := f.message()
				if err != nil {
					return err
				}
				return each(shape, v.dim)
			}
			return nil
		})
	})
}

func (v *valueInfo) dim(f field) error {
	if f.id != 1 {
		return nil
	}
	m, err := f.message()
	if err != nil {
		return err
	}
	size := int64(-1)
	err = each(m, func(f field) error {
		if f.id == 1 && f.typ == wireVarint && int64(f.num) > 0 {
			size = int64(f.num)
		}
		return nil
	})
	if len(v.dims) >= maxRank {
		return fmt.Errorf("more than %d dimensions", maxRank)
	}
	v.dims = append(v.dims, size)
	return err
}
