package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// Snapshot is what is wanted of the cluster, as far as a worker has read.
type Snapshot struct {
	Offset int64          // in the configuration topic
	Tasks  map[string]int // how many each connector has
}

// Config is the configuration topic as one worker reads it. Both are safe for
// concurrent use.
type Config interface {
	// Snapshot gives what was read; it does not wait.
	Snapshot() Snapshot
	// CatchUp reads on to what is the end of the topic when it is called.
	CatchUp(ctx context.Context) error
}

// Placement is what a worker is to run, and as whom.
type Placement struct {
	Generation        int32
	Worker            string // the id that it has in the group
	Leader, LeaderURL string
	Version           Version
	ConfigOffset      int64 // of the configuration that was shared out
	Work              Work
}

// Leads tells that the worker is the leader.
func (p Placement) Leads() bool { return p.Worker != "" && p.Worker == p.Leader }

// Options describe a worker of a cluster.
type Options struct {
	Group string
	URL   string // of its REST API, for the other workers
	// Software is the version of the worker's program, which the others are told.
	Software string
	Version  Version // the latest that it offers
	// SessionTimeout, HeartbeatInterval and RebalanceTimeout are the member's.
	SessionTimeout, HeartbeatInterval, RebalanceTimeout time.Duration
	// MaxDelay is how long the work of a lost worker waits for it.
	MaxDelay time.Duration
	// SyncTimeout is how long the worker may take to catch up with the
	// configuration; after that it stays away from the group for UnsyncBackoff.
	SyncTimeout, UnsyncBackoff time.Duration
	// LeaveAtOnce gives the work away when the worker ends. Else it waits for the
	// worker's return, like that of one that was lost.
	LeaveAtOnce bool
	Config      Config
	// Place has the worker run what it says and nothing else, called from Run's
	// goroutine. It returns once all else has stopped, because others may start
	// that then. A part that is not configured any more is none to run, and a task
	// whose connector got others since the placement's ConfigOffset waits for a
	// later one: until then other workers may run its like of before.
	Place func(ctx context.Context, p Placement)
	Log   *slog.Logger
}

// Group is a worker's membership in its cluster. Run is called once, the others
// from any goroutine.
type Group struct {
	o      Options
	member *kafka.Member

	// Of Run's goroutine:
	placed Placement
	due    time.Time // of the next rebalance; zero for none
	behind bool      // it has left because it could not catch up

	mu        sync.Mutex // guards the following
	held      *Assignment
	completed int32 // the generation of held
	legacy    legacy
	snapshot  Snapshot
	assignor  *incremental
	owners    map[Part]string // URLs, while the worker is the leader
	delayed   bool            // and there is a delay
	leaving   bool
	said      bool // the leader has been told of leaving

	rebalances Rebalances
	began      time.Time // the rebalance that is on
}

// New makes a worker's membership. Run joins, and has to be called to end it.
func New(client *kafka.Client, o Options) (*Group, error) {
	g := &Group{o: o, assignor: newIncremental(o.MaxDelay), completed: noGeneration}
	var err error
	g.member, err = client.NewMember(kafka.MemberOptions{Group: o.Group, ProtocolType: ProtocolType,
		SessionTimeout: o.SessionTimeout, HeartbeatInterval: o.HeartbeatInterval, RebalanceTimeout: o.RebalanceTimeout,
		Protocols: g.protocols, Assign: g.assign})
	return g, err
}

// Rejoin has the leader share out anew, since other connectors or tasks are
// wanted.
func (g *Group) Rejoin() { g.member.Rejoin() }

// Owner gives the URL of the worker that has a part. Only the leader knows, while
// no rebalance is on.
func (g *Group) Owner(p Part) (url string, known bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	url, known = g.owners[p]
	return url, known
}

// Waits tells whether nobody has a part while a lost worker is waited for. Only the
// leader knows, while no rebalance is on.
func (g *Group) Waits(p Part) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, owned := g.owners[p]
	return g.delayed && g.owners != nil && !owned
}

// Run keeps the worker in the group until ctx ends, then stops its work and
// leaves. An error before that is fatal.
func (g *Group) Run(ctx context.Context) error {
	g.begin()
	for ctx.Err() == nil {
		change, generation, err := g.member.Next()
		if err != nil {
			return errors.Join(err, g.stop(ctx))
		}
		switch change {
		case kafka.Assigned:
			g.assigned(ctx, generation)
		case kafka.Revoked:
			g.begin()
			g.settle(ctx)
			g.member.Release()
		case kafka.Lost:
			g.begin()
			g.forget()
			g.place(ctx, Placement{})
			g.returnInTime(ctx)
			g.member.Release()
		case kafka.Unchanged:
			g.wait(ctx)
		}
	}
	return g.stop(ctx)
}

