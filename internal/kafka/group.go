package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

// GroupOptions describe a member of a consumer group.
type GroupOptions struct {
	Group   string
	Topics  []string
	Pattern *regexp.Regexp // in place of Topics; matches whole names
	// SessionTimeout is how long the group waits for a silent member (45 s),
	// HeartbeatInterval how often it says that it is there (3 s),
	// RebalanceTimeout how long it may take to hand over (5 min).
	SessionTimeout, HeartbeatInterval, RebalanceTimeout time.Duration
	// MaxPollRecords bounds what a Poll gives (500).
	MaxPollRecords int
	// ReadCommitted leaves out records of open and aborted transactions.
	ReadCommitted bool
	// Reset says where to start without a committed offset, or with one that is
	// no longer there: earliest, latest or none, which is an error.
	Reset string
	// OnAssigned, OnRevoked and OnLost are called from Poll and Close. Commit
	// works in OnRevoked; it is too late for it in OnLost.
	OnAssigned func(start map[connector.TopicPartition]int64)
	OnRevoked  func([]connector.TopicPartition)
	OnLost     func([]connector.TopicPartition)
}

const (
	// pollPatience is how long a Poll waits for messages.
	pollPatience = 500 * time.Millisecond
	// lookAgain is how often a member looks for topics that it lacks.
	lookAgain = 3 * time.Second
)

// GroupConsumer is one member of a consumer group. It is used from one
// goroutine; heartbeats go on in one of its own while that one is busy.
type GroupConsumer struct {
	o        GroupOptions
	client   *Client
	coord    *coordinator
	consumer sarama.Consumer
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	work     sync.WaitGroup // heartbeats, the join under way, readers: Close ends them

	mu      sync.Mutex // guards what the heartbeats see
	session session
	member  bool // in a generation, so that heartbeats are due
	leaving verdict
	alive   time.Time // the last answer of the coordinator

	wake    chan struct{} // a heartbeat found that Poll has something to do
	joins   chan joined   // the result of the join under way
	joining bool
	reader  map[connector.TopicPartition]*reader
	batches chan batch // from the readers
	held    []batch    // read, not yet given: paused, or beyond a Poll's bound
	paused  map[connector.TopicPartition]bool
	topics  map[string]int32 // subscribed topics and their partitions, as of the last look
	looked  time.Time
	closed  bool
}

// joined is what a join came to.
type joined struct {
	assigned []connector.TopicPartition
	start    map[connector.TopicPartition]int64
	err      error
}

// NewGroupConsumer makes a member; the first Poll joins.
func (c *Client) NewGroupConsumer(o GroupOptions) (*GroupConsumer, error) {
	if o.SessionTimeout <= 0 {
		o.SessionTimeout = 45 * time.Second
	}
	if o.HeartbeatInterval <= 0 {
		o.HeartbeatInterval = 3 * time.Second
	}
	if o.RebalanceTimeout <= 0 {
		o.RebalanceTimeout = 5 * time.Minute
	}
	if o.MaxPollRecords <= 0 {
		o.MaxPollRecords = 500
	}
	if o.Group == "" || len(o.Topics) == 0 && o.Pattern == nil {
		return nil, connector.Fatal(errors.New("a group member needs a group and topics"))
	}
	if o.HeartbeatInterval >= o.SessionTimeout {
		return nil, connector.Fatal(fmt.Errorf("heartbeat.interval.ms (%d) is not below session.timeout.ms (%d)", o.HeartbeatInterval.Milliseconds(), o.SessionTimeout.Milliseconds()))
	}
	options := c.options
	options.Props = maps.Clone(options.Props)
	if options.Props == nil {
		options.Props = map[string]string{}
	}
	options.Props["isolation.level"] = "read_uncommitted"
	if o.ReadCommitted {
		options.Props["isolation.level"] = "read_committed"
	}
	own, err := Open(context.Background(), options)
	if err != nil {
		return nil, err
	}
	consumer, err := sarama.NewConsumerFromClient(own.client)
	if err != nil {
		own.Close()
		return nil, connector.Retriable(err)
	}
	g := &GroupConsumer{o: o, client: own, consumer: consumer, session: newSession(),
		coord: &coordinator{client: own, group: o.Group, joins: o.RebalanceTimeout + o.SessionTimeout},
		wake:  make(chan struct{}, 1), joins: make(chan joined, 1), batches: make(chan batch),
		reader: map[connector.TopicPartition]*reader{}, paused: map[connector.TopicPartition]bool{}}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	g.work.Go(g.heartbeats)
	return g, nil
}

// Poll gives the next messages, in order within each partition. Nothing and no
// error means that nothing came within a short wait, or that a rebalance is on.
func (g *GroupConsumer) Poll(ctx context.Context) ([]Message, error) {
	if g.closed {
		return nil, connector.Fatal(errors.New("group member is closed"))
	}
	g.handOver()
	if err := g.look(ctx); err != nil {
		return nil, err
	}
	timeout := time.NewTimer(pollPatience)
	defer timeout.Stop()
	if !g.isMember() {
		g.join()
		select {
		case j := <-g.joins:
			g.joining = false
			return nil, g.assigned(j)
		case <-timeout.C:
		case <-ctx.Done():
		}
		return nil, nil
	}
	if out := g.take(); len(out) > 0 {
		return out, nil
	}
	for {
		select {
		case b := <-g.batches:
			if err := g.accept(b); err != nil {
				return nil, err
			}
			if out := g.take(); len(out) > 0 {
				return out, nil
			}
			continue
		case <-g.wake:
		case <-timeout.C:
		case <-ctx.Done():
		}
		return nil, nil
	}
}

