package kafkatest

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// ModelRecord is a record that a reader of what is committed is given.
type ModelRecord struct {
	Offset   int64
	Value    string
	Time     int64 // -1 is none
	Appended bool  // it is the broker's time
}

// modelBatch is a batch in the log of a partition of a [Model].
type modelBatch struct {
	raw         []byte
	first, last int64
	segment     int
	stable      int64 // once this batch is there the log is committed up to here
}

// modelLog is the log of a partition, and how much of it is there.
type modelLog struct {
	batches []modelBatch
	there   int // of batches
	records []ModelRecord
	aborted []modelTransaction
	leader  int32
	epoch   int32
}

// modelTransaction is one that was aborted, from its first record to its marker.
type modelTransaction struct {
	producer    int64
	first, last int64
}

// end gives the offset behind all that is there, stable that behind what is committed.
func (l *modelLog) end() int64 {
	if l.there == 0 {
		return 0
	}
	return l.batches[l.there-1].last + 1
}

func (l *modelLog) stable() int64 {
	if l.there == 0 {
		return 0
	}
	return l.batches[l.there-1].stable
}

// logWriter writes a log of batches of all kinds, as a seed has it.
type logWriter struct {
	*modelLog
	rng  *rand.Rand
	next int64
	open map[int64]*openTransaction // by producer
	sure []ModelRecord              // of no transaction, or one that was committed
}

type openTransaction struct {
	first   int64
	records []ModelRecord
}

// modelTime is when all batches begin.
const modelTime = 1e12

// largeBatch is more than a fetch of a partition takes in tests.
const largeBatch = 6 << 10

func writeLog(rng *rand.Rand, batches int) *modelLog {
	w := &logWriter{modelLog: &modelLog{}, rng: rng, open: map[int64]*openTransaction{}}
	for range w.rng.IntN(6) { // what was written before Kafka 0.11
		w.oldMessages()
	}
	for len(w.batches) < batches {
		switch w.rng.IntN(12) {
		case 0:
			w.empty()
		case 1:
			w.batch(-1, 1, largeBatch)
		case 2, 3, 4:
			w.batch(int64(1+w.rng.IntN(2)), 1+w.rng.IntN(10), 10)
		case 5, 6:
			w.end(int64(1+w.rng.IntN(2)), w.rng.IntN(2) == 0)
		default:
			w.batch(-1, 1+w.rng.IntN(20), 1+w.rng.IntN(100))
		}
	}
	w.end(1, true)
	w.end(2, false)
	w.modelLog.records = w.sure
	return w.modelLog
}

// append adds a batch of so many offsets.
func (w *logWriter) append(raw []byte, offsets int64) {
	b := modelBatch{raw: raw, first: w.next, last: w.next + offsets - 1}
	if n := len(w.batches); n > 0 {
		b.segment = w.batches[n-1].segment
		if w.rng.IntN(5) == 0 {
			b.segment++
		}
	}
	w.next += offsets
	b.stable = w.next
	for _, t := range w.open {
		b.stable = min(b.stable, t.first)
	}
	w.batches = append(w.batches, b)
}

// batch appends records of a producer, of which some were compacted away; -1 is none.
func (w *logWriter) batch(producer int64, n, size int) {
	var body []byte
	var records []ModelRecord
	attributes := int16(0)
	if w.rng.IntN(5) == 0 {
		attributes = 8 // the broker's time
	}
	for i := range n {
		if w.rng.IntN(4) == 0 && n > 1 {
			continue
		}
		v := fmt.Sprintf("%d:%0*d", w.next+int64(i), size, 0)
		record := []byte{0}
		record = binary.AppendVarint(record, int64(i)) // timestamp
		record = binary.AppendVarint(record, int64(i))
		record = binary.AppendVarint(record, -1) // no key
		record = binary.AppendVarint(record, int64(len(v)))
		record = append(record, v...)
		record = binary.AppendVarint(record, 0) // no headers
		body = append(binary.AppendVarint(body, int64(len(record))), record...)
		r := ModelRecord{w.next + int64(i), v, modelTime + int64(i), attributes != 0}
		if r.Appended {
			r.Time = modelTime + int64(n)
		}
		records = append(records, r)
	}
	if producer >= 0 {
		attributes |= 0x10
		t := w.open[producer]
		if t == nil {
			t = &openTransaction{first: w.next}
			w.open[producer] = t
		}
		t.records = append(t.records, records...)
	}
	if w.rng.IntN(3) == 0 {
		attributes |= 1
		body = zipped(body)
	}
	raw := w.encode(attributes, producer, n, len(records), body)
	if producer < 0 {
		w.sure = append(w.sure, records...)
	}
	w.append(raw, int64(n))
}

