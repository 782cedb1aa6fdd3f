package main

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// topics makes and watches topics of one partition.
type topics struct {
	client *kafka.Client
	run    string // what the names of this run's topics end with
	made   int
}

func openTopics(ctx context.Context, broker string) (*topics, error) {
	c, err := kafka.Open(ctx, kafka.Options{Bootstrap: []string{broker}})
	return &topics{client: c, run: fmt.Sprintf("%08x", rand.Uint32())}, err
}

func (t *topics) close() { t.client.Close() }

// name gives a topic a name that no other has.
func (t *topics) name(what string) string {
	t.made++
	return fmt.Sprintf("bench-%s-%d-%s", what, t.made, t.run)
}

// create makes a topic, which goes with the broker's data.
func (t *topics) create(ctx context.Context, name string) error {
	return t.client.CreateTopic(ctx, kafka.TopicSpec{Name: name, Partitions: 1, Replication: 1})
}

// holds tells whether a topic has so many records.
func (t *topics) holds(ctx context.Context, topic string, n int) (bool, error) {
	ends, err := t.client.EndOffsets(ctx, topic)
	sum := int64(0)
	for _, end := range ends {
		sum += end
	}
	return sum >= int64(n), err
}

// fill makes a topic of n values, which its partitions have in turn.
func (t *topics) fill(ctx context.Context, name string, n int, partitions int32, value func(i int) ([]byte, error)) (string, error) {
	topic := t.name(name)
	if err := t.client.CreateTopic(ctx, kafka.TopicSpec{Name: topic, Partitions: partitions, Replication: 1}); err != nil {
		return "", err
	}
	p, err := t.client.NewProducer(kafka.ProducerOptions{})
	if err != nil {
		return "", err
	}
	defer p.Close()
	failed := make(chan error, 1)
	for i := range n {
		v, err := value(i)
		if err != nil {
			return "", err
		}
		if err := p.Send(ctx, kafka.Message{Topic: topic, Partition: int32(i) % partitions, Value: v, Timestamp: connector.NoTimestamp}, func(_ connector.RecordMetadata, err error) {
			if err != nil {
				select {
				case failed <- err:
				default:
				}
			}
		}); err != nil {
			return "", err
		}
	}
	if err := p.Flush(ctx); err != nil {
		return "", err
	}
	select {
	case err := <-failed:
		return "", err
	default:
		return topic, nil
	}
}

// texts gives values of a size.
func texts(size int) func(i int) ([]byte, error) {
	return func(i int) ([]byte, error) { return []byte(text(i, size)), nil }
}

// text is the record of a number: digits, and letters up to its size.
func text(i, size int) string {
	b := fmt.Appendf(make([]byte, 0, size+26), "%010d ", i)
	for len(b) < size {
		b = append(b, "abcdefghijklmnopqrstuvwxyz"...)
	}
	return string(b[:size])
}

// writeLines makes a file of n texts.
func writeLines(name string, n, size int) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	for i := range n {
		_, _ = w.WriteString(text(i, size)) // Flush has its error
		_ = w.WriteByte('\n')
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}
