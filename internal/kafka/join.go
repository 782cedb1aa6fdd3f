package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

func compareTP(a, b connector.TopicPartition) int {
	return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
}

// offer is what a join came to, for the owner to take up.
type offer struct {
	start map[connector.TopicPartition]int64 // the assigned partitions
	err   error                              // the member cannot go on
}

// joinLoop joins and syncs until the member is in a generation, finds where to
// start and makes the owner an offer. Close ends it.
func (g *GroupConsumer) joinLoop() {
	for g.ctx.Err() == nil {
		v, err := g.joinOnce()
		if g.ctx.Err() != nil {
			return // Close has cut the connection
		}
		switch v {
		case fine:
			g.trouble.over()
			g.prepareOffer()
			return
		case refused:
			g.propose(identity{}, &offer{err: connector.Fatal(fmt.Errorf("group %s: %w", g.o.Group, refusal(err)))})
			return
		case lost, rejoin:
			continue
		case elsewhere:
			g.trouble.note("the group coordinator cannot be reached, trying on", err)
			g.coord.slow.drop()
		}
		if !errors.Is(err, sarama.ErrMemberIdRequired) {
			pause(g.ctx, retryPause)
		}
	}
}

// refusal adds what to do to the refusals that a configuration causes.
func refusal(err error) error {
	switch {
	case errors.Is(err, sarama.ErrInvalidSessionTimeout):
		return fmt.Errorf("%w: set consumer.override.session.timeout.ms within the broker's group.min.session.timeout.ms and group.max.session.timeout.ms", err)
	case errors.Is(err, sarama.ErrInconsistentGroupProtocol):
		return fmt.Errorf("%w: its other members are no consumers that offer the range assignor", err)
	}
	return err
}

func (g *GroupConsumer) joinOnce() (verdict, error) {
	known, err := g.look()
	if err != nil {
		return lookVerdict(err), err
	}
	g.mu.Lock()
	id := g.m.id
	g.mu.Unlock()
	resp, err := g.coord.join(id, g.subscription(known), g.o.SessionTimeout, g.o.RebalanceTimeout)
	if resp == nil {
		resp = new(sarama.JoinGroupResponse)
	}
	g.mu.Lock()
	v := g.m.joinAnswered(err, resp.MemberId, resp.GenerationId)
	g.mu.Unlock()
	if v != fine {
		return v, err
	}
	g.seen(known)
	var plan map[string]map[string][]int32
	if resp.LeaderId == resp.MemberId {
		if plan, err = g.plan(resp, known); err != nil {
			return again, err
		}
	}
	topics, err := g.coord.sync(resp.MemberId, resp.GenerationId, plan)
	g.mu.Lock()
	defer g.mu.Unlock()
	if v := g.m.synced(err); v != fine {
		return v, err
	}
	g.alive = time.Now()
	g.assigned = nil
	for topic, ps := range topics {
		for _, p := range ps {
			g.assigned = append(g.assigned, connector.TopicPartition{Topic: topic, Partition: p})
		}
	}
	slices.SortFunc(g.assigned, compareTP)
	return fine, nil
}

// lookVerdict tells a topic that may not be read from a cluster that is away.
func lookVerdict(err error) verdict {
	if connector.KindOf(err) == connector.KindFatal {
		return refused
	}
	return elsewhere
}

// plan is the leader's: it shares the partitions of all members' topics.
func (g *GroupConsumer) plan(resp *sarama.JoinGroupResponse, known map[string]int32) (map[string]map[string][]int32, error) {
	members, err := resp.GetMembers()
	if err != nil {
		return nil, err
	}
	topics := map[string][]string{}
	var others []string // topics that only other members read
	for id, m := range members {
		topics[id] = m.Topics
		for _, t := range m.Topics {
			if _, ok := known[t]; !ok {
				others = append(others, t)
			}
		}
	}
	partitions := maps.Clone(known)
	if len(others) > 0 {
		slices.Sort(others)
		more, err := g.client.describe(g.ctx, slices.Compact(others), false)
		if err != nil {
			return nil, err
		}
		maps.Copy(partitions, more)
		g.seen(partitions) // the leader watches for the others too
	}
	return assignRange(topics, partitions), nil
}

// prepareOffer finds where to start reading and offers the partitions.
func (g *GroupConsumer) prepareOffer() {
	g.mu.Lock()
	as, ok := g.m.current()
	tps := g.assigned
	g.mu.Unlock()
	start := map[connector.TopicPartition]int64{}
	for ok && len(tps) > 0 && len(start) == 0 {
		committed, err := g.coord.committed(tps, g.o.ReadCommitted)
		g.mu.Lock()
		v := g.m.answered(as, err)
		_, ok = g.m.current()
		g.mu.Unlock()
		switch v {
		case fine:
			if err = g.starts(committed, start); connector.KindOf(err) == connector.KindFatal {
				g.propose(as, &offer{err: err})
				return
			} else if err != nil {
				g.trouble.note("the start of a partition cannot be found, trying on", err)
				clear(start)
			}
		case refused:
			g.propose(as, &offer{err: connector.Fatal(fmt.Errorf("group %s: committed offsets: %w", g.o.Group, err))})
			return
		case elsewhere:
			g.coord.fast.drop()
		case lost, rejoin:
			g.awake()
			return
		}
		if len(start) == 0 && !pause(g.ctx, retryPause) {
			return
		}
	}
	g.propose(as, &offer{start: start})
}

