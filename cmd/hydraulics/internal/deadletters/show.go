package deadletters

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/axiom-data-science/hydraulics/internal/dlq"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// shown is a letter as programs read it.
type shown struct {
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	Origin    string `json:"origin"`
	Cause
	Task     string   `json:"task"`
	Class    string   `json:"class"`
	Message  string   `json:"message"`
	Replayed int      `json:"replayed"`
	Omitted  string   `json:"value_omitted_bytes,omitempty"`
	Key      *text    `json:"key"`
	Value    *text    `json:"value"`
	Headers  []header `json:"headers"` // the record's own
}

type header struct {
	Key   string `json:"key"`
	Value *text  `json:"value"`
}

// text is bytes: as text where they are one, else in base64.
type text struct {
	Text   string `json:"text,omitempty"`
	Base64 string `json:"base64,omitempty"`
}

func textOf(b []byte) *text {
	switch {
	case b == nil:
		return nil
	case utf8.Valid(b):
		return &text{Text: string(b)}
	}
	return &text{Base64: base64.StdEncoding.EncodeToString(b)}
}

// String gives the bytes in a line.
func (t *text) String() string {
	switch {
	case t == nil:
		return "null"
	case t.Base64 != "":
		return "base64 " + line(t.Base64)
	}
	return line(t.Text)
}

// Show prints letters one by one, as many as most says, 0 for all.
func (s *Source) Show(ctx context.Context, out io.Writer, most int, asJSON bool) error {
	n := 0
	return s.read(ctx, func(l dlq.Letter) error {
		if err := show(out, l, asJSON); err != nil {
			return err
		}
		if n++; n == most {
			return errEnough
		}
		return nil
	})
}

func show(out io.Writer, l dlq.Letter, asJSON bool) error {
	m := l.Again()
	x := shown{Partition: l.Message.Partition, Offset: l.Message.Offset, Origin: origin(l), Cause: Cause{l.Connector, l.Stage, l.Exception},
		Task: l.Task, Class: l.Class, Message: l.Text, Replayed: l.Replayed, Omitted: l.OmittedBytes,
		Key: textOf(m.Key), Value: textOf(m.Value), Headers: []header{}}
	for _, h := range own(m) {
		x.Headers = append(x.Headers, header{h.Key, textOf(h.Value)})
	}
	if asJSON {
		return json.NewEncoder(out).Encode(x)
	}
	_, err := fmt.Fprintf(out, "%d@%d  %s\n  connector %s/%s, stage %s, class %s\n  %s: %s\n", x.Partition, x.Offset, x.Origin,
		known(x.Connector), known(x.Task), known(x.Stage), known(x.Class), known(x.Exception), line(x.Message))
	if err != nil {
		return err
	}
	if x.Replayed > 0 {
		fmt.Fprintf(out, "  replayed %d times before\n", x.Replayed)
	}
	if x.Omitted != "" {
		fmt.Fprintf(out, "  the value, %s bytes, was too large for the letter\n", x.Omitted)
	}
	for _, h := range x.Headers {
		fmt.Fprintf(out, "  header %s: %s\n", h.Key, h.Value)
	}
	_, err = fmt.Fprintf(out, "  key:   %s\n  value: %s\n\n", x.Key, x.Value)
	return err
}

// own gives the headers that a record had before it died.
func own(m kafka.Message) []kafka.Header { return m.Headers[:len(m.Headers)-1] }

// origin says where a record is from.
func origin(l dlq.Letter) string {
	switch {
	case l.SourcePartition != "" || l.SourceOffset != "":
		return "from a source, " + l.SourcePartition + "@" + l.SourceOffset + ", to " + l.Topic
	case l.Topic == "":
		return "from an unknown place: the letter has no context headers"
	}
	return "from " + l.Topic + "[" + strconv.Itoa(int(l.Partition)) + "]@" + strconv.FormatInt(l.Offset, 10)
}
