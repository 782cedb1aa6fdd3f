package config

import (
	"slices"
	"strings"
)

// didYouMean gives ", did you mean x?" for the known word nearest to another
// one, "" where none is near.
func didYouMean(word string, known []string) string {
	if best := nearest(word, known); best != "" {
		return ", did you mean " + best + "?"
	}
	return ""
}

// nearest gives the known word with the fewest edits, at most a third of its
// letters, "" without one.
func nearest(word string, known []string) string {
	best, least := "", len(word)
	for _, k := range known {
		d := edits(strings.ToLower(word), strings.ToLower(k))
		if d < least && d <= 1+len(k)/4 {
			best, least = k, d
		}
	}
	return best
}

// edits counts the letters to insert, delete, change or swap with a neighbour
// to make one word the other.
func edits(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last := make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row := make([]int, len(y)+1)
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = slices.Min([]int{last[j] + 1, row[j-1] + 1, last[j-1] + cost})
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(y)]
}
