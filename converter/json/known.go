package json

import (
	"bytes"
	"slices"

	"github.com/axiom-data-science/hydraulics/connector"
)

// head is how the envelopes of a schema begin that Kafka Connect writes: all before
// their payload.
type head struct {
	text   string
	schema *connector.Schema
}

// mostHeads is how many are known: a task may read a topic of each of many tables.
const mostHeads = 64

// readKnown reads an envelope that begins as one before. Its schema, which is most of
// it, is compared and not read again. What is not a whole envelope that way is not ok:
// readEnvelope has the words for it.
func (c *Converter) readKnown(data []byte) (schema *connector.Schema, payload any, ok bool) {
	c.mu.Lock()
	heads := c.heads
	c.mu.Unlock()
	for _, h := range heads {
		if len(data) <= len(h.text) || string(data[:len(h.text)]) != h.text {
			continue
		}
		text, closed := bytes.CutSuffix(data[len(h.text):], []byte{'}'})
		if !closed || len(bytes.TrimSpace(text)) == 0 || bytes.HasPrefix(text, bom) {
			return nil, nil, false
		}
		v, err := decode(text)
		return h.schema, v, err == nil
	}
	return nil, nil, false
}

// know has readKnown know the envelopes of a schema, in place of those of the one that
// it has known for longest. The converter is locked.
func (c *Converter) know(schema *connector.Schema, text []byte) {
	h := head{`{"schema":` + string(text) + `,"payload":`, schema}
	if slices.ContainsFunc(c.heads, func(o head) bool { return o.text == h.text }) {
		return
	}
	c.heads = append([]head{h}, c.heads[:min(len(c.heads), mostHeads-1)]...)
}
