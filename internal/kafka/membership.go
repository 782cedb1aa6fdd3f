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

// heartbeats tells the coordinator that the member is there, until Close. It
// finds out when a rebalance is on or the membership is gone.
func (g *GroupConsumer) heartbeats() {
	t := time.NewTicker(g.o.HeartbeatInterval)
	defer t.Stop()
	for {
		select {
		case <-g.ctx.Done():
			return
		case <-t.C:
		}
		g.mu.Lock()
		id, generation, due := g.session.id, g.session.generation, g.member && g.leaving != lost
		g.mu.Unlock()
		if !due {
			continue
		}
		err := g.coord.heartbeat(id, generation)
		g.mu.Lock()
		if !g.session.current(id, generation) {
			g.mu.Unlock()
			continue // the answer is about a membership that is over
		}
		v := g.session.judge(err, "")
		if v == fine || v == rejoin {
			g.alive = time.Now()
		}
		silent := time.Since(g.alive)
		g.mu.Unlock()
		switch v {
		case rejoin, lost:
			g.leave(v)
		case refused:
			g.client.options.Log.Warn("heartbeat refused", "group", g.o.Group, "error", err.Error())
			g.leave(lost)
		case elsewhere:
			g.coord.drop()
		}
		if silent > g.o.SessionTimeout {
			g.leave(lost) // the coordinator has given the partitions away by now
		}
	}
}

// join starts a join unless one is under way; Close ends it.
func (g *GroupConsumer) join() {
	if g.joining {
		return
	}
	g.joining = true
	partitions := maps.Clone(g.topics)
	g.work.Go(func() { g.joins <- g.joinAs(partitions) })
}

// joinAs joins and syncs until it is in a generation, and finds where to start.
func (g *GroupConsumer) joinAs(partitions map[string]int32) joined {
	for g.ctx.Err() == nil {
		j, v := g.joinOnce(partitions)
		switch v {
		case fine:
			return j
		case refused:
			return joined{err: connector.Fatal(fmt.Errorf("group %s: %w", g.o.Group, refusal(j.err)))}
		case elsewhere:
			g.coord.drop()
		case lost, rejoin:
			continue
		}
		if !errors.Is(j.err, sarama.ErrMemberIdRequired) {
			pause(g.ctx, retryPause)
		}
	}
	return joined{err: context.Cause(g.ctx)}
}

// refusal adds what to do to the refusals that a configuration causes.
func refusal(err error) error {
	switch {
	case errors.Is(err, sarama.ErrInvalidSessionTimeout):
		return fmt.Errorf("%w: set consumer.override.session.timeout.ms within the broker's group.min.session.timeout.ms and group.max.session.timeout.ms", err)
	case errors.Is(err, sarama.ErrInconsistentGroupProtocol):
		return fmt.Errorf("%w: its other members do not offer the range assignor", err)
	}
	return err
}

func (g *GroupConsumer) joinOnce(partitions map[string]int32) (joined, verdict) {
	g.mu.Lock()
	id := g.session.id
	g.mu.Unlock()
	resp, err := g.coord.join(id, slices.Sorted(maps.Keys(partitions)), g.o.SessionTimeout, g.o.RebalanceTimeout)
	given := ""
	if resp != nil {
		given = resp.MemberId
	}
	if v := g.judge(err, given); v != fine {
		return joined{err: err}, v
	}
	g.mu.Lock()
	g.session.joined(resp.MemberId, resp.GenerationId)
	g.mu.Unlock()
	var plan map[string]map[string][]int32
	if resp.LeaderId == resp.MemberId {
		if plan, err = g.plan(resp, partitions); err != nil {
			return joined{err: err}, again
		}
	}
	topics, err := g.coord.sync(resp.MemberId, resp.GenerationId, plan)
	if v := g.judge(err, ""); v != fine {
		return joined{err: err}, v
	}
	g.mu.Lock()
	g.member, g.leaving, g.alive = true, fine, time.Now() // from here on heartbeats are due
	g.mu.Unlock()
	var j joined
	for topic, ps := range topics {
		for _, p := range ps {
			j.assigned = append(j.assigned, connector.TopicPartition{Topic: topic, Partition: p})
		}
	}
	slices.SortFunc(j.assigned, compareTP)
	if j.start, j.err = g.starts(j.assigned); j.start == nil {
		j.assigned = nil // Poll hands nothing over and joins again
	}
	return j, fine
}

func (g *GroupConsumer) judge(err error, given string) verdict {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.session.judge(err, given)
}

// plan is the leader's: it shares the partitions of all members' topics.
func (g *GroupConsumer) plan(resp *sarama.JoinGroupResponse, known map[string]int32) (map[string]map[string][]int32, error) {
	members, err := resp.GetMembers()
	if err != nil {
		return nil, err
	}
	topics := map[string][]string{}
	partitions := map[string]int32{}
	for id, m := range members {
		topics[id] = m.Topics
		for _, t := range m.Topics {
			if _, ok := partitions[t]; ok {
				continue
			}
			n, ok := known[t]
			if !ok {
				if n, err = g.client.Partitions(g.ctx, t); err != nil && !errors.Is(err, ErrUnknownTopic) {
					return nil, err
				}
			}
			partitions[t] = n
		}
	}
	return assignRange(topics, partitions), nil
}

// starts gives where to start reading each partition.
func (g *GroupConsumer) starts(tps []connector.TopicPartition) (map[connector.TopicPartition]int64, error) {
	start := map[connector.TopicPartition]int64{}
	if len(tps) == 0 {
		return start, nil
	}
	for g.ctx.Err() == nil {
		committed, err := g.coord.committed(tps, g.o.ReadCommitted)
		switch v := g.judge(err, ""); v {
		case fine:
			for tp, off := range committed {
				if off < 0 {
					if off, err = g.reset(tp); err != nil {
						g.leave(rejoin)
						return nil, err
					}
				}
				start[tp] = off
			}
			return start, nil
		case refused:
			g.leave(rejoin)
			return nil, connector.Fatal(fmt.Errorf("group %s: committed offsets: %w", g.o.Group, err))
		case elsewhere:
			g.coord.drop()
		case lost, rejoin:
			g.leave(v)
			return nil, nil
		}
		pause(g.ctx, retryPause)
	}
	return nil, context.Cause(g.ctx)
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

// look finds the topics to subscribe to and their partitions, from time to
// time; a change means to join again.
func (g *GroupConsumer) look(ctx context.Context) error {
	every := g.client.client.Config().Metadata.RefreshFrequency
	if len(g.topics) == 0 || len(g.topics) < len(g.o.Topics) {
		every = min(every, lookAgain)
	}
	if !g.looked.IsZero() && time.Since(g.looked) < every {
		return nil
	}
	topics := g.o.Topics
	if g.o.Pattern != nil {
		var err error
		if topics, err = g.client.Topics(ctx, g.o.Pattern); err != nil {
			return err
		}
	}
	found := map[string]int32{}
	for _, t := range topics {
		n, err := g.client.Partitions(ctx, t)
		if err != nil && !errors.Is(err, ErrUnknownTopic) {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if err == nil {
			found[t] = n
		}
	}
	if missing := len(topics) - len(found); missing > 0 && g.looked.IsZero() {
		g.client.options.Log.Info("waiting for topics that do not exist yet", "group", g.o.Group, "missing", missing)
	}
	g.looked = time.Now()
	if !maps.Equal(found, g.topics) {
		g.topics = found
		g.leave(rejoin)
		g.handOver()
	}
	return nil
}
