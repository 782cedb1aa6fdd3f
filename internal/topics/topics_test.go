package topics

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
)

func open(t *testing.T, broker string) *kafka.Client {
	t.Helper()
	client, err := kafka.Open(t.Context(), kafka.Options{Bootstrap: []string{broker}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// What cannot be said of a partition keeps nothing else from being said.
func TestDescribeWithoutALeader(t *testing.T) {
	client := open(t, kafkatest.Start(t))
	if err := client.CreateTopic(t.Context(), kafka.TopicSpec{Name: "tides", Partitions: 2, Replication: 1}); err != nil {
		t.Fatal(err)
	}
	found, err := client.DescribeTopics(t.Context(), []string{"tides"})
	if err != nil {
		t.Fatal(err)
	}
	found[0].Partitions[1].Leader = -1
	d, err := describe(t.Context(), client, found[0])
	if err != nil {
		t.Fatal(err)
	}
	if d.Partitions[0].End == nil || d.Partitions[1].End != nil || d.Partitions[1].Error != "it has no leader" || d.Config["cleanup.policy"] != "delete" {
		t.Errorf("%+v", d)
	}
}

func TestTail(t *testing.T) {
	client := open(t, kafkatest.Start(t))
	if err := client.CreateTopic(t.Context(), kafka.TopicSpec{Name: "tides", Partitions: 2, Replication: 1}); err != nil {
		t.Fatal(err)
	}
	p, err := client.NewProducer(kafka.ProducerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		m := kafka.Message{Topic: "tides", Partition: int32(i % 2), Key: []byte{'k', byte('0' + i)}, Value: []byte("12345678"), Timestamp: connector.NoTimestamp}
		if err := p.Send(t.Context(), m, func(_ connector.RecordMetadata, err error) {
			if err != nil {
				t.Error(err)
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(p.Flush(t.Context()), p.Close()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		tail  Tail
		want  []string
		ended Ended
	}{
		{"all", Tail{From: "beginning", Partition: -1}, []string{"k0", "k2", "k4", "k1", "k3", "k5"}, Ended{Behind: "tides[1]@2"}},
		{"the last of each", Tail{From: "-1", Partition: -1}, []string{"k4", "k5"}, Ended{Behind: "tides[1]@2"}},
		{"one partition", Tail{From: "1", Partition: 1}, []string{"k3", "k5"}, Ended{Behind: "tides[1]@2"}},
		{"a key", Tail{From: "beginning", Partition: -1, Key: "k3"}, []string{"k3"}, Ended{Behind: "tides[1]@2"}},
		{"so many", Tail{From: "beginning", Partition: -1, Max: 2}, []string{"k0", "k2"}, Ended{By: "max", Behind: "tides[0]@1"}},
		{"so many bytes, in search of a key too", Tail{From: "beginning", Partition: -1, Key: "k5", Bytes: 25}, nil, Ended{By: "max-bytes", Behind: "tides[0]@1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.tail.Client, c.tail.Topic = client, "tides"
			var got []string
			ended, err := c.tail.Each(t.Context(), func(r *Record) error {
				got = append(got, Text(r.Key.JSON))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(fmt.Sprint(c.want, c.ended), fmt.Sprint(got, ended)); d != "" {
				t.Error(d)
			}
		})
	}
}
