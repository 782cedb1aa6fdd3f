package runtime

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// maxHandover is how long a batch in work may delay a rebalance at most.
const maxHandover = 20 * time.Second

// leaving is how long leaving a group may take.
const leaving = 5 * time.Second

// consumeStage is the stage that reads from Kafka. What Kafka does not answer
// now it will answer later.
func consumeStage() *stage {
	return &stage{place: "consumer", java: "KAFKA_CONSUME", class: "consumer", rule: rule{unmarked: connector.KindRetriable}, long: true}
}

// join makes the member of the connector's group. Its first Poll joins.
func (in *intake) join(set *settings, c *kafka.Client) (*kafka.GroupConsumer, error) {
	o := kafka.GroupOptions{
		Group: set.group(in.t.spec), Topics: set.topics, Pattern: set.pattern,
		ReadCommitted: set.consumer["isolation.level"] != "read_uncommitted", // ours: see only what is committed
		Reset:         "earliest",
	}
	if reset := set.consumer["auto.offset.reset"]; reset != "" {
		o.Reset = reset
	}
	var err error
	number := func(key string, unset int) int {
		text, ok := set.consumer[key]
		if !ok || err != nil {
			return unset
		}
		var n int
		if n, err = strconv.Atoi(text); err != nil {
			err = connector.Fatal(&propError{key, text})
		}
		return n
	}
	o.MaxPollRecords = number("max.poll.records", 500)
	if _, bounded := set.consumer["max.poll.records"]; bounded { // of a Put, whatever a sink would like
		in.most = min(in.most, o.MaxPollRecords)
	}
	o.SessionTimeout = millis(int64(number("session.timeout.ms", 45000)))
	o.HeartbeatInterval = millis(int64(number("heartbeat.interval.ms", 3000)))
	o.RebalanceTimeout = millis(int64(number("max.poll.interval.ms", 300000)))
	if err != nil {
		return nil, err
	}
	in.handover = min(maxHandover, o.RebalanceTimeout/3)
	group, err := c.NewGroupConsumer(o)
	if err != nil {
		return nil, environment(err)
	}
	in.consumer = group
	lag := in.consumer.Lag
	in.t.lag.Store(&lag)
	in.limit = limit{most: o.RebalanceTimeout, waits: &in.t.errors, restoring: &in.t.counters.restoring, restored: &in.t.counters.restored, over: in.overdue}
	// A successor must not wait for a task that was broken off and hangs on.
	in.abandon = context.AfterFunc(in.t.life, group.Abandon)
	return group, nil
}

// overdue gives the partitions up while the task still works on what came of
// them, as Kafka's consumer does: nobody knows whether it ever ends.
func (in *intake) overdue() {
	what, state := "the batch", "it is not done yet"
	if call, since, ok := in.t.watch.longest(0); ok {
		what, state = call, "it has not returned for "+time.Since(since).Round(time.Millisecond).String()
	}
	err := in.t.at.wrap(what, "", fmt.Errorf("%s, and max.poll.interval.ms=%d is over: the partitions go to another member, and what was read comes again; look at what it waits for, or set consumer.override.max.poll.interval.ms higher or consumer.override.max.poll.records lower",
		state, in.limit.most.Milliseconds()))
	in.t.errors.last(err, false)
	in.t.log.Error(err.Error())
	in.consumer.Forfeit()
}

// propError is a client property that is no number.
type propError struct{ key, text string }

// Error names the property as a connector overrides it.
func (e *propError) Error() string {
	return connector.Invalid("consumer."+e.key, e.text, "Not a number of type INT")
}

// leave gives up the partitions and leaves the group, so that the others need
// not wait for a time-out.
func (in *intake) leave(group *kafka.GroupConsumer) {
	if group == nil {
		return
	}
	in.abandon()
	err := in.note(group.Leave())
	err = errors.Join(err, in.handOver())
	ctx, cancel := context.WithTimeout(context.Background(), leaving)
	defer cancel()
	in.t.ended(err, group.Close(ctx))
}
