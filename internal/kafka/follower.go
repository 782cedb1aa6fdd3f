package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"golang.org/x/sync/errgroup"

	"github.com/axiom-data-science/hydraulics/connector"
)

// followBytes is how much a follower fetches at once.
const followBytes = 4 << 20

// Follower reads a topic from its beginning and goes on with what is added: what
// is committed, in order within a partition. It begins again where the topic was
// cut short or made anew. It is safe for concurrent use.
type Follower struct {
	client  *Client
	topic   string
	fn      func(Message)
	trouble trouble
	cancel  context.CancelFunc
	done    chan struct{}

	giving sync.Mutex // held while fn is called

	mu    sync.Mutex
	at    []followed    // by partition
	moved chan struct{} // closed when one of them moves
}

// followed is where a follower is in a partition.
type followed struct {
	next int64 // the offset to fetch, -1 for the first
	read int64 // what is committed before this offset was given to fn
}

// Follow starts to follow a topic. fn is called with one message after the
// other, whose bytes it may keep, from the follower's goroutines; the topic's
// partitions are those of now. Close ends it.
func (c *Client) Follow(ctx context.Context, topic string, fn func(Message)) (*Follower, error) {
	n, err := c.Partitions(ctx, topic)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &Follower{client: c, topic: topic, fn: fn, trouble: trouble{log: c.options.Log, health: c.options.health}, cancel: cancel,
		done: make(chan struct{}), at: make([]followed, n), moved: make(chan struct{})}
	for p := range f.at {
		f.at[p].next = -1
	}
	go f.run(ctx)
	return f, nil
}

// Close ends the reading and waits until fn has returned. It is safe twice.
func (f *Follower) Close() {
	f.cancel()
	<-f.done
	f.trouble.end()
}

// ToEnd waits until everything was given that is committed by now.
func (f *Follower) ToEnd(ctx context.Context) error {
	for failures := 1; ; failures++ {
		ends, err := do(ctx, func() (map[int32]int64, error) { return f.ends() })
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("topic %s: where it ends is not known: %w", f.topic, context.Cause(ctx))
		case err == nil:
			return f.Wait(ctx, ends)
		}
		f.trouble.note("topic "+f.topic+": where it ends cannot be told", err)
		pause(ctx, soon.after(failures))
	}
}

// Wait waits until what is before these offsets, by partition, was given.
func (f *Follower) Wait(ctx context.Context, ends map[int32]int64) error {
	for {
		f.mu.Lock()
		missing, moved := f.missing(ends), f.moved
		f.mu.Unlock()
		if missing == "" {
			return nil
		}
		select {
		case <-moved:
		case <-f.done:
			return fmt.Errorf("topic %s: it is not read any more", f.topic)
		case <-ctx.Done():
			return fmt.Errorf("topic %s: %s: %w", f.topic, missing, context.Cause(ctx))
		}
	}
}

// missing says what was not read yet. mu is held.
func (f *Follower) missing(ends map[int32]int64) string {
	for p, end := range ends {
		if int(p) < len(f.at) && f.at[p].read < end {
			return fmt.Sprintf("partition %d was read to offset %d, not yet to %d", p, f.at[p].read, end)
		}
	}
	return ""
}

// ends asks where the partitions end, as far as they are committed.
func (f *Follower) ends() (map[int32]int64, error) {
	leaders, err := f.leaders()
	if err != nil {
		return nil, err
	}
	all := map[int32]int64{}
	for b, partitions := range leaders {
		ends, err := f.offsets(b, partitions, sarama.OffsetNewest)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, ends)
	}
	return all, nil
}

// offsets asks the leader of partitions for their offsets at a time.
func (f *Follower) offsets(b *sarama.Broker, partitions []int32, at int64) (map[int32]int64, error) {
	req := sarama.NewOffsetRequest(f.client.client.Config().Version)
	req.IsolationLevel = sarama.ReadCommitted
	for _, p := range partitions {
		req.AddBlock(f.topic, p, at, 1)
	}
	resp, err := b.GetAvailableOffsets(req)
	if err != nil {
		return nil, err
	}
	offsets := map[int32]int64{}
	for _, p := range partitions {
		block := resp.GetBlock(f.topic, p)
		switch {
		case block == nil:
			return nil, sarama.ErrIncompleteResponse
		case block.Err != sarama.ErrNoError:
			return nil, fmt.Errorf("partition %d: %w", p, block.Err)
		}
		offsets[p] = block.Offset
	}
	return offsets, nil
}

