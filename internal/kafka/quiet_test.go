package kafka

import (
	"bytes"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// lines is a log that several goroutines write and a test reads.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// rebalances tells that the owner is to hand over.
func (m *Member) rebalances() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.m.next() == toRevoke
}

// A member that leaves while it joins cuts its own connection, which says
// nothing about the cluster.
func TestClosingAMemberThatJoinsIsNoTrouble(t *testing.T) {
	log := new(lines)
	c, err := Open(t.Context(), Options{Bootstrap: []string{kafkatest.Start(t)}, ClientID: "test", Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	newTopic(t, c, "in", 1, nil)
	member := func() *GroupConsumer {
		g, err := c.NewGroupConsumer(GroupOptions{Group: "g", Topics: []string{"in"}, HeartbeatInterval: 50 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	shut := func(g *GroupConsumer) {
		ctx, cancel := wait.Context()
		defer cancel()
		if err := g.Close(ctx); err != nil {
			t.Error(err)
		}
	}
	first := member()
	defer shut(first)
	for len(first.Assignment()) == 0 {
		if _, err := first.Poll(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	second := member()
	for !first.member.rebalances() { // the second one waits for the first to hand over
		if _, err := second.Poll(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	shut(second)
	log.mu.Lock()
	defer log.mu.Unlock()
	if log.buf.Len() > 0 {
		t.Errorf("the log says %s", log.buf.String())
	}
}
