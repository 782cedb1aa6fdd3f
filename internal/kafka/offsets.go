package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Commit commits, for each partition, the offset of the next record to read; one of
// a partition that is gone is left out. ErrGenerationLost says that it is too late: the partitions may be another
// member's, who starts at the last commit.
func (g *GroupConsumer) Commit(ctx context.Context, next map[connector.TopicPartition]int64) error {
	return g.member.commit(ctx, next, &g.commits)
}

// commit commits offsets, and tells of what it tries on.
func (m *Member) commit(ctx context.Context, next map[connector.TopicPartition]int64, t *trouble) error {
	if len(next) == 0 {
		return nil
	}
	defer t.end()
	for {
		as, ok := m.committer()
		if !ok {
			return fmt.Errorf("group %s: %w", m.o.Group, ErrGenerationLost)
		}
		_, err := do(ctx, func() (struct{}, error) { return struct{}{}, m.coord.commit(as, next) })
		if ctx.Err() != nil && err != nil {
			return connector.Retriable(fmt.Errorf("group %s: commit: %w", m.o.Group, err))
		}
		v, _ := m.answered(as, err, true)
		switch v {
		case fine:
			t.over()
			return nil
		case lost:
			return fmt.Errorf("group %s: %w: %w", m.o.Group, ErrGenerationLost, err)
		case refused:
			return connector.Coded("H2016", connector.Fatal(fmt.Errorf("group %s: commit: %w", m.o.Group, err)))
		case elsewhere:
			t.note("offsets cannot be committed: the group coordinator cannot be reached", err)
			m.coord.fast.drop()
		case again:
			t.note("offsets cannot be committed", err)
			if !errors.Is(err, sarama.ErrUnknownTopicOrPartition) {
				break
			}
			if next = m.there(ctx, next, t); len(next) == 0 {
				return nil
			}
		}
		if !pause(ctx, retryPause) {
			return connector.Retriable(fmt.Errorf("group %s: commit: %w", m.o.Group, err))
		}
	}
}

// there leaves out the offsets of partitions that are gone: no broker takes them,
// and who waited for one would never hear that it is to give its partitions up.
func (m *Member) there(ctx context.Context, next map[connector.TopicPartition]int64, t *trouble) map[connector.TopicPartition]int64 {
	var topics []string
	for tp := range next {
		topics = append(topics, tp.Topic)
	}
	slices.Sort(topics)
	known, err := m.client.describe(ctx, slices.Compact(topics))
	if err != nil {
		return next
	}
	kept := maps.Clone(next)
	for tp, off := range next {
		if tp.Partition >= known[tp.Topic] {
			t.log.Warn("offset of a partition that is gone is not committed", "topic", tp.Topic, "partition", tp.Partition, "offset", off)
			delete(kept, tp)
		}
	}
	return kept
}

// committed gives the committed offsets of partitions; -1 is none.
func (g *GroupConsumer) committed(tps []connector.TopicPartition) (map[connector.TopicPartition]int64, error) {
	b, err := g.member.coord.fast.get()
	if err != nil {
		return nil, err
	}
	byTopic := map[string][]int32{}
	for _, tp := range tps {
		byTopic[tp.Topic] = append(byTopic[tp.Topic], tp.Partition)
	}
	req := sarama.NewOffsetFetchRequest(g.conf.Version, g.o.Group, byTopic)
	req.RequireStable = g.o.ReadCommitted
	resp, err := b.FetchOffset(req)
	if err != nil {
		return nil, err
	}
	if e := resp.GroupError(); e != sarama.ErrNoError {
		return nil, e
	}
	offsets := map[connector.TopicPartition]int64{}
	for _, tp := range tps {
		block := resp.GetGroupBlock(g.o.Group, tp.Topic, tp.Partition)
		if block == nil {
			block = resp.GetBlock(tp.Topic, tp.Partition)
		}
		switch {
		case block == nil:
			return nil, fmt.Errorf("offset of %s/%d: %w", tp.Topic, tp.Partition, sarama.ErrIncompleteResponse)
		case block.Err != sarama.ErrNoError:
			return nil, block.Err
		}
		offsets[tp] = block.Offset
	}
	return offsets, nil
}

// prepare finds where to start reading what the member was assigned, for as
// long as the generation lasts. The owner takes it from starts.
func (g *GroupConsumer) prepare(gen Generation) error {
	topics, err := decodeAssignment(gen.Assignment)
	if err != nil {
		return connector.Retriable(fmt.Errorf("group %s: assignment: %w", g.o.Group, err))
	}
	var tps []connector.TopicPartition
	for topic, ps := range topics {
		for _, p := range ps {
			tps = append(tps, connector.TopicPartition{Topic: topic, Partition: p})
		}
	}
	slices.SortFunc(tps, compareTP)
	starts, as, on := map[connector.TopicPartition]int64{}, identity{gen.Member, gen.ID}, true
	for on && len(tps) > 0 && len(starts) == 0 {
		committed, err := g.committed(tps)
		var v verdict
		v, on = g.member.answered(as, err, false)
		switch v {
		case fine:
			if err = g.start(committed, starts); connector.KindOf(err) == connector.KindFatal {
				return err
			} else if err != nil {
				g.member.trouble.note("the start of a partition cannot be found", err)
				clear(starts)
			}
		case refused:
			return connector.Coded("H2016", connector.Fatal(fmt.Errorf("group %s: committed offsets: %w", g.o.Group, err)))
		case elsewhere:
			g.member.coord.fast.drop()
		case lost, rejoin:
			return nil
		}
		if len(starts) == 0 && !pause(g.ctx, retryPause) {
			return nil
		}
	}
	g.mu.Lock()
	g.starts = starts
	g.mu.Unlock()
	return nil
}

// start fills in where to start: at the committed offset, if there is one.
func (g *GroupConsumer) start(committed, starts map[connector.TopicPartition]int64) (err error) {
	for tp, off := range committed {
		if off < 0 {
			if off, err = g.reset(tp); err != nil {
				return err
			}
		}
		starts[tp] = off
	}
	return nil
}

// reset gives where a partition without a usable offset starts.
func (g *GroupConsumer) reset(tp connector.TopicPartition) (int64, error) {
	at := map[string]int64{"earliest": sarama.OffsetOldest, "": sarama.OffsetOldest, "latest": sarama.OffsetNewest}
	where, ok := at[g.o.Reset]
	if !ok {
		return 0, connector.Coded("H2017", connector.Fatal(fmt.Errorf("group %s: topic %s partition %d has no usable committed offset, and auto.offset.reset is none", g.o.Group, tp.Topic, tp.Partition)))
	}
	off, err := g.client.client.GetOffset(tp.Topic, tp.Partition, where)
	if err != nil {
		return 0, connector.Retriable(fmt.Errorf("topic %s partition %d: %w", tp.Topic, tp.Partition, err))
	}
	return off, nil
}
