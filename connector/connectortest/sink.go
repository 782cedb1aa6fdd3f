package connectortest

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// SinkCase describes a sink to [Sink].
type SinkCase struct {
	New func() connector.Sink
	// System makes a new, empty system that the sink writes to.
	System func(t testing.TB) SinkSystem
	// Record gives the nth record, n from 0 to 99. The suite puts it in its place
	// in Kafka: partition, offset and origin.
	Record func(n int) connector.Record
	// Item gives what the system is to hold of a record, in the words of
	// [SinkSystem.Held]: a line, a row, the body of a request. It differs between
	// records, and is empty for one that leaves nothing, such as a tombstone.
	Item func(r connector.Record) string
	// Key gives what a sink that upserts knows a record by: of two with the same
	// key the later one is held, and a record that comes again changes nothing.
	// A sink that appends leaves it nil: what comes again may be held again.
	Key func(r connector.Record) string
	// KnownFailures are cases of the suite that the sink fails, with the reason.
	KnownFailures map[string]string
}

// SinkSystem is a system that a sink writes to, and the test's hand on it.
type SinkSystem struct {
	// Props configure a sink for this system.
	Props connector.Props
	// Held reads back what the system holds, one item per record; of a sink that
	// appends in the order of arrival.
	Held func() []string
	// Break, where it can be done, makes the system refuse everything, as if it
	// was away, until mend is called.
	Break func() (mend func())
	// Hang, where it can be done, makes the system take what is sent and not
	// answer until release is called.
	Hang func() (release func())
}

// Sink checks the promises of a sink, which package connector's comments make
// and doc.go of this package lists.
func Sink(t *testing.T, c SinkCase) { suite(t, c.KnownFailures, c.promises()) }

func (c SinkCase) promises() []promise {
	return []promise{
		{"describes itself", func(t testing.TB) { Plugin(t, c.New()) }},
		{"stops twice and without a start", c.stops},
		{"holds what was put", c.holds},
		{"an empty batch changes nothing", c.empty},
		{"leaves records as they are", c.leaves},
		{"the next task goes on", c.next},
		{"records that come again are not lost or mixed up", c.again},
		{"an outage loses nothing", c.outage},
		{"a cancelled Put loses nothing", c.cancelled},
		{"a hanging Put ends with its context", c.hanging},
		{"a rebalance loses nothing", c.rebalance},
		{"what may be committed is held", c.chooses},
		{"a preview writes nothing", c.previews},
		{"leaves no goroutine", c.goroutines},
	}
}

// manyRecords is how many records a case has, partitionCount over how many Kafka partitions.
const manyRecords, partitionCount = 100, 3

// records are all records of a case, each in its place in Kafka. A key has one
// partition: between partitions there is no order.
func (c SinkCase) records(t testing.TB) []connector.Record {
	t.Helper()
	records := make([]connector.Record, manyRecords)
	var next [partitionCount]int64
	items := map[string]int{}
	for n := range records {
		r := c.Record(n)
		p := int32(n % partitionCount)
		if c.Key != nil {
			h := fnv.New32a()
			_, _ = h.Write([]byte(c.Key(r)))
			p = int32(h.Sum32() % partitionCount)
		}
		r.Partition, r.Origin = p, connector.Origin{Topic: r.Topic, Partition: p, Offset: next[p]}
		next[p]++
		records[n] = r
		if item := c.Item(r); item != "" {
			if other, taken := items[item]; taken && c.Key == nil {
				t.Fatalf("the case does not tell records %d and %d apart: both are %q", other, n, item)
			}
			items[item] = n
		}
	}
	if len(items) < 2 {
		t.Fatal("the records of the case leave less than two items in the system")
	}
	return records
}

// running is a sink at work and what it was given.
type running struct {
	t      testing.TB
	c      SinkCase
	system SinkSystem
	sink   connector.Sink

	reporter   *Reporter
	partitions *Partitions
	taken      map[connector.TopicPartition]int64 // the next offsets of what was put
	safe       map[connector.TopicPartition]int64 // and of what a PreCommitter has chosen of it
}

func (c SinkCase) start(t testing.TB, system SinkSystem) running {
	t.Helper()
	s := c.New()
	t.Cleanup(func() { _ = s.Stop() })
	ctx, reporter, partitions := Context(t), new(Reporter), new(Partitions)
	ctx.Reporter, ctx.Sink = reporter, partitions
	conf := configure(t, &ctx, s, system.Props)
	if err := s.Start(t.Context(), ctx, conf); err != nil {
		t.Fatalf("start: %v", err)
	}
	return running{t, c, system, s, reporter, partitions, map[connector.TopicPartition]int64{}, map[connector.TopicPartition]int64{}}
}

// put puts records in batches of growing size.
func (r running) put(records []connector.Record) {
	r.t.Helper()
	for size := 1; len(records) > 0; size *= 3 {
		n := min(size, len(records))
		r.deliver(records[:n])
		records = records[n:]
	}
}

