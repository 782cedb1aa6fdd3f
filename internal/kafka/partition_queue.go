package kafka

import (
	"errors"
	"math"
	"slices"
	"time"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

// producerID is who a producer is to brokers, which so tell what they have already.
type producerID struct {
	id    int64
	epoch int16
}

// noProducerID is that of a producer that is not idempotent.
var noProducerID = producerID{-1, -1}

// maxIdempotentInFlight is how many of a producer's last batches a broker knows
// by partition: what is sent again must be among them.
const maxIdempotentInFlight = 5

// partitionQueue holds what a producer has for one partition, in order, and says
// what may be sent next. It does no I/O and knows no time but what it is told.
//
// Invariant 4: what comes back is sent again before what follows it, and only
// when nothing of the partition is on its way; an idempotent producer sends it alone
// where the broker may have it already, and its sequence numbers keep a broker from
// taking anything twice or out of order.
type partitionQueue struct {
	connector.TopicPartition
	idempotent bool
	most       int // batches on their way at once
	retries    int // of a batch

	count   int64          // of records so far
	waiting []*recordBatch // the last one may take more records
	flying  []*recordBatch // in the order they were sent
	back    bool           // something came back: nothing is sent while anything flies
	pause   time.Time      // nothing is sent before

	as        producerID // who the sequence numbers are of; a partition keeps it
	next      int32      // sequence number
	confirmed bool       // the broker has taken a batch of as
	renew     bool       // the sequence is broken: it begins anew as the next epoch
	spent     bool       // no epoch is left, or as is not accepted: the producer needs another id

	leader int32  // the broker that leads the partition; -1 is not known
	route  *route // that sends its batches
}

// answer is what Kafka said of a batch.
type answer struct {
	code     sarama.KError
	err      error  // where there was no answer, or what is to be told
	said     string // by the broker, beside the code
	offset   int64
	appended int64 // timestamp
}

// open gives the batch for a message that takes size bytes; none is larger than
// limit but for a single message.
func (q *partitionQueue) open(size, limit int, now time.Time) *recordBatch {
	if n := len(q.waiting); n > 0 {
		b := q.waiting[n-1]
		if !b.full && b.size+size <= limit {
			return b
		}
		b.full = true
	}
	b := newRecordBatch(q.count, now)
	q.waiting = append(q.waiting, b)
	return b
}

// blocked tells that nothing can be sent until an answer comes.
func (q *partitionQueue) blocked() bool {
	n := len(q.flying)
	switch {
	case len(q.waiting) == 0 || n >= q.most:
		return true
	case n == 0:
		return false
	}
	// A broker that does not know the producer takes any sequence number as its
	// first (KAFKA-15591): the first batch goes alone. So does one that was tried before:
	// were its answer lost again, the broker would know it no more behind
	// maxIdempotentInFlight new ones, and the batch would be there twice.
	return q.back || q.renew || q.idempotent && (!q.confirmed || q.flying[0].attempts > 0)
}

// take gives the next batch, which is on its way then. as is who the producer is
// now. It must not be blocked.
func (q *partitionQueue) take(as producerID) *recordBatch {
	b := q.waiting[0]
	q.waiting = slices.Delete(q.waiting, 0, 1)
	if q.idempotent {
		q.identify(as, b)
		if !b.numbered {
			b.numbered, b.sequence = true, q.next
			q.next = after(q.next, len(b.records))
		}
	}
	b.full, q.back = true, q.back && len(q.flying) > 0
	q.flying = append(q.flying, b)
	return b
}

// identify sees to it that the sequence numbers are of someone whom the broker accepts.
func (q *partitionQueue) identify(as producerID, first *recordBatch) {
	if len(q.flying) > 0 {
		return
	}
	switch {
	case q.as == noProducerID || q.outlived():
		q.as = as
	case q.renew:
		q.as.epoch++
	default:
		return
	}
	q.next, q.confirmed, q.renew, q.spent = 0, false, false, false
	first.numbered = false
	for _, b := range q.waiting {
		b.numbered = false
	}
}

// ruling is what an answer means for a batch.
type ruling int

const (
	delivered ruling = iota
	resent           // it is sent again
	outOfTurn        // it is sent again behind what came back before it
	halved           // its halves are sent
	failed           // it is given up
)

// answered takes a batch that was answered off its way, and puts it back in its
// place where it is to be sent again.
func (q *partitionQueue) answered(b *recordBatch, a answer) ruling {
	i := slices.Index(q.flying, b)
	before := i > 0 || len(q.waiting) > 0 && q.waiting[0].number < b.number
	q.flying = slices.Delete(q.flying, i, i+1)
	r := q.rule(b, a, before)
	switch r {
	case delivered:
		q.confirmed = true
	case resent, outOfTurn:
		if r == resent {
			b.attempts++
		}
		q.putBack(b)
	case halved:
		for _, half := range b.split() {
			q.putBack(half)
		}
	case failed:
		q.renew = q.renew || b.numbered // its sequence numbers are missing
	}
	return r
}

// rule says what an answer means. before tells that batches before this one are
// on their way or came back.
func (q *partitionQueue) rule(b *recordBatch, a answer, before bool) ruling {
	switch {
	case hopeless(a.err):
		return failed
	case a.err != nil:
		return q.retry(b)
	case a.code == sarama.ErrNoError, a.code == sarama.ErrDuplicateSequenceNumber && q.idempotent:
		return delivered
	case q.idempotent && a.code == sarama.ErrOutOfOrderSequenceNumber:
		if before || q.renew {
			return outOfTurn
		}
		q.renew = true // the broker has lost what it took before
		return q.retry(b)
	case q.idempotent && a.code == sarama.ErrUnknownProducerID:
		q.renew = true // all that it took before is past the topic's retention
		return q.retry(b)
	case q.idempotent && (a.code == sarama.ErrInvalidProducerEpoch || a.code == sarama.ErrProducerFenced || a.code == sarama.ErrInvalidProducerIDMapping):
		q.renew, q.spent = true, true
		return q.retry(b)
	case len(b.records) > 1 && (tooLargeFor(a.code) || invalid(a.code)):
		return halved // so that only the record is refused that must be
	case produceAgain(a.code):
		return q.retry(b)
	}
	return failed
}

func (q *partitionQueue) retry(b *recordBatch) ruling {
	if b.attempts >= q.retries {
		return failed
	}
	return resent
}

// putBack puts a batch in its place among those that wait.
func (q *partitionQueue) putBack(b *recordBatch) {
	i := slices.IndexFunc(q.waiting, func(w *recordBatch) bool { return w.number > b.number })
	if i < 0 {
		i = len(q.waiting)
	}
	q.waiting = slices.Insert(q.waiting, i, b)
	q.back = true
}

// give takes out what waits, or what of it was born before a time.
func (q *partitionQueue) give(before time.Time) []*recordBatch {
	var gone []*recordBatch
	q.waiting = slices.DeleteFunc(q.waiting, func(b *recordBatch) bool {
		old := before.IsZero() || b.born.Before(before)
		if old {
			q.renew = q.renew || b.numbered
			gone = append(gone, b)
		}
		return old
	})
	return gone
}

// outlived tells that the id of the sequence numbers is of no more use.
func (q *partitionQueue) outlived() bool { return q.spent || q.renew && q.as.epoch == math.MaxInt16 }

// needs tells that the next batch needs another producer id than as.
func (q *partitionQueue) needs(as producerID) bool {
	return q.idempotent && len(q.flying) == 0 && (as == noProducerID || q.outlived() && q.as.id == as.id)
}

// hopeless tells that a request cannot be sent to this broker, ever.
func hopeless(err error) bool {
	var encoding sarama.PacketEncodingError
	return errors.Is(err, sarama.ErrUnsupportedVersion) || errors.As(err, &encoding)
}

func tooLargeFor(code sarama.KError) bool {
	return code == sarama.ErrMessageSizeTooLarge || code == sarama.ErrMessageSetSizeTooLarge
}

// invalid tells that something is wrong with a record.
func invalid(code sarama.KError) bool {
	return code == sarama.ErrInvalidRecord || code == sarama.ErrInvalidTimestamp
}

// produceAgain tells whether a broker may take later what it did not take now.
func produceAgain(code sarama.KError) bool {
	switch code {
	case sarama.ErrInvalidMessage, // damaged on the way
		sarama.ErrReplicaNotAvailable, sarama.ErrListenerNotFound, sarama.ErrFencedLeaderEpoch, sarama.ErrUnknownLeaderEpoch,
		sarama.ErrThrottlingQuotaExceeded, sarama.ErrConcurrentTransactions:
		return true
	}
	return retriable(code)
}
