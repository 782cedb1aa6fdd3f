package kafka

import (
	"errors"
	"fmt"
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
	p := &props{text: o.Props}
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

const (
	// maxRetries with maxBackoff between them is more than a day. More would
	// cost memory: sarama keeps 24 bytes for each possible retry per partition.
	maxRetries = 10_000
	maxBackoff = 10 * time.Second
)

// compressions by their Java names.
var compressions = map[string]sarama.CompressionCodec{
	"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy,
	"lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
}

// producer sets what a producer needs: idempotent, retrying for a day.
func (p *props) producer(c *sarama.Config) {
	c.Metadata.AllowAutoTopicCreation = true
	c.Producer.Return.Successes, c.Producer.Return.Errors = true, true
	c.Producer.Partitioner = newPartitioner
	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Producer.Idempotent = true
	c.Net.MaxOpenRequests = 1
	c.Producer.Retry.Max = maxRetries
	c.Producer.Retry.BackoffFunc = func(retries, _ int) time.Duration {
		return min(100*time.Millisecond<<min(retries, 10), maxBackoff)
	}
	c.Producer.Flush.Frequency = 10 * time.Millisecond
	c.ChannelBufferSize = 4096
	c.Producer.MaxMessageBytes = DefaultMaxRequestSize
	p.choice("acks", func(s string) {
		acks := map[string]sarama.RequiredAcks{"all": sarama.WaitForAll, "-1": sarama.WaitForAll, "1": sarama.WaitForLocal, "0": sarama.NoResponse}
		c.Producer.RequiredAcks = acks[s]
		c.Producer.Idempotent = acks[s] == sarama.WaitForAll
	}, "all", "-1", "0", "1")
	p.choice("enable.idempotence", func(s string) { c.Producer.Idempotent = s == "true" }, "true", "false")
	p.choice("compression.type", func(s string) { c.Producer.Compression = compressions[s] }, "none", "gzip", "snappy", "lz4", "zstd")
	p.duration("linger.ms", func(d time.Duration) { c.Producer.Flush.Frequency = d })
	p.int("batch.size", func(n int) { c.Producer.Flush.Bytes = n })
	p.int("max.request.size", func(n int) { c.Producer.MaxMessageBytes = n })
	p.duration("retry.backoff.ms", func(d time.Duration) { c.Producer.Retry.BackoffFunc = func(int, int) time.Duration { return d } })
	p.int("retries", func(n int) { c.Producer.Retry.Max = min(max(n, 0), maxRetries) })
	if !c.Producer.Idempotent {
		p.int("max.in.flight.requests.per.connection", func(n int) { c.Net.MaxOpenRequests = n })
	}
}