// wait waits until there is something to do. The end of a delay is one.
func (g *Group) wait(ctx context.Context) {
	var timer <-chan time.Time
	if !g.due.IsZero() {
		t := time.NewTimer(time.Until(g.due))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-g.member.Wake():
	case <-timer:
		g.due = time.Time{}
		g.member.Rejoin()
	case <-ctx.Done():
	}
}

// settle has the worker stop what it is not to run after a rebalance in any case:
// all where the version is eager, else what by now is not configured any more, or is
// configured in another way. The rebalance was asked for behind what changed in the
// configuration topic, so that the worker has read of it before others start its like.
func (g *Group) settle(ctx context.Context) {
	if g.placed.Version == Eager {
		g.place(ctx, Placement{})
		return
	}
	limited, cancel := context.WithTimeout(ctx, g.o.SyncTimeout)
	defer cancel()
	_ = g.o.Config.CatchUp(limited) // the assignment makes up for it: it tells how far to read
	g.place(ctx, g.placed)
}

func (g *Group) place(ctx context.Context, p Placement) {
	g.placed = p
	g.o.Place(ctx, p)
}

// assigned acts on what the leader has said: what is revoked stops, also while
// the worker is behind, and what is new starts when it has caught up.
func (g *Group) assigned(ctx context.Context, generation kafka.Generation) {
	version, err := versionOf(generation.Protocol)
	if err == nil {
		var a Assignment
		if a, err = DecodeAssignment(generation.Assignment); err == nil {
			g.follow(ctx, generation, version, a)
			return
		}
	}
	g.o.Log.Warn("the leader's assignment cannot be read; the worker joins again", "group", g.o.Group, "leader", generation.Leader, "error", err.Error())
	g.due = time.Now().Add(g.o.HeartbeatInterval)
}

func (g *Group) follow(ctx context.Context, generation kafka.Generation, version Version, a Assignment) {
	g.due = time.Time{}
	if a.Delay > 0 {
		g.due = time.Now().Add(a.Delay)
	}
	revoked := g.hold(generation.ID, version, &a)
	p := Placement{Generation: generation.ID, Worker: generation.Member, Leader: a.Leader, LeaderURL: a.LeaderURL,
		Version: version, ConfigOffset: a.ConfigOffset}
	if version != Eager {
		p.Work = g.placed.Work.Without(revoked)
	}
	g.place(ctx, p)
	at := g.o.Config.Snapshot().Offset
	if at < a.ConfigOffset || a.Failure != 0 && p.Leads() {
		if !g.catchUp(ctx) {
			g.mu.Lock()
			g.held = nil // others may have it when the worker comes again
			g.mu.Unlock()
			g.behind = true
			g.member.Forfeit()
			return
		}
		at = g.o.Config.Snapshot().Offset
	}
	if a.Failure == 0 {
		p.Work = a.Assigned
		g.place(ctx, p)
		g.learn(a)
		g.complete()
	}
	// A worker that has read more than was shared out starts what is its own all
	// the same.
	if a.Failure != 0 || at != a.ConfigOffset || len(revoked) > 0 {
		g.member.Rejoin()
	}
}

// hold notes what the worker has by an assignment, which is made complete, and
// gives what it has no more.
func (g *Group) hold(generation int32, version Version, a *Assignment) (revoked Work) {
	g.mu.Lock()
	defer g.mu.Unlock()
	revoked, a.Revoked, a.Version = a.Revoked, nil, version
	if version != Eager && g.held != nil {
		a.Assigned = g.held.Assigned.Without(revoked).With(a.Assigned)
	}
	g.held, g.completed = a, generation
	return revoked
}

// learn notes what is to be known if the leader goes. What was read beyond what it has
// shared out is not its work.
func (g *Group) learn(a Assignment) {
	read := g.o.Config.Snapshot()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.legacy.leader, g.legacy.due = a.Leader, g.due
	if read.Offset == a.ConfigOffset {
		g.legacy.wanted = All(read.Tasks)
	}
}

// forget is learn's undoing: the group goes on without the worker.
func (g *Group) forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.legacy = legacy{}
}

// catchUp tells whether the worker has read the configuration in time.
func (g *Group) catchUp(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, g.o.SyncTimeout)
	defer cancel()
	err := g.o.Config.CatchUp(ctx)
	if err != nil {
		g.o.Log.Warn("the configuration topic cannot be read to its end; the worker stays out of the group meanwhile",
			"group", g.o.Group, "timeout", g.o.SyncTimeout.String(), "error", err.Error())
	}
	return err == nil
}

