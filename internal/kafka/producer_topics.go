package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

// outTopic is a topic that a producer writes.
type outTopic struct {
	name        string
	limit       int // bytes of a message, and of a batch
	queues      []*partitionQueue
	partitioner partitioner
	looked      time.Time // when its leaders were found
}

// topic gives the topic of a message; a new one is found out.
func (p *Producer) topic(ctx context.Context, m *Message) (*outTopic, error) {
	if t, ok := p.known(m); ok {
		return t, nil
	}
	p.look.Lock()
	defer p.look.Unlock()
	t, ok := p.known(m)
	if ok {
		return t, nil
	}
	found, err := p.exists(ctx, m.Topic)
	if err != nil {
		return nil, err
	}
	limit := 0
	if t == nil {
		limit = p.limit(ctx, m.Topic)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if t == nil {
		t = &outTopic{name: m.Topic, limit: limit, partitioner: newPartitioner(p.set.batch)}
		p.topics[m.Topic] = t
	}
	p.lead(t, found)
	if int(m.Partition) >= len(t.queues) {
		return nil, noPartition(m)
	}
	return t, nil
}

// known gives a message's topic, if it was found out, and tells whether it has
// the message's partition. From time to time its leaders are looked for again,
// which shows new partitions.
func (p *Producer) known(m *Message) (t *outTopic, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t = p.topics[m.Topic]
	if t == nil {
		return nil, false
	}
	if age := p.conf.Metadata.RefreshFrequency; age > 0 && time.Since(t.looked) > age {
		t.looked = time.Now()
		p.search(t.name)
	}
	return t, int(m.Partition) < len(t.queues)
}

// exists waits until a topic exists, which the broker may have to create.
func (p *Producer) exists(ctx context.Context, topic string) (*sarama.MetadataResponse, error) {
	began := time.Now()
	for attempts := 1; ; attempts++ {
		var found map[string]int32
		resp, err := p.client.metadata(ctx, []string{topic}, true)
		if err == nil {
			found, err = partitionsOf(resp, false)
		}
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case connector.KindOf(err) == connector.KindFatal:
			return nil, err
		case err != nil:
			p.trouble.note("topic cannot be looked up", err)
			began = time.Now()
		case found[topic] > 0:
			p.trouble.over()
			return resp, nil
		case time.Since(began) > p.set.block:
			return nil, connector.Coded("H2013", connector.Retriable(fmt.Errorf("topic %s: %w, and the broker does not create it: create it, or set topic.creation.enable=true", topic, ErrUnknownTopic)))
		}
		if !pause(ctx, soon.after(attempts)) {
			return nil, context.Cause(ctx)
		}
	}
}

// limit gives the largest message that a topic takes, as far as the producer
// may know: not everyone may read a topic's configuration.
func (p *Producer) limit(ctx context.Context, topic string) int {
	conf, err := p.client.TopicConfig(ctx, topic, "max.message.bytes")
	if err != nil {
		p.client.options.Log.Debug("topic's max.message.bytes is not known", "topic", topic, "error", err.Error())
		return p.set.request
	}
	if n, err := strconv.Atoi(conf["max.message.bytes"]); err == nil && n > batchOverhead {
		return min(n, p.set.request)
	}
	return p.set.request
}

// lead notes who leads a topic's partitions. It tells whether all have a leader.
// mu is held.
func (p *Producer) lead(t *outTopic, found *sarama.MetadataResponse) bool {
	for _, b := range found.Brokers {
		p.addresses[b.ID()] = b.Addr()
	}
	all := false
	for _, m := range found.Topics {
		if m.Name != t.name || m.Err != sarama.ErrNoError && m.Err != sarama.ErrLeaderNotAvailable {
			continue
		}
		all, t.looked = true, time.Now()
		for len(t.queues) < len(m.Partitions) {
			t.queues = append(t.queues, &partitionQueue{TopicPartition: connector.TopicPartition{Topic: t.name, Partition: int32(len(t.queues))},
				idempotent: p.set.idempotent, most: p.set.inFlight, retries: p.set.retries, as: noProducerID, leader: -1})
		}
		if n := len(m.Partitions); n > 0 && n < len(t.queues) {
			t.queues, p.gone = t.queues[:n:n], append(p.gone, t.queues[n:]...)
		}
		for _, part := range m.Partitions {
			if part.Leader < 0 || part.Err == sarama.ErrLeaderNotAvailable || int(part.ID) >= len(t.queues) {
				all = false
				continue
			}
			q := t.queues[part.ID]
			q.leader = part.Leader
			p.move(q)
		}
	}
	if !all {
		p.search(t.name)
	}
	return all
}

