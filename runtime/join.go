package runtime

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/failures"
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
	o, err := kafka.GroupOptionsOf(set.consumer)
	if err != nil {
		return nil, withWholeKeys(in.t.spec, consumerRole, err)
	}
	o.Group, o.Topics, o.Pattern = set.group(in.t.spec), set.topics, set.pattern
	if _, bounded := set.consumer["max.poll.records"]; bounded { // of a Put, whatever a sink would like
		in.most = min(in.most, o.MaxPollRecords)
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
	err := in.t.at.wrap(what, "", connector.Coded("H2020", fmt.Errorf("%s, and max.poll.interval.ms=%d is over: the partitions go to another member, and what was read comes again; look at what it waits for, or set consumer.override.max.poll.interval.ms higher or consumer.override.max.poll.records lower",
		state, in.limit.most.Milliseconds())))
	in.t.errors.last(err, false)
	in.t.log.Error(failures.Text(err))
	in.consumer.Forfeit()
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
