package dashboard

import (
	"encoding/json"
	"strconv"
	"strings"
)

// looseNumber is a number that a dashboard may write as a text, with a unit behind it ("4.9 ml"). What is none is
// unknown, and costs the answer's other facts nothing.
type looseNumber struct{ value *float64 }

// UnmarshalJSON reads a number, or a text that begins with one.
func (n *looseNumber) UnmarshalJSON(data []byte) error {
	n.value = nil
	text := string(data)
	var quoted string
	if json.Unmarshal(data, &quoted) == nil {
		text, _, _ = strings.Cut(strings.TrimSpace(quoted), " ")
	}
	if v, err := strconv.ParseFloat(text, 64); err == nil {
		n.value = &v
	}
	return nil
}

// looseText is a text; what is none is empty.
type looseText string

// UnmarshalJSON reads a text.
func (t *looseText) UnmarshalJSON(data []byte) error {
	var text string
	_ = json.Unmarshal(data, &text) // another form: unknown
	*t = looseText(text)
	return nil
}
