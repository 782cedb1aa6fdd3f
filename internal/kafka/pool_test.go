package kafka

import (
	"context"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
)

// Clients with equal settings share connections, until the last of them is closed.
func TestPoolShares(t *testing.T) {
	broker := kafkatest.Start(t)
	p := new(Pool)
	get := func(id string, props map[string]string) *Client {
		t.Helper()
		c, err := p.Open(t.Context(), Options{Bootstrap: []string{broker}, ClientID: id, Props: props})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c
	}
	a, b := get("a", map[string]string{"acks": "all"}), get("b", map[string]string{"acks": "all"})
	other := get("a", map[string]string{"acks": "1"})
	if a.client != b.client || a.client == other.client {
		t.Error("clients do not share, or those do that are set up differently")
	}
	a.Close()
	a.Close()
	newTopic(t, b, "in", 1, nil)
	b.Close()
	if !b.client.Closed() || other.client.Closed() {
		t.Error("connections are left, or others were closed")
	}
	again := get("a", map[string]string{"acks": "all"})
	if _, err := again.Partitions(t.Context(), "in"); err != nil {
		t.Error(err)
	}
}

// Members of groups look up over what their clients share. Beside it each keeps a
// connection to its coordinator and one to the broker that it reads from, under its own
// client.id; none ends with another member.
func TestMembersShare(t *testing.T) {
	broker := kafkatest.Start(t)
	p := new(Pool)
	join := func(id string) *seat {
		t.Helper()
		c, err := p.Open(t.Context(), Options{Bootstrap: []string{broker}, ClientID: id})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		o := calm("in")
		o.Group = id
		return sit(t, c, o)
	}
	setup := open(t, broker, nil)
	newTopic(t, setup, "in", 1, nil)
	produce(t, setup, numbered("in", 10)...)
	a, b := join("a"), join("b")
	for id, s := range map[string]*seat{"a": a, "b": b} {
		eventually(t, id+" reads", func() bool { return len(s.messages()) == 10 })
		if s.g.client.client != a.g.client.client || s.g.conf.ClientID != id {
			t.Errorf("%s looks up over connections of its own, or reads as %s", id, s.g.conf.ClientID)
		}
		slow := &s.g.member.coord.slow
		slow.mu.Lock()
		if slow.broker != nil {
			t.Errorf("%s keeps the connection that it joined over", id)
		}
		slow.mu.Unlock()
	}
	a.close()
	a.g.client.Close()
	produce(t, setup, numbered("in", 10)...)
	eventually(t, "the other reads on", func() bool { return len(b.messages()) == 20 })
	again := join("a") // over what b still has
	eventually(t, "the first is back", func() bool { return len(again.messages()) == 10 })
}

// A client that cannot be opened is no one else's; one that is in trouble is shared
// no further, since another may be well by now.
func TestPoolSharesNoTrouble(t *testing.T) {
	broker := kafkatest.Start(t)
	p := new(Pool)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Open(ctx, Options{Bootstrap: []string{broker}}); err == nil {
		t.Error("it was opened without time")
	}
	a, err := p.Open(t.Context(), Options{Bootstrap: []string{broker}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := p.Open(t.Context(), Options{Bootstrap: []string{broker}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	own := trouble{log: a.options.Log, health: a.options.health}
	own.note("a thing", errOutOfRange)
	if _, yes := a.Trouble(); !yes {
		t.Error("its trouble is not known")
	}
	if x, yes := b.Trouble(); yes {
		t.Errorf("trouble of another's: %v", x)
	}
	all := trouble{log: a.options.Log, health: a.shared.options.health}
	all.note("the cluster", errOutOfRange)
	if _, yes := b.Trouble(); !yes {
		t.Error("trouble of what is shared is not known")
	}
	c, err := p.Open(t.Context(), Options{Bootstrap: []string{broker}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, yes := c.Trouble(); yes || c.client == a.client {
		t.Error("what is in trouble is shared")
	}
}
