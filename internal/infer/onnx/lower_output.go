package onnx

import (
	"fmt"
	"slices"
	"strings"
)

// outputs gives what the caller reads: the scores and, where it is asked for,
// the embedding.
func (l *lowerer) outputs() ([]ref, error) {
	scores, err := l.scores()
	if err != nil {
		return nil, err
	}
	names := []string{scores}
	if l.opts.Embed {
		name := l.opts.Embedding
		if name == "" {
			if len(l.g.outputs) != 2 {
				return nil, fmt.Errorf("the model has %d outputs: name the tensor that is the embedding (output.embedding in its manifest)", len(l.g.outputs))
			}
			name = l.g.outputs[0].name
			if name == scores {
				name = l.g.outputs[1].name
			}
		}
		names = append(names, name)
	}
	var outs []ref
	for _, name := range names {
		r, err := l.outputRef(name)
		if err != nil {
			return nil, err
		}
		r.v.out = true
		outs = append(outs, r)
	}
	return outs, nil
}

func (l *lowerer) outputRef(name string) (ref, error) {
	r, ok := l.refs[name]
	if !ok || r.v == nil || r.q != nil {
		return r, fmt.Errorf("no node makes the output %q", name)
	}
	if len(r.shape) > 0 && r.shape[0] == 1 && r.batch == 0 {
		return r, nil
	}
	if r.axes == "" || r.axes[0] != 'N' {
		return r, fmt.Errorf("output %s has the axes %s, expected the batch first", name, r.axes)
	}
	return r, nil
}

// scores gives the name of the output with the scores.
func (l *lowerer) scores() (string, error) {
	if l.opts.Output != "" {
		return l.opts.Output, nil
	}
	if len(l.g.outputs) == 1 {
		return l.g.outputs[0].name, nil
	}
	var names, fit []string
	for _, o := range l.g.outputs {
		names = append(names, o.name)
		if r := l.refs[o.name]; r.v != nil && r.v.size() == l.opts.Labels {
			fit = append(fit, o.name)
		}
	}
	if len(fit) != 1 {
		return "", fmt.Errorf("the model has %d outputs (%s), of which %d have a value for each of %d labels: name the one that holds the scores (output.scores in its manifest)", len(names), strings.Join(names, ", "), len(fit), l.opts.Labels)
	}
	return fit[0], nil
}

// live leaves out the nodes that do not lead to the outputs that are named, so
// that what makes another one need not be known here.
func (l *lowerer) live() error {
	wanted := map[string]bool{}
	for _, name := range []string{l.opts.Output, l.opts.Embedding} {
		if name != "" && !slices.ContainsFunc(l.g.nodes, func(n *rawNode) bool { return slices.Contains(n.out, name) }) {
			return fmt.Errorf("no node makes the output %q", name)
		}
		wanted[name] = true
	}
	if l.opts.Output == "" || l.opts.Embed && l.opts.Embedding == "" {
		return nil
	}
	var nodes []*rawNode
	for _, n := range slices.Backward(l.g.nodes) {
		if !slices.ContainsFunc(n.out, func(name string) bool { return name != "" && wanted[name] }) {
			continue
		}
		for _, name := range n.in {
			wanted[name] = true
		}
		nodes = append(nodes, n)
	}
	slices.Reverse(nodes)
	l.g.nodes = nodes
	return nil
}
