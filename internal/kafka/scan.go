package kafka

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

// ReadPartition gives the messages of a partition from an offset up to where it
// ended at the call, committed ones only. An offset before the partition's first
// one starts there. An open transaction ends it early, as for every reader of
// what is committed.
//
// It fetches by itself: only from the raw answers can the end be told, which
// may be a marker or a record that was compacted away, from a slow broker.
func (c *Client) ReadPartition(ctx context.Context, tp connector.TopicPartition, from int64, fn func(Message) error) error {
	return c.read(ctx, &scan{client: c, tp: tp, next: from}, fn)
}

// FollowPartition is ReadPartition that does not end there: it goes on with what is
// added, until ctx ends or fn gives an error.
func (c *Client) FollowPartition(ctx context.Context, tp connector.TopicPartition, from int64, fn func(Message) error) error {
	return c.read(ctx, &scan{client: c, tp: tp, next: from, follows: true}, fn)
}

func (c *Client) read(ctx context.Context, s *scan, fn func(Message) error) error {
	tp := s.tp
	s.bytes = c.client.Config().Consumer.Fetch.Default
	err := s.run(ctx, fn)
	s.close()
	if err != nil && connector.KindOf(err) == connector.KindUnmarked && ctx.Err() == nil && !s.callers {
		err = connector.Retriable(fmt.Errorf("topic %s partition %d: %w", tp.Topic, tp.Partition, err))
	}
	return err
}

const (
	// scanVersion of the fetch request has the record batches and the isolation
	// level that we need; Kafka has it since 2.3.
	scanVersion = 11
	// scanWait is how long a broker may wait for something to give, ms.
	scanWait = 500
	// patient is how often in a row a fetch may fail.
	patient = 10
)

// scan reads one partition, to its end or behind it.
type scan struct {
	client  *Client
	tp      connector.TopicPartition
	next    int64
	end     int64
	bytes   int32
	broker  *sarama.Broker // of its own: a fetch holds a connection up
	hangUp  func()         // closes it
	empty   int            // fetches in a row that gave nothing although the end is not reached
	callers bool           // the error is the caller's own
	follows bool           // it goes on behind the end

	uncommitted bool // records of open and aborted transactions count
}

func (s *scan) run(ctx context.Context, fn func(Message) error) error {
	bounds := func(at int64) (int64, error) {
		return do(ctx, func() (int64, error) { return s.client.client.GetOffset(s.tp.Topic, s.tp.Partition, at) })
	}
	var err error
	if s.end, err = bounds(sarama.OffsetNewest); err != nil {
		return err
	}
	if s.follows {
		s.end = math.MaxInt64
	}
	first, err := bounds(sarama.OffsetOldest)
	if err != nil {
		return err
	}
	s.next = max(s.next, first)
	for failures := 0; s.next < s.end; {
		block, err := s.fetch(ctx)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, sarama.ErrOffsetOutOfRange): // old records were deleted meanwhile
			if first, err = bounds(sarama.OffsetOldest); err != nil {
				return err
			}
			if first <= s.next {
				return fmt.Errorf("offset %d: %w", s.next, errOutOfRange)
			}
			s.next = first
			continue
		case err != nil:
			if failures++; failures == patient {
				return err
			}
			s.close()
			pause(ctx, retryPause)
			continue
		}
		failures = 0
		done, err := s.pass(block, fn)
		if err != nil || done {
			return err
		}
	}
	return nil
}

// connect opens a connection to the partition's leader; it is cut when ctx ends.
func (s *scan) connect(ctx context.Context) error {
	leader, err := do(ctx, func() (*sarama.Broker, error) {
		if err := s.client.client.RefreshMetadata(s.tp.Topic); err != nil {
			return nil, err
		}
		return s.client.client.Leader(s.tp.Topic, s.tp.Partition)
	})
	if err != nil {
		return err
	}
	b, w, err := dial(*s.client.client.Config(), leader.Addr())
	if err != nil {
		return err
	}
	forget := context.AfterFunc(ctx, w.cut)
	s.broker, s.hangUp = b, func() {
		forget()
		w.cut()
		_ = b.Close()
	}
	return nil
}

// fetch gets what comes next from the partition's leader.
func (s *scan) fetch(ctx context.Context) (*sarama.FetchResponseBlock, error) {
	if s.broker == nil {
		if err := s.connect(ctx); err != nil {
			return nil, err
		}
	}
	req := &sarama.FetchRequest{Version: scanVersion, MaxWaitTime: scanWait, MinBytes: 1, MaxBytes: s.bytes,
		Isolation: sarama.ReadCommitted, SessionEpoch: -1, RackID: s.client.client.Config().RackID}
	if s.uncommitted {
		req.Isolation = sarama.ReadUncommitted
	}
	req.AddBlock(s.tp.Topic, s.tp.Partition, s.next, s.bytes, -1)
	resp, err := s.broker.Fetch(req)
	if err != nil {
		return nil, err
	}
	block := resp.GetBlock(s.tp.Topic, s.tp.Partition)
	switch {
	case block == nil:
		return nil, sarama.ErrIncompleteResponse
	case !errors.Is(block.Err, sarama.ErrNoError):
		return nil, block.Err
	}
	return block, nil
}

