package imaging

import (
	"math"
	"slices"
)

// median finds medians. Its buffers are reused.
type median struct {
	values [2][]float64
	sample [31]uint64
	power  powerArgs
	split  betweenArgs
}

// few values are searched one by one.
const few = 200

// root is the median of the absolute values of rows of numbers, of which there is at least one.
func (m *median) root(k *kernels, v []float64, rows, columns int) float64 {
	count := rows * columns
	for i := range m.values {
		m.values[i] = grow(m.values[i], count+k.lanes)
	}
	_ = v[rows*k.groups(columns)*k.group()-1]
	m.power = powerArgs{src: v, dst: m.values[0], rows: rows, columns: columns}
	k.powers(&m.power)
	near, at := m.around(k, count, count/2)
	selectNth(near, at)
	upper := math.Sqrt(near[at])
	if count%2 == 1 {
		return upper
	}
	return (math.Sqrt(slices.Max(near[:at])) + upper) / 2
}

// around gives some of the values, among them the n-th lowest and the one before it, and what number the n-th has among
// them.
//
// A sample tells between which two values both most likely are. One pass counts what is below and keeps what is between,
// of which a sample is taken again.
func (m *median) around(k *kernels, count, n int) (values []float64, at int) {
	const narrow = 6 // of the sample's values to each side: two standard deviations of its median
	from := 0
	for reach := narrow; count > few && reach < len(m.sample); {
		low, high := m.bounds(m.values[from][:count], n, reach)
		p := &m.split
		*p = betweenArgs{src: m.values[from], dst: m.values[1-from], count: count, low: low, high: high}
		k.between(p)
		if n-1 < p.below || n >= p.below+p.kept || p.kept == count {
			reach *= 2
			continue
		}
		from, count, n, reach = 1-from, p.kept, n-p.below, narrow
	}
	return m.values[from][:count], n
}

// bounds gives two values that the n-th lowest is likely to be between.
func (m *median) bounds(values []float64, n, reach int) (low, high float64) {
	for i := range m.sample { // bits of numbers that are not negative order as the numbers do
		m.sample[i] = math.Float64bits(values[i*len(values)/len(m.sample)])
	}
	slices.Sort(m.sample[:])
	middle := n * len(m.sample) / len(values)
	low, high = 0, math.MaxFloat64
	if i := middle - reach; i >= 0 {
		low = math.Float64frombits(m.sample[i])
	}
	if i := middle + reach; i < len(m.sample) {
		high = math.Float64frombits(m.sample[i])
	}
	return low, high
}

// selectNth reorders v so that v[n] is what it would be if v were sorted, with nothing larger before it (C. A. R.
// Hoare's FIND).
func selectNth(v []float64, n int) {
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
