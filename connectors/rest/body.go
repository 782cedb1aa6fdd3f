package rest

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/plainjson"
	"github.com/axiom-data-science/hydraulics/internal/java/tostring"
)

// message is a record as it is sent.
type message struct {
	record int // in the Put
	url    string
	body   []byte
	text   string // in place of body: text that is sent as it is, and not copied
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
	if text, ok := r.Value.(string); ok && s.format == formatRaw {
		m.text = text
		return m, nil
	}
	m.body, err = s.body(r)
	return m, err
}

func (m *message) size() int { return len(m.body) + len(m.text) }

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
		if v, ok := r.Value.([]byte); ok {
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
		if i > from && (i-from >= s.batch || m.url != messages[from].url || size+m.size() > s.maxBytes) {
			all = append(all, messages[from:i])
			from, size = i, 0
		}
		size += m.size() + 1
	}
	if from < len(messages) {
		all = append(all, messages[from:])
	}
	return all
}

// payload joins messages into a request's body. A record that is sent alone is
// not copied.
func (s *Sink) payload(messages []message) io.Reader {
	array := s.format == formatJSON && s.batch > 1
	if !array && s.batch == 1 {
		m := &messages[0]
		if m.body == nil {
			return strings.NewReader(m.text)
		}
		return bytes.NewReader(m.body)
	}
	size := 2
	for i := range messages {
		size += messages[i].size() + 1
	}
	out := make([]byte, 0, size)
	if array {
		out = append(out, '[')
	}
	for i, m := range messages {
		if array && i > 0 {
			out = append(out, ',')
		}
		out = append(append(out, m.body...), m.text...)
		if !array {
			out = append(out, '\n')
		}
	}
	if array {
		out = append(out, ']')
	}
	return bytes.NewReader(out)
}
