package ifcb

import (
	"cmp"
	"math"
	"slices"
)

// Columns of an .adc of new instruments, from 0.
const (
	adcTime        = 1
	adcRunTime     = 22
	adcInhibitTime = 23
)

const (
	// shifted is from how many seconds on the run time is taken to be shifted against the time of the trigger.
	shifted = 10
	// runTimeSlack is by how many seconds the last run time may differ from what the triggers' times say.
	runTimeSlack = 0.2
	// firstRows are how many rows tell how far run time and trigger time are apart.
	firstRows = 50
)

// adcTimes are the run and inhibit time that an .adc of a new instrument tells, by the rules of WHOI's ifcb-analysis and
// pyifcb: a garbled last row, and clocks that are shifted against the triggers', are seen through. One trigger tells
// nothing, nor do inhibit times that are all 0.
func adcTimes(targets []Target) times {
	targets = slices.DeleteFunc(slices.Clone(targets), func(t Target) bool { return t.timeless() })
	rows := len(targets)
	if !slices.ContainsFunc(targets, func(t Target) bool { return t.Trigger != targets[0].Trigger }) {
		return unknownTimes
	}
	trigger, run, inhibit := column(targets, adcTime), column(targets, adcRunTime), column(targets, adcInhibitTime)
	if !slices.ContainsFunc(inhibit, func(v float64) bool { return v < 0 || v > 0 }) {
		return unknownTimes
	}
	good := goodRows(inhibit)
	if len(good) == 0 {
		return unknownTimes
	}
	step := usualStep(inhibit, good)
	apart := make([]float64, 0, firstRows)
	for i := range min(rows, firstRows) {
		if d := run[i] - trigger[i]; !math.IsNaN(d) {
			apart = append(apart, d)
		}
	}
	usual := median(apart)
	var shift times
	// A second row that is garbled by itself is no shift.
	if d := run[1] - trigger[1]; d > shifted && math.Abs(d-usual) < shifted {
		shift = times{d, inhibit[1] + 2*step}
	}
	last := rows - 1
	t := times{run[last], inhibit[good[len(good)-1]] + step*float64(rows-len(good)) - shift.inhibit}
	if other := trigger[last] + usual; math.IsNaN(t.run) || math.Abs(t.run-other) > runTimeSlack {
		t.run = other
	}
	t.run -= shift.run
	if t.inhibit < 0 { // a guess that went wrong is no witness
		t.inhibit = math.NaN()
	}
	return t
}

// timeless tells that a row has no time that can be read: it is no witness.
func (t Target) timeless() bool {
	for _, at := range []int{adcTime, adcRunTime, adcInhibitTime} {
		if _, ok := t.Float(at); ok {
			return false
		}
	}
	return true
}

// column gives the values of a column, NaN where there is none.
func column(targets []Target, at int) []float64 {
	values := make([]float64, len(targets))
	for i, t := range targets {
		v, ok := t.Float(at)
		if !ok {
			v = math.NaN()
		}
		values[i] = v
	}
	return values
}

// goodRows are the rows whose inhibit time goes on from the readable row before.
func goodRows(inhibit []float64) []int {
	var good []int
	before := math.NaN()
	for i, v := range inhibit {
		if step := v - before; i == 0 && !math.IsNaN(v) || v > 0 && step > -0.1 && step < 5 {
			good = append(good, i)
		}
		if !math.IsNaN(v) {
			before = v
		}
	}
	return good
}

// usualStep is the most frequent step of the inhibit time from one good row to the next, the smallest of several.
func usualStep(inhibit []float64, good []int) float64 {
	const precision = 1e4
	count := map[float64]int{}
	for i := 1; i < len(good); i++ {
		count[math.Round((inhibit[good[i]]-inhibit[good[i-1]])*precision)]++
	}
	usual, most := 0., 0
	for step, n := range count {
		if n > most || n == most && cmp.Less(step, usual) {
			usual, most = step, n
		}
	}
	return usual / precision
}

// median is the middle of some values, NaN of none. It sorts them.
func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	if n == 0 {
		return math.NaN()
	}
	return (values[(n-1)/2] + values[n/2]) / 2
}
