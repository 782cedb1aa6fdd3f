// Package broker runs a Kafka broker inside the process: franz-go's kfake, kept
// on disk, locked against a second process and guarded against what is not
// Kafka's protocol. It speaks the real protocol, so the rest of hydraulics
// cannot tell the difference; it is for a laptop, a ship and tests, not for a
// cluster.
package broker

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Options say where and how the broker runs. The zero value is a broker in
// memory on a free port.
type Options struct {
	// Dir holds the data. It is made if missing; empty keeps all in memory.
	Dir string
	// Port on 127.0.0.1; 0 takes a free one.
	Port int
	// Partitions of a topic that is created without a number; 0 is 4.
	Partitions int
	// MaxMessageBytes bounds one record batch; 0 is DefaultMaxMessageBytes.
	MaxMessageBytes int
	// MinSessionTimeout is the least session time-out a group member may ask
	// for; 0 is Kafka's 6 s. Tests use less.
	MinSessionTimeout time.Duration
	Log               *slog.Logger
}

// DefaultMaxMessageBytes is what a record batch may hold: an image of the
// largest region an IFCB can take (1380 x 1034 px, uncompressed) and then some.
const DefaultMaxMessageBytes = 8 << 20

// Broker is a running broker.
type Broker struct {
	cluster *kfake.Cluster
	lock    *flock.Flock
	stop    sync.Once
}

// Start runs a broker. It fails when another process uses the folder or the port.
func Start(o Options) (*Broker, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	b := new(Broker)
	if o.Dir != "" {
		if err := b.acquire(o.Dir); err != nil {
			return nil, err
		}
	}
	cluster, err := kfake.NewCluster(o.kfake()...)
	if err != nil {
		b.release()
		return nil, fmt.Errorf("embedded broker: %w", err)
	}
	b.cluster = cluster
	cluster.ControlKey(int16(kmsg.Metadata), b.createAsked)
	if o.Dir != "" {
		debug.FreeOSMemory() // reading the log takes memory that the broker does not need any more
	}
	return b, nil
}

func (o Options) kfake() []kfake.Opt {
	partitions, size := o.Partitions, o.MaxMessageBytes
	if partitions == 0 {
		partitions = 4
	}
	if size == 0 {
		size = DefaultMaxMessageBytes
	}
	opts := []kfake.Opt{
		kfake.NumBrokers(1), kfake.Ports(o.Port), kfake.AllowAutoTopicCreation(), kfake.DefaultNumPartitions(partitions),
		kfake.ClusterID("hydraulics-embedded"),
		kfake.ListenFn(func(network, address string) (net.Listener, error) {
			l, err := net.Listen(network, address)
			if err != nil {
				return nil, err
			}
			return &guard{Listener: l, limit: size + 1<<20, log: o.Log}, nil
		}),
		kfake.BrokerConfigs(map[string]string{
			"message.max.bytes":      strconv.Itoa(size),
			"log.cleaner.backoff.ms": "15000", // an hour by default: changelogs would grow for that long
		}),
	}
	if o.Dir != "" {
		opts = append(opts, kfake.DataDir(filepath.Join(o.Dir, "log")))
	}
	if o.MinSessionTimeout > 0 {
		opts = append(opts, kfake.GroupMinSessionTimeout(o.MinSessionTimeout))
	}
	return opts
}

// createAsked creates the topics that a metadata request wants created. The
// cluster would do so itself, but write them down only when it stops: after a
// kill the records would be there and their topics not.
func (b *Broker) createAsked(r kmsg.Request) (kmsg.Response, error, bool) {
	req, ok := r.(*kmsg.MetadataRequest)
	if !ok || !req.AllowAutoTopicCreation {
		return nil, nil, false
	}
	for _, t := range req.Topics {
		if t.Topic != nil && b.cluster.TopicInfo(*t.Topic) == nil {
			_ = b.cluster.CreateTopic(*t.Topic, 0, nil) // the request itself answers for a bad name
		}
	}
	return nil, nil, false
}

func (b *Broker) acquire(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("embedded broker: %w", err)
	}
	b.lock = flock.New(filepath.Join(dir, "lock"))
	ok, err := b.lock.TryLock()
	if err != nil {
		return fmt.Errorf("embedded broker: %w", err)
	}
	if !ok {
		return fmt.Errorf("embedded broker: %s is in use by another process: stop it, or choose another folder", dir)
	}
	return nil
}

func (b *Broker) release() {
	if b.lock != nil {
		_ = b.lock.Unlock() // it ends with the process at the latest
	}
}

// Addr gives the address that clients start from, host:port.
func (b *Broker) Addr() string { return b.cluster.ListenAddrs()[0] }

// Stop writes everything down and closes the port. It is safe twice.
func (b *Broker) Stop() {
	b.stop.Do(func() {
		b.cluster.Close()
		b.release()
	})
}

// Compact compacts the compacted topics now; tests do not wait for its turn.
func (b *Broker) Compact() { b.cluster.Compact() }

// ErrNotKafka says that a connection did not speak Kafka's protocol.
var ErrNotKafka = errors.New("connection does not speak Kafka's protocol")