// isMember tells whether the member is in a generation.
func (g *GroupConsumer) isMember() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.member
}

// handOver gives the partitions up when a heartbeat or commit found that they
// are to be handed over, or gone.
func (g *GroupConsumer) handOver() {
	g.mu.Lock()
	v := g.leaving
	g.mu.Unlock()
	if v == fine {
		return
	}
	tps := g.Assignment()
	if v == rejoin && len(tps) > 0 && g.o.OnRevoked != nil {
		g.o.OnRevoked(tps) // may find that it is too late: then leaving is lost now
		g.mu.Lock()
		v = g.leaving
		g.mu.Unlock()
	}
	if v == lost && len(tps) > 0 && g.o.OnLost != nil {
		g.o.OnLost(tps)
	}
	g.drop()
	g.mu.Lock()
	g.leaving, g.member = fine, false
	g.mu.Unlock()
}

// drop forgets the assignment.
func (g *GroupConsumer) drop() {
	for tp := range g.reader {
		g.stopReader(tp)
	}
	g.held = nil
	clear(g.paused)
}

// leave notes that the assignment is to be given up, for Poll to act on. The
// graver reason counts.
func (g *GroupConsumer) leave(v verdict) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.member && v > g.leaving {
		g.leaving = v
		select {
		case g.wake <- struct{}{}:
		default:
		}
	}
}

// assigned takes an assignment up.
func (g *GroupConsumer) assigned(j joined) error {
	if j.err != nil {
		return j.err
	}
	for _, tp := range j.assigned {
		if err := g.startReader(tp, j.start[tp]); err != nil {
			g.drop()
			g.leave(rejoin)
			return err
		}
	}
	g.client.options.Log.Debug("partitions assigned", "group", g.o.Group, "partitions", len(j.assigned))
	if g.o.OnAssigned != nil {
		g.o.OnAssigned(j.start)
	}
	return nil
}

// Commit commits, for each partition, the offset of the next record to read.
// ErrGenerationLost says that it is too late: the partitions may be another
// member's, who starts at the last commit.
func (g *GroupConsumer) Commit(ctx context.Context, next map[connector.TopicPartition]int64) error {
	if len(next) == 0 {
		return nil
	}
	for {
		g.mu.Lock()
		id, generation, gone := g.session.id, g.session.generation, !g.member || g.leaving == lost
		g.mu.Unlock()
		if gone {
			return fmt.Errorf("group %s: %w", g.o.Group, ErrGenerationLost)
		}
		err := g.coord.commit(id, generation, next)
		g.mu.Lock()
		v := g.session.judge(err, "")
		if v == fine {
			g.alive = time.Now()
		}
		g.mu.Unlock()
		switch v {
		case fine:
			return nil
		case lost:
			g.leave(lost)
			return fmt.Errorf("group %s: %w: %w", g.o.Group, ErrGenerationLost, err)
		case refused:
			return connector.Fatal(fmt.Errorf("group %s: commit: %w", g.o.Group, err))
		case rejoin:
			g.leave(rejoin)
		case elsewhere:
			g.coord.drop()
		}
		if !pause(ctx, retryPause) {
			return connector.Retriable(fmt.Errorf("group %s: commit: %w", g.o.Group, err))
		}
	}
}

// Assignment gives the partitions that the member has, sorted.
func (g *GroupConsumer) Assignment() []connector.TopicPartition {
	return slices.SortedFunc(maps.Keys(g.reader), compareTP)
}

// Lag gives for each partition the number of records that are there and were
// not fetched.
func (g *GroupConsumer) Lag() map[connector.TopicPartition]int64 {
	lag := map[connector.TopicPartition]int64{}
	for tp, r := range g.reader {
		lag[tp] = r.feed.lag()
	}
	for _, b := range g.held {
		lag[b.r.feed.tp] += int64(len(b.messages))
	}
	return lag
}

// Close leaves the group, so that the others need not wait for a time-out, and
// ends all goroutines. OnRevoked is called first. It is safe twice.
func (g *GroupConsumer) Close(ctx context.Context) error {
	if g.closed {
		return nil
	}
	g.closed = true
	if tps := g.Assignment(); len(tps) > 0 && g.o.OnRevoked != nil {
		g.o.OnRevoked(tps)
	}
	g.cancel()
	g.mu.Lock()
	id := g.session.id
	g.member = false
	g.mu.Unlock()
	_, err := do(ctx, func() (struct{}, error) {
		var err error
		if id != "" {
			if err = g.coord.leave(id); errors.Is(err, sarama.ErrUnknownMemberId) {
				err = nil
			}
		}
		g.coord.drop() // waits for a join under way, which ends when the member has left
		return struct{}{}, err
	})
	g.drop()
	_, waited := do(ctx, func() (struct{}, error) { g.work.Wait(); return struct{}{}, nil })
	err = errors.Join(err, waited, g.consumer.Close())
	g.client.Close()
	return err
}
