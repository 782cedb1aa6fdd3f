package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// following is what a follower gave.
type following struct {
	f  *Follower
	mu sync.Mutex
	by map[int32][]string
}

func (g *following) start(t *testing.T, c *Client, topic string) *following {
	t.Helper()
	g.by = map[int32][]string{}
	f, err := c.Follow(t.Context(), topic, func(m Message) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.by[m.Partition] = append(g.by[m.Partition], string(m.Value))
	})
	if err != nil {
		t.Fatal(err)
	}
	g.f = f
	t.Cleanup(f.Close)
	return g
}

// toEnd gives all values once the follower is at the end, by partition.
func (g *following) toEnd(t *testing.T) []string {
	t.Helper()
	ctx, cancel := wait.Context()
	defer cancel()
	if err := g.f.ToEnd(ctx); err != nil {
		t.Fatal(err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []string
	for p := range int32(len(g.f.at)) {
		all = append(all, g.by[p]...)
	}
	return all
}

func TestFollower(t *testing.T) {
	b := kafkatest.New(t)
	c := open(t, b.Addr(), map[string]string{"retry.backoff.ms": "10"})
	newTopic(t, c, "t", 1, nil)
	g := new(following).start(t, c, "t")
	if got := g.toEnd(t); got != nil {
		t.Errorf("of an empty topic %q", got)
	}
	var want []string
	add := func() {
		from := len(want)
		list := numbered("t", from+100)[from:]
		produce(t, c, list...)
		for _, m := range list {
			want = append(want, string(m.Value))
		}
		if got := g.toEnd(t); !slices.Equal(got, want) {
			t.Fatalf("%d values, want %d: %q", len(got), len(want), got)
		}
	}
	add()
	b.Cut(kafkatest.Fetch, 2)
	b.Fail(kafkatest.Fault{Request: kafkatest.Fetch, Topic: "t", Code: 6, Times: 2})
	b.Fail(kafkatest.Fault{Request: kafkatest.ListOffsets, Topic: "t", Code: 6, Times: 2})
	add()
	b.Stop()
	b.Restart()
	add()
	again := new(following).start(t, c, "t")
	if got := again.toEnd(t); !slices.Equal(got, want) {
		t.Errorf("another one reads %d values", len(got))
	}
	g.f.Close()
	g.f.Close()
	if err := g.f.Wait(t.Context(), map[int32]int64{0: 1 << 40}); err == nil {
		t.Error("one that is closed is waited for in vain")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := again.f.Wait(ctx, map[int32]int64{0: 1 << 40}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := c.Follow(t.Context(), "none", nil); !errors.Is(err, ErrUnknownTopic) {
		t.Error(err)
	}
}

// Several brokers lead the partitions, and others after a while.
func TestFollowerOfSeveralBrokers(t *testing.T) {
	cluster := kafkatest.NewCluster(t, 3)
	c := open(t, cluster.ListenAddrs()[0], map[string]string{"retry.backoff.ms": "10"})
	newTopic(t, c, "t", 7, nil)
	g := new(following).start(t, c, "t")
	for round := range 4 {
		list := numbered("t", 50)
		for i := range list {
			list[i].Partition = int32(i % 7)
			list[i].Value = fmt.Appendf(nil, "%d-%02d", round, i)
		}
		produce(t, c, list...)
		for p := range int32(7) {
			cluster.Move("t", p, (p+int32(round))%3)
		}
		if got := g.toEnd(t); len(got) != 50*(round+1) {
			t.Fatalf("round %d: %d values", round, len(got))
		}
	}
	for p, values := range g.by {
		if !slices.IsSorted(values) {
			t.Errorf("partition %d: %q", p, values)
		}
	}
}