// forsake gives up what waits for partitions that are not there any more: the topic
// was deleted, and made again with fewer. Whoever sends it again finds another.
func (p *Producer) forsake() {
	var done []outcome
	p.mu.Lock()
	p.gone = slices.DeleteFunc(p.gone, func(q *partitionQueue) bool {
		q.leader = -1 // nothing more is sent
		for _, b := range q.give(time.Time{}) {
			why := connector.Coded("H2014", connector.Retriable(fmt.Errorf("topic %s: partition %d is not there any more", q.Topic, q.Partition)))
			done = append(done, outcome{q, b, answer{err: why, offset: -1, appended: connector.NoTimestamp}})
		}
		if len(q.flying) > 0 {
			return false
		}
		if q.route != nil {
			q.route.queues = slices.DeleteFunc(q.route.queues, func(o *partitionQueue) bool { return o == q })
		}
		return true
	})
	p.mu.Unlock()
	if len(done) > 0 {
		p.finish(done)
	}
}

// move has a partition sent by its leader's route, as soon as nothing of it is
// on its way over another one. mu is held.
func (p *Producer) move(q *partitionQueue) {
	if q.leader < 0 || len(q.flying) > 0 || q.route != nil && q.route.broker == q.leader {
		return
	}
	r := p.routes[q.leader]
	if r == nil && p.ctx.Err() == nil {
		r = newRoute(p, q.leader)
		p.routes[q.leader] = r
		p.work.Go(r.run)
	}
	if r == nil {
		return
	}
	if q.route != nil {
		q.route.queues = slices.DeleteFunc(q.route.queues, func(o *partitionQueue) bool { return o == q })
	}
	q.route = r
	r.queues = append(r.queues, q)
	r.nudge()
}

// search has a topic's leaders looked for. mu is held.
func (p *Producer) search(topic string) {
	p.stale[topic] = true
	if !p.searching && p.ctx.Err() == nil {
		p.searching = true
		p.work.Go(p.find)
	}
}

// find looks for leaders until all are found; Close ends it.
func (p *Producer) find() {
	for attempts := 0; ; attempts++ {
		p.mu.Lock()
		topics := slices.Collect(maps.Keys(p.stale))
		if len(topics) == 0 || p.ctx.Err() != nil {
			p.searching = false
			p.mu.Unlock()
			return
		}
		clear(p.stale)
		p.mu.Unlock()
		resp, err := p.client.metadata(p.ctx, topics, true)
		all := err == nil
		p.mu.Lock()
		for _, topic := range topics {
			if err != nil {
				p.stale[topic] = true
			} else if !p.lead(p.topics[topic], resp) {
				all = false
			}
		}
		p.mu.Unlock()
		p.forsake()
		if all {
			if attempts > 1 {
				p.trouble.over()
			}
			attempts = -1
			continue
		}
		if attempts > 0 && p.ctx.Err() == nil {
			p.trouble.note("partitions cannot be written", errors.Join(err, noLeader(err)))
		}
		p.expire()
		pause(p.ctx, p.set.backoff.after(attempts+1))
	}
}

// noLeader is the reason where all that was asked was answered.
func noLeader(err error) error {
	if err != nil {
		return nil
	}
	return sarama.ErrLeaderNotAvailable
}

// expire gives up what waits for longer than delivery.timeout.ms, or for nothing.
func (p *Producer) expire() {
	p.forsake()
	if p.set.delivery > 0 {
		p.giveUp(connector.Coded("H2011", connector.Retriable(fmt.Errorf("not delivered within delivery.timeout.ms=%d", p.set.delivery.Milliseconds()))), time.Now().Add(-p.set.delivery))
	}
}
