package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/registry"
	"github.com/axiom-data-science/hydraulics/internal/test/bench/loop"
)

const stringConverter = "org.apache.kafka.connect.storage.StringConverter"

// side is who takes a lane.
type side struct {
	name string
	java bool
	loop bool
	// workers is how many it has, where that is what differs.
	workers int
	// config is what its connector has beside that of the lane.
	config map[string]string
}

// lane is work that each side does.
type lane struct {
	name    string
	sides   []side // hydraulics first
	prepare func(ctx context.Context) error
	take    func(ctx context.Context, s side) (cost, error)
}

var (
	ours   = side{name: "hydraulics"}
	theirs = side{name: "Java", java: true}
	// tunedSource is Java's worker as those set it who know it well.
	tunedSource = side{name: "Java, tuned", java: true, config: map[string]string{"batch.size": "10000", "producer.override.batch.size": "262144",
		"producer.override.linger.ms": "5", "producer.override.max.in.flight.requests.per.connection": "5"}}
)

// hoist are the transforms of Kafka Connect on each line.
var hoist = map[string]string{
	"transforms":            "hoist,insert,cast,replace",
	"transforms.hoist.type": "org.apache.kafka.connect.transforms.HoistField$Value", "transforms.hoist.field": "line",
	"transforms.insert.type": "org.apache.kafka.connect.transforms.InsertField$Value", "transforms.insert.static.field": "n", "transforms.insert.static.value": "42",
	"transforms.cast.type": "org.apache.kafka.connect.transforms.Cast$Value", "transforms.cast.spec": "n:int32",
	"transforms.replace.type": "org.apache.kafka.connect.transforms.ReplaceField$Value", "transforms.replace.renames": "line:message",
}

func (b *bench) lanes() []lane {
	in := filepath.Join(b.dir, "lines.txt")
	write := func(context.Context) error { return writeLines(in, b.lines, 100) }
	source := func(more map[string]string) func(ctx context.Context, s side) (cost, error) {
		return func(ctx context.Context, s side) (cost, error) { return b.source(ctx, s, in, more) }
	}
	var lines string
	return []lane{
		{fmt.Sprintf("file to topic, %d lines of 100 bytes", b.lines), []side{ours, theirs, tunedSource}, write, source(nil)},
		{fmt.Sprintf("file to topic, four transforms, %d lines of 100 bytes", b.lines), []side{ours, theirs}, write, source(hoist)},
		{fmt.Sprintf("topic to file, %d records of 100 bytes", b.lines), []side{ours, theirs},
			func(ctx context.Context) (err error) {
				lines, err = b.topics.fill(ctx, "lines", b.lines, 1, texts(100))
				return err
			},
			func(ctx context.Context, s side) (cost, error) { return b.sink(ctx, s, lines) }},
		b.copies("String", loop.Text, nil),
		b.copies("Avro", loop.Avro, map[string]string{"input.value.converter": "avro", "input.value.converter.schema.registry.url": b.registry,
			"value.converter": "avro", "value.converter.schema.registry.url": b.registry}),
		{"cold start, until the REST API answers", []side{ours, theirs}, nil, b.cold},
		{fmt.Sprintf("idle, %d file sources at the end of their files, CPU of %v", idleSources, idleFor), []side{ours, theirs}, nil, b.idle},
	}
}

// copies is a lane between two topics. Java's worker takes bytes, the others read and
// write each value.
func (b *bench) copies(name, values string, converters map[string]string) lane {
	var in string
	few := b.lines / 5
	return lane{fmt.Sprintf("topic to topic, %d records of 1 KB, %s", few, name),
		[]side{ours, {name: "Java, MirrorSourceConnector", java: true}, {name: "a bare franz-go loop", loop: true}},
		func(ctx context.Context) (err error) {
			value := texts(1 << 10)
			if values == loop.Avro {
				if value, err = b.readings(ctx, 1<<10); err != nil {
					return err
				}
			}
			in, err = b.topics.fill(ctx, "large", few, 1, value)
			return err
		},
		func(ctx context.Context, s side) (cost, error) { return b.copy(ctx, s, in, few, values, converters) }}
}

// readings gives Avro values of a size, their schema registered.
func (b *bench) readings(ctx context.Context, size int) (func(i int) ([]byte, error), error) {
	client, err := registry.New(registry.Options{URLs: []string{b.registry}})
	if err != nil {
		return nil, err
	}
	defer client.Close()
	schema, err := client.Register(ctx, "readings", loop.Schema)
	if err != nil {
		return nil, err
	}
	return loop.Values(uint32(schema.ID), size)
}

// settle is how long a worker has rest before it is given something to do.
const settle = 2 * time.Second

// journey times a connector of a worker from its creation until done, all its records
// being through.
func (b *bench) journey(ctx context.Context, s side, records int, config map[string]string, done func() (bool, error)) (cost, error) {
	w, _, err := b.worker(ctx, s)
	if err != nil {
		return cost{}, err
	}
	defer w.stop()
	time.Sleep(settle)
	config = maps.Clone(config)
	maps.Copy(config, s.config)
	asked := time.Now()
	return w.timed(ctx, records, func() error { return w.create(ctx, "bench", config) }, func() (bool, error) {
		if time.Since(asked) > time.Second {
			asked = time.Now()
			if _, err := w.spread(); err != nil { // a task has failed
				return false, err
			}
		}
		return done()
	})
}

// timed gives the cost of something from its begin until done. The peak of memory
// is that since the process began.
func (p *process) timed(ctx context.Context, records int, begin func() error, done func() (bool, error)) (cost, error) {
	before, err := p.cost()
	if err != nil {
		return cost{}, err
	}
	began := time.Now()
	if err := begin(); err != nil {
		return cost{}, err
	}
	if err := p.await(ctx, "the last record", 10*time.Millisecond, done); err != nil {
		return cost{}, err
	}
	took := time.Since(began)
	c, err := p.cost()
	c.records, c.took, c.cpu = records, took, c.cpu-before.cpu
	return c, err
}

