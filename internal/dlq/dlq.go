// Package dlq makes dead letters: records that a connector could not process,
// as they were, with headers that say where and why, as Kafka Connect writes
// them.
package dlq

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// prefix starts the name of every header that a dead letter gets.
const prefix = "__connect.errors."

// The headers, without their prefix. The last three are ours: records of
// sources come from no place in Kafka, and a value that Kafka refuses for its
// size is left out.
const (
	Topic           = "topic"
	Partition       = "partition"
	Offset          = "offset"
	Connector       = "connector.name"
	Task            = "task.id"
	Stage           = "stage"
	Class           = "class.name"
	Exception       = "exception.class.name"
	Message         = "exception.message"
	Stacktrace      = "exception.stacktrace"
	SourcePartition = "source.partition"
	SourceOffset    = "source.offset"
	Omitted         = "value.omitted.bytes"
)

// clipped is how many bytes of an error's text are in a letter whose value was
// too large.
const clipped = 4096

// Failure is where and why a record failed.
type Failure struct {
	Connector string
	Task      int
	Stage     string // in Kafka Connect's words: VALUE_CONVERTER, TASK_PUT, ...
	Class     string // of the plugin
	Cause     error  // what the plugin said
	Trace     string // the same with its place
	// SourcePartition and SourceOffset are JSON, of a source's record only.
	SourcePartition, SourceOffset string
	// OmittedBytes is the size of a value that was too large for the letter.
	OmittedBytes int
}

// headers gives the context headers of a dead letter. original is the record as
// it was read from Kafka; of a source's record only the topic counts.
func (f Failure) headers(original kafka.Message) []kafka.Header {
	var list []kafka.Header
	add := func(name, value string) {
		list = append(list, kafka.Header{Key: prefix + name, Value: []byte(value)})
	}
	add(Topic, original.Topic)
	if f.SourcePartition == "" {
		add(Partition, strconv.Itoa(int(original.Partition)))
		add(Offset, strconv.FormatInt(original.Offset, 10))
	} else {
		add(SourcePartition, f.SourcePartition)
		add(SourceOffset, f.SourceOffset)
	}
	add(Connector, f.Connector)
	add(Task, strconv.Itoa(f.Task))
	add(Stage, f.Stage)
	add(Class, f.Class)
	add(Exception, exception(f.Cause))
	message, trace := f.Cause.Error(), f.Trace
	if f.OmittedBytes > 0 { // errors may quote the value
		message, trace = message[:min(len(message), clipped)], trace[:min(len(trace), clipped)]
		add(Omitted, strconv.Itoa(f.OmittedBytes))
	}
	add(Message, message)
	add(Stacktrace, trace)
	return list
}

// exception names the class that Kafka Connect would have thrown, which is what
// tools that read dead letters group by. An error may know it itself.
func exception(err error) string {
	var known interface{ Exception() string }
	if errors.As(err, &known) {
		return known.Exception()
	}
	const pkg = "org.apache.kafka.connect.errors."
	switch connector.KindOf(err) {
	case connector.KindRetriable:
		return pkg + "RetriableException"
	case connector.KindFatal:
		return pkg + "ConnectException"
	}
	return pkg + "DataException"
}

// producer is what a writer needs of a Kafka producer.
type producer interface {
	Send(ctx context.Context, m kafka.Message, done func(connector.RecordMetadata, error)) error
}

// Options say where dead letters go.
type Options struct {
	Topic       string
	Replication int16 // of a topic that is created; -1 is the broker's default
	Context     bool  // write the context headers
	Create      func(ctx context.Context, spec kafka.TopicSpec) error
}

// Writer writes dead letters to a topic, which it creates with one partition
// if it is not there.
type Writer struct {
	producer producer
	options  Options
}

// NewWriter makes a writer.
func NewWriter(p producer, o Options) *Writer { return &Writer{producer: p, options: o} }

// Write sends one dead letter; [Writer.Create] comes before the first. done is
// called once when it has arrived or could not, from the producer's goroutine;
// not at all when Write fails.
func (w *Writer) Write(ctx context.Context, original kafka.Message, f Failure, done func(error)) error {
	letter := kafka.Message{Topic: w.options.Topic, Partition: connector.AnyPartition, Key: original.Key, Value: original.Value,
		Headers: original.Headers[:len(original.Headers):len(original.Headers)], Timestamp: original.Timestamp}
	if w.options.Context || f.OmittedBytes > 0 {
		letter.Headers = append(letter.Headers, f.headers(original)...)
	}
	return w.producer.Send(ctx, letter, func(_ connector.RecordMetadata, err error) {
		if err != nil {
			err = fmt.Errorf("dead-letter topic %s: %w", w.options.Topic, err)
		}
		done(err)
	})
}

// Create makes sure that the topic is there.
func (w *Writer) Create(ctx context.Context) error {
	err := w.options.Create(ctx, kafka.TopicSpec{Name: w.options.Topic, Partitions: 1, Replication: w.options.Replication})
	if err != nil {
		return fmt.Errorf("dead-letter topic %s (errors.deadletterqueue.topic.replication.factor=%d): %w", w.options.Topic, w.options.Replication, err)
	}
	return nil
}

// Read gives the context headers of a dead letter by name, without the prefix.
// Where a record died more than once the last letter counts.
func Read(m kafka.Message) map[string]string {
	found := map[string]string{}
	for _, h := range m.Headers {
		if name, ok := strings.CutPrefix(h.Key, prefix); ok {
			found[name] = string(h.Value)
		}
	}
	return found
}
