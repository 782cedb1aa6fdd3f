package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Matcher tells which topics are meant: it is asked for whole names.
type Matcher interface{ MatchString(topic string) bool }

// GroupOptions describe a member of a consumer group.
type GroupOptions struct {
	Group   string
	Topics  []string
	Pattern Matcher // in place of Topics
	// SessionTimeout is how long the group waits for a silent member (45 s),
	// HeartbeatInterval how often it says that it is there (3 s),
	// RebalanceTimeout how long it may take to hand over (5 min).
	SessionTimeout, HeartbeatInterval, RebalanceTimeout time.Duration
	// MaxPollRecords (500) and MaxPollBytes (fetch.max.bytes, 50 MiB) bound what
	// a Poll gives; one message comes however large it is.
	MaxPollRecords int
	MaxPollBytes   int64
	// ReadCommitted leaves out records of open and aborted transactions.
	ReadCommitted bool
	// Reset says where to start without a committed offset, or with one that is
	// no longer there: earliest, latest or none, which is an error.
	Reset string
	// OnAssigned, OnRevoked and OnLost are called from Poll and Close. Commit
	// works in OnRevoked; it is too late for it in OnLost, which follows
	// OnRevoked when that took too long.
	OnAssigned func(start map[connector.TopicPartition]int64)
	OnRevoked  func([]connector.TopicPartition)
	OnLost     func([]connector.TopicPartition)
}

const (
	// pollPatience is how long a Poll waits for messages.
	pollPatience = 500 * time.Millisecond
	// lookAgain is how often a member looks for topics that it lacks.
	lookAgain = 3 * time.Second
	// defaultPollBytes is Java's fetch.max.bytes.
	defaultPollBytes = 50 << 20
)

// GroupConsumer is one member of a consumer group. It is used from one
// goroutine, the owner's; heartbeats go on while that one is busy.
type GroupConsumer struct {
	o        GroupOptions
	client   *Client
	coord    *coordinator
	consumer sarama.Consumer
	trouble  trouble
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	work     sync.WaitGroup // heartbeats, watch, a join, readers: Close ends them

	mu       sync.Mutex // guards the following
	m        membership
	offer    *offer // of the join, until the owner takes it up
	alive    time.Time
	assigned []connector.TopicPartition
	topics   map[string]int32 // and their partitions, as of the last join
	waiting  bool             // for topics that do not exist yet

	wake    chan struct{} // the owner has something to do
	batches chan batch    // from the readers

	// The owner's alone.
	reader map[connector.TopicPartition]*reader
	ending map[connector.TopicPartition]<-chan struct{} // the readers before them
	held   []batch                                      // read, not yet given: paused, or beyond a Poll's bound
	paused map[connector.TopicPartition]bool
	closed bool
}

// NewGroupConsumer makes a member with connections of its own; Poll joins.
func (c *Client) NewGroupConsumer(o GroupOptions) (*GroupConsumer, error) {
	if err := o.complete(c.options.Props); err != nil {
		return nil, connector.Fatal(err)
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
	g := &GroupConsumer{o: o, client: own, consumer: consumer, m: newMembership(),
		coord:   newCoordinator(own, o.Group, o.RebalanceTimeout+o.SessionTimeout),
		trouble: trouble{log: own.options.Log.With("group", o.Group)},
		wake:    make(chan struct{}, 1), batches: make(chan batch),
		reader: map[connector.TopicPartition]*reader{}, ending: map[connector.TopicPartition]<-chan struct{}{},
		paused: map[connector.TopicPartition]bool{}}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	g.work.Go(g.heartbeats)
	g.work.Go(g.watch)
	return g, nil
}

// complete fills in defaults and says what is wrong.
func (o *GroupOptions) complete(props map[string]string) error {
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
	if o.MaxPollBytes <= 0 {
		o.MaxPollBytes = defaultPollBytes
		if n, err := strconv.ParseInt(strings.TrimSpace(props["fetch.max.bytes"]), 10, 64); err == nil && n > 0 {
			o.MaxPollBytes = n
		}
	}
	o.Reset = strings.ToLower(strings.TrimSpace(o.Reset))
	switch {
	case o.Group == "" || len(o.Topics) == 0 && o.Pattern == nil:
		return errors.New("a group member needs a group and topics")
	case o.HeartbeatInterval >= o.SessionTimeout:
		return fmt.Errorf("heartbeat.interval.ms (%d) is not below session.timeout.ms (%d)", o.HeartbeatInterval.Milliseconds(), o.SessionTimeout.Milliseconds())
	case !slices.Contains([]string{"", "earliest", "latest", "none"}, o.Reset):
		return fmt.Errorf("auto.offset.reset: %q is not one of earliest, latest, none", o.Reset)
	}
	return nil
}

// Poll gives the next messages, in order within each partition. Nothing and no
// error means that nothing came within a short wait, or that a rebalance is on.
func (g *GroupConsumer) Poll(ctx context.Context) ([]Message, error) {
	if g.closed {
		return nil, connector.Fatal(errors.New("group member is closed"))
	}
	timeout := time.NewTimer(pollPatience)
	defer timeout.Stop()
	for {
		if moved, err := g.move(); moved || err != nil {
			return nil, err
		}
		if err := g.gather(); err != nil {
			return nil, err
		}
		if out := g.take(); len(out) > 0 {
			return out, nil
		}
		select {
		case b := <-g.batches:
			if err := g.accept(b); err != nil {
				return nil, err
			}
		case <-g.wake:
		case <-timeout.C:
			return nil, nil
		case <-ctx.Done():
			return nil, nil
		}
	}
}

// move does what the membership asks of the owner. It tells whether partitions
// came or went.
func (g *GroupConsumer) move() (bool, error) {
	g.mu.Lock()
	d, o := g.m.next(), g.offer
	switch {
	case d == toJoin && o != nil: // a join that failed for good
		g.offer = nil
		g.mu.Unlock()
		return false, o.err
	case d == toJoin:
		g.m.join()
		g.work.Go(g.joinLoop)
	case d == toForget:
		g.offer = nil
		g.m.released()
	case d == toTake && o != nil:
		g.offer = nil
		if o.err != nil {
			g.m.leave(rejoin)
		} else {
			g.m.take()
		}
		g.mu.Unlock()
		return true, g.takeUp(o)
	case d == toRevoke || d == toLose:
		g.mu.Unlock()
		g.handOver()
		return true, nil
	}
	g.mu.Unlock()
	if d == toForget {
		return g.move() // to the next join
	}
	return false, nil
}

// takeUp starts reading what a join has given.
func (g *GroupConsumer) takeUp(o *offer) error {
	if o.err != nil {
		return o.err
	}
	for tp, from := range o.start {
		g.startReader(tp, from)
	}
	g.client.options.Log.Debug("partitions assigned", "group", g.o.Group, "partitions", len(o.start))
	if g.o.OnAssigned != nil {
		g.o.OnAssigned(o.start)
	}
	return nil
}

// handOver gives the partitions up.
func (g *GroupConsumer) handOver() {
	tps := g.Assignment()
	if len(tps) > 0 && g.o.OnRevoked != nil && g.duty() == toRevoke {
		g.o.OnRevoked(tps) // may find that it is too late
	}
	if len(tps) > 0 && g.o.OnLost != nil && g.duty() == toLose {
		g.o.OnLost(tps)
	}
	g.drop()
	g.mu.Lock()
	g.m.released()
	g.mu.Unlock()
}

func (g *GroupConsumer) duty() duty {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.m.next()
}

// drop forgets the assignment.
func (g *GroupConsumer) drop() {
	for tp := range g.reader {
		g.stopReader(tp)
	}
	clear(g.paused)
}

// leave notes that the assignment is to be given up, for Poll to act on.
func (g *GroupConsumer) leave(v verdict) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.m.leave(v) {
		g.wakeUp()
	}
}

