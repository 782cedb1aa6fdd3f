package kafka

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// ours gives the stacks of goroutines in this package's code and sarama's that
// were started by members and producers.
func ours() []string {
	buf := make([]byte, 4<<20)
	var list []string
	for _, stack := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if strings.Contains(stack, "kafka.(*GroupConsumer)") || strings.Contains(stack, "kafka.(*Member)") || strings.Contains(stack, "kafka.(*Producer)") || strings.Contains(stack, "kafka.(*route)") || strings.Contains(stack, "kafka.(*fetcher)") || strings.Contains(stack, "kafka.(*fetchRoute)") || strings.Contains(stack, "kafka.reach") || strings.Contains(stack, "IBM/sarama") {
			list = append(list, stack)
		}
	}
	return list
}

// TestCloseEndsAllGoroutines is not parallel: it counts.
func TestCloseEndsAllGoroutines(t *testing.T) {
	eventually(t, "other tests' goroutines end", func() bool { return len(ours()) == 0 })
	for name, before := range map[string]func(*kafkatest.Broker){
		"with Kafka":    func(*kafkatest.Broker) {},
		"without Kafka": func(b *kafkatest.Broker) { b.Stop() },
	} {
		t.Run(name, func(t *testing.T) {
			b := kafkatest.New(t)
			c, err := Open(t.Context(), Options{Bootstrap: []string{b.Addr()}})
			if err != nil {
				t.Fatal(err)
			}
			newTopic(t, c, "in", 3, nil)
			produce(t, c, numbered("in", 1000)...)
			p, err := c.NewProducer(ProducerOptions{})
			if err != nil {
				t.Fatal(err)
			}
			joined, err := c.NewGroupConsumer(quick("in"))
			if err != nil {
				t.Fatal(err)
			}
			eventually(t, "it reads", func() bool {
				e, err := joined.Poll(t.Context())
				return err == nil && len(e.Messages) > 0
			})
			never, err := c.NewGroupConsumer(quick("in")) // does not poll
			if err != nil {
				t.Fatal(err)
			}
			waits, err := c.NewGroupConsumer(quick("in")) // its join waits for the first
			if err != nil {
				t.Fatal(err)
			}
			if _, err := waits.Poll(t.Context()); err != nil {
				t.Fatal(err)
			}
			before(b)
			began := time.Now()
			ctx, cancel := wait.Context()
			defer cancel()
			for _, g := range []*GroupConsumer{waits, never, joined} {
				if err := g.Close(ctx); err != nil && connector.KindOf(err) != connector.KindRetriable {
					t.Errorf("close: %v", err)
				}
				if err := g.Close(ctx); err != nil {
					t.Errorf("second close: %v", err)
				}
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
			c.Close()
			c.Close()
			t.Logf("closed after %s", time.Since(began))
			wait.Nil(t, "all goroutines end", func() error {
				if left := ours(); len(left) > 0 {
					return fmt.Errorf("%d are left, the first:\n%s", len(left), left[0])
				}
				return nil
			})
		})
	}
}

// TestClosedClientConnectsToNothing opens a broker as a call does that goes on
// while its client is closed.
func TestClosedClientConnectsToNothing(t *testing.T) {
	c, err := Open(t.Context(), Options{Bootstrap: []string{kafkatest.Start(t)}})
	if err != nil {
		t.Fatal(err)
	}
	b := c.client.Brokers()[0]
	c.Close()
	_ = b.Close()
	if err := b.Open(c.client.Config()); err != nil {
		t.Fatal(err)
	}
	if ok, _ := b.Connected(); ok {
		t.Error("there is a connection")
		_ = b.Close()
	}
}

// TestABrokerThatLeftIsNotOpened: while one broker is asked the other leaves the
// cluster; a connection to it would be on no list that is closed at the end.
func TestABrokerThatLeftIsNotOpened(t *testing.T) {
	cluster := kafkatest.NewCluster(t, 2)
	c, err := Open(t.Context(), Options{Bootstrap: cluster.ListenAddrs()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	asked := map[int32]bool{}
	_, _ = ask(t.Context(), c, func(b *sarama.Broker) (int, error) {
		if len(asked) == 0 {
			if err := cluster.RemoveNode(1 - b.ID()); err != nil {
				t.Error(err)
			}
			if err := c.client.RefreshMetadata(); err != nil {
				t.Error(err)
			}
		}
		asked[b.ID()] = true
		return 0, sarama.ErrNotConnected
	})
	if len(asked) != 1 {
		t.Errorf("brokers %v were asked, want only the one that stayed", asked)
	}
}
