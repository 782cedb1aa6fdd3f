package topics

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// Tail is which records of a topic are read, and how many.
type Tail struct {
	Client *kafka.Client
	Decoder
	Topic     string
	Partition int    // -1 for all
	From      string // where to begin: see [Tail.starts]
	Key       string // only records with this key
	Follow    bool   // go on with what is added
	// What ends it; 0 is without a bound.
	Max   int
	Bytes int64
	For   time.Duration
	// Now is the time that ages are counted from.
	Now time.Time
}

// Record is a record that was read, decoded.
type Record struct {
	Message    kafka.Message
	Key, Value Part
	Errors     []string // of what could not be decoded
}

// Place says where a record is.
func Place(m kafka.Message) string {
	return fmt.Sprintf("%s[%d]@%d", m.Topic, m.Partition, m.Offset)
}

// Place says where the record is.
func (r *Record) Place() string { return Place(r.Message) }

// Time gives the record's timestamp, zero without one.
func (r *Record) Time() time.Time {
	if r.Message.Timestamp == connector.NoTimestamp {
		return time.Time{}
	}
	return time.UnixMilli(r.Message.Timestamp).UTC()
}

// Ended says which bound has ended a reading before all was read.
type Ended struct {
	By     string // for, max-bytes or max; empty where all was read
	Behind string // the record that was read last
}

// errEnough ends the reading when there are as many records as are wanted.
var errEnough = errors.New("enough")

// bound is a bound that ends the reading before its end.
type bound string

// Error names it.
func (b bound) Error() string { return string(b) + ": enough" }

// The bounds, by their names on the command line.
const (
	byTime  bound = "for"
	byBytes bound = "max-bytes"
)

// Each calls fn with the records, partition after partition, or as they come where it
// follows. It says which bound has ended it. The caller keeps the client and the decoder.
func (t *Tail) Each(ctx context.Context, fn func(*Record) error) (Ended, error) {
	starts, err := t.starts(ctx)
	if err != nil {
		return Ended{}, err
	}
	whole := ctx
	if t.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, t.For, byTime)
		defer cancel()
	}
	r := &reading{tail: t, fn: fn, at: "the beginning"}
	err = t.read(ctx, starts, func(m kafka.Message) error { return r.one(ctx, m) })
	ended := Ended{Behind: r.at}
	b, bounded := errors.AsType[bound](err)
	switch {
	case bounded:
		ended.By = string(b)
	case errors.Is(err, errEnough):
		ended.By = "max"
	case t.Follow && errors.Is(err, context.Canceled) && whole.Err() != nil: // the user has
	default:
		return ended, err
	}
	return ended, nil
}

// read reads partitions: one after the other, or all at once where it goes on.
func (t *Tail) read(ctx context.Context, starts map[connector.TopicPartition]int64, each func(kafka.Message) error) error {
	partitions := make([]connector.TopicPartition, 0, len(starts))
	for tp := range starts {
		partitions = append(partitions, tp)
	}
	slices.SortFunc(partitions, func(a, b connector.TopicPartition) int { return cmp.Compare(a.Partition, b.Partition) })
	if !t.Follow {
		for _, tp := range partitions {
			if err := t.Client.ReadPartition(ctx, tp, starts[tp], each); err != nil {
				return err
			}
		}
		return nil
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, tp := range partitions {
		g.Go(func() error { return t.Client.FollowPartition(ctx, tp, starts[tp], each) })
	}
	return g.Wait()
}

// ErrWhere says that a reading was asked to begin where nothing can.
var ErrWhere = errors.New("want beginning, end, an offset, -10 for the last ten, a time such as 2026-07-28T21:26:39Z or an age such as 2h")

// starts gives where each partition begins: "beginning", "end", an offset, a negative
// number for so many offsets before the end, a time, or an age such as 2h.
func (t *Tail) starts(ctx context.Context) (map[connector.TopicPartition]int64, error) {
	ends, err := t.Client.EndOffsets(ctx, t.Topic)
	if err != nil {
		return nil, err
	}
	if t.Partition >= 0 {
		only := connector.TopicPartition{Topic: t.Topic, Partition: int32(t.Partition)}
		end, there := ends[only]
		if !there {
			return nil, fmt.Errorf("partition %d: topic %s has %d partitions, counted from 0", t.Partition, t.Topic, len(ends))
		}
		ends = map[connector.TopicPartition]int64{only: end}
	}
	since, isTime := t.since()
	offset, notNumber := strconv.ParseInt(t.From, 10, 64)
	var found map[connector.TopicPartition]int64
	if isTime {
		if found, err = t.Client.OffsetsSince(ctx, t.Topic, since); err != nil {
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
			return nil, fmt.Errorf("from %s: %w", t.From, ErrWhere)
		case offset < 0 || strings.HasPrefix(t.From, "-"):
			at = max(0, end+offset)
		default:
			at = offset
		}
		starts[tp] = at
	}
	return starts, nil
}

// since gives the time that From names.
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

// reading takes records as they come, from whichever partition.
type reading struct {
	tail *Tail
	fn   func(*Record) error

	mu    sync.Mutex
	seen  int
	count int // of those that were given to fn
	bytes int64
	at    string // the last one
	over  error  // what has ended it: other partitions may have more
}

func (r *reading) one(ctx context.Context, m kafka.Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over == nil {
		r.over = r.take(ctx, m)
	}
	return r.over
}

// take decodes a record and passes it on. Its error ends the reading. The caller holds
// mu.
func (r *reading) take(ctx context.Context, m kafka.Message) error {
	t := r.tail
	r.bytes += int64(len(m.Key) + len(m.Value))
	if r.seen++; t.Bytes > 0 && r.bytes > t.Bytes && r.seen > 1 {
		return byBytes
	}
	r.at = Place(m)
	x := &Record{Message: m}
	x.Key = t.part(ctx, x, "key", t.Decoder.Key, m.Key)
	if t.Key != "" && t.Key != string(m.Key) && t.Key != string(x.Key.JSON) && t.Key != Text(x.Key.JSON) {
		return nil
	}
	x.Value = t.part(ctx, x, "value", t.Decoder.Value, m.Value)
	if err := r.fn(x); err != nil {
		return err
	}
	if r.count++; r.count == t.Max {
		return errEnough
	}
	return nil
}
