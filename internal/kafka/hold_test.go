package kafka

import (
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// A group is held by one at a time, who commits in it; the next one may have it as soon
// as it is left.
func TestHold(t *testing.T) { holds(t, kafkatest.Start(t)) }

func holds(t *testing.T, broker string) {
	c := open(t, broker, nil)
	in, g := fresh("in"), fresh("g")
	newTopic(t, c, in, 2, nil)
	if _, err := c.Hold(t.Context(), g, "nosuch"); !errors.Is(err, ErrUnknownTopic) {
		t.Errorf("of a topic that is not there: %v", err)
	}
	tp := connector.TopicPartition{Topic: in, Partition: 1}
	for turn := range int64(2) {
		h, err := c.Hold(t.Context(), g, in)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Hold(t.Context(), g, in); !errors.Is(err, ErrGroupInUse) {
			t.Errorf("a second one: %v", err)
		}
		if err := c.AlterOffsets(t.Context(), g, map[connector.TopicPartition]int64{tp: 99}); !errors.Is(err, ErrGroupInUse) {
			t.Errorf("from outside: %v", err)
		}
		if err := h.Commit(t.Context(), map[connector.TopicPartition]int64{tp: turn}); err != nil {
			t.Error(err)
		}
		if err := errors.Join(h.Err(), h.Close(t.Context()), h.Close(t.Context())); err != nil {
			t.Error(err)
		}
		if err := h.Commit(t.Context(), map[connector.TopicPartition]int64{tp: 99}); !errors.Is(err, ErrGenerationLost) {
			t.Errorf("after the end: %v", err)
		}
		if got, err := c.CommittedOffsets(t.Context(), g); err != nil || !cmp.Equal(got, map[connector.TopicPartition]int64{tp: turn}) {
			t.Errorf("%v, %v", got, err)
		}
	}
}

// One that comes past the first look, by joining, is given nothing, and the holder keeps
// the group through the rebalances of that.
func TestHoldThroughRebalances(t *testing.T) { holdsThroughRebalances(t, kafkatest.Start(t)) }

func holdsThroughRebalances(t *testing.T, broker string) {
	c := open(t, broker, nil)
	in, g := fresh("in"), fresh("g")
	newTopic(t, c, in, 2, nil)
	tp := connector.TopicPartition{Topic: in}
	h, err := c.Hold(t.Context(), g, in)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.Close(t.Context()) }()
	late, err := c.join(t.Context(), g, in)
	if !errors.Is(err, ErrGroupInUse) || late != nil {
		t.Errorf("a late one: %v", err)
	}
	for n := range int64(3) {
		if err := h.Commit(t.Context(), map[connector.TopicPartition]int64{tp: n}); err != nil {
			t.Fatal(err)
		}
	}
	h.member.Forfeit() // as one who was silent for too long
	wait.Until(t, "it hears of it", func() bool { return errors.Is(h.Err(), ErrGenerationLost) })
	if err := h.Commit(t.Context(), map[connector.TopicPartition]int64{tp: 99}); !errors.Is(err, ErrGenerationLost) {
		t.Errorf("after it was lost: %v", err)
	}
}

// Of several that come at once one has the group, and no two.
func TestHoldAtOnce(t *testing.T) {
	c := open(t, kafkatest.Start(t), nil)
	if err := c.CreateTopic(t.Context(), TopicSpec{Name: "in", Partitions: 2, Replication: 1}); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	var held []*Hold
	for range 4 {
		group.Go(func() {
			h, err := c.Hold(t.Context(), "g", "in")
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				held = append(held, h)
			} else if !errors.Is(err, ErrGroupInUse) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if len(held) != 1 {
		t.Errorf("%d have the group", len(held))
	}
	for _, h := range held {
		if err := errors.Join(h.Err(), h.Close(t.Context())); err != nil {
			t.Error(err)
		}
	}
}