// errEnd says that a message is behind the end.
var errEnd = errors.New("end of what is read")

// pass passes on what a fetch gave. It tells when nothing more can come.
func (s *scan) pass(block *sarama.FetchResponseBlock, fn func(Message) error) (done bool, err error) {
	before := s.next
	partial, err := committed(s.tp, block, &s.next, func(m Message) error {
		if m.Offset >= s.end {
			return errEnd
		}
		if err := fn(m); err != nil {
			s.callers = true
			return err
		}
		return nil
	})
	switch {
	case errors.Is(err, errEnd):
		return true, nil
	case err != nil:
		return false, err
	case s.next > before:
		s.empty = 0
	case partial:
		s.bytes *= 2 // a batch that does not fit: brokers since 0.10.1 give it whole
	case s.follows:
	case block.LastStableOffset <= s.next:
		return true, nil // the rest is not committed
	default:
		// Records there are and none come: the end was compacted away.
		s.empty++
	}
	return s.empty > 1, nil
}

// committed calls fn with the messages of what was fetched of a partition, from
// next on, which it moves behind each batch. Those of aborted transactions are
// left out. It tells whether the last batch was cut off.
func committed(tp connector.TopicPartition, block *sarama.FetchResponseBlock, next *int64, fn func(Message) error) (partial bool, err error) {
	aborted := newAborted(block.AbortedTransactions)
	for _, set := range block.RecordsSet {
		b := set.RecordBatch
		switch {
		case b == nil:
			return false, connector.Fatal(errors.New("messages have the format of before Kafka 0.11"))
		case b.PartialTrailingRecord:
			partial = true
			continue
		case aborted.has(b):
		default:
			for _, r := range b.Records {
				m := fromBatch(tp, b, r)
				if m.Offset < *next {
					continue // a batch is given whole, from before the offset asked for
				}
				if err := fn(m); err != nil {
					return false, err
				}
			}
		}
		*next = max(*next, b.LastOffset()+1)
	}
	return partial, nil
}

func fromBatch(tp connector.TopicPartition, b *sarama.RecordBatch, r *sarama.Record) Message {
	m := Message{Topic: tp.Topic, Partition: tp.Partition, Offset: b.FirstOffset + r.OffsetDelta, Key: r.Key, Value: r.Value,
		Timestamp: connector.NoTimestamp}
	switch {
	case b.LogAppendTime:
		m.Timestamp, m.TimestampType = b.MaxTimestamp.UnixMilli(), connector.LogAppendTime
	case !b.FirstTimestamp.IsZero():
		m.Timestamp, m.TimestampType = b.FirstTimestamp.Add(r.TimestampDelta).UnixMilli(), connector.CreateTime
	}
	for _, h := range r.Headers {
		m.Headers = append(m.Headers, Header{Key: string(h.Key), Value: h.Value})
	}
	return m
}

func (s *scan) close() {
	if s.broker != nil {
		s.hangUp()
		s.broker = nil
	}
}

// aborted knows which batches belong to aborted transactions while one goes
// through the batches of a fetch in order.
type aborted struct {
	coming []*sarama.AbortedTransaction // by first offset
	now    map[int64]bool               // producers whose transaction was aborted
}

func newAborted(list []*sarama.AbortedTransaction) *aborted {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b *sarama.AbortedTransaction) int { return cmp.Compare(a.FirstOffset, b.FirstOffset) })
	return &aborted{coming: list, now: map[int64]bool{}}
}

// has tells whether a batch is not to be given: a marker, or aborted.
func (a *aborted) has(b *sarama.RecordBatch) bool {
	for len(a.coming) > 0 && a.coming[0].FirstOffset <= b.LastOffset() {
		a.now[a.coming[0].ProducerID] = true
		a.coming = a.coming[1:]
	}
	if b.Control {
		if markerAborts(b) {
			delete(a.now, b.ProducerID)
		}
		return true
	}
	return b.IsTransactional && a.now[b.ProducerID]
}

// markerAborts reads the key of a transaction's marker: version and type, 0
// for abort.
func markerAborts(b *sarama.RecordBatch) bool {
	return len(b.Records) > 0 && len(b.Records[0].Key) >= 4 && binary.BigEndian.Uint16(b.Records[0].Key[2:]) == 0
}
