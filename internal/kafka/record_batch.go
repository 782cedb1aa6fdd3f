package kafka

import (
	"slices"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

const (
	// batchOverhead and recordOverhead are what Kafka's framing of a batch, and of
	// a record in it, takes at most.
	batchOverhead  = 64
	recordOverhead = 36
	headerOverhead = 10
)

// Delivery is what became of messages of one Send that went to Kafka in one
// batch: all were taken or none. It holds for as long as the call that gives it.
type Delivery struct {
	connector.TopicPartition
	Which  []int32 // of the messages that were sent
	Offset int64   // of the first, the others follow; -1 where Kafka does not tell
	Err    error

	appended int64           // the time at which the broker wrote them; connector.NoTimestamp: their own counts
	first    int64           // the batch's first timestamp
	records  []sarama.Record // of Which
}

// Metadata gives where the k-th of Which is.
func (d *Delivery) Metadata(k int) connector.RecordMetadata {
	m := connector.RecordMetadata{TopicPartition: d.TopicPartition, Offset: d.Offset, Timestamp: d.Timestamp(k)}
	if m.Offset >= 0 {
		m.Offset += int64(k)
	}
	return m
}

// Timestamp gives the time of the k-th of Which, in milliseconds.
func (d *Delivery) Timestamp(k int) int64 {
	if d.appended == connector.NoTimestamp && k < len(d.records) {
		return d.first + d.records[k].TimestampDelta.Milliseconds()
	}
	return d.appended
}

// recordBatch gathers messages for one partition: one batch in Kafka's log, one
// answer of the broker, and one callback for each Send that is in it.
type recordBatch struct {
	number   int64 // of its first record among all of its partition
	records  []sarama.Record
	which    []int32 // the messages' places in their Sends
	sends    []run
	size     int       // in a request, at most
	memory   int64     // of the producer's buffer
	first    int64     // timestamp of the first record
	newest   int64     // timestamp
	born     time.Time // when it got its first record
	full     bool      // nothing is added any more
	attempts int

	numbered bool // sequence is the broker's to see
	sequence int32
	encoded  *sarama.RecordBatch // once it was to be sent
	refs     []*sarama.Record
}

// run is the records of a batch from one on that come from one Send.
type run struct {
	from int
	of   *sending
}

// sending is one Send.
type sending struct{ done func(*Delivery) }

// recordBatches keeps the memory of batches that are done.
var recordBatches = sync.Pool{New: func() any { return new(recordBatch) }}

func newRecordBatch(number int64, now time.Time) *recordBatch {
	b := recordBatches.Get().(*recordBatch)
	b.number, b.born, b.size = number, now, batchOverhead
	return b
}

// free ends the use of a batch.
func (b *recordBatch) free() {
	clear(b.records)
	clear(b.refs)
	clear(b.sends)
	*b = recordBatch{records: b.records[:0], refs: b.refs[:0], sends: b.sends[:0], which: b.which[:0]}
	recordBatches.Put(b)
}

// encodedSize is what a message takes in a batch at most.
func (m *Message) encodedSize() int {
	n := len(m.Key) + len(m.Value) + recordOverhead
	for i := range m.Headers {
		n += len(m.Headers[i].Key) + len(m.Headers[i].Value) + headerOverhead
	}
	return n
}

// add adds a message of an encoded size, the which-th of a Send. The batch refers to its bytes.
func (b *recordBatch) add(m *Message, size int, timestamp int64, which int32, of *sending) {
	if len(b.records) == 0 {
		b.first, b.newest = timestamp, timestamp
	}
	b.newest = max(b.newest, timestamp)
	r := sarama.Record{Key: m.Key, Value: m.Value, OffsetDelta: int64(len(b.records)), TimestampDelta: time.Duration(timestamp-b.first) * time.Millisecond}
	if len(m.Headers) > 0 {
		r.Headers = headers(m.Headers)
	}
	if n := len(b.sends); n == 0 || b.sends[n-1].of != of {
		b.sends = append(b.sends, run{len(b.records), of})
	}
	b.records, b.which = append(b.records, r), append(b.which, which)
	b.size += size
}

func headers(in []Header) []*sarama.RecordHeader {
	all, refs := make([]sarama.RecordHeader, len(in)), make([]*sarama.RecordHeader, len(in))
	for i, h := range in {
		all[i] = sarama.RecordHeader{Key: []byte(h.Key), Value: h.Value}
		refs[i] = &all[i]
	}
	return refs
}

// split halves a batch of several records. Their sequence numbers stay theirs.
func (b *recordBatch) split() [2]*recordBatch {
	middle := len(b.records) / 2
	return [2]*recordBatch{b.part(0, middle), b.part(middle, len(b.records))}
}

func (b *recordBatch) part(from, to int) *recordBatch {
	out := newRecordBatch(b.number+int64(from), b.born)
	out.full, out.attempts, out.numbered, out.sequence = true, b.attempts, b.numbered, after(b.sequence, from)
	out.memory = b.memory / 2
	if from > 0 {
		out.memory = b.memory - b.memory/2
	}
	out.first = b.first + b.records[from].TimestampDelta.Milliseconds()
	out.newest = out.first
	for i := from; i < to; i++ {
		r := b.records[i]
		timestamp := b.first + r.TimestampDelta.Milliseconds()
		r.OffsetDelta, r.TimestampDelta = int64(i-from), time.Duration(timestamp-out.first)*time.Millisecond
		out.newest = max(out.newest, timestamp)
		out.size += recordOverhead + len(r.Key) + len(r.Value)
		for _, h := range r.Headers {
			out.size += headerOverhead + len(h.Key) + len(h.Value)
		}
		out.records = append(out.records, r)
	}
	out.which = append(out.which, b.which[from:to]...)
	for i, s := range b.sends {
		end := len(b.records)
		if i+1 < len(b.sends) {
			end = b.sends[i+1].from
		}
		if s.from < to && end > from {
			out.sends = append(out.sends, run{max(s.from-from, 0), s.of})
		}
	}
	return out
}

// after gives the sequence number n records behind another. They wrap.
func after(sequence int32, n int) int32 { return int32((int64(sequence) + int64(n)) & 0x7fffffff) }

// encode makes the batch as sarama sends it; its records are encoded and
// compressed once, when it is sent first.
func (b *recordBatch) encode(as producerID, codec sarama.CompressionCodec) *sarama.RecordBatch {
	if b.encoded == nil {
		b.refs = slices.Grow(b.refs[:0], len(b.records))
		for i := range b.records {
			b.refs = append(b.refs, &b.records[i])
		}
		b.encoded = &sarama.RecordBatch{Version: 2, Codec: codec, CompressionLevel: sarama.CompressionLevelDefault, LastOffsetDelta: int32(len(b.records) - 1),
			FirstTimestamp: time.UnixMilli(b.first), MaxTimestamp: time.UnixMilli(b.newest), Records: b.refs}
	}
	e := b.encoded
	e.ProducerID, e.ProducerEpoch, e.FirstSequence = as.id, as.epoch, b.sequence
	if as == noProducerID {
		e.FirstSequence = -1
	}
	return e
}

// deliver tells each Send in the batch.
func (b *recordBatch) deliver(tp connector.TopicPartition, a answer) {
	d := Delivery{TopicPartition: tp, Err: a.err, appended: a.appended, first: b.first}
	for i, s := range b.sends {
		to := len(b.records)
		if i+1 < len(b.sends) {
			to = b.sends[i+1].from
		}
		d.Which, d.records, d.Offset = b.which[s.from:to], b.records[s.from:to], a.offset
		if d.Offset >= 0 {
			d.Offset += int64(s.from)
		}
		s.of.done(&d)
	}
}
