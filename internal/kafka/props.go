package kafka

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/IBM/sarama"
	"github.com/rcrowley/go-metrics"
)

// sarama measures what nobody reads: the histograms of a producer's connection alone
// take 150 KB.
func init() { metrics.UseNilMetrics = true }

// newConfig gives sarama's configuration for a client: Kafka's own defaults
// where they are the better ones, then the Java properties.
func newConfig(o Options) (*sarama.Config, error) {
	c := sarama.NewConfig()
	c.Version = sarama.V3_6_0_0 // at most; versions are negotiated
	c.ClientID = "hydraulics"
	if o.ClientID != "" {
		c.ClientID = o.ClientID
	}
	c.Metadata.Retry.Max = 3
	c.Metadata.AllowAutoTopicCreation = false
	c.Metadata.RefreshFrequency = 5 * time.Minute
	c.Consumer.Fetch.Default = 1 << 20
	c.Consumer.MaxWaitTime = 500 * time.Millisecond
	c.Consumer.Fetch.MaxBytes = defaultPollBytes // one message comes however large it is
	c.Net.DialTimeout = 10 * time.Second
	p := newProps(o)
	for _, set := range []func(*sarama.Config){p.network, p.consumer, p.security} {
		set(c)
	}
	if err := errors.Join(p.errs...); err != nil {
		return nil, err
	}
	c.Net.Proxy.Enable, c.Net.Proxy.Dialer = true, &dialer{net.Dialer{Timeout: c.Net.DialTimeout}, o.health}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return c, nil
}

// props reads Java client properties, collecting what is wrong with them.
type props struct {
	text map[string]string
	log  *slog.Logger
	errs []error
}

func newProps(o Options) *props { return &props{text: seen(o.Props), log: o.Log} }

func (p *props) fail(key, want string) {
	p.errs = append(p.errs, fmt.Errorf("%s: %q is not %s", key, p.text[key], want))
}

// int reads an integer of Java's type int.
func (p *props) int(key string, set func(int)) {
	p.upTo(math.MaxInt32, key, func(n int64) { set(int(n)) })
}

// upTo reads an integer between 0 and the largest of its type.
func (p *props) upTo(largest int64, key string, set func(int64)) {
	text, ok := p.text[key]
	if !ok {
		return
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n < 0 || n > largest {
		p.fail(key, fmt.Sprint("an integer between 0 and ", largest))
		return
	}
	set(n)
}

// positive is int for what must be at least 1.
func (p *props) positive(key string, set func(int)) {
	p.int(key, func(n int) {
		if n < 1 {
			p.fail(key, "above 0")
			return
		}
		set(n)
	})
}

// forever is what the largest numbers of milliseconds come to; sums with it are times still.
const forever = math.MaxInt64 / 4 * time.Nanosecond

// duration reads milliseconds.
func (p *props) duration(key string, set func(time.Duration)) {
	p.upTo(math.MaxInt64, key, func(ms int64) { set(time.Duration(min(ms, forever.Milliseconds())) * time.Millisecond) })
}

func (p *props) choice(key string, set func(string), valid ...string) {
	text, ok := p.text[key]
	if !ok {
		return
	}
	text = strings.TrimSpace(text)
	if !slices.Contains(valid, strings.ToLower(text)) {
		p.fail(key, "one of "+strings.Join(valid, ", "))
		return
	}
	set(strings.ToLower(text))
}

// backoff is the pause before another attempt: doubled each time, up to the longest.
type backoff struct{ first, longest time.Duration }

func (p *props) backoff() backoff {
	b := backoff{100 * time.Millisecond, time.Second} // Kafka's own
	p.duration("retry.backoff.ms", func(d time.Duration) { b.first = d })
	p.duration("retry.backoff.max.ms", func(d time.Duration) { b.longest = d })
	return b
}

// after is the pause after so many attempts.
func (b backoff) after(attempts int) time.Duration {
	return max(b.first, min(b.first<<min(max(attempts-1, 0), 10), b.longest))
}

func (p *props) network(c *sarama.Config) {
	if id := p.text["client.id"]; id != "" {
		c.ClientID = id
	}
	c.RackID = p.text["client.rack"]
	p.int("request.timeout.ms", func(ms int) {
		d := time.Duration(max(ms, 1)) * time.Millisecond // sarama has no 0
		c.Net.ReadTimeout, c.Net.WriteTimeout = d, d
	})
	p.duration("socket.connection.setup.timeout.ms", func(d time.Duration) { c.Net.DialTimeout = max(d, time.Millisecond) })
	p.duration("metadata.max.age.ms", func(d time.Duration) { c.Metadata.RefreshFrequency = max(d, 100*time.Millisecond) })
	b := p.backoff()
	c.Metadata.Retry.BackoffFunc = func(attempts, _ int) time.Duration { return b.after(attempts) }
	c.Consumer.Retry.BackoffFunc = b.after
}

// GroupOptionsOf gives what a consumer's properties say of its membership, with
// defaults: Kafka's, but to see only what is committed, from the start.
func GroupOptionsOf(properties map[string]string) (GroupOptions, error) {
	o := GroupOptions{ReadCommitted: true, Reset: "earliest", MaxPollRecords: 500,
		SessionTimeout: 45 * time.Second, HeartbeatInterval: 3 * time.Second, RebalanceTimeout: 5 * time.Minute}
	p := newProps(Options{Props: properties})
	p.choice("isolation.level", func(level string) { o.ReadCommitted = level == "read_committed" }, "read_committed", "read_uncommitted")
	p.choice("auto.offset.reset", func(reset string) { o.Reset = reset }, "earliest", "latest", "none")
	p.positive("max.poll.records", func(n int) { o.MaxPollRecords = n })
	positive := func(key string, into *time.Duration) {
		p.positive(key, func(ms int) { *into = time.Duration(ms) * time.Millisecond })
	}
	positive("session.timeout.ms", &o.SessionTimeout)
	positive("heartbeat.interval.ms", &o.HeartbeatInterval)
	positive("max.poll.interval.ms", &o.RebalanceTimeout)
	return o, errors.Join(p.errs...)
}

func (p *props) consumer(c *sarama.Config) {
	p.int("fetch.min.bytes", func(n int) { c.Consumer.Fetch.Min = int32(max(n, 1)) })
	p.int("max.partition.fetch.bytes", func(n int) { c.Consumer.Fetch.Default = int32(max(n, 1)) })
	p.int("fetch.max.bytes", func(n int) { c.Consumer.Fetch.MaxBytes = int32(max(n, 1)) })
	p.duration("fetch.max.wait.ms", func(d time.Duration) { c.Consumer.MaxWaitTime = max(d, time.Millisecond) })
	p.choice("isolation.level", func(s string) {
		c.Consumer.IsolationLevel = sarama.ReadUncommitted
		if s == "read_committed" {
			c.Consumer.IsolationLevel = sarama.ReadCommitted
		}
	}, "read_committed", "read_uncommitted")
}
