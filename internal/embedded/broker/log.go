package broker

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Log is a compacted topic of one partition that keeps the last value of each
// key, for what runs beside the broker: the embedded registry.
type Log struct {
	topic  string
	client *kgo.Client
}

// OpenLog opens a log, making its topic when it is not there.
func (b *Broker) OpenLog(ctx context.Context, topic string) (*Log, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchMaxBytes(int32(b.maxMessageBytes-1<<10)))
	if err != nil {
		return nil, fmt.Errorf("log %s: %w", topic, err)
	}
	l := &Log{topic, client}
	if err := l.create(ctx); err != nil {
		client.Close()
		return nil, fmt.Errorf("log %s: %w", topic, err)
	}
	return l, nil
}

func (l *Log) create(ctx context.Context) error {
	compact := "compact"
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = l.topic, 1, 1
	t.Configs = []kmsg.CreateTopicsRequestTopicConfig{{Name: "cleanup.policy", Value: &compact}}
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, l.client)
	if err != nil {
		return err
	}
	for _, t := range resp.Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return err
		}
	}
	return nil
}

// Append writes one entry; a nil value deletes the key. The entry is kept when
// Append returns nil.
func (l *Log) Append(ctx context.Context, key, value []byte) error {
	err := l.client.ProduceSync(ctx, &kgo.Record{Topic: l.topic, Partition: 0, Key: key, Value: value}).FirstErr()
	if err != nil {
		return fmt.Errorf("log %s: %w", l.topic, err)
	}
	return nil
}

// Replay calls entry for every entry that was there when it was called, in order.
func (l *Log) Replay(ctx context.Context, entry func(key, value []byte) error) error {
	end, err := l.end(ctx)
	if err != nil {
		return fmt.Errorf("log %s: %w", l.topic, err)
	}
	if end == 0 {
		return nil
	}
	start := map[string]map[int32]kgo.Offset{l.topic: {0: kgo.NewOffset().AtStart()}}
	l.client.AddConsumePartitions(start)
	defer l.client.RemoveConsumePartitions(map[string][]int32{l.topic: {0}})
	for next := int64(0); next < end; {
		fetches := l.client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("log %s: %w", l.topic, err)
		}
		for r := range fetches.RecordsAll() {
			if next = r.Offset + 1; next > end {
				break
			}
			if err := entry(r.Key, r.Value); err != nil {
				return fmt.Errorf("log %s: offset %d: %w", l.topic, r.Offset, err)
			}
		}
	}
	return nil
}

// end gives the offset after the last entry. Nothing is ever compacted away from
// the end, so that entry is there.
func (l *Log) end(ctx context.Context) (int64, error) {
	p := kmsg.NewListOffsetsRequestTopicPartition()
	p.Partition, p.Timestamp = 0, -1
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic, t.Partitions = l.topic, append(t.Partitions, p)
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID, req.Topics = -1, append(req.Topics, t)
	resp, err := req.RequestWith(ctx, l.client)
	if err != nil {
		return 0, err
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return 0, fmt.Errorf("the broker gives no end offset")
	}
	part := resp.Topics[0].Partitions[0]
	return part.Offset, kerr.ErrorForCode(part.ErrorCode)
}

// Close ends the log's connections.
func (l *Log) Close() { l.client.Close() }