// awake has Poll look what there is to do.
func (g *GroupConsumer) awake() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.wakeUp()
}

func (g *GroupConsumer) wakeUp() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
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
		as, ok := g.m.committer()
		g.mu.Unlock()
		if !ok {
			return fmt.Errorf("group %s: %w", g.o.Group, ErrGenerationLost)
		}
		_, err := do(ctx, func() (struct{}, error) { return struct{}{}, g.coord.commit(as.id, as.generation, next) })
		if ctx.Err() != nil && err != nil {
			return connector.Retriable(fmt.Errorf("group %s: commit: %w", g.o.Group, err))
		}
		g.mu.Lock()
		v := g.m.answered(as, err)
		if v == fine {
			g.alive = time.Now()
		}
		if g.m.leaving != fine {
			g.wakeUp()
		}
		g.mu.Unlock()
		switch v {
		case fine:
			return nil
		case lost:
			return fmt.Errorf("group %s: %w: %w", g.o.Group, ErrGenerationLost, err)
		case refused:
			return connector.Fatal(fmt.Errorf("group %s: commit: %w", g.o.Group, err))
		case elsewhere:
			g.trouble.note("the group coordinator cannot be reached, trying on", err)
			g.coord.fast.drop()
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

// Abandon leaves the group in place of an owner who hangs: others get the
// partitions at once, and what the owner still commits is refused. It is safe
// from any goroutine; Close is due all the same.
func (g *GroupConsumer) Abandon() {
	g.cancel()
	g.mu.Lock()
	id := g.m.id
	g.m.leave(lost)
	g.mu.Unlock()
	if id != "" {
		_ = g.coord.leave(id) // where it fails, the session's time-out does the same
	}
}

// Close gives the partitions up, leaves the group, so that the others need not
// wait for a time-out, and ends all goroutines. It is safe twice.
func (g *GroupConsumer) Close(ctx context.Context) error {
	if g.closed {
		return nil
	}
	g.closed = true
	g.leave(rejoin)
	if d := g.duty(); d == toRevoke || d == toLose {
		g.handOver()
	}
	g.drop()
	g.mu.Lock()
	id := g.m.id
	g.m.gaveUp()
	g.mu.Unlock()
	g.cancel()
	_, err := do(ctx, func() (struct{}, error) {
		if id == "" {
			return struct{}{}, nil
		}
		err := g.coord.leave(id)
		if errors.Is(err, sarama.ErrUnknownMemberId) {
			err = nil
		}
		return struct{}{}, err
	})
	if err != nil {
		err = connector.Retriable(fmt.Errorf("group %s: leave: %w", g.o.Group, err))
	}
	g.coord.slow.end()
	g.coord.fast.end()
	_, waited := do(ctx, func() (struct{}, error) { g.work.Wait(); return struct{}{}, nil })
	if waited == nil {
		waited = g.consumer.Close()
	}
	g.client.Close()
	return errors.Join(err, waited)
}