// returnInTime waits until a worker that has left because it was behind may join
// again: to join and to leave over and over would hold up the others.
func (g *Group) returnInTime(ctx context.Context) {
	for g.behind && ctx.Err() == nil {
		select {
		case <-time.After(g.o.UnsyncBackoff):
			g.behind = !g.catchUp(ctx)
		case <-ctx.Done():
		}
	}
}

// stop ends the worker's work and its membership.
func (g *Group) stop(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	version := g.placed.Version
	g.place(ctx, Placement{})
	ctx, cancel := context.WithTimeout(ctx, g.o.SessionTimeout)
	defer cancel()
	if g.o.LeaveAtOnce && version != Eager {
		g.resign(ctx)
	}
	return g.member.Close(ctx)
}

// resign tells the leader that the work is for others. It waits for a generation
// that knows; after a session's time-out the others do without the worker anyway.
func (g *Group) resign(ctx context.Context) {
	g.mu.Lock()
	g.leaving = true
	g.mu.Unlock()
	g.member.Rejoin()
	for ctx.Err() == nil {
		change, generation, err := g.member.Next()
		a, unread := DecodeAssignment(generation.Assignment)
		switch {
		case err != nil, change == kafka.Assigned && unread == nil && a.Failure == 0 && g.saidLeaving():
			return
		case change == kafka.Assigned:
			g.member.Rejoin()
		case change == kafka.Unchanged:
			select {
			case <-g.member.Wake():
			case <-ctx.Done():
			}
		default:
			g.member.Release()
		}
	}
}

// saidLeaving tells whether the last generation knew: one may have been on before.
func (g *Group) saidLeaving() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.said
}

// protocols says of the worker what the leader has to know.
func (g *Group) protocols(context.Context) ([]kafka.Protocol, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.owners, g.said = nil, g.leaving
	g.snapshot = g.o.Config.Snapshot()
	var list []kafka.Protocol
	for v := g.o.Version; v >= Eager; v-- {
		b, err := Metadata{Version: v, URL: g.o.URL, ConfigOffset: g.snapshot.Offset, Held: g.held, Leaving: g.leaving, Software: g.o.Software}.Encode()
		if err != nil {
			return nil, connector.Fatal(fmt.Errorf("group %s: %w", g.o.Group, err))
		}
		list = append(list, kafka.Protocol{Name: v.protocol(), Metadata: b})
	}
	return list, nil
}

// assign shares out what is wanted, if this worker has read as much of it as the
// others.
func (g *Group) assign(_ context.Context, generation kafka.Generation, members map[string][]byte) (map[string][]byte, error) {
	version, err := versionOf(generation.Protocol)
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	workers := map[string]Metadata{}
	newest := g.snapshot.Offset
	for id, b := range members {
		m, err := DecodeMetadata(b)
		if err != nil {
			return nil, fmt.Errorf("worker %s: %w", id, err)
		}
		workers[id] = m
		newest = max(newest, m.ConfigOffset)
	}
	if g.snapshot.Offset < newest {
		g.snapshot = g.o.Config.Snapshot()
	}
	said := Assignment{Version: version, Leader: generation.Member, LeaderURL: g.o.URL, ConfigOffset: g.snapshot.Offset}
	var p plan
	// In the first eager round, workers come with what they ran in a cooperative
	// one; before others get it they stop it, as they do after a mismatch.
	first := version == Eager && (g.held == nil || g.held.Version != Eager)
	if g.snapshot.Offset < newest || first {
		said.Failure, said.ConfigOffset = ConfigMismatch, newest
	} else {
		p = g.plan(generation, version, workers)
	}
	said.Delay = p.delay
	if g.owners, g.delayed = nil, p.delay > 0; said.Failure == 0 {
		g.owners = map[Part]string{}
	}
	answers := map[string][]byte{}
	for id, m := range workers {
		said.Assigned, said.Revoked = p.assigned[id], p.revoked[id]
		if answers[id], err = said.Encode(); err != nil {
			return nil, err
		}
		for _, part := range p.after[id] {
			g.owners[part] = m.URL
		}
	}
	return answers, nil
}

// plan is called with mu held.
func (g *Group) plan(generation kafka.Generation, version Version, workers map[string]Metadata) plan {
	r := round{now: time.Now(), generation: generation.ID, completed: g.completed, wanted: All(g.snapshot.Tasks),
		holding: map[string]Work{}, leaving: map[string]Work{}, legacy: g.legacy}
	var ids []string
	for id, m := range workers {
		ids = append(ids, id)
		var held Work
		if m.Held != nil {
			held = m.Held.Assigned
		}
		if m.Leaving {
			r.leaving[id] = held
		} else {
			r.holding[id] = held
		}
	}
	if version == Eager {
		shares := deal(r.wanted, ids)
		return plan{assigned: shares, after: shares}
	}
	return g.assignor.assign(r)
}
