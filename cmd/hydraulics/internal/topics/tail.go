package topics

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/output"
)

// clipped is how much of a key or value people are shown.
const clipped = 2000

// Tail is which records of a topic are shown, and how many.
type Tail struct {
	Cluster
	Converters
	Topic     string
	Partition int    // -1 for all
	From      string // where to begin: see [Tail.starts]
	Key       string // only records with this key
	Follow    bool   // go on with what is added
	// What ends it; 0 is without a bound.
	Max   int
	Bytes int64
	For   time.Duration

	// Notes gets what the user is to know beside the records.
	Notes io.Writer
	// Now is the time that ages are counted from.
	Now time.Time
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

// errEnough ends the reading when there are as many records as are wanted.
var errEnough = errors.New("enough")

// bound is a flag whose bound ends the reading before that.
type bound string

// Error names it.
func (b bound) Error() string { return string(b) + ": enough" }

// Run prints the records.
func (t *Tail) Run(ctx context.Context, out io.Writer, asJSON bool) error {
	client, settings, err := t.open(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	d, err := t.decoder(settings)
	if err != nil {
		return err
	}
	defer d.Close()
	starts, err := t.starts(ctx, client)
	if err != nil {
		return err
	}
	if t.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, t.For, bound("--for"))
		defer cancel()
	}
	p := &printer{tail: t, out: out, asJSON: asJSON, decoder: d, at: "the beginning"}
	err = t.read(ctx, client, starts, func(m kafka.Message) error { return p.print(ctx, m) })
	if b, is := errors.AsType[bound](err); is {
		if !t.Follow {
			fmt.Fprintf(t.Notes, "ended by %s behind %s: what follows, and later partitions, are not shown\n", string(b), p.at)
		}
		return nil
	}
	if errors.Is(err, errEnough) || t.Follow && errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil // its bounds, or the user, have ended it
	}
	return err
}

