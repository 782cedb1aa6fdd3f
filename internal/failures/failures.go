// Package failures knows what the codes of errors stand for: what a user who meets
// one reads of its cause and its remedy. `explain` and docs/failures.md show it.
package failures

import (
	"regexp"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Failure is what is documented of a code.
type Failure struct {
	Code   string `json:"code"`
	Title  string `json:"title"`
	Cause  string `json:"cause"`
	Remedy string `json:"remedy"`
}

// Area is failures of one part, whose codes begin alike.
type Area struct {
	Begins string // H and a digit
	Title  string
}

// Areas gives the parts in the order of their codes.
func Areas() []Area {
	return []Area{
		{"H1", "Configuration"},
		{"H2", "Kafka"},
		{"H3", "Converters and the schema registry"},
		{"H4", "Transforms, their state and models"},
		{"H5", "PostgreSQL"},
		{"H6", "Web services"},
		{"H7", "Dashboards, folders and disks"},
		{"H8", "Tasks"},
		{"H9", "The machine and its surroundings"},
	}
}

// All gives what is documented, by code.
func All() []Failure { return slices.Clone(table) }

// Find gives the failure of a code, in any case of its letter.
func Find(code string) (Failure, bool) {
	i := slices.IndexFunc(table, func(f Failure) bool { return strings.EqualFold(f.Code, code) })
	if i < 0 {
		return Failure{}, false
	}
	return table[i], true
}

// written is a code as [Text] writes it.
var written = regexp.MustCompile(`\[(H\d{4})\]`)

// In gives the failures whose codes are written in a text, each once.
func In(text string) []Failure {
	var list []Failure
	for _, m := range written.FindAllStringSubmatch(text, -1) {
		if f, known := Find(m[1]); known && !slices.Contains(list, f) {
			list = append(list, f)
		}
	}
	return list
}

// Text gives an error's text as people see it: with its code, at the end of the first
// line.
func Text(err error) string {
	text, code := err.Error(), connector.CodeOf(err)
	if code == "" {
		return text
	}
	first, rest, more := strings.Cut(text, "\n")
	first += " [" + code + "]"
	if more {
		return first + "\n" + rest
	}
	return first
}