// deliver puts a batch, again after a retriable error as the runtime does.
func (r running) deliver(batch []connector.Record) {
	r.t.Helper()
	r.retry("put", func() error { return r.offer(r.t.Context(), batch) })
}

// offer puts a batch once, from where the sink has asked for its partitions.
func (r running) offer(ctx context.Context, batch []connector.Record) error {
	assigned := r.partitions.Assignment()
	var opened []connector.TopicPartition
	for _, rec := range batch {
		if tp := readFrom(rec); !slices.Contains(assigned, tp) && !slices.Contains(opened, tp) {
			opened = append(opened, tp)
		}
	}
	if len(opened) > 0 {
		r.listen(opened, nil)
	}
	_, seeks, _ := r.partitions.Asked()
	if before := func(rec connector.Record) bool { return rec.Origin.Offset < seeks[readFrom(rec)] }; slices.ContainsFunc(batch, before) {
		batch = slices.DeleteFunc(slices.Clone(batch), before)
	}
	err := r.sink.Put(ctx, batch)
	for _, rec := range batch {
		if err == nil {
			r.taken[readFrom(rec)] = rec.Origin.Offset + 1
		}
	}
	return err
}

// flush makes durable what was put.
func (r running) flush() {
	r.t.Helper()
	r.retry("flush", func() error { return r.settle(r.t.Context()) })
}

func (r running) retry(what string, do func() error) {
	r.t.Helper()
	for until := time.Now().Add(patience); ; {
		err := do()
		if err == nil {
			return
		}
		if connector.KindOf(err) != connector.KindRetriable || time.Now().After(until) {
			r.t.Fatalf("%s: %v (%s)", what, err, connector.KindOf(err))
		}
		time.Sleep(time.Millisecond) // the system takes a moment to be there again
	}
}

func (r running) stop() {
	r.t.Helper()
	stopTwice(r.t, r.sink)
}

func (c SinkCase) stops(t testing.TB) {
	stopTwice(t, c.New())
	r := c.start(t, c.System(t))
	r.stop()
}

// holds reads before Stop: what was put and flushed is durable, whatever becomes
// of the process then.
func (c SinkCase) holds(t testing.TB) {
	records := c.records(t)
	r := c.start(t, c.System(t))
	r.flush() // nothing
	r.put(records)
	r.flush()
	r.flush()
	c.check(t, "before Stop", r.system, records, once)
	r.stop()
	c.check(t, "after Stop", r.system, records, once)
}

func (c SinkCase) empty(t testing.TB) {
	records := c.records(t)
	r := c.start(t, c.System(t))
	r.deliver(nil)
	r.flush()
	if held := r.system.Held(); len(held) > 0 {
		t.Errorf("after an empty batch the system holds %q", held)
	}
	r.put(records)
	r.deliver([]connector.Record{})
	r.flush()
	c.check(t, "after an empty batch", r.system, records, once)
}

func (c SinkCase) leaves(t testing.TB) {
	records := c.records(t)
	handed, before := copyRecords(records), copyRecords(records)
	r := c.start(t, c.System(t))
	r.deliver(handed)
	r.flush()
	r.stop()
	for i := range before {
		if !sameRecord(handed[i], before[i]) {
			t.Fatalf("record %d was changed: %+v, put was %+v", i, handed[i], before[i])
		}
	}
}

func (c SinkCase) next(t testing.TB) {
	records := c.records(t)
	system := c.System(t)
	for _, part := range [][]connector.Record{records[:30], records[30:60], records[60:]} {
		r := c.start(t, system)
		r.put(part)
		r.flush()
		r.stop()
	}
	c.check(t, "three tasks after each other", system, records, once)
}

// again is what follows a crash: what was not committed is put again, by another
// task and in other batches.
func (c SinkCase) again(t testing.TB) {
	records := c.records(t)
	system := c.System(t)
	r := c.start(t, system)
	r.put(records[:70])
	r.flush()
	r.deliver(records[60:70]) // a batch whose answer was lost
	r.flush()
	r.put(records[70:90])
	r.stop() // nothing of this was flushed
	r = c.start(t, system)
	r.put(records[40:])
	r.flush()
	c.check(t, "records 40 to 89 put again", system, records, atLeastOnce)
}

func (c SinkCase) outage(t testing.TB) {
	records := c.records(t)
	r := c.start(t, c.System(t))
	if r.system.Break == nil {
		t.Skip("the case has no way to break the system")
	}
	r.put(records[:30])
	r.flush()
	for _, batch := range [][]connector.Record{records[30:40], records[40:70]} {
		mend := r.system.Break()
		taken := false
		for range 2 {
			err := r.offer(t.Context(), batch)
			if taken = err == nil; taken {
				err = r.settle(t.Context())
			}
			if err == nil {
				mend()
				t.Fatal("the system is away, and the sink says that the records are durable")
			}
			if k := connector.KindOf(err); k != connector.KindRetriable {
				mend()
				t.Fatalf("an outage is not retriable but %s: %v", k, err)
			}
		}
		mend()
		if !taken { // else only the flush is called again
			r.deliver(batch)
		}
		r.flush()
	}
	r.put(records[70:])
	r.flush()
	if reported, causes := r.reporter.Reported(); len(reported) > 0 {
		t.Errorf("an outage is blamed on %d records, which would be dead-lettered: %v", len(reported), causes[0])
	}
	c.check(t, "after two outages", r.system, records, atLeastOnce)
}

