package main

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// cost is what one run took.
type cost struct {
	records     int           // 0 where the run has none to count
	took        time.Duration // 0 where the run has no end
	cpu         time.Duration
	memory      uint64 // bytes of RAM: the peak, or where the run has no end the last
	descriptors int    // 0 where they do not matter
}

func (c cost) String() string {
	text := fmt.Sprintf("%.2f s, CPU %.2f s, %d MB", c.took.Seconds(), c.cpu.Seconds(), c.memory>>20)
	if c.descriptors > 0 {
		text += fmt.Sprintf(", %d descriptors", c.descriptors)
	}
	return text
}

// table holds the costs of a lane's sides, round by round: hydraulics first and
// last.
type table struct {
	name  string
	sides []side
	costs [][]cost
}

func newTable(l lane) *table {
	again := l.sides[0]
	again.name += " again"
	sides := slices.Concat(l.sides, []side{again})
	return &table{name: l.name, sides: sides, costs: make([][]cost, len(sides))}
}

func (t *table) print(w io.Writer) {
	fmt.Fprintf(w, "\n### %s\n\n", t.name)
	fmt.Fprintln(w, "| | seconds | records/s | hydraulics is faster, times | CPU seconds | of it hydraulics takes | MB | descriptors |")
	fmt.Fprintln(w, "| --- | --- | --- | --- | --- | --- | --- | --- |")
	seconds := func(c cost) float64 { return c.took.Seconds() }
	cpu := func(c cost) float64 { return c.cpu.Seconds() }
	rate := func(c cost) float64 {
		if c.records == 0 {
			return 0
		}
		return float64(c.records) / c.took.Seconds()
	}
	for i, s := range t.sides {
		costs := t.costs[i]
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", s.name,
			spread(each(costs, seconds)), spread(each(costs, rate)), spread(t.ratios(i, func(ours, theirs cost) (float64, float64) { return seconds(theirs), seconds(ours) })),
			spread(each(costs, cpu)), spread(t.ratios(i, func(ours, theirs cost) (float64, float64) { return cpu(ours), cpu(theirs) })),
			spread(each(costs, func(c cost) float64 { return float64(c.memory) / (1 << 20) })),
			spread(each(costs, func(c cost) float64 { return float64(c.descriptors) })))
	}
}

// ratios compares hydraulics with a side, round by round. A peer is compared with
// both runs of hydraulics; the second of these with the first.
func (t *table) ratios(i int, parts func(ours, theirs cost) (over, under float64)) []float64 {
	last := len(t.sides) - 1
	if i == 0 {
		return nil
	}
	var list []float64
	for round, theirs := range t.costs[i] {
		ours := t.costs[0][round]
		if again := t.costs[last][round]; i < last {
			ours.took, ours.cpu = (ours.took+again.took)/2, (ours.cpu+again.cpu)/2
		}
		if over, under := parts(ours, theirs); under > 0 {
			list = append(list, over/under)
		}
	}
	return list
}

func each(costs []cost, of func(cost) float64) []float64 {
	list := make([]float64, len(costs))
	for i, c := range costs {
		list[i] = of(c)
	}
	return list
}

// spread is the median with the lowest and the highest; nothing of nothing.
func spread(list []float64) string {
	if len(list) == 0 || slices.Max(list) == 0 {
		return ""
	}
	slices.Sort(list)
	format := func(v float64) string {
		if v >= 20 {
			return fmt.Sprintf("%.0f", v)
		}
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%s (%s to %s)", format(list[len(list)/2]), format(list[0]), format(list[len(list)-1]))
}
