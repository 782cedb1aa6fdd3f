package onnx

import "fmt"

// tensorLpPool gives the p-norm of each window of an image.
func tensorLpPool(n *node) (ref, error) {
	x, err := n.floats(0)
	if err != nil {
		return x, err
	}
	d := x.dims()
	if len(d) != 4 {
		return x, fmt.Errorf("shape %v is not that of images%s", d, wayOut)
	}
	norm, err := powers(n)
	if err != nil {
		return x, err
	}
	win, oh, ow, err := n.window(nil, d[2], d[3], n.intAttr("ceil_mode", 0) != 0)
	if err != nil {
		return x, err
	}
	return n.compute(&windowBody{reduction: norm, win: win, h: d[2], w: d[3], oh: oh, ow: ow}, []int{d[0], d[1], oh, ow}, x)
}

// windowBody makes one number of each window of an image, channels first.
type windowBody struct {
	reduction
	win          window
	h, w, oh, ow int
}

func (b *windowBody) run(_ *Session, out []float32, in [][]float32) {
	for plane := 0; len(out) > 0; plane++ {
		x := in[0][plane*b.h*b.w:][:b.h*b.w]
		for oy := range b.oh {
			for ox := range b.ow {
				sum := b.start
				for ky := range b.win.kh {
					y := oy*b.win.sh + ky*b.win.dh - b.win.top
					if y < 0 || y >= b.h {
						continue
					}
					for kx := range b.win.kw {
						if at := ox*b.win.sw + kx*b.win.dw - b.win.left; at >= 0 && at < b.w {
							sum = b.add(sum, float64(x[y*b.w+at]))
						}
					}
				}
				out[oy*b.ow+ox] = float32(b.end(sum, b.win.kh*b.win.kw))
			}
		}
		out = out[b.oh*b.ow:]
	}
}
