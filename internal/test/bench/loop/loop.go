// Package loop copies a topic with a bare franz-go client: what a program of one's own
// does that converts each record and nothing else. Streams are measured beside it.
package loop

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/axiom-data-science/hydraulics/internal/avro"
)

// variable tells a process that it is the loop: the broker, the topic in, the topic
// out, and what the values are, with spaces between.
const variable = "HYDRAULICS_BENCH_LOOP"

// What values are.
const (
	Text = "text"
	Avro = "avro" // of Schema
)

// Environment has a process be the loop, if it calls Be.
func Environment(broker, in, out, values string) []string {
	return append(os.Environ(), variable+"="+strings.Join([]string{broker, in, out, values}, " "))
}

// Be is the loop, until the process is ended or an error, where the process is to be one.
func Be() (is bool, err error) {
	place := strings.Fields(os.Getenv(variable))
	if len(place) == 0 {
		return false, nil
	}
	if len(place) != 4 {
		return true, fmt.Errorf("%s is %q, not a broker, two topics and what values are", variable, place)
	}
	convert := text
	if place[3] == Avro {
		if convert, err = plan(); err != nil {
			return true, err
		}
	}
	return true, run(place[0], place[1], place[2], convert)
}

// run copies with as little as the client of a program of one's own needs.
func run(broker, in, out string, convert func([]byte) ([]byte, error)) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumeTopics(in), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
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
			value, err := convert(r.Value)
			if err != nil {
				cancel(err)
				return
			}
			client.Produce(ctx, &kgo.Record{Topic: out, Key: r.Key, Value: value}, func(_ *kgo.Record, err error) {
				if err != nil {
					cancel(err)
				}
			})
		})
	}
	return context.Cause(ctx)
}

// text makes of a value a string and bytes again.
func text(value []byte) ([]byte, error) { return []byte(string(value)), nil }

// header is what Confluent's wire format has before a value: a zero and the schema's id.
const header = 1 + 4

// plan decodes and encodes a value of Schema as the Avro converter does.
func plan() (func([]byte) ([]byte, error), error) {
	s, err := avro.Parse(Schema)
	if err != nil {
		return nil, err
	}
	return func(value []byte) ([]byte, error) {
		if len(value) < header {
			return nil, errors.New("the value is too short for a schema's id")
		}
		v, err := s.Decode(value[header:])
		if err != nil {
			return nil, err
		}
		return s.Append(append(make([]byte, 0, len(value)), value[:header]...), v)
	}, nil
}
