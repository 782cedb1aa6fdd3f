package model

import (
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Fill is what lies round an image that is fitted into the input: a pixel value,
// or what is made of the image itself.
type Fill struct {
	Value byte
	From  string // corners, border-median or reflect; "" for Value
}

const (
	fillCorners = "corners"
	fillMedian  = "border-median"
	fillReflect = "reflect"
)

// When an image is padded to the shape of the input.
const (
	padBefore = "before" // it gets the input's size
	padAfter  = "after"
)

// UnmarshalYAML reads a pixel value or a name.
func (f *Fill) UnmarshalYAML(node *yaml.Node) error {
	if v, err := strconv.ParseUint(node.Value, 10, 8); err == nil {
		*f = Fill{Value: byte(v)}
		return nil
	}
	return node.Decode(&f.From)
}

func (f Fill) check(wrong func(string, ...any)) {
	if !oneOf(f.From, "", fillCorners, fillMedian, fillReflect) {
		wrong("resize.fill: %s is not a pixel value from 0 to 255, %s, %s or %s", f.From, fillCorners, fillMedian, fillReflect)
	}
}

// MarshalYAML gives what UnmarshalYAML reads.
func (f Fill) MarshalYAML() (any, error) {
	if f.From != "" {
		return f.From, nil
	}
	return f.Value, nil
}

// squared gives the size of an image of iw x ih once it is padded to the shape
// of w x h.
func squared(iw, ih, w, h int) (int, int) { return max(iw, ih*w/h), max(ih, iw*h/w) }

// pad puts an image into one of w x h at a place.
func (f Fill) pad(img picture, w, h, left, top int, colour []byte) picture {
	if f.From == fillReflect {
		return pick(img, reflected(img.w, w, left), reflected(img.h, h, top))
	}
	out := newPicture(w, h, img.n)
	for at := 0; at < len(out.pix); at += img.n {
		copy(out.pix[at:], colour)
	}
	for y := range img.h {
		copy(out.row(top + y)[left*img.n:], img.row(y))
	}
	return out
}

// reflected gives the source index of each of out elements, of which the first
// of in is at left: at each end it goes back without repeating the last one.
func reflected(in, out, left int) []int {
	period := max(2*(in-1), 1)
	index := make([]int, out)
	for i := range index {
		at := ((i-left)%period + period) % period
		index[i] = min(at, period-at)
	}
	return index
}

// colour gives the pixel that an image is filled up with: a mean or median,
// without its fraction, of each channel.
func (f Fill) colour(img picture) []byte {
	colour := slices.Repeat([]byte{f.Value}, img.n)
	first, last := img.row(0), img.row(img.h-1)
	for c := range colour {
		end := len(first) - img.n + c
		switch f.From {
		case fillCorners:
			colour[c] = byte((int(first[c]) + int(first[end]) + int(last[c]) + int(last[end])) / 4)
		case fillMedian:
			var count [256]int
			for x := c; x < len(first); x += img.n {
				count[first[x]]++
				count[last[x]]++
			}
			for y := range img.h {
				row := img.row(y)
				count[row[c]]++
				count[row[end]]++
			}
			colour[c] = median(&count, 2*(img.w+img.h))
		}
	}
	return colour
}

// median is that of an even number of values, of which each is counted.
func median(count *[256]int, n int) byte {
	var middle [2]int // the values in the middle
	for i := range middle {
		for left := n/2 - 1 + i - count[0]; left >= 0; left -= count[middle[i]] {
			middle[i]++
		}
	}
	return byte((middle[0] + middle[1]) / 2)
}