func (c SinkCase) cancelled(t testing.TB) {
	records := c.records(t)
	r := c.start(t, c.System(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.put(records[:30])
	var err error
	within(t, "a cancelled Put", func() { err = r.offer(ctx, records[30:60]) })
	if err != nil { // else it has them
		r.deliver(records[30:60])
	}
	r.put(records[60:])
	r.flush()
	c.check(t, "after a cancelled Put", r.system, records, atLeastOnce)
}

func (c SinkCase) hanging(t testing.TB) {
	records := c.records(t)
	r := c.start(t, c.System(t))
	if r.system.Hang == nil {
		t.Skip("the case has no way to make the system hang")
	}
	r.put(records[:30])
	r.flush()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := r.hang(ctx, cancel, records[30:60])
	if err == nil && ctx.Err() != nil {
		c.check(t, "a Put that hung and says it is through", r.system, records[:60], atLeastOnce)
	}
	r.deliver(records[30:60])
	r.put(records[60:])
	r.flush()
	c.check(t, "after a Put that hung", r.system, records, atLeastOnce)
}

// hang puts a batch while the system hangs, and cancels it there.
func (r running) hang(ctx context.Context, cancel context.CancelFunc, batch []connector.Record) (err error) {
	r.t.Helper()
	release := r.system.Hang()
	defer release()
	defer time.AfterFunc(grace, cancel).Stop()
	within(r.t, "a hanging Put whose context was cancelled", func() {
		if err = r.offer(ctx, batch); err == nil {
			err = r.settle(ctx)
		}
	})
	return err
}

// rebalance has two tasks share the partitions: one gives two of three up, flushed,
// then another one without a flush, as when it lost it.
func (c SinkCase) rebalance(t testing.TB) {
	records := c.records(t)
	var of [partitionCount][]connector.Record
	var tps [partitionCount]connector.TopicPartition
	for _, r := range records {
		p := r.Partition
		of[p] = append(of[p], r)
		tps[p] = connector.TopicPartition{Topic: r.Topic, Partition: p}
	}
	half := func(p int) ([]connector.Record, []connector.Record) { n := len(of[p]) / 2; return of[p][:n], of[p][n:] }
	first0, rest0 := half(0)
	first1, rest1 := half(1)
	first2, rest2 := half(2)
	system := c.System(t)

	a, b := c.start(t, system), c.start(t, system)
	a.listen(tps[:], nil)
	a.put(first0)
	a.put(first1)
	a.put(first2)
	a.flush()
	a.listen(nil, tps[1:])
	b.listen(tps[1:], nil)
	b.put(rest1)
	a.put(rest0)
	b.put(rest2[:len(rest2)/2])
	b.listen(nil, tps[2:]) // lost: what was not committed is another's
	b.flush()
	a.listen(tps[2:], nil)
	a.put(rest2)
	a.flush()
	a.stop()
	b.stop()
	c.check(t, "after two rebalances", system, append(append(append([]connector.Record{}, of[0]...), of[1]...), of[2]...), atLeastOnce)
}

// listen tells a sink that wants to know of partitions it got and gave up.
func (r running) listen(opened, closed []connector.TopicPartition) {
	r.t.Helper()
	r.partitions.Assign(append(slices.DeleteFunc(r.partitions.Assignment(), func(tp connector.TopicPartition) bool {
		return slices.Contains(closed, tp)
	}), opened...)...)
	for _, tp := range closed {
		delete(r.taken, tp)
		delete(r.safe, tp)
	}
	l, ok := r.sink.(connector.PartitionListener)
	if !ok {
		return
	}
	var errs []error
	if len(closed) > 0 {
		errs = append(errs, l.Close(closed))
	}
	if len(opened) > 0 {
		errs = append(errs, l.Open(opened))
	}
	if err := errors.Join(errs...); err != nil {
		r.t.Fatalf("open %v, close %v: %v", opened, closed, err)
	}
}

func (c SinkCase) goroutines(t testing.TB) {
	records := c.records(t)
	system := c.System(t)
	noneLeft(t, func() {
		_ = c.New().Stop()
		for range 2 {
			r := c.start(t, system)
			r.put(records)
			r.flush()
			r.stop()
		}
	})
}

// check compares what the system holds with what was put.
func (c SinkCase) check(t testing.TB, when string, system SinkSystem, put []connector.Record, how delivery) {
	t.Helper()
	held := system.Held()
	var err error
	if c.Key != nil {
		err = compareKeyed(held, put, c.Item, c.Key)
	} else {
		err = compareAppended(held, put, c.Item, how)
	}
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", when, err))
	}
}
