package runtime

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/internal/offset"
)

// The fields of the offsets of sinks and streams, which are those of a consumer
// group.
const (
	kafkaTopic     = "kafka_topic"
	kafkaPartition = "kafka_partition"
	kafkaOffset    = "kafka_offset"
)

// Offsets gives the offsets that a connector has committed: those of a source by
// source partition, those of a sink or stream by topic and partition.
func (w *Worker) Offsets(ctx context.Context, spec TaskSpec) ([]connector.SourceOffset, error) {
	if spec.Kind == KindSource {
		return w.options.Offsets.List(ctx, spec.Connector)
	}
	var committed map[connector.TopicPartition]int64
	err := w.onGroup(ctx, spec, func(c *kafka.Client, group string) (err error) {
		committed, err = c.CommittedOffsets(ctx, group)
		return err
	})
	var list []connector.SourceOffset
	for tp, at := range committed {
		list = append(list, connector.SourceOffset{
			Partition: map[string]any{kafkaTopic: tp.Topic, kafkaPartition: tp.Partition}, Offset: map[string]any{kafkaOffset: at}})
	}
	slices.SortFunc(list, func(a, b connector.SourceOffset) int {
		return cmp.Or(cmp.Compare(a.Partition[kafkaTopic].(string), b.Partition[kafkaTopic].(string)),
			cmp.Compare(a.Partition[kafkaPartition].(int32), b.Partition[kafkaPartition].(int32)))
	})
	return list, err
}

// AlterOffsets sets offsets of a connector whose tasks have all stopped; a nil
// offset resets one. It tells whether that is all there is to it: a plugin that
// is not asked may keep offsets elsewhere, too. An error marked as of data says
// what is wrong with the offsets given.
func (w *Worker) AlterOffsets(ctx context.Context, spec TaskSpec, offsets []connector.SourceOffset) (all bool, err error) {
	if spec.Kind == KindSource {
		if all, err = w.alterSource(ctx, spec, offsets); err != nil {
			return false, err
		}
		return all, w.options.Offsets.Commit(ctx, spec.Connector, offsets)
	}
	next, err := topicOffsets(offsets)
	if err != nil {
		return false, err
	}
	return w.alterGroup(ctx, spec, next)
}

// ResetOffsets resets all offsets of a connector whose tasks have all stopped;
// see [Worker.AlterOffsets].
func (w *Worker) ResetOffsets(ctx context.Context, spec TaskSpec) (all bool, err error) {
	if spec.Kind != KindSource {
		return w.alterGroup(ctx, spec, nil)
	}
	offsets, err := w.Offsets(ctx, spec)
	if err != nil {
		return false, err
	}
	for i := range offsets {
		offsets[i].Offset = nil
	}
	return w.AlterOffsets(ctx, spec, offsets)
}

// undoTimeout bounds how long offsets are put back in Kafka, also when who asked for
// others waits no more.
const undoTimeout = 30 * time.Second

