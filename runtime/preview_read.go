package runtime

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/internal/offset"
)

// read gets the records: those given, those that a source gives, or the newest of
// topics.
func (p *previewing) read(ctx context.Context) error {
	p.batch = new(batch)
	switch {
	case p.o.Input != nil:
		p.result.From = fmt.Sprintf("%d records given", len(p.o.Input))
		return p.take(ctx)
	case p.t.spec.Kind == KindSource:
		return p.poll(ctx)
	}
	messages, err := p.newest(ctx)
	p.batch.items = make([]item, len(messages))
	for i := range messages {
		p.batch.items[i].take(&messages[i])
	}
	return err
}

// newest reads the newest records of the topics, which it only reads: it is in no
// group.
func (p *previewing) newest(ctx context.Context) ([]kafka.Message, error) {
	var err error
	if p.clients, err = p.t.connect(p.set, false, true); err != nil {
		return nil, err
	}
	topics := p.o.Topics
	if topics == nil {
		if topics, err = p.inputs(ctx); err != nil {
			return nil, err
		}
	}
	p.result.From = fmt.Sprintf("the newest records of %s, at most %d", strings.Join(topics, ", "), p.o.Most)
	var messages []kafka.Message
	for _, topic := range topics {
		ends, err := p.clients.consumer.EndOffsets(ctx, topic)
		if errors.Is(err, kafka.ErrUnknownTopic) {
			return nil, fmt.Errorf("topic %s is not there, and has no records to look at: give others with --from-topic or --input", topic)
		}
		if err != nil {
			return nil, err
		}
		for tp, end := range ends {
			err := p.clients.consumer.ReadPartition(ctx, tp, max(0, end-int64(p.o.Most)), func(m kafka.Message) error {
				messages = append(messages, m)
				return nil
			})
			if err != nil {
				return nil, err
			}
			messages = newest(messages, p.o.Most)
		}
	}
	return messages, nil
}

