package kafka

import (
	"cmp"
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
	// MaxPollRecords (500) and MaxPollBytes (fetch.max.bytes, else 8 MiB) bound what
	// a Poll gives; one message comes however large it is.
	MaxPollRecords int
	MaxPollBytes   int64
	// ReadCommitted leaves out records of open and aborted transactions.
	ReadCommitted bool
	// Reset says where to start without a committed offset, or with one that is
	// no longer there: earliest, latest or none, which is an error.
	Reset string
}

// Event is what a Poll gives: messages, or that partitions come or go, or
// nothing. Behind Assigned with partitions comes Revoked, Lost, or Lost after
// Revoked when handing over takes too long; behind those, once they are
// released, Assigned again. Commit works until they are, but for Lost.
type Event struct {
	Change Change
	// Messages are in order within each partition.
	Messages []Message
	// Partitions are all that the member has now, or that it is to release,
	// sorted. Only those of Assigned may be none.
	Partitions []connector.TopicPartition
}

const (
	// pollPatience is how long a Poll waits for messages.
	pollPatience = 500 * time.Millisecond
	// lookAgain is how often a member looks for topics that it lacks.
	lookAgain = 3 * time.Second
	// defaultPollBytes bounds what is in work at once where records are large.
	defaultPollBytes = 8 << 20
)

// GroupConsumer is one member of a consumer group. It is used from one
// goroutine, the owner's; heartbeats go on while that one is busy.
type GroupConsumer struct {
	o       GroupOptions
	client  *Client
	conf    *sarama.Config // of its connections
	member  *Member
	fetcher *fetcher
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	work    sync.WaitGroup // watch and measure: Close ends them

	mu      sync.Mutex                         // guards the following
	topics  map[string]int32                   // and their partitions, as of the last join
	waiting []string                           // for topics that do not exist yet
	starts  map[connector.TopicPartition]int64 // of what was assigned, until the owner takes it up

	commits trouble

	// The owner's alone.
	asked  bool // to release what it has
	closed bool
}

// NewGroupConsumer makes a member with connections of its own to the coordinator and to
// the brokers that it fetches from; what it looks up it asks over the client's. Poll
// joins. The client must outlive it.
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
	conf, err := newConfig(options)
	if err != nil {
		return nil, connector.Fatal(err)
	}
	g := &GroupConsumer{o: o, client: c, conf: conf, commits: trouble{log: c.options.Log.With("group", o.Group), health: c.options.health}}
	if g.member, err = c.newMember(g.membership(), conf); err != nil {
		return nil, err
	}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	g.fetcher = newFetcher(g.ctx, c, *conf, o, newProps(options).backoff(), g.reset)
	g.work.Go(g.watch)
	g.work.Go(g.measure)
	return g, nil
}

// membership describes the member that a consumer is.
func (g *GroupConsumer) membership() MemberOptions {
	return MemberOptions{Group: g.o.Group, ProtocolType: consumerType, SessionTimeout: g.o.SessionTimeout,
		HeartbeatInterval: g.o.HeartbeatInterval, RebalanceTimeout: g.o.RebalanceTimeout,
		Protocols: g.protocols, Assign: g.assign, prepare: g.prepare}
}

// complete fills in defaults and says what is wrong.
func (o *GroupOptions) complete(props map[string]string) error {
	if o.MaxPollRecords <= 0 {
		o.MaxPollRecords = 500
	}
	if o.MaxPollBytes <= 0 {
		o.MaxPollBytes = defaultPollBytes
		if n, err := strconv.ParseInt(strings.TrimSpace(props["fetch.max.bytes"]), 10, 64); err == nil && n > 0 {
			o.MaxPollBytes = n
		}
	}
	if err := completeTimeouts(&o.SessionTimeout, &o.HeartbeatInterval, &o.RebalanceTimeout); err != nil {
		return err
	}
	o.Reset = strings.ToLower(strings.TrimSpace(o.Reset))
	switch {
	case o.Group == "" || len(o.Topics) == 0 && o.Pattern == nil:
		return errors.New("a group member needs a group and topics")
	case !slices.Contains([]string{"", "earliest", "latest", "none"}, o.Reset):
		return fmt.Errorf("auto.offset.reset: %q is not one of earliest, latest, none", o.Reset)
	}
	return nil
}

