package onnx

import "fmt"

// Channels spread over the pixels of a block, and gathered from them.

// blocks gives an image, channels first, and the size of a node's blocks.
func (n *node) blocks() (x ref, d []int, size int, err error) {
	if x, err = n.floats(0); err != nil {
		return x, nil, 0, err
	}
	size = int(n.intAttr("blocksize", 0))
	if d = x.dims(); len(d) != 4 || size < 1 || size > maxWindow {
		err = fmt.Errorf("attribute blocksize: %d of shape %v is not supported%s", size, d, wayOut)
	}
	return x, d, size, err
}

func tensorDepthToSpace(n *node) (ref, error) {
	x, d, b, err := n.blocks()
	if err != nil {
		return x, err
	}
	if d[1]%(b*b) != 0 {
		return x, fmt.Errorf("%d channels do not fill blocks of %d", d[1], b)
	}
	c := d[1] / (b * b)
	parts, perm := []int{d[0], b, b, c, d[2], d[3]}, []int64{0, 3, 4, 1, 5, 2}
	switch mode := n.stringAttr("mode", "DCR"); mode {
	case "DCR":
	case "CRD":
		parts, perm = []int{d[0], c, b, b, d[2], d[3]}, []int64{0, 1, 4, 2, 5, 3}
	default:
		return x, fmt.Errorf("attribute mode: %s is not known", mode)
	}
	x, err = n.transpose(reshaped(x, parts), perm)
	return reshaped(x, []int{d[0], c, d[2] * b, d[3] * b}), err
}

func tensorSpaceToDepth(n *node) (ref, error) {
	x, d, b, err := n.blocks()
	if err != nil {
		return x, err
	}
	if d[2]%b != 0 || d[3]%b != 0 {
		return x, fmt.Errorf("shape %v has no whole number of blocks of %d", d, b)
	}
	h, w := d[2]/b, d[3]/b
	x, err = n.transpose(reshaped(x, []int{d[0], d[1], h, b, w, b}), []int64{0, 3, 5, 1, 2, 4})
	return reshaped(x, []int{d[0], d[1] * b * b, h, w}), err
}
