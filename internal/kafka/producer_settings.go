package kafka

import (
	"fmt"
	"math"
	"time"

	"github.com/IBM/sarama"
)

const (
	// DefaultMaxRequestSize is Kafka's own bound of a message, bytes.
	DefaultMaxRequestSize = 1 << 20
	// defaultBatch is the default of batch.size: Kafka's 16 KiB make sixteen times
	// as many requests of a source that polls a mebibyte.
	defaultBatch = 256 << 10
)

// producerSettings are the properties of a producer.
type producerSettings struct {
	acks       sarama.RequiredAcks
	idempotent bool
	insists    bool // on that
	codec      sarama.CompressionCodec
	inFlight   int // requests to a broker at once
	batch      int // bytes
	request    int // bytes, of a message and of a request
	buffer     int64
	linger     time.Duration
	block      time.Duration // how long to wait for a topic to exist
	backoff    backoff
	timeout    time.Duration // of the broker, for its replicas
	delivery   time.Duration // how long a message may take; 0 is for ever
	retries    int
}

// compressions by their Java names.
var compressions = map[string]sarama.CompressionCodec{
	"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy,
	"lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
}

// producer reads a producer's settings: idempotent, and trying for ever.
func (p *props) producer() producerSettings {
	s := producerSettings{acks: sarama.WaitForAll, idempotent: true, inFlight: maxIdempotentInFlight, batch: defaultBatch,
		request: DefaultMaxRequestSize, buffer: 32 << 20, linger: 5 * time.Millisecond, block: time.Minute, backoff: p.backoff(),
		timeout: 30 * time.Second, retries: math.MaxInt32}
	p.choice("acks", func(text string) {
		s.acks = map[string]sarama.RequiredAcks{"all": sarama.WaitForAll, "-1": sarama.WaitForAll, "1": sarama.WaitForLocal, "0": sarama.NoResponse}[text]
		s.idempotent = s.acks == sarama.WaitForAll
	}, "all", "-1", "0", "1")
	p.choice("enable.idempotence", func(text string) {
		s.idempotent = text == "true"
		s.insists = s.idempotent
		if s.idempotent && s.acks != sarama.WaitForAll {
			p.fail("enable.idempotence", "possible with acks="+p.text["acks"])
		}
	}, "true", "false")
	if !s.idempotent {
		s.inFlight = 1 // what is sent again keeps its place
	}
	p.positive("max.in.flight.requests.per.connection", func(n int) {
		if s.inFlight = n; s.idempotent {
			s.inFlight = min(n, maxIdempotentInFlight)
		}
	})
	p.choice("compression.type", func(text string) { s.codec = compressions[text] }, "none", "gzip", "snappy", "lz4", "zstd")
	p.int("batch.size", func(n int) { s.batch = n })
	p.int("max.request.size", func(n int) {
		if s.request = n; n <= batchOverhead {
			p.fail("max.request.size", fmt.Sprint("above ", batchOverhead))
		}
	})
	p.upTo(math.MaxInt64, "buffer.memory", func(n int64) { s.buffer = max(n, 1) })
	p.duration("linger.ms", func(d time.Duration) { s.linger = d })
	p.duration("max.block.ms", func(d time.Duration) { s.block = d })
	p.int("request.timeout.ms", func(ms int) { s.timeout = time.Duration(ms) * time.Millisecond })
	p.duration("delivery.timeout.ms", func(d time.Duration) { s.delivery = d })
	p.int("retries", func(n int) { s.retries = n })
	return s
}
