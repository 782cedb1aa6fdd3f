package config

import (
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// didYouMean gives ", did you mean x?" for the known word nearest to another
// one, "" where none is near.
func didYouMean(word string, known []string) string {
	if best := nearest(word, known); best != "" {
		return ", did you mean " + best + "?"
	}
	return ""
}

// NearestPlugin gives the name, alias or class of a plugin that is nearest to
// another word, "" where none is near. Classes are compared by what tells them
// apart: InsertField$Value of org.apache.kafka.connect.transforms.InsertField$Value.
func NearestPlugin(word string, infos []connector.Info) string {
	full := map[string]string{}
	var known []string
	for _, i := range infos {
		for _, name := range append([]string{i.Name, i.Class}, i.Aliases...) {
			core := coreName(name)
			if _, there := full[core]; !there && core != "" {
				full[core] = name
				known = append(known, core)
			}
		}
	}
	return full[nearest(coreName(word), known)]
}

// coreName gives a plugin's name without package and type.
func coreName(name string) string {
	if short := shortName(name); strings.ToLower(short) != short { // insert-field.key is no package
		name = short
	}
	for _, suffix := range []string{"Connector", "Converter", "Transformation", "Predicate"} {
		if core := strings.TrimSuffix(name, suffix); core != "" {
			name = core
		}
	}
	return name
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
