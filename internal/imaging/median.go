package imaging

import (
	"math"
	"slices"
)

// median finds medians. Its buffers are reused.
type median struct {
	sample [255]uint64
	near   []uint64
}

// root is the median of the absolute values of v, of which there is at least one.
//
// A sample tells between which two values it is almost surely. One pass counts what is below them and keeps what is
// between them: a few, of which one is selected. Bits of numbers that are not negative order as the numbers do, and
// need no branches, which here no processor could foresee.
func (m *median) root(v []complex128) float64 {
	middle := len(v) / 2
	low, high := m.bounds(v)
	m.near = grow(m.near, len(v)+1)
	below, n := m.split(v, low, high)
	if middle-1+len(v)%2 < below || middle >= below+n {
		below, n = m.split(v, 0, math.MaxInt64)
	}
	near := m.near[:n]
	selectNth(near, middle-below)
	upper := math.Sqrt(math.Float64frombits(near[middle-below]))
	if len(v)%2 == 1 {
		return upper
	}
	lower := slices.Max(near[:middle-below])
	return (math.Sqrt(math.Float64frombits(lower)) + upper) / 2
}

// bounds gives two values that the median is likely to be between.
func (m *median) bounds(v []complex128) (low, high uint64) {
	if len(v) < 4*len(m.sample) {
		return 0, math.MaxInt64
	}
	for i := range m.sample {
		m.sample[i] = math.Float64bits(power(v[i*len(v)/len(m.sample)]))
	}
	slices.Sort(m.sample[:])
	const reach = len(m.sample) / 8 // 4 standard deviations of a sample's median
	return m.sample[len(m.sample)/2-reach], m.sample[len(m.sample)/2+reach]
}

// split counts the squares of absolute values that are below low, and keeps those up to high.
func (m *median) split(v []complex128, low, high uint64) (below, n int) {
	near := m.near[:len(v)+1]
	for _, c := range v {
		bits := math.Float64bits(power(c))
		under, over := (bits-low)>>63, (high-bits)>>63
		below += int(under)
		near[n] = bits
		n += int(1 - (under | over))
	}
	return below, n
}

// selectNth reorders v so that v[n] is what it would be if v were sorted, with nothing larger before it (C. A. R.
// Hoare's FIND).
func selectNth(v []uint64, n int) {
	low, high := 0, len(v)-1
	for low < high {
		a, b, c := v[low], v[(low+high)/2], v[high]
		pivot := max(min(a, b), min(max(a, b), c))
		i, j := low, high
		for i <= j {
			for v[i] < pivot {
				i++
			}
			for v[j] > pivot {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i++
				j--
			}
		}
		switch {
		case n <= j:
			high = j
		case n >= i:
			low = i
		default:
			return
		}
	}
}
