package connector

import (
	"context"
	"log/slog"
	"time"
)

// Info describes a plugin.
type Info struct {
	// Name is the short name a configuration uses, such as "postgres".
	Name string
	// Version is reported over the REST API and in metrics.
	Version string
	// Class is the name reported over the REST API where Java clients expect a
	// class, empty for Name itself.
	Class string
	// Aliases are further names, Java class names among them.
	Aliases []string
	// Doc says in a sentence what the plugin is for.
	Doc string
}

// Plugin is what every kind of plugin has in common. Both methods are called
// on fresh instances too, from any goroutine, and do not block.
type Plugin interface {
	Info() Info
	ConfigDef() *ConfigDef
}

// Context is what the runtime gives a plugin beside its configuration.
type Context struct {
	Connector string // the connector's name
	Task      int    // the task's number; -1 when the connector itself is asked
	// Log has connector and task attached. Log events, not records.
	Log     *slog.Logger
	Metrics Metrics
	// Configs gives the configuration again, with what its references to secrets
	// stand for by now, such as a password that was changed. It may read files. Nil
	// but for tasks of sources and sinks.
	Configs func() (Config, error)
	// Offsets reads committed source offsets; nil but for sources.
	Offsets OffsetReader
	// Reporter takes records a sink could not write; nil where the connector
	// does not tolerate errors, and for other kinds than sinks.
	Reporter ErrantReporter
	// Sink steers what a sink is given and what is committed; nil but for sinks.
	Sink SinkContext
	// Publish sends a message to Kafka, beside what the sink writes; nil but for a
	// [Publisher] that wants it. It returns when the message is on its way: no offset of
	// a record that was put before is committed until it has arrived, and one that Kafka
	// does not take fails the task. It is called from one goroutine at a time.
	Publish func(ctx context.Context, m Message) error
	// Failed is the error that ended the task's last run, where the restart policy
	// starts it again; nil for every other start. A plugin may look whether its
	// reason is still there before it does the same again.
	Failed error
	// Preview is that records are only looked at; nil of tasks.
	Preview *Preview
}

// Source brings records from a system into Kafka. One instance is one task.
type Source interface {
	Plugin
	// Start connects. Its context is the task's: it is cancelled when the task
	// stops. An error marked Retriable is tried again with a fresh instance.
	Start(ctx context.Context, c Context, conf Config) error
	// Poll gives the next records, waiting some seconds for them if there are
	// none yet; an empty batch is fine. One that does not return for
	// task.stalled.ms counts as stuck. After an error marked Retriable it is called again
	// and gives the same records. ErrDone ends the task. It returns soon after
	// ctx is cancelled; what it gives then is still delivered.
	Poll(ctx context.Context) ([]SourceRecord, error)
	// Stop releases everything. It is called after Poll has returned, safe
	// twice and without Start.
	Stop() error
}

// Sink takes records from Kafka into a system. One instance is one task.
type Sink interface {
	Plugin
	Start(ctx context.Context, c Context, conf Config) error
	// Put takes a batch; order within a Kafka partition is kept. When it
	// returns nil the records are durable, or will be when a Flusher's Flush
	// returns. After an error marked Retriable it is called again with the
	// same batch, so a duplicate must change nothing.
	Put(ctx context.Context, records []Record) error
	Stop() error
}

// Transform changes one record. It has no effect but its result.
type Transform interface {
	Plugin
	Configure(c Context, conf Config) error
	// Apply gives the changed record; keep false drops it.
	Apply(ctx context.Context, r Record) (out Record, keep bool, err error)
}

// BatchTransform is a Transform that gains from many records at once.
type BatchTransform interface {
	Transform
	// ApplyBatch gives one result per record, in order: one bad record never
	// fails its batch. The slice is not kept.
	ApplyBatch(ctx context.Context, records []Record) []Result
}

// Result is what became of one record of a batch.
type Result struct {
	Record Record
	Keep   bool
	Err    error
}

// StatefulTransform is a Transform with a keyed store. The store belongs to
// the record's input partition, is restored before the first record, and what
// is written becomes durable together with the batch's output. Only stream
// connectors can run it.
type StatefulTransform interface {
	Transform
	// Store describes the store; asked after Configure.
	Store() StoreSpec
	// ApplyStateful is called in place of Apply. After an error nothing that
	// it put is kept.
	ApplyStateful(ctx context.Context, store Store, r Record) (out Record, keep bool, err error)
}

// StoreSpec describes a transform's store.
type StoreSpec struct {
	// Name tells stores of one connector apart; it is part of the changelog
	// topic's name and must not change.
	Name string
	// Retention is how long an entry lives after it was last put; 0 is for ever.
	Retention time.Duration
}

