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
)

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
	c.Consumer.Return.Errors = true
	// Fetch.Max stays 0: sarama would skip a larger message.
	c.Consumer.Fetch.Default = 1 << 20
	c.Consumer.MaxWaitTime = 500 * time.Millisecond
	c.Consumer.Fetch.MaxBytes = defaultPollBytes // one message comes however large it is
	c.Net.DialTimeout = 10 * time.Second
	c.ChannelBufferSize = fetchAhead
	p := &props{text: o.Props, log: o.Log}
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

func (p *props) fail(key, want string) {
	p.errs = append(p.errs, fmt.Errorf("%s: %q is not %s", key, p.text[key], want))
}

func (p *props) int(key string, set func(int)) {
	text, ok := p.text[key]
	if !ok {
		return
	}
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < -1 || n > math.MaxInt32 {
		p.fail(key, "an integer")
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

func (p *props) duration(key string, set func(time.Duration)) {
	p.int(key, func(ms int) { set(time.Duration(ms) * time.Millisecond) })
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

func (p *props) network(c *sarama.Config) {
	if id := p.text["client.id"]; id != "" {
		c.ClientID = id
	}
	c.RackID = p.text["client.rack"]
	p.duration("request.timeout.ms", func(d time.Duration) { c.Net.ReadTimeout, c.Net.WriteTimeout = d, d })
	p.duration("socket.connection.setup.timeout.ms", func(d time.Duration) { c.Net.DialTimeout = d })
	p.duration("metadata.max.age.ms", func(d time.Duration) { c.Metadata.RefreshFrequency = d })
	p.duration("retry.backoff.ms", func(d time.Duration) { c.Metadata.Retry.Backoff, c.Consumer.Retry.Backoff = d, d })
}

func (p *props) consumer(c *sarama.Config) {
	p.int("fetch.min.bytes", func(n int) { c.Consumer.Fetch.Min = int32(n) })
	p.int("max.partition.fetch.bytes", func(n int) { c.Consumer.Fetch.Default = int32(n) })
	p.int("fetch.max.bytes", func(n int) { c.Consumer.Fetch.MaxBytes = int32(n) })
	p.duration("fetch.max.wait.ms", func(d time.Duration) { c.Consumer.MaxWaitTime = d })
	p.choice("isolation.level", func(s string) {
		c.Consumer.IsolationLevel = sarama.ReadUncommitted
		if s == "read_committed" {
			c.Consumer.IsolationLevel = sarama.ReadCommitted
		}
	}, "read_committed", "read_uncommitted")
}
