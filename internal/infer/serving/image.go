package serving

import (
	"slices"
	"sync"

	"google.golang.org/grpc/mem"
)

// Image is an encoded image whose bytes requests refer to. It is counted: it
// begins with one reference, that of its maker, who gives it back with Free;
// the memory is used again once no transport needs it either, which can be
// after a request that was broken off.
type Image = mem.Buffer

// pool keeps the memory of images.
var pool = new(images)

type images struct{ free sync.Pool }

// Get gives n bytes of any content.
func (p *images) Get(n int) *[]byte {
	b, ok := p.free.Get().(*[]byte)
	if !ok {
		b = new([]byte)
	}
	*b = slices.Grow((*b)[:0], n)[:n]
	return b
}

// Put takes memory back.
func (p *images) Put(b *[]byte) { p.free.Put(b) }

// NewImage makes an image. fill appends its bytes to an empty slice and gives
// the result; size is about how many they are.
func NewImage(size int, fill func([]byte) ([]byte, error)) (Image, error) {
	b := pool.Get(size)
	data, err := fill((*b)[:0])
	if err != nil {
		pool.Put(b)
		return nil, err
	}
	*b = data
	return mem.NewBuffer(b, pool), nil
}

// message joins the parts of a request: head, images with sep between them, tail.
func message(head []byte, images []Image, sep, tail string) mem.BufferSlice {
	m := make(mem.BufferSlice, 0, 2*len(images)+2)
	m = append(m, mem.SliceBuffer(head))
	for i, img := range images {
		if i > 0 && sep != "" {
			m = append(m, mem.SliceBuffer(sep))
		}
		m = append(m, img)
	}
	if tail != "" {
		m = append(m, mem.SliceBuffer(tail))
	}
	return m
}

// length is the number of bytes of some images.
func length(images []Image) int {
	n := 0
	for _, img := range images {
		n += img.Len()
	}
	return n
}
