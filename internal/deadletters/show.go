package deadletters

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/axiom-data-science/hydraulics/internal/dlq"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/output"
)

// Shown is a letter as programs read it.
type Shown struct {
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	Origin    string `json:"origin"`
	Cause
	Task     string        `json:"task"`
	Class    string        `json:"class"`
	Message  string        `json:"message"`
	Replayed int           `json:"replayed"`
	Omitted  string        `json:"value_omitted_bytes,omitempty"`
	Key      *output.Bytes `json:"key"`
	Value    *output.Bytes `json:"value"`
	Headers  []Header      `json:"headers"` // the record's own
}

// Header is one of a record.
type Header struct {
	Key   string        `json:"key"`
	Value *output.Bytes `json:"value"`
}

// Show prints letters one by one, as many as most says, 0 for all.
func (s *Source) Show(ctx context.Context, out io.Writer, most int, asJSON bool) error {
	n := 0
	return s.Each(ctx, func(l dlq.Letter) error {
		if err := show(out, l, asJSON); err != nil {
			return err
		}
		if n++; n == most {
			return ErrEnough
		}
		return nil
	})
}

// Show gives a letter as programs read it.
func Show(l dlq.Letter) Shown {
	m := l.Again()
	x := Shown{Partition: l.Message.Partition, Offset: l.Message.Offset, Origin: origin(l), Cause: Cause{l.Connector, l.Stage, l.Exception},
		Task: l.Task, Class: l.Class, Message: l.Text, Replayed: l.Replayed, Omitted: l.OmittedBytes,
		Key: output.BytesOf(m.Key), Value: output.BytesOf(m.Value), Headers: []Header{}}
	for _, h := range own(m) {
		x.Headers = append(x.Headers, Header{h.Key, output.BytesOf(h.Value)})
	}
	return x
}

func show(out io.Writer, l dlq.Letter, asJSON bool) error {
	x := Show(l)
	if asJSON {
		return json.NewEncoder(out).Encode(x)
	}
	_, err := fmt.Fprintf(out, "%d@%d  %s\n  connector %s/%s, stage %s, class %s\n  %s: %s\n", x.Partition, x.Offset, x.Origin,
		known(x.Connector), known(x.Task), known(x.Stage), known(x.Class), known(x.Exception), output.Line(x.Message))
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