// read reads partitions: one after the other, or all at once where it goes on.
func (t *Tail) read(ctx context.Context, client *kafka.Client, starts map[connector.TopicPartition]int64, each func(kafka.Message) error) error {
	partitions := make([]connector.TopicPartition, 0, len(starts))
	for tp := range starts {
		partitions = append(partitions, tp)
	}
	slices.SortFunc(partitions, func(a, b connector.TopicPartition) int { return cmp.Compare(a.Partition, b.Partition) })
	if !t.Follow {
		for _, tp := range partitions {
			if err := client.ReadPartition(ctx, tp, starts[tp], each); err != nil {
				return err
			}
		}
		return nil
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, tp := range partitions {
		g.Go(func() error { return client.FollowPartition(ctx, tp, starts[tp], each) })
	}
	return g.Wait()
}

// starts gives where each partition begins: "beginning", "end", an offset, a negative
// number for so many offsets before the end, a time, or an age such as 2h.
func (t *Tail) starts(ctx context.Context, client *kafka.Client) (map[connector.TopicPartition]int64, error) {
	ends, err := client.EndOffsets(ctx, t.Topic)
	if err != nil {
		return nil, err
	}
	if t.Partition >= 0 {
		only := connector.TopicPartition{Topic: t.Topic, Partition: int32(t.Partition)}
		end, there := ends[only]
		if !there {
			return nil, fmt.Errorf("--partition %d: topic %s has %d partitions, counted from 0", t.Partition, t.Topic, len(ends))
		}
		ends = map[connector.TopicPartition]int64{only: end}
	}
	since, isTime := t.since()
	offset, notNumber := strconv.ParseInt(t.From, 10, 64)
	var found map[connector.TopicPartition]int64
	if isTime {
		if found, err = client.OffsetsSince(ctx, t.Topic, since); err != nil {
			return nil, err
		}
	}
	starts := map[connector.TopicPartition]int64{}
	for tp, end := range ends {
		at, there := found[tp]
		switch {
		case t.From == "beginning":
			at = 0 // a partition that begins later is read from there
		case t.From == "end", isTime && !there:
			at = end
		case isTime:
		case notNumber != nil:
			return nil, fmt.Errorf("--from %s: want beginning, end, an offset, -10 for the last ten, a time such as 2026-07-28T21:26:39Z or an age such as 2h", t.From)
		case offset < 0 || strings.HasPrefix(t.From, "-"):
			at = max(0, end+offset)
		default:
			at = offset
		}
		starts[tp] = at
	}
	return starts, nil
}

// since gives the time that --from names.
func (t *Tail) since() (time.Time, bool) {
	if age, err := time.ParseDuration(t.From); err == nil && age > 0 {
		return t.Now.Add(-age), true
	}
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02"} {
		if at, err := time.Parse(form, t.From); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// printer prints records as they come, from whichever partition.
type printer struct {
	tail    *Tail
	out     io.Writer
	asJSON  bool
	decoder *decoder

	mu    sync.Mutex
	seen  int
	count int // of those that were shown
	bytes int64
	at    string // the last one
	over  error  // the bound that has ended it: other partitions may have more to show
}

func (p *printer) print(ctx context.Context, m kafka.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over == nil {
		p.over = p.show(ctx, m)
	}
	return p.over
}

// show prints a record. Its error ends the reading. The caller holds mu.
func (p *printer) show(ctx context.Context, m kafka.Message) error {
	t := p.tail
	p.bytes += int64(len(m.Key) + len(m.Value))
	if p.seen++; t.Bytes > 0 && p.bytes > t.Bytes && p.seen > 1 {
		return bound("--max-bytes")
	}
	p.at = fmt.Sprintf("%s[%d]@%d", m.Topic, m.Partition, m.Offset)
	x := shown{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset, Headers: []header{}}
	part := func(what string, c connector.Converter, data []byte) json.RawMessage {
		v, err := decode(ctx, c, m.Topic, data)
		if err != nil {
			x.Errors = append(x.Errors, fmt.Sprintf("%s: %v", what, err))
			v, _ = json.Marshal(output.BytesOf(data)) // of texts alone
		}
		return v
	}
	x.Key = part("key", p.decoder.key, m.Key)
	if t.Key != "" && t.Key != string(m.Key) && t.Key != string(x.Key) && t.Key != plain(x.Key) {
		return nil
	}
	x.Value = part("value", p.decoder.value, m.Value)
	if m.Timestamp != connector.NoTimestamp {
		at := time.UnixMilli(m.Timestamp).UTC()
		x.Timestamp = &at
	}
	for _, h := range m.Headers {
		x.Headers = append(x.Headers, header{h.Key, output.BytesOf(h.Value)})
	}
	if err := p.write(x); err != nil {
		return err
	}
	if p.count++; p.count == t.Max {
		return errEnough
	}
	return nil
}

func (p *printer) write(x shown) error {
	if p.asJSON {
		enc := json.NewEncoder(p.out)
		enc.SetEscapeHTML(false)
		return enc.Encode(x)
	}
	at := "-"
	if x.Timestamp != nil {
		at = x.Timestamp.Format("2006-01-02T15:04:05.000Z")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s[%d]@%d  %s  %s\n", x.Topic, x.Partition, x.Offset, at, output.Clip(plain(x.Key), clipped))
	for _, h := range x.Headers {
		fmt.Fprintf(&b, "  header %s: %s\n", h.Key, h.Value)
	}
	for _, e := range x.Errors {
		fmt.Fprintf(&b, "  error: %s\n", e)
	}
	fmt.Fprintf(&b, "  %s\n", output.Clip(plain(x.Value), clipped))
	_, err := io.WriteString(p.out, b.String())
	return err
}

// plain gives JSON to people: texts without their quotes.
func plain(v json.RawMessage) string {
	var text string
	if json.Unmarshal(v, &text) == nil && string(v) != "null" {
		return text
	}
	return string(v)
}
