package kafka

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// protocols gives what the consumer joins with: the topics that it wants.
func (g *GroupConsumer) protocols(context.Context) ([]Protocol, error) {
	known, err := g.look()
	if err != nil {
		return nil, err
	}
	g.seen(known)
	p, err := subscribe(g.subscription(known))
	if err != nil {
		return nil, connector.Fatal(err)
	}
	return []Protocol{p}, nil
}

// assign is the leader's: it shares the partitions of all members' topics.
func (g *GroupConsumer) assign(ctx context.Context, _ Generation, metadata map[string][]byte) (map[string][]byte, error) {
	topics, err := subscriptions(metadata)
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	partitions := maps.Clone(g.topics)
	g.mu.Unlock()
	var others []string // topics that only other members read
	for _, list := range topics {
		for _, t := range list {
			if _, ok := partitions[t]; !ok {
				others = append(others, t)
			}
		}
	}
	if len(others) > 0 {
		slices.Sort(others)
		more, err := g.client.describe(ctx, slices.Compact(others))
		if err != nil {
			return nil, err
		}
		maps.Copy(partitions, more)
		g.seen(partitions) // the leader watches for the others too
	}
	return encodePlan(assignRange(topics, partitions))
}

// look gives the topics there are to read and their numbers of partitions.
func (g *GroupConsumer) look() (map[string]int32, error) {
	if g.o.Pattern == nil {
		return g.client.describe(g.ctx, g.o.Topics)
	}
	all, err := g.client.describe(g.ctx, nil)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(all, func(t string, _ int32) bool { return !g.o.Pattern.MatchString(t) })
	return all, nil
}

// subscription gives the topics to ask for: those named, there or not, or those
// that match.
func (g *GroupConsumer) subscription(known map[string]int32) []string {
	if g.o.Pattern == nil {
		return slices.Compact(slices.Sorted(slices.Values(g.o.Topics)))
	}
	return slices.Sorted(maps.Keys(known))
}

// seen notes which topics a join is for.
func (g *GroupConsumer) seen(topics map[string]int32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.topics = topics
	missing := g.missing(topics)
	if len(missing) > 0 && !slices.Equal(missing, g.waiting) {
		g.client.options.Log.Warn("waiting for topics that do not exist yet: "+strings.Join(missing, ", "), "group", g.o.Group)
	}
	g.waiting = missing
}

// missing gives the topics that are wanted and not there, or the pattern that
// none matches.
func (g *GroupConsumer) missing(topics map[string]int32) []string {
	if g.o.Pattern != nil {
		if len(topics) == 0 {
			return []string{fmt.Sprint(g.o.Pattern)}
		}
		return nil
	}
	return slices.DeleteFunc(g.subscription(topics), func(t string) bool { _, there := topics[t]; return there })
}

// watch looks from time to time whether there are other topics or partitions
// to read than at the last join, and has the member join again then: soon where
// topics are missing, or where Kafka is in trouble, since a topic may be gone or
// have come back with fewer partitions. Close ends it.
func (g *GroupConsumer) watch() {
	every := g.conf.Metadata.RefreshFrequency
	for looked := time.Now(); pause(g.ctx, min(every, lookAgain)); {
		g.mu.Lock()
		before, waiting := g.topics, len(g.waiting) > 0
		g.mu.Unlock()
		_, trouble := g.client.Trouble()
		if before == nil || !waiting && !trouble && time.Since(looked) < every {
			continue // no join yet, or nothing to look for
		}
		looked = time.Now()
		now, err := g.look()
		if err == nil {
			err = g.lookForOthers(before, now)
		}
		if err != nil {
			continue // whoever needs the cluster says that it is away
		}
		if !maps.Equal(before, now) {
			g.member.Rejoin()
		}
	}
}

// lookForOthers adds the topics that the member, as leader, watches for others.
func (g *GroupConsumer) lookForOthers(before, now map[string]int32) error {
	var others []string
	for t := range before {
		if _, ok := now[t]; !ok && (g.o.Pattern == nil && !slices.Contains(g.o.Topics, t) || g.o.Pattern != nil && !g.o.Pattern.MatchString(t)) {
			others = append(others, t)
		}
	}
	if len(others) == 0 {
		return nil
	}
	more, err := g.client.describe(g.ctx, others)
	maps.Copy(now, more)
	return err
}