// Poll gives the next event. Nothing and no error means that nothing came within
// a short wait. After Revoked and Lost it gives no messages until Release.
func (g *GroupConsumer) Poll(ctx context.Context) (Event, error) {
	if g.closed {
		return Event{}, connector.Fatal(errors.New("group member is closed"))
	}
	collect(g.fetcher.settle())
	timeout := time.NewTimer(pollPatience)
	defer timeout.Stop()
	for {
		if e, err := g.change(); e.Change != Unchanged || err != nil {
			return e, err
		}
		ready := g.fetcher.ready
		if g.asked {
			ready = nil
		} else if out, err := g.fetcher.take(g.o.MaxPollRecords, g.o.MaxPollBytes); len(out) > 0 || err != nil {
			return Event{Messages: out}, err
		}
		select {
		case <-ready:
		case <-g.member.Wake():
		case <-timeout.C:
			return Event{}, nil
		case <-ctx.Done():
			return Event{}, nil
		}
	}
}

// change gives what the owner is to know of its partitions.
func (g *GroupConsumer) change() (Event, error) {
	c, _, err := g.member.Next()
	switch {
	case err != nil:
		return Event{}, remedy(err)
	case c == Unchanged:
		return Event{}, nil
	case c == Assigned:
		g.takeUp()
		return Event{Change: c, Partitions: g.Assignment()}, nil
	}
	tps := g.Assignment()
	if len(tps) == 0 { // nothing to ask the owner for
		g.member.Release()
		return g.change() // joins
	}
	g.asked = true
	return Event{Change: c, Partitions: tps}, nil
}

// remedy adds what to do to the refusals that a configuration causes.
func remedy(err error) error {
	switch {
	case errors.Is(err, sarama.ErrInvalidSessionTimeout):
		return fmt.Errorf("%w: set consumer.override.session.timeout.ms within the broker's group.min.session.timeout.ms and group.max.session.timeout.ms", err)
	case errors.Is(err, sarama.ErrInconsistentGroupProtocol):
		return fmt.Errorf("%w: its other members are no consumers that offer the range assignor", err)
	}
	return err
}

// takeUp starts reading what a join has given.
func (g *GroupConsumer) takeUp() {
	g.mu.Lock()
	starts := g.starts
	g.mu.Unlock()
	g.fetcher.start(starts)
	g.client.options.Log.Debug("partitions assigned", "group", g.o.Group, "partitions", len(starts))
}

// Release answers Revoked and Lost: the partitions are handed over, and the
// member joins again with the next Poll. Without a question it does nothing.
func (g *GroupConsumer) Release() {
	if g.asked {
		g.asked = false
		g.fetcher.stop()
		g.member.Release()
	}
}

// Seek goes on reading a partition at another offset. It must be assigned.
func (g *GroupConsumer) Seek(tp connector.TopicPartition, offset int64) error {
	if !g.fetcher.seek(tp, offset) {
		return fmt.Errorf("topic %s partition %d is not assigned to this member", tp.Topic, tp.Partition)
	}
	return nil
}

// Pause keeps Poll from giving messages of these partitions; the membership
// goes on, and the other partitions are read as before.
func (g *GroupConsumer) Pause(tps ...connector.TopicPartition) { g.fetcher.pause(tps) }

// Resume undoes Pause.
func (g *GroupConsumer) Resume(tps ...connector.TopicPartition) { g.fetcher.resume(tps) }

// Assignment gives the partitions that the member has, sorted.
func (g *GroupConsumer) Assignment() []connector.TopicPartition { return g.fetcher.assigned() }

// Abandon leaves the group in place of an owner who hangs: others get the
// partitions at once, and what the owner still commits is refused. It is safe
// from any goroutine; Close is due all the same.
func (g *GroupConsumer) Abandon() {
	g.cancel()
	g.member.Abandon()
}

// Holds tells whether the member still has its partitions: a commit is not refused
// from the start. It is safe from any goroutine.
func (g *GroupConsumer) Holds() bool {
	_, ok := g.member.committer()
	return ok
}

// Forfeit leaves the group for an owner who is busy for too long: Poll says then
// that the partitions are lost, and joins again once they are released. It is
// safe from any goroutine.
func (g *GroupConsumer) Forfeit() { g.member.Forfeit() }

// Leave asks for the partitions that the member has, as Poll does; it takes up
// no others. Close is due then.
func (g *GroupConsumer) Leave() Event {
	g.member.Leave()
	e, _ := g.change() // what it cannot join any more does not matter
	return e
}

// Close leaves the group, so that the others need not wait for a time-out, and
// ends all goroutines. What Leave asked for is handed over by then. It is safe
// twice.
func (g *GroupConsumer) Close(ctx context.Context) error {
	if g.closed {
		return nil
	}
	g.closed = true
	g.cancel()
	g.fetcher.stop()
	err := g.member.Close(ctx)
	_, waited := do(ctx, func() (struct{}, error) {
		g.fetcher.close()
		g.work.Wait()
		return struct{}{}, nil
	})
	return errors.Join(err, waited)
}

func compareTP(a, b connector.TopicPartition) int {
	return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
}