// newest gives the last messages by time, at most so many; the others are let go.
func newest(messages []kafka.Message, most int) []kafka.Message {
	slices.SortFunc(messages, func(a, b kafka.Message) int {
		return cmp.Or(cmp.Compare(a.Timestamp, b.Timestamp), cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
	return slices.Clone(messages[max(0, len(messages)-most):])
}

// inputs gives the topics that the connector reads.
func (p *previewing) inputs(ctx context.Context) ([]string, error) {
	if p.set.pattern == nil {
		return p.set.topics, nil
	}
	all, err := p.clients.admin.DescribeTopics(ctx, nil)
	var topics []string
	for _, t := range all {
		if !t.Internal && !slices.Contains(p.o.Kept, t.Name) && p.set.pattern.MatchString(t.Name) {
			topics = append(topics, t.Name)
		}
	}
	if err == nil && len(topics) == 0 {
		err = errors.New("topics.regex: no topic has such a name")
	}
	return topics, err
}

// poll asks the source, task by task, as the connector is split.
func (p *previewing) poll(ctx context.Context) error {
	text, _ := p.t.spec.Props.Text("tasks.max")
	most, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		most = 1 // the default
	}
	tasks, err := p.w.TaskConfigs(ctx, p.t.spec, most)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, p.o.Wait)
	defer cancel()
	var records []connector.SourceRecord
	for i, props := range tasks {
		if len(records) >= p.o.Most || ctx.Err() != nil {
			break
		}
		p.t.spec.Task, p.t.spec.TaskProps = i, props
		got, err := p.pollTask(ctx, p.o.Most-len(records))
		if err != nil {
			return err
		}
		records = append(records, got...)
	}
	p.result.From = fmt.Sprintf("the first records that the source gives, at most %d", p.o.Most)
	p.batch.items = make([]item, len(records))
	for i := range records {
		p.batch.items[i].poll(&records[i])
	}
	return nil
}

// pollTask asks one task of the source for records. What it gives is never
// acknowledged: its offsets stay where they are.
func (p *previewing) pollTask(ctx context.Context, most int) (records []connector.SourceRecord, err error) {
	source, conf, err := instance[connector.Source](p.t, connector.SourceType, p.set.class)
	if err != nil {
		return nil, err
	}
	defer func() { p.t.ended(p.t.guarded("stop of the source", source.Stop)) }()
	c := p.context
	c.Task, c.Configs = p.t.spec.Task, p.t.configs(source)
	c.Offsets = offset.Reader(p.t.options.Offsets, p.t.spec.Connector)
	place := "source (" + source.Info().Name + ")"
	if err := p.t.started(place, func(life context.Context) error { return source.Start(life, c, conf) }); err != nil {
		return nil, fmt.Errorf("%s: %w", place, err)
	}
	for len(records) < most && ctx.Err() == nil {
		var got []connector.SourceRecord
		err := p.t.guarded(place, func() (err error) { got, err = source.Poll(ctx); return err })
		records = append(records, got...)
		switch {
		case errors.Is(err, connector.ErrDone):
			return records, nil
		case err != nil && ctx.Err() == nil && connector.KindOf(err) == connector.KindRetriable:
			p.note("%s: %v: it would be asked again", place, err)
			return records, nil
		case err != nil && ctx.Err() == nil:
			p.result.Stopped = p.t.at.wrap(place, "", err).Error()
			return records, nil
		}
	}
	return records[:min(most, len(records))], nil
}

// missing tells that a topic would be made, where Kafka is asked.
func (p *previewing) missing(ctx context.Context, topic string) error {
	if p.clients == nil {
		return nil
	}
	_, err := p.clients.admin.Partitions(ctx, topic)
	if !errors.Is(err, kafka.ErrUnknownTopic) {
		return err
	}
	does := "have the broker make topic " + topic + ", if it may"
	if p.set.createTopics || topic == p.set.letters {
		does = "make topic " + topic
	}
	p.would(connector.Effect{Does: does})
	return nil
}

// restore restores the state of the batch's partitions from the changelogs as they
// are. Records that were given begin without any.
func (p *previewing) restore(ctx context.Context) error {
	inputs := p.set.topics
	var logs changelogs = noLogs{}
	if p.clients != nil {
		var err error
		if p.set.pattern != nil {
			if inputs, err = p.inputs(ctx); err != nil {
				return p.t.at.wrap("", "", err)
			}
		}
		logs = &shownLogs{p: p, Client: p.clients.admin, made: map[string]int32{}}
	} else if len(p.parts.stores) > 0 {
		inputs = nil
		p.note("state begins empty, since the records were given")
	}
	for _, st := range p.parts.stores {
		if err := st.prepare(ctx, logs, inputs, p.batch.partitions()); err != nil {
			return p.t.at.wrap("restore of state", "", err)
		}
	}
	return nil
}

// shownLogs are changelogs that are only read.
type shownLogs struct {
	*kafka.Client
	p    *previewing
	made map[string]int32 // partitions of those that would be made
}

// CreateTopic tells that a changelog that is not there would be made.
func (l *shownLogs) CreateTopic(ctx context.Context, spec kafka.TopicSpec) error {
	_, err := l.Client.Partitions(ctx, spec.Name)
	if errors.Is(err, kafka.ErrUnknownTopic) {
		l.made[spec.Name] = spec.Partitions
		l.p.would(connector.Effect{Does: fmt.Sprintf("make topic %s with %d partitions", spec.Name, spec.Partitions)})
		return nil
	}
	return err
}

// Partitions gives those that a changelog has, or would have.
func (l *shownLogs) Partitions(ctx context.Context, topic string) (int32, error) {
	if n, ok := l.made[topic]; ok {
		return n, nil
	}
	return l.Client.Partitions(ctx, topic)
}

// ReadPartition reads a changelog; one that is not there has nothing.
func (l *shownLogs) ReadPartition(ctx context.Context, tp connector.TopicPartition, from int64, fn func(kafka.Message) error) error {
	if _, ok := l.made[tp.Topic]; ok {
		return nil
	}
	return l.Client.ReadPartition(ctx, tp, from, fn)
}

// noLogs are the changelogs of records that were given.
type noLogs struct{}

// CreateTopic does nothing.
func (noLogs) CreateTopic(context.Context, kafka.TopicSpec) error { return nil }

// Partitions gives that no input has any, and neither has the changelog.
func (noLogs) Partitions(context.Context, string) (int32, error) { return 0, nil }

// ReadPartition gives nothing.
func (noLogs) ReadPartition(context.Context, connector.TopicPartition, int64, func(kafka.Message) error) error {
	return nil
}
