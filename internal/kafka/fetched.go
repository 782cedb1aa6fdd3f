package kafka

import (
	"cmp"
	"encoding/binary"
	"reflect"
	"slices"
	"time"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

// fetched is what a fetch gave of a partition.
type fetched struct {
	batches []*sarama.RecordBatch // of records to be given, in order; those before the offset asked for are still in them
	next    int64                 // the offset behind all of it
	partial bool                  // it ended with a batch that was cut off
}

// unpack gives what is in a block that was fetched from an offset on: neither
// markers nor records of transactions that were aborted. Message sets, the format
// of before Kafka 0.11, are made batches.
func unpack(block *sarama.FetchResponseBlock, from int64) fetched {
	f := fetched{next: from, partial: block.Partial}
	aborted := newAborted(block.AbortedTransactions)
	for _, set := range block.RecordsSet {
		switch b := set.RecordBatch; {
		case b == nil:
			f.partial = f.partial || set.MsgSet.PartialTrailingMessage
			for _, m := range set.MsgSet.Messages {
				f.add(messageSet(m))
			}
		case b.PartialTrailingRecord: // what is before it is nothing: sarama gives it where it has no other
			f.partial = true
			f.next = max(f.next, b.FirstOffset)
		case aborted.has(b):
			f.next = max(f.next, b.LastOffset()+1)
		default:
			f.add(b)
		}
	}
	if len(block.RecordsSet) == 0 {
		f.next = max(f.next, behind(block))
	}
	return f
}

func (f *fetched) add(b *sarama.RecordBatch) {
	if next := b.LastOffset() + 1; next > f.next {
		f.batches, f.next = append(f.batches, b), next
	}
}

// behind gives the offset behind batches without records, which compaction leaves
// of a producer's last batch: a fetch may give nothing else. sarama leaves them out
// of what it gives, and has the offset in a field that is not public. It is 0 where
// there is none.
func behind(block *sarama.FetchResponseBlock) int64 {
	next := reflect.ValueOf(block).Elem().FieldByName("recordsNextOffset")
	if !next.IsValid() || next.Kind() != reflect.Pointer || next.IsNil() {
		return 0
	}
	return next.Elem().Int()
}

// messageSet makes a batch of a message, or of those in one that is compressed.
func messageSet(m *sarama.MessageBlock) *sarama.RecordBatch {
	in := m.Messages()
	b := &sarama.RecordBatch{FirstOffset: m.Offset}
	if len(in) == 0 {
		return b
	}
	first, last := in[0], in[len(in)-1]
	if first.Msg.Version >= 1 { // the offsets are from the first on, and the outer one is the last's
		b.FirstOffset = m.Offset - last.Offset + first.Offset
	} else {
		b.FirstOffset = first.Offset
	}
	b.LastOffsetDelta = int32(last.Offset - first.Offset)
	b.LogAppendTime = m.Msg.LogAppendTime
	b.FirstTimestamp, b.MaxTimestamp = first.Msg.Timestamp, m.Msg.Timestamp
	records := make([]sarama.Record, len(in))
	for i, inner := range in {
		records[i] = sarama.Record{OffsetDelta: inner.Offset - first.Offset, Key: inner.Msg.Key, Value: inner.Msg.Value}
		if !b.FirstTimestamp.IsZero() {
			records[i].TimestampDelta = inner.Msg.Timestamp.Sub(b.FirstTimestamp)
		}
		b.Records = append(b.Records, &records[i])
	}
	return b
}

// fill makes a message of a record.
func (m *Message) fill(tp connector.TopicPartition, b *sarama.RecordBatch, r *sarama.Record) {
	m.Topic, m.Partition, m.Offset, m.Key, m.Value = tp.Topic, tp.Partition, b.FirstOffset+r.OffsetDelta, r.Key, r.Value
	switch {
	case b.LogAppendTime:
		m.Timestamp, m.TimestampType = b.MaxTimestamp.UnixMilli(), connector.LogAppendTime
	case b.FirstTimestamp.IsZero():
		m.Timestamp = connector.NoTimestamp
	default:
		m.Timestamp, m.TimestampType = b.FirstTimestamp.UnixMilli()+int64(r.TimestampDelta/time.Millisecond), connector.CreateTime
	}
	if len(r.Headers) > 0 {
		m.Headers = make([]Header, len(r.Headers))
		for i, h := range r.Headers {
			m.Headers[i] = Header{Key: string(h.Key), Value: h.Value}
		}
	}
}

// aborted knows which batches belong to aborted transactions while one goes
// through the batches of a fetch in order.
type aborted struct {
	coming []*sarama.AbortedTransaction // by first offset
	now    map[int64]bool               // producers whose transaction was aborted
}

func newAborted(list []*sarama.AbortedTransaction) *aborted {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b *sarama.AbortedTransaction) int { return cmp.Compare(a.FirstOffset, b.FirstOffset) })
	return &aborted{coming: list, now: map[int64]bool{}}
}

// has tells whether a batch is not to be given: a marker, or aborted.
func (a *aborted) has(b *sarama.RecordBatch) bool {
	for len(a.coming) > 0 && a.coming[0].FirstOffset <= b.LastOffset() {
		a.now[a.coming[0].ProducerID] = true
		a.coming = a.coming[1:]
	}
	if b.Control {
		if markerAborts(b) {
			delete(a.now, b.ProducerID)
		}
		return true
	}
	return b.IsTransactional && a.now[b.ProducerID]
}

// markerAborts reads the key of a transaction's marker: version and type, 0
// for abort.
func markerAborts(b *sarama.RecordBatch) bool {
	return len(b.Records) > 0 && len(b.Records[0].Key) >= 4 && binary.BigEndian.Uint16(b.Records[0].Key[2:]) == 0
}
