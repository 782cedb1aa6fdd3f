// Package exceptions reads lists of recorded answers that hydraulics gives in
// another way on purpose, by id and with the reason. Each must still be needed.
package exceptions

import (
	"fmt"
	"strings"
)

// List gives the reason by the id of each exception.
type List map[string]string

// Parse reads reasons, each with its ids indented by a tab below it. Lines that
// start with # are comments.
func Parse(text string) (List, error) {
	list, reason := List{}, ""
	for i, line := range strings.Split(text, "\n") {
		id, indented := strings.CutPrefix(line, "\t")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case !indented:
			reason = line
		case reason == "":
			return nil, fmt.Errorf("line %d: %s has no reason above it", i+1, id)
		case list[id] != "":
			return nil, fmt.Errorf("line %d: %s is there twice", i+1, id)
		default:
			list[id] = reason
		}
	}
	return list, nil
}

// Judge says what is wrong with an answer that differs from the recorded one
// by err, nil where it does not.
func (l List) Judge(id string, err error) error {
	reason := l[id]
	if reason == "" {
		return err
	}
	if err == nil {
		return fmt.Errorf("the answer is the recorded one: take %s off the list of exceptions, which says: %s", id, reason)
	}
	return nil
}