// starts fills in where to start: at the committed offset, if there is one.
func (g *GroupConsumer) starts(committed, start map[connector.TopicPartition]int64) (err error) {
	for tp, off := range committed {
		if off < 0 {
			if off, err = g.reset(tp); err != nil {
				return err
			}
		}
		start[tp] = off
	}
	return nil
}

// propose makes the owner an offer, unless the membership it is for is over. A
// join that failed for good is nobody's.
func (g *GroupConsumer) propose(as identity, o *offer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if as == (identity{}) {
		g.m.gaveUp()
		g.offer = o
	} else if now, ok := g.m.current(); ok && now == as && g.m.stage == seated {
		g.offer = o
	}
	g.wakeUp()
}

// reset gives where a partition without a usable offset starts.
func (g *GroupConsumer) reset(tp connector.TopicPartition) (int64, error) {
	at := map[string]int64{"earliest": sarama.OffsetOldest, "": sarama.OffsetOldest, "latest": sarama.OffsetNewest}
	where, ok := at[g.o.Reset]
	if !ok {
		return 0, connector.Fatal(fmt.Errorf("group %s: topic %s partition %d has no usable committed offset, and auto.offset.reset is none", g.o.Group, tp.Topic, tp.Partition))
	}
	off, err := g.client.client.GetOffset(tp.Topic, tp.Partition, where)
	if err != nil {
		return 0, connector.Retriable(fmt.Errorf("topic %s partition %d: %w", tp.Topic, tp.Partition, err))
	}
	return off, nil
}

// look gives the topics there are to read and their numbers of partitions.
func (g *GroupConsumer) look() (map[string]int32, error) {
	if g.o.Pattern == nil {
		return g.client.describe(g.ctx, g.o.Topics, false)
	}
	all, err := g.client.describe(g.ctx, nil, false)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(all, func(t string, _ int32) bool { return !g.o.Pattern.MatchString(t) })
	return all, nil
}

// subscription gives the topics to ask for: those named, there or not, or those
// that match.
func (g *GroupConsumer) subscription(known map[string]int32) []string {
	if g.o.Pattern == nil {
		return slices.Compact(slices.Sorted(slices.Values(g.o.Topics)))
	}
	return slices.Sorted(maps.Keys(known))
}

// seen notes which topics a join was for.
func (g *GroupConsumer) seen(topics map[string]int32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.topics = topics
	missing := g.o.Pattern == nil && len(topics) < len(g.o.Topics) || len(topics) == 0
	if missing && !g.waiting {
		g.client.options.Log.Info("waiting for topics that do not exist yet", "group", g.o.Group)
	}
	g.waiting = missing
}

// watch looks from time to time whether there are other topics or partitions
// to read than at the last join, and has the member join again then. Close
// ends it.
func (g *GroupConsumer) watch() {
	for {
		g.mu.Lock()
		every := g.client.client.Config().Metadata.RefreshFrequency
		if g.waiting || g.topics == nil { // topics are missing, or the first join has not told yet
			every = min(every, lookAgain)
		}
		g.mu.Unlock()
		if !pause(g.ctx, every) {
			return
		}
		g.mu.Lock()
		before := g.topics
		g.mu.Unlock()
		if before == nil {
			continue // no join yet
		}
		now, err := g.look()
		if err == nil {
			err = g.lookForOthers(before, now)
		}
		if err != nil {
			continue // whoever needs the cluster says that it is away
		}
		if !maps.Equal(before, now) {
			g.leave(rejoin)
		}
	}
}

// lookForOthers adds the topics that the member, as leader, watches for others.
func (g *GroupConsumer) lookForOthers(before, now map[string]int32) error {
	var others []string
	for t := range before {
		if _, ok := now[t]; !ok && (g.o.Pattern == nil && !slices.Contains(g.o.Topics, t) || g.o.Pattern != nil && !g.o.Pattern.MatchString(t)) {
			others = append(others, t)
		}
	}
	if len(others) == 0 {
		return nil
	}
	more, err := g.client.describe(g.ctx, others, false)
	maps.Copy(now, more)
	return err
}

// heartbeats tells the coordinator that the member is there, until Close. It
// finds out when a rebalance is on or the membership is gone.
func (g *GroupConsumer) heartbeats() {
	for pause(g.ctx, g.o.HeartbeatInterval) {
		g.mu.Lock()
		as, due := g.m.current()
		g.mu.Unlock()
		if !due {
			continue
		}
		err := g.coord.heartbeat(as.id, as.generation)
		if g.ctx.Err() != nil {
			return // Close has cut the connection
		}
		g.mu.Lock()
		now, _ := g.m.current()
		v := g.m.answered(as, err)
		if v == fine || v == rejoin {
			g.alive = time.Now()
		}
		silent := time.Since(g.alive)
		if v == refused || silent > g.o.SessionTimeout {
			g.m.leave(lost) // the coordinator gives the partitions away
		}
		if g.m.leaving != fine {
			g.wakeUp()
		}
		g.mu.Unlock()
		switch {
		case now != as: // the answer was about a membership that is over
		case v == fine:
			g.trouble.over()
		case v == refused:
			g.client.options.Log.Warn("heartbeat refused", "group", g.o.Group, "error", err.Error())
		case v == elsewhere:
			g.trouble.note("the group coordinator cannot be reached, trying on", err)
			g.coord.fast.drop()
		}
	}
}

// pause waits a little; false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
