// Package deadletters lists, shows and replays what is in a dead-letter topic.
package deadletters

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/axiom-data-science/hydraulics/cmd/hydraulics/internal/connection"
	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/dlq"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// Source is a dead-letter topic, and which of its letters are meant.
type Source struct {
	Topic  string
	Broker string
	Kafka  string // the file of --kafka-config
	Filter Filter
}

// Filter chooses letters; what is empty is not asked for.
type Filter struct {
	Connector, Stage string
	Exception        string // a class, or its last part
	From             string // the topic that the record was read from
	Message          string // a regular expression that the error's text matches
}

// test makes a test of letters.
func (f Filter) test() (func(dlq.Letter) bool, error) {
	message, err := regexp.Compile(f.Message)
	if err != nil {
		return nil, fmt.Errorf("--message: %w", err)
	}
	is := func(wanted, has string) bool { return wanted == "" || wanted == has }
	return func(l dlq.Letter) bool {
		return is(f.Connector, l.Connector) && is(f.Stage, l.Stage) && is(f.From, l.Topic) &&
			(is(f.Exception, l.Exception) || strings.HasSuffix(l.Exception, "."+f.Exception)) && message.MatchString(l.Text)
	}, nil
}

// open connects in a role of clients.
func (s *Source) open(ctx context.Context, role string) (*kafka.Client, error) {
	settings, err := connection.Read(s.Kafka)
	if err != nil {
		return nil, err
	}
	c, err := kafka.Open(ctx, kafka.Options{Bootstrap: strings.Split(s.Broker, ","), Props: connection.Keys(settings, role+".")})
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	return c, nil
}

// read gives the letters that are meant.
func (s *Source) read(ctx context.Context, each func(dlq.Letter) error) error {
	chosen, err := s.Filter.test()
	if err != nil {
		return err
	}
	c, err := s.open(ctx, "consumer")
	if err != nil {
		return err
	}
	defer c.Close()
	return s.walk(ctx, c, nil, func(l dlq.Letter) error {
		if !chosen(l) {
			return nil
		}
		return each(l)
	})
}

// errEnough ends a walk early.
var errEnough = errors.New("enough")

// walk gives the letters that the topic has at the call, a partition after the
// other, from next on where that names one.
func (s *Source) walk(ctx context.Context, c *kafka.Client, next map[connector.TopicPartition]int64, each func(dlq.Letter) error) error {
	ends, err := c.EndOffsets(ctx, s.Topic)
	if err != nil {
		return err
	}
	for p := range int32(len(ends)) {
		tp := connector.TopicPartition{Topic: s.Topic, Partition: p}
		over := errors.New("what came later")
		err := c.ReadPartition(ctx, tp, next[tp], func(m kafka.Message) error {
			if m.Offset >= ends[tp] {
				return over
			}
			return each(dlq.Open(m))
		})
		switch {
		case errors.Is(err, errEnough):
			return nil
		case err != nil && !errors.Is(err, over):
			return err
		}
	}
	return nil
}
