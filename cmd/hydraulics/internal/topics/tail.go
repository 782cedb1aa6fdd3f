package topics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/output"
	"github.com/axiom-data-science/hydraulics/internal/topics"
)

// clipped is how much of a key or value people are shown.
const clipped = 2000

// Tail prints records of a topic.
type Tail struct {
	topics.Tail
	Cluster
	Converters
	// Notes gets what the user is to know beside the records.
	Notes io.Writer
}

// shown is a record as programs read it.
type shown struct {
	Topic     string          `json:"topic"`
	Partition int32           `json:"partition"`
	Offset    int64           `json:"offset"`
	Timestamp *time.Time      `json:"timestamp"`
	Key       json.RawMessage `json:"key"`
	Value     json.RawMessage `json:"value"`
	Headers   []header        `json:"headers"`
	Errors    []string        `json:"errors,omitempty"` // of what could not be decoded
}

type header struct {
	Key   string        `json:"key"`
	Value *output.Bytes `json:"value"`
}

// Run prints the records.
func (t *Tail) Run(ctx context.Context, out io.Writer, asJSON bool) error {
	client, settings, err := t.open(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	if t.Decoder, err = t.decoder(settings); err != nil {
		return err
	}
	defer t.Decoder.Close()
	t.Client = client
	ended, err := t.Each(ctx, func(r *topics.Record) error { return write(out, r, asJSON) })
	if errors.Is(err, topics.ErrWhere) {
		return fmt.Errorf("--%w", err)
	}
	if err == nil && ended.By != "" && ended.By != "max" && !t.Follow {
		fmt.Fprintf(t.Notes, "ended by --%s behind %s: what follows, and later partitions, are not shown\n", ended.By, ended.Behind)
	}
	return err
}

func write(out io.Writer, r *topics.Record, asJSON bool) error {
	m := r.Message
	x := shown{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset, Key: r.Key.JSON, Value: r.Value.JSON, Headers: []header{}, Errors: r.Errors}
	at := "-"
	if stamp := r.Time(); !stamp.IsZero() {
		x.Timestamp, at = &stamp, stamp.Format("2006-01-02T15:04:05.000Z")
	}
	for _, h := range m.Headers {
		x.Headers = append(x.Headers, header{h.Key, output.BytesOf(h.Value)})
	}
	if asJSON {
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		return enc.Encode(x)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s  %s\n", r.Place(), at, output.Clip(topics.Text(x.Key), clipped))
	for _, h := range x.Headers {
		fmt.Fprintf(&b, "  header %s: %s\n", h.Key, h.Value)
	}
	for _, e := range x.Errors {
		fmt.Fprintf(&b, "  error: %s\n", e)
	}
	fmt.Fprintf(&b, "  %s\n", output.Clip(topics.Text(x.Value), clipped))
	_, err := io.WriteString(out, b.String())
	return err
}
