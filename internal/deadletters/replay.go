package deadletters

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/dlq"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// Replay sends letters again.
//
// A consumer group keeps how far it has come: it is committed when what was sent
// has arrived, so that a replay which was broken off, were it by kill -9, goes on
// there; what was sent since the last commit goes again. A filter and another
// target have a group of their own: nothing that one left out is lost to the next.
// A replay has its group alone while it runs, whoever else starts one and where.
type Replay struct {
	Source
	To         string  // a topic in place of the one that the record was read from
	DryRun     bool    // say what would be sent, and send nothing
	Rate       float64 // records per second, 0 for as many as possible
	MaxReplays int     // a record that was sent again so often is left out
	Restart    bool    // begin at the start, whatever was replayed before
	Group      string  // empty is a name made of topic, filter and target
	// Kept are topics that nothing is sent to, since workers keep their state there.
	Kept []string
	// Progress hears, from the goroutine of [Replay.Run], what was done so far.
	Progress func(Report)
}

const (
	// settleEvery is how many letters, and settleAfter for how long, there may be
	// between two commits.
	settleEvery = 500
	settleAfter = 5 * time.Second
	// settleAtMost is how long the last commit may take when a replay is broken off.
	settleAtMost = 30 * time.Second
)

// sender is what a replay needs of a Kafka producer.
type sender interface {
	Send(ctx context.Context, m kafka.Message, done func(connector.RecordMetadata, error)) error
	Flush(ctx context.Context) error
}

// replaying is a replay at work.
type replaying struct {
	*Replay
	chosen     func(dlq.Letter) bool
	client     *kafka.Client
	producer   sender
	hold       *kafka.Hold // of the group; nil in a dry run
	group      string
	pace       *rate.Limiter
	partitions map[string]int32 // of the topics that are sent to

	tp      connector.TopicPartition // that is being read
	next    int64                    // behind the last letter that is done with
	since   int                      // letters done with since the last commit
	settled time.Time

	report Report

	mu     sync.Mutex
	failed error // what Kafka did not take
}

// Run replays, and gives what was done, after an error too. Where ctx ends first what
// has arrived is committed.
func (r *Replay) Run(ctx context.Context) (Report, error) {
	w := &replaying{Replay: r, group: r.group(), pace: rate.NewLimiter(rate.Inf, 1), partitions: map[string]int32{}, report: Report{Sent: map[string]int{}, Left: map[string]int{}}, settled: time.Now()}
	w.report.Group = w.group
	err := w.run(ctx)
	return w.report, err
}

func (w *replaying) run(ctx context.Context) (err error) {
	r := w.Replay
	if w.chosen, err = r.Filter.test(); err != nil {
		return err
	}
	if r.Rate > 0 {
		w.pace.SetLimit(rate.Limit(r.Rate))
	}
	if w.client, err = r.Open(ctx, "consumer"); err != nil {
		return err
	}
	defer w.client.Close()
	if !r.DryRun {
		if w.hold, err = w.client.Hold(ctx, w.group, r.Topic); err != nil {
			if errors.Is(err, kafka.ErrGroupInUse) {
				err = fmt.Errorf("letters of %s are being replayed already, two at a time would send them twice: try again once that has ended, or 45 seconds after it was killed: %w", r.Topic, err)
			}
			return err
		}
		defer func() { err = errors.Join(err, w.leave(ctx)) }()
	}
	next := map[connector.TopicPartition]int64{}
	if !r.Restart {
		if next, err = w.client.CommittedOffsets(ctx, w.group); err != nil {
			return err
		}
	}
	if !r.DryRun {
		c, err := r.Open(ctx, "producer")
		if err != nil {
			return err
		}
		defer c.Close()
		p, err := c.NewProducer(kafka.ProducerOptions{})
		if err != nil {
			return err
		}
		defer func() { _ = p.Close() }() // all that counts was flushed
		w.producer = p
	}
	err = w.walk(ctx, w.client, next, func(l dlq.Letter) error { return w.letter(ctx, l) })
	if w.refusal() == nil { // else the error is about it, and what was sent goes again
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleAtMost)
		defer cancel()
		err = errors.Join(err, w.settle(last))
	}
	return err
}

