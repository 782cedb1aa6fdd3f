package kafka

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
)

func configOf(t *testing.T, text map[string]string) *sarama.Config {
	t.Helper()
	c, err := newConfig(Options{Props: text})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func settingsOf(t *testing.T, text map[string]string) producerSettings {
	t.Helper()
	p := newProps(Options{Props: text})
	s := p.producer()
	if len(p.errs) > 0 {
		t.Fatal(p.errs)
	}
	return s
}

// Clauses: E6, I5.
func TestJavaPropertiesCount(t *testing.T) {
	for _, c := range []struct {
		key, value string
		holds      func(*sarama.Config) bool
	}{
		{"client.id", "me", func(c *sarama.Config) bool { return c.ClientID == "me" }},
		{"request.timeout.ms", "7000", func(c *sarama.Config) bool { return c.Net.ReadTimeout == 7*time.Second }},
		{"metadata.max.age.ms", "1000", func(c *sarama.Config) bool { return c.Metadata.RefreshFrequency == time.Second }},
		{"metadata.max.age.ms", "0", func(c *sarama.Config) bool { return c.Metadata.RefreshFrequency > 0 }},
		{"retry.backoff.ms", "40", func(c *sarama.Config) bool { return c.Consumer.Retry.BackoffFunc(1) == 40*time.Millisecond }},
		{"retry.backoff.max.ms", "200", func(c *sarama.Config) bool { return c.Metadata.Retry.BackoffFunc(9, 9) == 200*time.Millisecond }},
		{"fetch.min.bytes", "0", func(c *sarama.Config) bool { return c.Consumer.Fetch.Min == 1 }},
		{"fetch.max.wait.ms", "0", func(c *sarama.Config) bool { return c.Consumer.MaxWaitTime == time.Millisecond }},
		{"fetch.min.bytes", "5", func(c *sarama.Config) bool { return c.Consumer.Fetch.Min == 5 }},
		{"fetch.max.wait.ms", "50", func(c *sarama.Config) bool { return c.Consumer.MaxWaitTime == 50*time.Millisecond }},
		{"max.partition.fetch.bytes", "77", func(c *sarama.Config) bool { return c.Consumer.Fetch.Default == 77 && c.Consumer.Fetch.Max == 0 }},
		{"fetch.max.bytes", "99", func(c *sarama.Config) bool { return c.Consumer.Fetch.MaxBytes == 99 && c.Consumer.Fetch.Max == 0 }},
		{"isolation.level", "read_committed", func(c *sarama.Config) bool { return c.Consumer.IsolationLevel == sarama.ReadCommitted }},
	} {
		t.Run(c.key+"="+c.value, func(t *testing.T) {
			if conf := configOf(t, map[string]string{c.key: c.value}); !c.holds(conf) {
				t.Errorf("it has no effect")
			}
		})
	}
}

// Clauses: E6.
func TestJavaPropertiesOfProducersCount(t *testing.T) {
	for _, c := range []struct {
		key, value string
		holds      func(producerSettings) bool
	}{
		{"acks", "all", func(s producerSettings) bool { return s.acks == sarama.WaitForAll && s.idempotent }},
		{"acks", "1", func(s producerSettings) bool { return s.acks == sarama.WaitForLocal && !s.idempotent }},
		{"acks", "0", func(s producerSettings) bool { return s.acks == sarama.NoResponse && !s.idempotent }},
		{"enable.idempotence", "FALSE", func(s producerSettings) bool { return !s.idempotent && s.acks == sarama.WaitForAll }},
		{"compression.type", "zstd", func(s producerSettings) bool { return s.codec == sarama.CompressionZSTD }},
		{"linger.ms", " 7 ", func(s producerSettings) bool { return s.linger == 7*time.Millisecond }},
		{"batch.size", "16384", func(s producerSettings) bool { return s.batch == 16384 }},
		{"buffer.memory", "1000000", func(s producerSettings) bool { return s.buffer == 1000000 }},
		{"max.block.ms", "300", func(s producerSettings) bool { return s.block == 300*time.Millisecond }},
		{"max.block.ms", "9223372036854775807", func(s producerSettings) bool { return s.block > 1e5*time.Hour }},
		{"linger.ms", "9223372036854775807", func(s producerSettings) bool { return time.Now().Add(s.linger + silence).After(time.Now()) }},
		{"buffer.memory", "5000000000", func(s producerSettings) bool { return s.buffer == 5e9 }},
		{"max.request.size", "5000000", func(s producerSettings) bool { return s.request == 5000000 }},
		{"request.timeout.ms", "7000", func(s producerSettings) bool { return s.timeout == 7*time.Second }},
		{"delivery.timeout.ms", "9000", func(s producerSettings) bool { return s.delivery == 9*time.Second }},
		{"retries", "3", func(s producerSettings) bool { return s.retries == 3 }},
		{"retries", "2147483647", func(s producerSettings) bool { return s.retries == math.MaxInt32 }},
		{"retry.backoff.ms", "40", func(s producerSettings) bool {
			return s.backoff.after(1) == 40*time.Millisecond && s.backoff.after(3) == 160*time.Millisecond
		}},
		{"retry.backoff.ms", "4000", func(s producerSettings) bool {
			return s.backoff.after(1) == 4*time.Second && s.backoff.after(9) == 4*time.Second
		}},
		{"retry.backoff.max.ms", "200", func(s producerSettings) bool { return s.backoff.after(9) == 200*time.Millisecond }},
		{"max.in.flight.requests.per.connection", "1", func(s producerSettings) bool { return s.inFlight == 1 }},
	} {
		t.Run(c.key+"="+c.value, func(t *testing.T) {
			if !c.holds(settingsOf(t, map[string]string{c.key: c.value})) {
				t.Errorf("it has no effect")
			}
		})
	}
}

// What is sent again stays in its place: a broker knows the last five batches of
// an idempotent producer, and one that is not has one request on its way unless
// its user wants more.
//
// Clauses: I5.
func TestProducerKeepsOrder(t *testing.T) {
	const key = "max.in.flight.requests.per.connection"
	for name, c := range map[string]struct {
		props map[string]string
		want  int
	}{
		"idempotent":           {nil, 5},
		"idempotent, many":     {map[string]string{key: "100"}, 5},
		"not idempotent":       {map[string]string{"enable.idempotence": "false"}, 1},
		"not idempotent, many": {map[string]string{"acks": "1", key: "100"}, 100},
	} {
		t.Run(name, func(t *testing.T) {
			if s := settingsOf(t, c.props); s.inFlight != c.want {
				t.Errorf("%d requests at once, want %d", s.inFlight, c.want)
			}
		})
	}
}

func TestBadProperties(t *testing.T) {
	for name, c := range map[string]struct {
		props map[string]string
		want  []string
	}{
		"all at once": {map[string]string{"request.timeout.ms": "soon", "isolation.level": "some"}, []string{`request.timeout.ms: "soon" is not an integer`, `isolation.level: "some" is not one of read_committed, read_uncommitted`}},
		"protocol":    {map[string]string{"security.protocol": "TLS"}, []string{`security.protocol: "TLS" is not PLAINTEXT, SSL`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newConfig(Options{Props: c.props})
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q lacks %q", err, w)
				}
			}
		})
	}
}

func TestGroupOptionsSayWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		o    GroupOptions
		want string
	}{
		"nothing to read": {GroupOptions{Group: "g"}, "needs a group and topics"},
		"heartbeat":       {GroupOptions{Group: "g", Topics: []string{"t"}, SessionTimeout: time.Second}, "heartbeat.interval.ms (3000) is not below session.timeout.ms (1000)"},
		"reset":           {GroupOptions{Group: "g", Topics: []string{"t"}, Reset: "first"}, `auto.offset.reset: "first" is not one of earliest, latest, none`},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.o.complete(nil); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	o := GroupOptions{Group: "g", Topics: []string{"t"}, Reset: " Latest "}
	if err := o.complete(map[string]string{"fetch.max.bytes": "1000"}); err != nil || o.Reset != "latest" || o.MaxPollBytes != 1000 {
		t.Errorf("%+v (%v)", o, err)
	}
}
