package imaging

// shape is the size of an image, px.
type shape struct{ width, height int }

// blockValues is about how many values a block of columns has: it stays in the fast cache while it is transformed.
const blockValues = 4096

// block is a range of columns.
type block struct{ from, to int }

// blocks splits the columns that keep tells of into ranges that are transformed together, of vectors of length n.
func blocks(columns, n int, keep func(column int) bool) []block {
	limit := min(max(blockValues/n, 4), 64)
	var list []block
	for c := range columns {
		if !keep(c) {
			continue
		}
		if last := len(list) - 1; last >= 0 && list[last].to == c && c-list[last].from < limit {
			list[last].to++
		} else {
			list = append(list, block{c, c + 1})
		}
	}
	return list
}

func every(int) bool { return true }

// transposed transforms columns of an array of p.n rows and writes each as a row of dst: done twice, this is the
// transform of both axes with the array the way it was. load copies one block of columns, row after row, into its
// argument. work has room for every block (see workSize).
func (p *plan) transposed(dst []complex128, list []block, work []complex128, load func(dst []complex128, b block)) {
	for _, b := range list {
		batch := b.to - b.from
		in, rest := work[:p.n*batch], work[p.n*batch:]
		load(in, b)
		out := p.transform(in, rest, batch)
		for j := range batch {
			row := dst[(b.from+j)*p.n:][:p.n]
			for i := range row {
				row[i] = out[i*batch+j]
			}
		}
	}
}

// workSize is how many values transposed needs for these blocks.
func (p *plan) workSize(list []block) int {
	batch := 0
	for _, b := range list {
		batch = max(batch, b.to-b.from)
	}
	return (p.n + p.scratch()) * batch
}

// columnsOf gives the load function of an array with rows of this width.
func columnsOf(a []complex128, width int) func([]complex128, block) {
	return func(dst []complex128, b block) {
		batch := b.to - b.from
		for i := 0; len(dst) > 0; i++ {
			copy(dst[:batch], a[i*width+b.from:])
			dst = dst[batch:]
		}
	}
}
