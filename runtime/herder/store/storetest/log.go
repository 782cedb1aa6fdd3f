package storetest

import (
	"context"
	"fmt"
	"sync"

	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/herder/store"
)

// Topic is a list of records in memory, encoded as in Kafka Connect's
// configuration topic. It outlives the logs that are opened on it.
type Topic struct {
	mu      sync.Mutex
	changed sync.Cond
	records []record
}

type record struct {
	key   string
	value []byte
}

// NewTopic makes an empty topic.
func NewTopic() *Topic {
	t := new(Topic)
	t.changed.L = &t.mu
	return t
}

// Log is a store on a topic: what is appended comes back from a goroutine that
// reads the topic in order, as from Kafka.
type Log struct {
	topic  *Topic
	read   int // records, guarded by the topic's lock
	failed error
	closed bool
	done   chan struct{}

	mu    sync.Mutex
	state store.State
	tell  func(store.Record)
}

// Open reads a topic to its end, puts the connectors of a worker's files into
// it, and goes on reading in a goroutine that Close ends.
func (t *Topic) Open(managed ...config.Connector) (*Log, error) {
	l := &Log{topic: t, done: make(chan struct{})}
	go l.run()
	t.mu.Lock()
	err := l.toEnd()
	t.mu.Unlock()
	for _, c := range managed {
		if err == nil {
			err = l.Append(context.Background(), store.ConnectorConfig{Connector: c.Name, Config: c.Entries.Props()})
		}
	}
	return l, err
}

// Manage does nothing: a topic keeps the connectors of files, too.
func (l *Log) Manage([]config.Connector) {}

// Close ends the goroutine.
func (l *Log) Close() {
	l.topic.mu.Lock()
	l.closed = true
	l.topic.changed.Broadcast()
	l.topic.mu.Unlock()
	<-l.done
}

func (l *Log) run() {
	defer close(l.done)
	l.topic.mu.Lock()
	defer l.topic.mu.Unlock()
	for !l.closed {
		if l.read == len(l.topic.records) {
			l.topic.changed.Wait()
			continue
		}
		next := l.topic.records[l.read]
		l.topic.mu.Unlock()
		err := l.apply(next)
		l.topic.mu.Lock()
		l.failed = err
		l.read++
		l.topic.changed.Broadcast()
	}
}

func (l *Log) apply(next record) error {
	r, err := store.Decode(next.key, next.value)
	if err != nil {
		return err
	}
	l.mu.Lock()
	told, tell := l.state.Apply(r), l.tell
	l.mu.Unlock()
	if told && tell != nil {
		tell(r)
	}
	return nil
}

// toEnd waits until the log has read what is in the topic by now. The caller
// holds the topic's lock.
func (l *Log) toEnd() error {
	for end := len(l.topic.records); l.read < end && !l.closed; {
		l.topic.changed.Wait()
	}
	return l.failed
}

// Append writes records to the topic and waits until they were read.
func (l *Log) Append(_ context.Context, records ...store.Record) error {
	var list []record
	for _, r := range records {
		key, value, err := store.Encode(r)
		if err != nil {
			return fmt.Errorf("encode: %w", err)
		}
		list = append(list, record{key, value})
	}
	l.topic.mu.Lock()
	defer l.topic.mu.Unlock()
	l.topic.records = append(l.topic.records, list...)
	l.topic.changed.Broadcast()
	return l.toEnd()
}

// Listen has tell hear of every record from now on.
func (l *Log) Listen(tell func(store.Record)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tell = tell
}

// Connectors gives the names of all connectors.
func (l *Log) Connectors() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state.Connectors()
}

// Connector gives what is wanted of a connector.
func (l *Log) Connector(name string) (store.Connector, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state.Connector(name)
}