// Store is a keyed store of one partition. It is used from one goroutine.
type Store interface {
	// Get gives a value and whether the key is there. The caller may keep but
	// not change it.
	Get(key []byte) (value []byte, ok bool, err error)
	// Put takes key and value over.
	Put(key, value []byte) error
	Delete(key []byte) error
}

// Predicate decides whether a transform applies to a record.
type Predicate interface {
	Plugin
	Configure(c Context, conf Config) error
	Test(r Record) (bool, error)
}

// Converter turns keys or values into bytes in Kafka and back.
type Converter interface {
	Plugin
	// Configure is told whether it converts keys or values.
	Configure(c Context, conf Config, key bool) error
	// FromConnect gives the bytes of a value; nil is Kafka's null. The schema
	// may be nil. The bytes may be the value's own: nobody changes them.
	FromConnect(ctx context.Context, topic string, schema *Schema, value any) ([]byte, error)
	// ToConnect gives schema and value of the bytes. The bytes are not kept
	// unless the value is a []byte.
	ToConnect(ctx context.Context, topic string, data []byte) (*Schema, any, error)
}

// HeaderConverter turns header values into bytes in Kafka and back.
type HeaderConverter interface {
	Plugin
	ConfigureHeaders(c Context, conf Config) error
	FromConnectHeader(topic, key string, schema *Schema, value any) ([]byte, error)
	ToConnectHeader(topic, key string, data []byte) (*Schema, any, error)
}

// Optional abilities of plugins.
type (
	// TaskSplitter is a Source or Sink that decides how the work is split.
	// Without it a source has one task and a sink tasks.max tasks, each with
	// the connector's own configuration. It is asked on an instance of its
	// own, which is never started.
	TaskSplitter interface {
		TaskConfigs(ctx context.Context, c Context, conf Config, maxTasks int) ([]Props, error)
	}
	// Resplitter is a TaskSplitter whose tasks follow something that changes
	// while they run, such as the datasets of a server. The runtime asks
	// TaskConfigs again as often as ResplitEvery says, never for 0. Where the
	// answer differs from the tasks that run, all are made anew, as by
	// requestTaskReconfiguration in Kafka Connect; after an error they go on.
	Resplitter interface {
		TaskSplitter
		ResplitEvery(conf Config) time.Duration
	}
	// Monitor is a TaskSplitter that watches its system while the connector runs,
	// and has the tasks made anew when they are to be others. It is called on an
	// instance of its own, which is never started, in a goroutine of its own: after
	// TaskConfigs, when the connector starts, is resumed or has another
	// configuration. ctx ends when the connector is paused, stopped or changed.
	// nil is that there is nothing to watch; an error fails the connector, its
	// tasks go on, and the restart policy starts it again by the error's kind.
	Monitor interface {
		TaskSplitter
		// Monitor calls reconfigure, from any goroutine, when TaskConfigs is to be asked
		// again, as requestTaskReconfiguration in Kafka Connect: first once it can see
		// changes, since it has missed those before. A call too many does no harm:
		// tasks are made anew only where the answer differs, and go on after an error,
		// until asking again succeeds.
		Monitor(ctx context.Context, c Context, conf Config, reconfigure func()) error
	}
	// Validator checks across keys what a ConfigDef cannot. It reports with
	// [Problems.Add], does no I/O and gets a configuration whose single keys
	// may have errors already. Config.Props of a source or sink has all keys of
	// the connector, with the worker's converters where it chooses none.
	Validator interface {
		Validate(conf Config, p *Problems)
	}
	// Flusher is a Sink that buffers. The runtime commits offsets only after
	// Flush has returned nil.
	Flusher interface {
		Flush(ctx context.Context) error
	}
	// Batcher is a Sink that writes best many records at once. Asked once, after
	// Start, it says how many a Put is to have, and how long the first record of
	// them may wait for the others; what one poll of Kafka brings is no less.
	Batcher interface {
		Batch() (records int, linger time.Duration)
	}
	// PreCommitter is a Sink that says itself which offsets may be committed, such
	// as one that writes files and finishes one at a time. It is asked whenever
	// offsets are to be committed, in place of Flush, from the goroutine of Put.
	PreCommitter interface {
		// PreCommit is given the next offset of each partition, behind the last
		// record that the sink has taken, and gives those before which everything is
		// durable. What it leaves out is not committed now; nothing is committed of
		// an offset beyond the one it was given. Offsets are those of the topics that
		// were read, as in [Origin], whatever transforms have made of the records.
		PreCommit(ctx context.Context, current map[TopicPartition]int64) (map[TopicPartition]int64, error)
	}
	// OffsetKeeper is a Sink whose system has the offsets, too, beside what they are
	// of. It is told of them before they are committed, from the goroutine of Put.
	OffsetKeeper interface {
		// KeepOffsets is given the next offsets of partitions in which something was
		// done since the last commit: all before them the sink has taken, or it never
		// comes to it, since transforms dropped it or its dead letter has arrived. After
		// an error nothing is committed.
		KeepOffsets(ctx context.Context, next map[TopicPartition]int64) error
	}
	// Publisher is a Sink that sends messages to Kafka, such as what a service answers.
	// It is asked before Start; with true the context of Start has Publish.
	Publisher interface {
		Publishes(conf Config) bool
	}
	// TopicNamer is a Source or Sink that names topics which it writes to, beside the one
	// that a source's key "topic" gives: hydraulics doctor looks at them. It is called on
	// an instance of its own, which is never started.
	TopicNamer interface {
		Topics(c Context, conf Config) []string
	}
	// PartitionListener is a Sink that wants to know its partitions.
	PartitionListener interface {
		Open(partitions []TopicPartition) error
		Close(partitions []TopicPartition) error
	}
	// RecordCommitter is a Source that wants to know when a record is through:
	// acknowledged by Kafka, or dropped or tolerated (meta is nil then).
	RecordCommitter interface {
		CommitRecord(ctx context.Context, r SourceRecord, meta *RecordMetadata) error
	}
	// Committer is a Source that wants to know that offsets were committed.
	Committer interface {
		Commit(ctx context.Context) error
	}
	// OffsetAlterer is a Source that looks at offsets before people change them
	// over the REST API, which they can while the connector is stopped; a nil
	// Offset resets one. It is called on an instance of its own, which is never
	// started, and may be called again with the same. An error refuses all of them; nil
	// also says that no offsets are kept outside, or that those were changed, too.
	OffsetAlterer interface {
		AlterOffsets(ctx context.Context, c Context, conf Config, offsets []SourceOffset) error
	}
	// TopicOffsetAlterer is the same of a Sink, whose offsets are those of its
	// consumer group: nil resets one, and no partition at all stands for all that
	// there are, whether the group has an offset of them or not. It is called when
	// Kafka has changed them; after an error they are put back there.
	TopicOffsetAlterer interface {
		AlterTopicOffsets(ctx context.Context, c Context, conf Config, offsets map[TopicPartition]*int64) error
	}
	// Closer is a Transform, Predicate or Converter that holds resources.
	Closer interface {
		Close() error
	}
)

