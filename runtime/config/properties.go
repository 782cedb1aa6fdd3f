package config

import (
	"errors"

	"github.com/axiom-data-science/hydraulics/internal/java/properties"
)

// parseProperties reads Java's properties format.
func parseProperties(file string, data []byte) (List, error) {
	found, err := properties.Parse(data)
	if wrong, ok := errors.AsType[*properties.Error](err); ok {
		return nil, Problem{File: file, Line: wrong.Line, Key: wrong.Key, Message: wrong.Text}
	}
	var list List
	for _, p := range found {
		list = append(list, Entry{Key: p.Key, Text: p.Text, File: file, Line: p.Line})
	}
	return list, err
}