// leaders gives the partitions by the broker that leads them.
func (f *Follower) leaders() (map[*sarama.Broker][]int32, error) {
	if err := f.client.client.RefreshMetadata(f.topic); err != nil {
		return nil, err
	}
	leaders := map[*sarama.Broker][]int32{}
	for p := range int32(len(f.at)) {
		b, err := f.client.client.Leader(f.topic, p)
		if err != nil {
			return nil, fmt.Errorf("partition %d: %w", p, err)
		}
		leaders[b] = append(leaders[b], p)
	}
	return leaders, nil
}

func (f *Follower) run(ctx context.Context) {
	defer close(f.done)
	for failures := 1; ctx.Err() == nil; failures++ {
		began := time.Now()
		if err := f.round(ctx); ctx.Err() == nil {
			if time.Since(began) > retryPause { // it did not fail at once
				failures = 1
			}
			f.trouble.note("topic "+f.topic+" cannot be read", err)
			pause(ctx, soon.after(failures))
		}
	}
}

// round reads from the brokers that lead the partitions, until one fails.
func (f *Follower) round(ctx context.Context) error {
	leaders, err := do(ctx, f.leaders)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	for b, partitions := range leaders {
		g.Go(func() error { return f.follow(ctx, b.Addr(), partitions) })
	}
	return g.Wait()
}

// follow reads from a broker, on a connection of its own: a fetch holds it up.
func (f *Follower) follow(ctx context.Context, address string, partitions []int32) error {
	b, w, err := dial(*f.client.client.Config(), address)
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }()
	defer w.cut()
	defer context.AfterFunc(ctx, w.cut)()
	for ctx.Err() == nil {
		if err := f.begin(b, partitions); err != nil {
			return err
		}
		resp, err := fetch(ctx, b, f.request(partitions))
		if err == nil {
			err = f.pass(partitions, resp)
		}
		if err != nil {
			return err
		}
		f.trouble.over()
	}
	return ctx.Err()
}

// begin finds out where those partitions begin of which nothing was read yet.
func (f *Follower) begin(b *sarama.Broker, partitions []int32) error {
	var fresh []int32
	for _, p := range partitions {
		if f.position(p).next < 0 {
			fresh = append(fresh, p)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	first, err := f.offsets(b, fresh, sarama.OffsetOldest)
	for p, at := range first {
		f.move(p, followed{at, 0})
	}
	return err
}

func (f *Follower) request(partitions []int32) *sarama.FetchRequest {
	req := &sarama.FetchRequest{Version: fetchVersion, MaxWaitTime: scanWait, MinBytes: 1, MaxBytes: followBytes,
		Isolation: sarama.ReadCommitted, SessionEpoch: -1} // no rack: the leader is to give it itself
	for _, p := range partitions {
		req.AddBlock(f.topic, p, f.position(p).next, followBytes, -1)
	}
	return req
}

// pass gives what was fetched.
func (f *Follower) pass(partitions []int32, resp *sarama.FetchResponse) error {
	nothing := true // came, of any partition
	for _, p := range partitions {
		if block := resp.GetBlock(f.topic, p); block != nil && len(block.RecordsSet) > 0 {
			nothing = false
		}
	}
	for _, p := range partitions {
		block, now := resp.GetBlock(f.topic, p), f.position(p)
		switch {
		case block == nil:
			return sarama.ErrIncompleteResponse
		case errors.Is(block.Err, sarama.ErrOffsetOutOfRange):
			f.client.options.Log.Warn("topic was cut short or made anew, it is read from its beginning", "topic", f.topic, "partition", p, "offset", now.next)
			f.move(p, followed{-1, 0})
			continue
		case !errors.Is(block.Err, sarama.ErrNoError):
			return fmt.Errorf("partition %d: %w", p, block.Err)
		}
		_, err := committed(connector.TopicPartition{Topic: f.topic, Partition: p}, block, &now.next, func(m Message) error {
			m.Key, m.Value = bytes.Clone(m.Key), bytes.Clone(m.Value) // parts of all that was fetched with them
			f.giving.Lock()
			defer f.giving.Unlock()
			f.fn(m)
			return nil
		})
		if err != nil {
			return fmt.Errorf("partition %d: %w", p, err)
		}
		now.read = max(now.read, now.next)
		if nothing { // also where the last records were compacted away
			now.read = max(now.read, block.LastStableOffset)
		}
		f.move(p, now)
	}
	return nil
}

func (f *Follower) position(p int32) followed {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at[p]
}

func (f *Follower) move(p int32, to followed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.at[p] == to {
		return
	}
	f.at[p] = to
	close(f.moved)
	f.moved = make(chan struct{})
}
