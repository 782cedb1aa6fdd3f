package compacted

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
)

func options(t *testing.T, address string) Options {
	t.Helper()
	c, err := kafka.Open(t.Context(), kafka.Options{Bootstrap: []string{address}, Props: map[string]string{"retry.backoff.ms": "10"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return Options{Client: c, Log: slog.New(slog.DiscardHandler), Settings: Settings{Use: Offsets, Topic: "t", Partitions: 3, Replication: 1,
		Config: map[string]string{"cleanup.policy": "delete", "max.message.bytes": "3000"}}}
}

// A topic is made as it is to be, and taken as it is where it is there.
func TestOpenMakesTheTopic(t *testing.T) {
	o := options(t, kafkatest.Start(t))
	for partitions := range int32(2) {
		topic, err := Open(t.Context(), o, func(Record) {})
		if err != nil {
			t.Fatal(err)
		}
		topic.Close()
		topic.Close()
		o.Partitions += partitions + 1
	}
	n, err := o.Client.Partitions(t.Context(), "t")
	conf, err2 := o.Client.TopicConfig(t.Context(), "t", "cleanup.policy", "max.message.bytes")
	if d := cmp.Diff(map[string]string{"cleanup.policy": "compact", "max.message.bytes": "3000"}, conf); n != 3 || d != "" || errors.Join(err, err2) != nil {
		t.Error(n, d, err, err2)
	}
}

// Whether a topic is compacted is not everyone's to know.
func TestOpenWithoutTheRightToLook(t *testing.T) {
	b := kafkatest.New(t)
	o := options(t, b.Addr())
	var log strings.Builder
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	b.Fail(kafkatest.Fault{Request: kafkatest.DescribeConfigs, Code: 29, Times: -1})
	topic, err := Open(t.Context(), o, func(Record) {})
	if err != nil {
		t.Fatal(err)
	}
	topic.Close()
	if !strings.Contains(log.String(), "allow DescribeConfigs on it") {
		t.Error(log.String())
	}
}

// What is written was read when Write returns; what is too large is an error, and
// what comes behind it is not held up.
func TestWrite(t *testing.T) {
	o := options(t, kafkatest.Start(t))
	got := map[string]string{} // one call of fn at a time, and Write waits for them
	topic, err := Open(t.Context(), o, func(r Record) { got[string(r.Key)] = fmt.Sprint(string(r.Value), r.Value == nil) })
	if err != nil {
		t.Fatal(err)
	}
	defer topic.Close()
	for round := range 3 {
		var list []Record
		want := map[string]string{}
		for i := range 40 {
			key, value := fmt.Sprint("k", i), fmt.Sprint(round)
			list, want[key] = append(list, Record{Key: []byte(key), Value: []byte(value)}), value+"false"
		}
		list[7].Value, want["k7"] = nil, "true"
		list[8].Value, want["k8"] = []byte{}, "false"
		if err := topic.Write(t.Context(), list...); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
		if err := topic.Write(t.Context(), Record{Key: []byte("large"), Value: make([]byte, 5000)}); err == nil || !strings.HasPrefix(err.Error(), "topic t: write: ") {
			t.Fatal(err)
		}
	}
}
