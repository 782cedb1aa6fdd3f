// Package deadletters lists, shows and replays what is in a dead-letter topic.
package deadletters

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/dlq"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// Source is a dead-letter topic, and which of its letters are meant.
type Source struct {
	Topic string
	// Open connects to Kafka in a role of clients, such as "producer".
	Open   func(ctx context.Context, role string) (*kafka.Client, error)
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

// Each calls fn with the letters that are meant. [ErrEnough] of it ends that early.
func (s *Source) Each(ctx context.Context, fn func(dlq.Letter) error) error {
	chosen, err := s.Filter.test()
	if err != nil {
		return err
	}
	c, err := s.Open(ctx, "consumer")
	if err != nil {
		return err
	}
	defer c.Close()
	return s.walk(ctx, c, nil, func(l dlq.Letter) error {
		if !chosen(l) {
			return nil
		}
		return fn(l)
	})
}

// ErrEnough ends a walk early.
var ErrEnough = errors.New("enough")

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
		case errors.Is(err, ErrEnough):
			return nil
		case err != nil && !errors.Is(err, over):
			return err
		}
	}
	return nil
}
