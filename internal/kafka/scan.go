package kafka

import (
	"context"
	"errors"
	"fmt"
	"math"

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
	// fetchVersion of the fetch request has the record batches and the isolation
	// level that we need; Kafka has it since 2.3.
	fetchVersion = 11
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
	req := &sarama.FetchRequest{Version: fetchVersion, MaxWaitTime: scanWait, MinBytes: 1, MaxBytes: s.bytes,
		Isolation: sarama.ReadCommitted, SessionEpoch: -1} // no rack: the leader is to give it itself
	if s.uncommitted {
		req.Isolation = sarama.ReadUncommitted
	}
	req.AddBlock(s.tp.Topic, s.tp.Partition, s.next, s.bytes, -1)
	resp, err := fetch(ctx, s.broker, req)
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

// fetch asks a broker. One that holds the client back for its quota gives nothing at
// once: it is asked again when that is over.
func fetch(ctx context.Context, b *sarama.Broker, req *sarama.FetchRequest) (*sarama.FetchResponse, error) {
	for {
		resp, err := b.Fetch(req)
		if err != nil || len(resp.Blocks) > 0 || resp.ThrottleTime == 0 {
			return resp, err
		}
		if pause(ctx, resp.ThrottleTime); ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

// errOutOfRange says that the offset to read is no longer, or not yet, there.
var errOutOfRange = errors.New("offset out of range")

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
// next on, which it moves behind all of it. Those of aborted transactions are left
// out. It tells whether the last batch was cut off.
func committed(tp connector.TopicPartition, block *sarama.FetchResponseBlock, next *int64, fn func(Message) error) (partial bool, err error) {
	f := unpack(block, *next)
	for _, b := range f.batches {
		for _, r := range b.Records {
			var m Message
			if m.fill(tp, b, r); m.Offset < *next {
				continue // a batch is given whole, from before the offset asked for
			}
			if err := fn(m); err != nil {
				return false, err
			}
		}
	}
	*next = f.next
	return f.partial, nil
}

func (s *scan) close() {
	if s.broker != nil {
		s.hangUp()
		s.broker = nil
	}
}
