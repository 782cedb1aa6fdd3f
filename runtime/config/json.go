package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// parseJSON reads JSON as nodes, so that order, lines and the text of numbers
// are kept.
func parseJSON(file string, data []byte) (*yaml.Node, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	r := &jsonReader{data: data, dec: json.NewDecoder(bytes.NewReader(data))}
	r.dec.UseNumber()
	node, err := r.value()
	if err == nil {
		if _, extra := r.dec.Token(); !errors.Is(extra, io.EOF) {
			err = errors.New("more follows after the end of the object")
		}
	}
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("the text ends before the JSON does")
		}
		return nil, Problem{File: file, Line: r.line(), Message: err.Error()}
	}
	return node, nil
}

type jsonReader struct {
	data []byte
	dec  *json.Decoder
}

func (r *jsonReader) line() int {
	end := min(int(r.dec.InputOffset()), len(r.data))
	return 1 + bytes.Count(r.data[:end], []byte("\n"))
}

func (r *jsonReader) value() (*yaml.Node, error) {
	tok, err := r.dec.Token()
	if err != nil {
		return nil, err
	}
	node := &yaml.Node{Kind: yaml.ScalarNode, Line: r.line()}
	switch v := tok.(type) {
	case json.Delim:
		node.Kind = yaml.MappingNode
		if v == '[' {
			node.Kind = yaml.SequenceNode
		}
		for r.dec.More() {
			child, err := r.value()
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, child)
		}
		_, err = r.dec.Token()
		return node, err
	case string:
		node.Tag, node.Value = "!!str", v
	case json.Number:
		node.Tag, node.Value = "!!float", v.String()
	case bool:
		node.Tag, node.Value = "!!bool", fmt.Sprint(v)
	case nil:
		node.Tag = "!!null"
	}
	return node, nil
}