// source takes a file to a topic.
func (b *bench) source(ctx context.Context, s side, in string, more map[string]string) (cost, error) {
	topic := b.topics.name("source")
	if err := b.topics.create(ctx, topic); err != nil {
		return cost{}, err
	}
	config := map[string]string{"connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector", "tasks.max": "1", "file": in, "topic": topic}
	maps.Copy(config, more)
	return b.journey(ctx, s, b.lines, config, func() (bool, error) { return b.topics.holds(ctx, topic, b.lines) })
}

// sink takes a topic to a file.
func (b *bench) sink(ctx context.Context, s side, topic string) (cost, error) {
	out := filepath.Join(b.dir, "out.txt")
	if err := os.RemoveAll(out); err != nil {
		return cost{}, err
	}
	want := int64(b.lines) * 101
	config := map[string]string{"connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector", "tasks.max": "1", "file": out, "topics": topic,
		"consumer.override.group.id": fmt.Sprintf("bench-%d", time.Now().UnixNano())}
	return b.journey(ctx, s, b.lines, config, func() (bool, error) {
		info, err := os.Stat(out)
		if os.IsNotExist(err) {
			return false, nil
		}
		return err == nil && info.Size() >= want, err
	})
}

// copy takes a topic to another one.
func (b *bench) copy(ctx context.Context, s side, in string, n int, values string, converters map[string]string) (cost, error) {
	alias := fmt.Sprintf("copy%d", time.Now().UnixNano())
	out := alias + "." + in // as MirrorSourceConnector names it
	if err := b.topics.create(ctx, out); err != nil {
		return cost{}, err
	}
	done := func() (bool, error) { return b.topics.holds(ctx, out, n) }
	switch {
	case s.loop:
		return b.loop(ctx, in, out, n, values, done)
	case s.java:
		return b.journey(ctx, s, n, map[string]string{"connector.class": "org.apache.kafka.connect.mirror.MirrorSourceConnector", "tasks.max": "1",
			"source.cluster.alias": alias, "target.cluster.alias": "bench", "topics": in,
			"source.cluster.bootstrap.servers": b.broker, "target.cluster.bootstrap.servers": b.broker,
			"replication.factor": "1", "offset-syncs.topic.replication.factor": "1", "sync.topic.acls.enabled": "false",
			"key.converter": "org.apache.kafka.connect.converters.ByteArrayConverter", "value.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
		}, done)
	}
	config := map[string]string{"connector.class": "stream", "topics": in, "topic": out, "consumer.override.group.id": alias}
	maps.Copy(config, converters)
	return b.journey(ctx, s, n, config, done)
}

// loop is the copy of a program of one's own.
func (b *bench) loop(ctx context.Context, in, out string, n int, values string, done func() (bool, error)) (cost, error) {
	self, err := os.Executable()
	if err != nil {
		return cost{}, err
	}
	dir, err := os.MkdirTemp(b.dir, "loop-")
	if err != nil {
		return cost{}, err
	}
	cmd := exec.Command(self)
	cmd.Env = loop.Environment(b.broker, in, out, values)
	p, err := start(dir, cmd)
	if err != nil {
		return cost{}, err
	}
	defer p.stop()
	return p.timed(ctx, n, func() error { return nil }, done)
}

// cold starts a worker with all plugins.
func (b *bench) cold(ctx context.Context, s side) (cost, error) {
	w, took, err := b.worker(ctx, s)
	if err != nil {
		return cost{}, err
	}
	defer w.stop()
	c, err := w.cost()
	c.took = took
	return c, err
}

const (
	idleSources = 100
	// idleAfter is how long after the last of them runs the CPU is measured.
	idleAfter = 10 * time.Second
	idleFor   = 30 * time.Second
)

// idle has a worker follow files to which nothing comes.
func (b *bench) idle(ctx context.Context, s side) (cost, error) {
	topic := b.topics.name("idle")
	if err := b.topics.create(ctx, topic); err != nil {
		return cost{}, err
	}
	w, _, err := b.worker(ctx, s)
	if err != nil {
		return cost{}, err
	}
	defer w.stop()
	for i := range idleSources {
		name := fmt.Sprintf("idle-%d", i)
		file := filepath.Join(w.cmd.Dir, name+".txt")
		if err := writeLines(file, 10, 100); err != nil {
			return cost{}, err
		}
		if err := w.create(ctx, name, map[string]string{"connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
			"tasks.max": "1", "file": file, "topic": topic}); err != nil {
			return cost{}, err
		}
	}
	for i := range idleSources {
		if err := w.await(ctx, "its running", 50*time.Millisecond, func() (bool, error) { return w.running(fmt.Sprintf("idle-%d", i)) }); err != nil {
			return cost{}, err
		}
	}
	if err := w.await(ctx, "the last line", 50*time.Millisecond, func() (bool, error) { return b.topics.holds(ctx, topic, 10*idleSources) }); err != nil {
		return cost{}, err
	}
	time.Sleep(idleAfter)
	before, err := w.cost()
	if err != nil {
		return cost{}, err
	}
	time.Sleep(idleFor)
	c, err := w.cost()
	if err != nil {
		return cost{}, err
	}
	status, err := w.stat.NewStatus()
	if err != nil {
		return cost{}, err
	}
	c.cpu, c.memory = c.cpu-before.cpu, status.VmRSS
	c.descriptors, err = w.stat.FileDescriptorsLen()
	return c, err
}
