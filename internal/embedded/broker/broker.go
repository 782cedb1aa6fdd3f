// Package broker runs a Kafka broker inside the process: franz-go's kfake, kept
// on disk, locked against a second process and guarded against what is not
// Kafka's protocol. It speaks the real protocol, so the rest of hydraulics
// cannot tell the difference; it is for a laptop, a ship and tests, not for a
// cluster. It survives the death of its process, at any point; a loss of power
// may take the records of the last seconds, which the system had not written.
package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
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
	// Retention is how long records stay in a topic that does not say it itself
	// and is not compacted; 0 is Kafka's seven days.
	Retention time.Duration
	// RetentionBytes is how much stays in each partition of such a topic; 0 is
	// DefaultRetentionBytes.
	RetentionBytes int64
	// CleanEvery is how often retention is applied and compaction considered; 0
	// is 15 s.
	CleanEvery time.Duration
	// MinSessionTimeout is the least session time-out a group member may ask
	// for; 0 is Kafka's 6 s. Tests use less.
	MinSessionTimeout time.Duration
	Log               *slog.Logger
}

// DefaultMaxMessageBytes is what a record batch may hold: an image of the
// largest region an IFCB can take (1380 x 1034 px, uncompressed) and then some.
const DefaultMaxMessageBytes = 8 << 20

// DefaultRetentionBytes bounds a partition: the broker reads its log at start,
// about a gigabyte a second, and holds a part of it in memory.
const DefaultRetentionBytes = 512 << 20

// lockPatience is how long a folder's lock is waited for.
const lockPatience = 2 * time.Second

// logDir is the folder within Options.Dir that kfake writes to.
const logDir = "log"

// Broker is a running broker.
type Broker struct {
	cluster         *kfake.Cluster
	dir             string
	lock            *flock.Flock
	log             *slog.Logger
	maxMessageBytes int
	retention       time.Duration
	retentionBytes  int64
	leastSize       int64 // of the log before it is compacted
	wantCompaction  atomic.Pointer[chan error]
	stop            sync.Once
	done, cleaned   chan struct{}
	keepers         keepers
}

// Start runs a broker. It fails when another process uses the folder or the port.
func Start(o Options) (*Broker, error) {
	b, err := start(o.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("embedded broker: %w", err)
	}
	return b, nil
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Partitions == 0 {
		o.Partitions = 4
	}
	if o.MaxMessageBytes == 0 {
		o.MaxMessageBytes = DefaultMaxMessageBytes
	}
	if o.Retention == 0 {
		o.Retention = 7 * 24 * time.Hour
	}
	if o.RetentionBytes == 0 {
		o.RetentionBytes = DefaultRetentionBytes
	}
	if o.CleanEvery == 0 {
		o.CleanEvery = 15 * time.Second
	}
	return o
}

func start(o Options) (*Broker, error) {
	b := &Broker{dir: o.Dir, log: o.Log, maxMessageBytes: o.MaxMessageBytes, retention: o.Retention, retentionBytes: o.RetentionBytes,
		leastSize: leastSize, done: make(chan struct{}), cleaned: make(chan struct{})}
	if o.Dir != "" {
		if err := b.acquire(); err != nil {
			return nil, err
		}
		if err := restoreLinks(o.Dir); err != nil {
			b.release()
			return nil, fmt.Errorf("interrupted compaction: %w", err)
		}
	}
	cluster, err := kfake.NewCluster(o.kfake()...)
	if err != nil {
		b.release()
		return nil, err
	}
	b.cluster = cluster
	cluster.ControlKey(int16(kmsg.Metadata), b.createAsked)
	cluster.ControlKey(int16(kmsg.CreateTopics), b.retainAsked)
	cluster.ControlKey(int16(kmsg.ListGroups), b.compactAsked)
	cluster.ControlKey(int16(kmsg.JoinGroup), b.joinAsked)
	if o.Dir == "" {
		close(b.cleaned)
		return b, nil
	}
	debug.FreeOSMemory() // reading the log takes memory that the broker does not need any more
	go b.cleanLoop(o.CleanEvery)
	return b, nil
}

func (o Options) kfake() []kfake.Opt {
	opts := []kfake.Opt{
		kfake.NumBrokers(1), kfake.Ports(o.Port), kfake.AllowAutoTopicCreation(), kfake.DefaultNumPartitions(o.Partitions),
		kfake.ClusterID("hydraulics-embedded"),
		kfake.ListenFn(func(network, address string) (net.Listener, error) {
			l, err := net.Listen(network, address)
			if err != nil {
				return nil, err
			}
			return &guard{Listener: l, limit: o.MaxMessageBytes + 1<<20, log: o.Log}, nil
		}),
		kfake.BrokerConfigs(map[string]string{
			"message.max.bytes":      strconv.Itoa(o.MaxMessageBytes),
			"log.cleaner.backoff.ms": never,
			"log.retention.ms":       "-1",
		}),
	}
	if o.Dir != "" {
		opts = append(opts, kfake.DataDir(filepath.Join(o.Dir, logDir)))
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
			_ = b.cluster.CreateTopic(*t.Topic, 0, b.retentionOf(nil)) // the request itself answers for a bad name
		}
	}
	return nil, nil, false
}

func (b *Broker) acquire() error {
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return err
	}
	b.lock = flock.New(filepath.Join(b.dir, "lock"))
	// A process that was killed a moment ago gives its lock up when it is gone.
	ctx, cancel := context.WithTimeout(context.Background(), lockPatience)
	defer cancel()
	ok, err := b.lock.TryLockContext(ctx, lockPatience/20)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if !ok {
		return fmt.Errorf("%s is in use by another process: stop it, or choose another folder", b.dir)
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
		close(b.done)
		<-b.cleaned
		b.keepers.end()
		b.cluster.Close()
		b.release()
	})
}

// Compact compacts the compacted topics now; tests do not wait for its turn.
func (b *Broker) Compact() error { return b.compactNow() }

// ErrNotKafka says that a connection did not speak Kafka's protocol.
var ErrNotKafka = errors.New("connection does not speak Kafka's protocol")