// empty appends a batch that compaction has left nothing of.
func (w *logWriter) empty() {
	n := 1 + w.rng.IntN(10)
	w.append(w.encode(0, 9, n, 0, nil), int64(n))
}

// end appends the marker of a transaction, if the producer has one.
func (w *logWriter) end(producer int64, commit bool) {
	t := w.open[producer]
	if t == nil {
		return
	}
	delete(w.open, producer)
	kind := byte(0)
	if commit {
		kind = 1
		w.sure = append(w.sure, t.records...)
		sortRecords(w.sure)
	} else {
		w.aborted = append(w.aborted, modelTransaction{producer, t.first, w.next})
	}
	record := []byte{0, 0, 0, 8, 0, 0, 0, kind, 12, 0, 0, 0, 0, 0, 0, 0} // key and value have a version each
	w.append(w.encode(0x30, producer, 1, 1, append(binary.AppendVarint(nil, int64(len(record))), record...)), 1)
}

// encode makes a record batch of so many offsets.
func (w *logWriter) encode(attributes int16, producer int64, offsets, records int, body []byte) []byte {
	b := kmsg.RecordBatch{FirstOffset: w.next, Length: int32(49 + len(body)), Magic: 2, Attributes: attributes, LastOffsetDelta: int32(offsets - 1),
		FirstTimestamp: modelTime, MaxTimestamp: modelTime + int64(offsets), ProducerID: producer, NumRecords: int32(records), Records: body}
	raw := b.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	return raw
}

// oldMessages appends messages of the formats of before Kafka 0.11: one alone, or some
// that are compressed in one.
func (w *logWriter) oldMessages() {
	magic, at := byte(w.rng.IntN(2)), int64(-1)
	if magic == 1 {
		at = modelTime
	}
	v := func(offset int64) []byte { return fmt.Appendf(nil, "%d:old", offset) }
	if w.rng.IntN(2) == 0 {
		w.sure = append(w.sure, ModelRecord{w.next, string(v(w.next)), at, false})
		w.append(oldMessage(magic, 0, w.next, v(w.next)), 1)
		return
	}
	n := 1 + w.rng.IntN(5)
	var inner []byte
	for i := range int64(n) {
		offset := w.next + i
		w.sure = append(w.sure, ModelRecord{offset, string(v(offset)), at, false})
		if magic == 1 {
			offset = i // from the first on
		}
		inner = append(inner, oldMessage(magic, 0, offset, v(w.next+i))...)
	}
	w.append(oldMessage(magic, 1, w.next+int64(n)-1, zipped(inner)), int64(n))
}

func oldMessage(magic, codec byte, offset int64, value []byte) []byte {
	m := []byte{magic, codec}
	if magic == 1 {
		m = binary.BigEndian.AppendUint64(m, modelTime)
	}
	m = binary.BigEndian.AppendUint32(m, 0xffffffff) // no key
	m = append(binary.BigEndian.AppendUint32(m, uint32(len(value))), value...)
	raw := binary.BigEndian.AppendUint64(nil, uint64(offset))
	raw = binary.BigEndian.AppendUint32(raw, uint32(4+len(m)))
	return append(binary.BigEndian.AppendUint32(raw, crc32.ChecksumIEEE(m)), m...)
}

func zipped(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(b) // into memory
	_ = z.Close()
	return out.Bytes()
}
