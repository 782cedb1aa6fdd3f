package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// labelFiles gives the names of the files beside a model that may hold its
// labels, the first one that is there counts.
func labelFiles(model string) []string {
	stem := strings.TrimSuffix(filepath.Base(model), filepath.Ext(model))
	return []string{stem + ".classes", "labels.txt", "labels.json"}
}

// labels reads the labels beside the model file of this name, nil where there
// are none.
func (s source) labels(model string) ([]byte, error) {
	for _, name := range labelFiles(model) {
		data, err := s.beside(name)
		if !errors.Is(err, fs.ErrNotExist) {
			return data, err
		}
	}
	return nil, nil
}

// ParseLabels reads labels: one a line, where # begins a comment line, or JSON,
// which begins with a bracket: a list, or an object of label by index or of
// index by label. A byte order mark, as some editors write it, tells UTF-16.
func ParseLabels(text string) ([]string, error) {
	text, _, err := transform.String(unicode.BOMOverride(encoding.Nop.NewDecoder()), text)
	if err != nil {
		return nil, err
	}
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "[") || strings.HasPrefix(text, "{") {
		labels, err := labelsOfJSON([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("expected a list, label by index or index by label in JSON, or one label a line: %w", err)
		}
		return labels, nil
	}
	var labels []string
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			labels = append(labels, line)
		}
	}
	return labels, nil
}

func labelsOfJSON(data []byte) (labels []string, err error) {
	if data[0] == '[' {
		return labels, json.Unmarshal(data, &labels)
	}
	var label map[int]string
	if json.Unmarshal(data, &label) == nil {
		labels = make([]string, len(label))
		for i, l := range label {
			if i < 0 || i >= len(labels) {
				return nil, fmt.Errorf("label %q: index %d is not from 0 to %d", l, i, len(labels)-1)
			}
			labels[i] = l
		}
		return labels, nil
	}
	var index map[string]json.Number // as a number or as text
	if err := json.Unmarshal(data, &index); err != nil {
		return nil, err
	}
	labels = make([]string, len(index))
	for l, number := range index {
		i, err := strconv.Atoi(number.String())
		if err != nil || i < 0 || i >= len(labels) || labels[i] != "" {
			return nil, fmt.Errorf("label %q: index %s is not from 0 to %d, or there twice", l, number, len(labels)-1)
		}
		labels[i] = l
	}
	return labels, nil
}