// leave gives the group up.
func (w *replaying) leave(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleAtMost)
	defer cancel()
	return w.hold.Close(ctx)
}

// group gives the consumer group that keeps how far this replay has come.
func (r *Replay) group() string {
	if r.Group != "" {
		return r.Group
	}
	name := "hydraulics-dlq-" + r.Topic
	if what := fmt.Sprintf("%q %q", r.Filter, r.To); what != fmt.Sprintf("%q %q", Filter{}, "") {
		name += fmt.Sprintf("-%x", sha256.Sum256([]byte(what)))[:17]
	}
	return name
}

// letter does with a letter what is to be done, and commits now and then.
func (r *replaying) letter(ctx context.Context, l dlq.Letter) error {
	tp := connector.TopicPartition{Topic: l.Message.Topic, Partition: l.Message.Partition}
	if r.since > 0 && (tp != r.tp || r.since >= settleEvery || time.Since(r.settled) > settleAfter) {
		if err := r.settle(ctx); err != nil {
			return err
		}
	}
	r.tp, r.next = tp, l.Message.Offset
	if r.chosen(l) {
		if reason := r.leftOut(l); reason != "" {
			r.report.Left[reason]++
		} else if err := r.again(ctx, l); err != nil {
			return fmt.Errorf("letter %s[%d]@%d: %w", tp.Topic, tp.Partition, l.Message.Offset, err)
		}
	}
	r.next++
	r.since++
	r.report.Read++
	if r.Progress != nil {
		r.Progress(r.report.clone())
	}
	return nil
}

// leftOut says why a letter is not replayed, empty where it is.
func (r *replaying) leftOut(l dlq.Letter) string {
	switch {
	case l.OmittedBytes != "":
		return "the value was too large for the letter: it is still where the record was read from"
	case l.Topic == "" && r.To == "":
		return "the letter does not say where it is from: errors.deadletterqueue.context.headers.enable was off, name a topic with --to"
	case l.Partition < 0 && l.Topic != "" && r.To == "":
		return "the record is a source's and never was in Kafka: its connector has to read it again, or name a topic with --to"
	case slices.Contains(r.Kept, cmp.Or(r.To, l.Topic)):
		return "workers keep their state in topic " + cmp.Or(r.To, l.Topic)
	case l.Replayed >= r.MaxReplays:
		return fmt.Sprintf("the record was replayed %d times and died again: --max-replays", l.Replayed)
	}
	return ""
}

// again sends the record of a letter.
func (r *replaying) again(ctx context.Context, l dlq.Letter) error {
	m := l.Again()
	if r.To != "" {
		m.Topic, m.Partition = r.To, connector.AnyPartition
	}
	n, ok := r.partitions[m.Topic]
	if !ok {
		var err error
		if n, err = r.client.Partitions(ctx, m.Topic); err != nil {
			if errors.Is(err, kafka.ErrUnknownTopic) {
				err = fmt.Errorf("%w: create it, or name another one with --to", err)
			}
			return err
		}
		r.partitions[m.Topic] = n
	}
	if m.Partition >= n {
		m.Partition = connector.AnyPartition // the topic was made anew with fewer
	}
	if !r.DryRun {
		if err := r.pace.Wait(ctx); err != nil {
			return err
		}
		if err := r.hold.Err(); err != nil {
			return err
		}
		if err := r.producer.Send(ctx, m, r.arrived); err != nil {
			return err
		}
	}
	r.report.Sent[m.Topic]++
	return nil
}

// arrived hears of a record from the producer's goroutine.
func (r *replaying) arrived(_ connector.RecordMetadata, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil && r.failed == nil {
		r.failed = err
	}
}

// refusal gives what Kafka did not take.
func (r *replaying) refusal() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

// settle waits until what was sent has arrived and commits that.
func (r *replaying) settle(ctx context.Context) error {
	if r.since == 0 || r.DryRun {
		return nil
	}
	if err := r.producer.Flush(ctx); err != nil {
		return err
	}
	if err := r.refusal(); err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	if err := r.hold.Commit(ctx, map[connector.TopicPartition]int64{r.tp: r.next}); err != nil {
		return err
	}
	r.since, r.settled = 0, time.Now()
	return nil
}