// Message is what a sink sends to Kafka, as bytes.
type Message struct {
	Topic      string
	Key, Value []byte // nil is null
}

// SourceOffset is the offset of one source partition. All numbers in it are
// json.Number.
type SourceOffset struct {
	Partition map[string]any
	Offset    map[string]any // nil is none
}

// OffsetReader reads the committed offsets of a connector's source partitions.
type OffsetReader interface {
	// Offset gives the offset of one source partition, nil without one. All
	// numbers in it are json.Number.
	Offset(ctx context.Context, partition map[string]any) (map[string]any, error)
}

// SinkContext steers the partitions of a sink's task: those of the topics that are
// read. It is safe from any goroutine and does not block. What is asked for in a
// call of the sink counts before the next one, and otherwise soon; a partition
// that is not assigned to the task is an error.
type SinkContext interface {
	// Assignment gives the partitions that the task has now, sorted.
	Assignment() []TopicPartition
	// Pause keeps records of partitions from the sink until Resume, also over a
	// rebalance that leaves them with the task. Other partitions go on.
	Pause(partitions ...TopicPartition) error
	Resume(partitions ...TopicPartition) error
	// Seek has a partition go on with the record at an offset, also one that came
	// before; it is committed as what comes next. In Open a sink goes on with it
	// where its system is.
	Seek(partition TopicPartition, offset int64) error
	// RequestCommit has offsets committed soon, before offset.flush.interval.ms is
	// over.
	RequestCommit()
}

// ErrantReporter takes records that a sink could not write.
type ErrantReporter interface {
	// Report hands over one record and why. It returns nil when the record is
	// on its way to the dead-letter topic or is tolerated; the runtime commits
	// no offset past the record before it has arrived there.
	Report(ctx context.Context, r Record, cause error) error
	// Wait returns when all that was reported has arrived, as the futures of Kafka
	// Connect's reporter do: for a sink that keeps offsets itself.
	Wait(ctx context.Context) error
}

// Metrics makes named metrics. Labels are alternating names and values; the
// runtime adds connector and task. Asking twice for the same name and labels
// gives the same metric. Names are in base units: _seconds, _bytes, _total.
type Metrics interface {
	Counter(name, help string, labels ...string) Counter
	Gauge(name, help string, labels ...string) Gauge
	Histogram(name, help string, buckets []float64, labels ...string) Histogram
}

// Counter only grows.
type Counter interface{ Add(n float64) }

// Gauge is a value that goes up and down.
type Gauge interface{ Set(v float64) }

// Histogram counts observations in buckets.
type Histogram interface{ Observe(v float64) }