// alterGroup changes the offsets of a sink's or stream's consumer group; without any
// all are reset. The plugin is asked when Kafka has taken them, which it does not
// where a member is left. What the plugin refuses is put back in Kafka.
func (w *Worker) alterGroup(ctx context.Context, spec TaskSpec, next map[connector.TopicPartition]*int64) (all bool, err error) {
	var before map[connector.TopicPartition]int64
	err = w.onGroup(ctx, spec, func(c *kafka.Client, group string) (err error) {
		if before, err = c.CommittedOffsets(ctx, group); err != nil {
			return err
		}
		if len(next) == 0 {
			return c.DeleteGroup(ctx, group)
		}
		return setOffsets(ctx, c, group, next)
	})
	if err != nil {
		return false, err
	}
	if all, err = w.alterSink(ctx, spec, next); err == nil {
		return all, nil
	}
	was := map[connector.TopicPartition]*int64{}
	for tp := range next {
		was[tp] = nil
	}
	for tp, at := range before {
		if _, changed := next[tp]; changed || len(next) == 0 {
			was[tp] = &at
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	if undone := w.onGroup(ctx, spec, func(c *kafka.Client, group string) error { return setOffsets(ctx, c, group, was) }); undone != nil {
		err = fmt.Errorf("%w; and Kafka has the new offsets, which could not be put back: %w", err, undone)
	}
	return false, err
}

// setOffsets sets committed offsets of a group; nil removes one.
func setOffsets(ctx context.Context, c *kafka.Client, group string, next map[connector.TopicPartition]*int64) error {
	set := map[connector.TopicPartition]int64{}
	var gone []connector.TopicPartition
	for tp, at := range next {
		if at == nil {
			gone = append(gone, tp)
		} else {
			set[tp] = *at
		}
	}
	if err := c.AlterOffsets(ctx, group, set); err != nil {
		return err
	}
	return c.DeleteOffsets(ctx, group, gone)
}

// alterSource asks a source, if it wants to know, about offsets to be changed.
func (w *Worker) alterSource(ctx context.Context, spec TaskSpec, offsets []connector.SourceOffset) (asked bool, err error) {
	for _, o := range offsets {
		if _, err := offset.Key(spec.Connector, o.Partition); err != nil {
			return false, connector.Data(err)
		}
	}
	return ask(w, spec, func(a connector.OffsetAlterer, c connector.Context, conf connector.Config) error {
		return a.AlterOffsets(ctx, c, conf, offsets)
	})
}

// alterSink asks a sink. A stream keeps nothing outside.
func (w *Worker) alterSink(ctx context.Context, spec TaskSpec, next map[connector.TopicPartition]*int64) (asked bool, err error) {
	if spec.Kind == KindStream {
		return true, nil
	}
	return ask(w, spec, func(a connector.TopicOffsetAlterer, c connector.Context, conf connector.Config) error {
		return a.AlterTopicOffsets(ctx, c, conf, next)
	})
}

// ask calls a plugin that is an A, on an instance of its own.
func ask[A any](w *Worker, spec TaskSpec, call func(A, connector.Context, connector.Config) error) (asked bool, err error) {
	plugin, err := w.plugin(spec)
	if err != nil {
		return false, err
	}
	alterer, ok := plugin.(A)
	if !ok {
		return false, nil
	}
	conf, err := connector.ParsePlugin(plugin, spec.Props)
	if err != nil {
		return false, err
	}
	return true, guard(func() error { return call(alterer, w.outside(spec), conf) })
}

// outside is the context of a plugin that is asked as the connector, not as one
// of its tasks.
func (w *Worker) outside(spec TaskSpec) connector.Context {
	c := connector.Context{Connector: spec.Connector, Task: -1, Log: w.options.Log.With("connector", spec.Connector), Metrics: new(metrics)}
	if spec.Kind == KindSource {
		c.Offsets = offset.Reader(w.options.Offsets, spec.Connector)
	}
	return c
}

// onGroup does something to the consumer group of a sink or stream.
func (w *Worker) onGroup(ctx context.Context, spec TaskSpec, do func(c *kafka.Client, group string) error) error {
	set, err := parseSettings(spec)
	if err != nil {
		return err
	}
	k := &clients{open: w.options.Open, props: set.clientProps, spec: spec, log: w.options.Log, byProps: map[string]*kafka.Client{}}
	c, err := k.client(ctx, "adminclient", set.admin)
	if err != nil {
		return fmt.Errorf("%s: kafka: %w", spec.Connector, err)
	}
	defer c.Close()
	if err := do(c, set.group(spec)); errors.Is(err, kafka.ErrGroupInUse) {
		return fmt.Errorf("%s: %w: its tasks have not left yet, or others use the same group.id; try again in a minute", spec.Connector, err)
	} else if err != nil {
		return fmt.Errorf("%s: %w", spec.Connector, err)
	}
	return nil
}

// topicOffsets reads the offsets of a sink or stream, which people may write as
// numbers or as text. The errors have Kafka Connect's words.
func topicOffsets(offsets []connector.SourceOffset) (map[connector.TopicPartition]*int64, error) {
	next := map[connector.TopicPartition]*int64{}
	for _, o := range offsets {
		bad := func(format string, args ...any) error { return connector.Data(fmt.Errorf(format, args...)) }
		if o.Partition == nil {
			return nil, bad("The partition for a sink connector offset cannot be null or missing")
		}
		topic, hasTopic := o.Partition[kafkaTopic]
		number, hasNumber := o.Partition[kafkaPartition]
		if !hasTopic || !hasNumber {
			return nil, bad("The partition for a sink connector offset must contain the keys '%s' and '%s'", kafkaTopic, kafkaPartition)
		}
		partition, err := strconv.ParseInt(text(number), 10, 32)
		if err != nil || partition < 0 {
			return nil, bad("Failed to parse the following Kafka partition value in the provided offsets: '%s'. Partition values for sink connectors need to be integers.", text(number))
		}
		tp := connector.TopicPartition{Topic: text(topic), Partition: int32(partition)}
		if o.Offset == nil {
			next[tp] = nil
			continue
		}
		value, ok := o.Offset[kafkaOffset]
		if !ok {
			return nil, bad("The offset for a sink connector should either be null or contain the key '%s'", kafkaOffset)
		}
		at, err := strconv.ParseInt(text(value), 10, 64)
		if err != nil || at < 0 {
			return nil, bad("Failed to parse the following Kafka offset value in the provided offsets: '%s'. Offset values for sink connectors need to be integers.", text(value))
		}
		next[tp] = &at
	}
	return next, nil
}

// text gives a value of JSON as Java writes it.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return fmt.Sprint(v)
}
