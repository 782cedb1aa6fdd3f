package rest

import (
	"fmt"
	"strconv"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/plainjson"
	"github.com/axiom-data-science/hydraulics/internal/java/tostring"
)

// message is a record as it is sent.
type message struct {
	record int // in the Put
	url    string
	body   []byte
}

// message makes a record's message. Its error is about the record.
func (s *Sink) message(record int, r *connector.Record) (m message, err error) {
	m.record = record
	key := ""
	if s.keyed {
		if key, err = keyText(r.Key); err != nil {
			return m, err
		}
	}
	m.url = fill(s.url, r.Topic, key)
	m.body, err = s.body(r)
	return m, err
}

// keyText gives a key as part of a URL.
func keyText(key any) (string, error) {
	switch key.(type) {
	case string, bool, int8, int16, int32, int64, float32, float64, connector.Decimal:
	default:
		return "", fmt.Errorf("the key is a %s, but ${key} in the URL needs a primitive one", tostring.Class(key))
	}
	switch text := tostring.String(key); text {
	case "", ".", "..":
		return "", fmt.Errorf("the key is %q, which is no part of a URL", text)
	default:
		return text, nil
	}
}

func (s *Sink) body(r *connector.Record) ([]byte, error) {
	switch {
	case s.format == formatRaw:
		switch v := r.Value.(type) {
		case string:
			return []byte(v), nil
		case []byte:
			return v, nil
		}
		return nil, fmt.Errorf("the value is a %s, but format=raw sends text and bytes only", tostring.Class(r.Value))
	case s.whole:
		return appendRecord(nil, r)
	}
	return plainjson.Append(nil, r.ValueSchema, r.Value)
}

func appendRecord(out []byte, r *connector.Record) ([]byte, error) {
	var err error
	field := func(name string, schema *connector.Schema, v any) {
		if err != nil {
			return
		}
		out = append(strconv.AppendQuote(out, name), ':')
		out, err = plainjson.Append(out, schema, v)
		out = append(out, ',')
	}
	out = append(out, '{')
	field("topic", nil, r.Origin.Topic)
	field("partition", nil, r.Origin.Partition)
	field("offset", nil, r.Origin.Offset)
	if r.Timestamp != connector.NoTimestamp {
		field("timestamp", nil, r.Timestamp)
	}
	field("key", r.KeySchema, r.Key)
	field("value", r.ValueSchema, r.Value)
	if err != nil {
		return nil, err
	}
	out = append(out, `"headers":[`...)
	for i, h := range r.Headers {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, '{')
		field("key", nil, h.Key)
		field("value", h.Schema, h.Value)
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", h.Key, err)
		}
		out[len(out)-1] = '}'
	}
	return append(out, "]}"...), nil
}

// requests parts messages into those that go together: of one URL, in order.
func (s *Sink) requests(messages []message) [][]message {
	var all [][]message
	from, size := 0, 0
	for i, m := range messages {
		if i > from && (i-from >= s.batch || m.url != messages[from].url || size+len(m.body) > s.maxBytes) {
			all = append(all, messages[from:i])
			from, size = i, 0
		}
		size += len(m.body) + 1
	}
	if from < len(messages) {
		all = append(all, messages[from:])
	}
	return all
}

// payload joins messages into a request's body.
func (s *Sink) payload(messages []message) []byte {
	array := s.format == formatJSON && s.batch > 1
	if !array && s.batch == 1 {
		return messages[0].body
	}
	var out []byte
	if array {
		out = append(out, '[')
	}
	for i, m := range messages {
		if array && i > 0 {
			out = append(out, ',')
		}
		out = append(out, m.body...)
		if !array {
			out = append(out, '\n')
		}
	}
	if array {
		out = append(out, ']')
	}
	return out
}
