package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// loopVariable tells a process that it is the bare loop: broker, topic in, topic
// out, with spaces between.
const loopVariable = "HYDRAULICS_BENCH_LOOP"

// beLoop copies a topic, until it is ended, with as little as the client of a
// program of one's own needs: each value becomes a string and bytes again.
func beLoop(places string) error {
	place := strings.Fields(places)
	if len(place) != 3 {
		return fmt.Errorf("%s is %q, not a broker and two topics", loopVariable, places)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(place[0]), kgo.ConsumeTopics(place[1]), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	for ctx.Err() == nil {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return errors.Join(err, context.Cause(ctx))
		}
		fetches.EachRecord(func(r *kgo.Record) {
			value := string(r.Value)
			client.Produce(ctx, &kgo.Record{Topic: place[2], Key: r.Key, Value: []byte(value)}, func(_ *kgo.Record, err error) {
				if err != nil {
					cancel(err)
				}
			})
		})
	}
	return context.Cause(ctx)
}

// loopEnvironment has a process be the loop.
func loopEnvironment(broker, in, out string) []string {
	return append(os.Environ(), loopVariable+"="+strings.Join([]string{broker, in, out}, " "))
}
