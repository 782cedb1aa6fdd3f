package kafka

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"pgregory.net/rapid"

	"github.com/axiom-data-science/hydraulics/connector"
)

// modelLog is a partition at a broker, reduced to how it takes the batches of
// one idempotent producer: Kafka's ProducerStateManager.
type modelLog struct {
	values []string
	known  bool
	epoch  int16
	next   int32
	last   []appended // at most five
}

// appended is a batch in the log.
type appended struct {
	sequence int32
	records  int
	offset   int64
}

// modelRequest is a batch as it is on its way.
type modelRequest struct {
	batch    *recordBatch // nil once its answer is of no interest
	as       producerID
	sequence int32
	values   []string
}

// take takes a batch, or says why not.
func (l *modelLog) take(r modelRequest) answer {
	switch {
	case l.known && r.as.epoch < l.epoch:
		return answer{code: sarama.ErrInvalidProducerEpoch}
	case l.known && r.as.epoch > l.epoch && r.sequence != 0:
		return answer{code: sarama.ErrOutOfOrderSequenceNumber}
	case !l.known || r.as.epoch > l.epoch: // a broker that knows nobody takes any sequence number
		l.last = nil
	default:
		for _, a := range l.last {
			if a.sequence == r.sequence && a.records == len(r.values) {
				return answer{offset: a.offset}
			}
		}
		if r.sequence != l.next {
			return answer{code: sarama.ErrOutOfOrderSequenceNumber}
		}
	}
	a := appended{r.sequence, len(r.values), int64(len(l.values))}
	l.known, l.epoch, l.next = true, r.as.epoch, after(r.sequence, len(r.values))
	l.last = append(l.last, a)
	l.last = l.last[max(0, len(l.last)-maxIdempotentInFlight):]
	l.values = append(l.values, r.values...)
	return answer{offset: a.offset}
}

// modelProducer drives a queue against a broker.
type modelProducer struct {
	t      *rapid.T
	q      *partitionQueue
	log    modelLog
	sent   int            // values so far
	way    []modelRequest // to the broker, in order
	ghosts []modelRequest // of connections that are lost; the broker may see them yet
	of     sending
	told   map[string]int64 // offsets of the answered; -1 for those that were refused
}

func newModelProducer(t *rapid.T) *modelProducer {
	m := &modelProducer{t: t, told: map[string]int64{}, q: &partitionQueue{TopicPartition: connector.TopicPartition{Topic: "t"}, idempotent: true,
		most: rapid.IntRange(1, maxIdempotentInFlight).Draw(t, "in flight"), retries: math.MaxInt32, as: noProducerID}}
	if rapid.Bool().Draw(t, "sequence numbers wrap") {
		m.log.known, m.log.next = true, math.MaxInt32-3
		m.q.as, m.q.next, m.q.confirmed = producerID{1, 0}, m.log.next, true
	}
	return m
}

// add adds a message.
func (m *modelProducer) add(*rapid.T) {
	v := fmt.Append(nil, m.sent)
	msg := &Message{Value: v}
	m.q.open(msg.encodedSize(), batchOverhead+6*(recordOverhead+4), time.Time{}).add(msg, msg.encodedSize(), 0, int32(m.sent), &m.of)
	m.q.count++
	m.sent++
}

// send sends what may be sent.
func (m *modelProducer) send(t *rapid.T) {
	if m.q.blocked() {
		t.Skip("nothing may be sent")
	}
	b := m.q.take(producerID{1, 0})
	r := modelRequest{batch: b, as: m.q.as, sequence: b.sequence}
	for _, rec := range b.records {
		r.values = append(r.values, string(rec.Value))
	}
	m.way = append(m.way, r)
}

// arrive has the broker take what was sent first, and answer.
func (m *modelProducer) arrive(t *rapid.T) { m.next(t, m.log.take) }

// lostAnswer has the broker take it, and answer that it has run out of time.
func (m *modelProducer) lostAnswer(t *rapid.T) {
	m.next(t, func(r modelRequest) answer {
		m.log.take(r)
		return answer{code: sarama.ErrRequestTimedOut}
	})
}

// notNow has the broker not take it.
func (m *modelProducer) notNow(t *rapid.T) {
	m.next(t, func(modelRequest) answer { return answer{code: sarama.ErrNotEnoughReplicas} })
}

// refuse has the broker refuse it for one record's sake.
func (m *modelProducer) refuse(t *rapid.T) {
	m.next(t, func(r modelRequest) answer {
		if a := m.log.check(r); a.code != sarama.ErrNoError {
			return a
		}
		return answer{code: sarama.ErrInvalidRecord}
	})
}

// check is take without taking.
func (l *modelLog) check(r modelRequest) answer {
	c := *l
	c.last, c.values = slices.Clone(l.last), slices.Clone(l.values)
	return c.take(r)
}

// forget has the broker lose what it knows of the producer.
func (m *modelProducer) forget(*rapid.T) { m.log.known = false }

func (m *modelProducer) next(t *rapid.T, broker func(modelRequest) answer) {
	if len(m.way) == 0 {
		t.Skip("nothing is on its way")
	}
	r := m.way[0]
	m.way = m.way[1:]
	m.answer(r.batch, broker(r))
}

// cut loses the connection. The broker has taken what was sent first, or none of
// it, and may take the rest later: nobody hears of it.
func (m *modelProducer) cut(t *rapid.T) {
	n := rapid.IntRange(0, len(m.way)).Draw(t, "taken")
	for _, r := range m.way[:n] {
		m.log.take(r)
	}
	m.ghosts = append(m.ghosts, m.way[n:]...)
	lost := m.way
	m.way = nil
	for _, r := range lost {
		m.answer(r.batch, answer{err: errors.New("connection is lost")})
	}
}

// haunt has the broker take something of a lost connection.
func (m *modelProducer) haunt(t *rapid.T) {
	if len(m.ghosts) == 0 {
		t.Skip("nothing haunts")
	}
	m.log.take(m.ghosts[0])
	m.ghosts = m.ghosts[1:]
}

func (m *modelProducer) answer(b *recordBatch, a answer) {
	switch r := m.q.answered(b, a); r {
	case delivered, failed:
		if r == failed {
			a.offset = -1
		}
		m.of.done = func(d *Delivery) {
			for k, i := range d.Which {
				v := fmt.Sprint(i)
				if _, twice := m.told[v]; twice {
					m.t.Fatalf("%s was answered twice", v)
				}
				m.told[v] = d.Metadata(k).Offset
			}
		}
		b.deliver(m.q.TopicPartition, a)
		b.free()
	}
}

// finish has everything arrive.
func (m *modelProducer) finish() {
	for len(m.way) > 0 || !m.q.blocked() {
		for !m.q.blocked() {
			m.send(m.t)
		}
		m.arrive(m.t)
	}
	if len(m.told) != m.sent {
		m.t.Fatalf("%d of %d messages were answered", len(m.told), m.sent)
	}
	for v, at := range m.told {
		if at >= 0 && m.log.values[at] != v {
			m.t.Fatalf("%s was acknowledged at %d, where %s is", v, at, m.log.values[at])
		}
	}
}

// exact checks that the log holds what was not refused, once and in order.
func (m *modelProducer) exact() {
	var want []string
	for i := range m.sent {
		if v := fmt.Sprint(i); m.told[v] >= 0 {
			want = append(want, v)
		}
	}
	if !slices.Equal(m.log.values, want) {
		m.t.Fatalf("the log holds %v, want %v", m.log.values, want)
	}
}

// Lost answers, lost connections, requests that arrive late and brokers that do
// not take something now: a partition has every message once, in order.
func TestQueueDeliversOnceInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModelProducer(t)
		t.Repeat(map[string]func(*rapid.T){"add": m.add, "send": m.send, "arrive": m.arrive, "lost answer": m.lostAnswer, "not now": m.notNow, "cut": m.cut, "haunt": m.haunt})
		m.finish()
		m.exact()
	})
}

// An answer that is lost twice: a broker knows a producer's last five batches, and so a
// batch is known to it only as long as few are taken after it.
func TestQueueSendsAloneWhatCameBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModelProducer(t)
		m.q.most = maxIdempotentInFlight
		m.add(t)
		m.send(t)
		m.arrive(t)
		fly := func() {
			for range 50 {
				m.add(t)
			}
			for !m.q.blocked() {
				m.send(t)
			}
		}
		for range 2 {
			fly()
			m.lostAnswer(t)
			for len(m.way) > 0 {
				m.arrive(t)
			}
		}
		m.finish()
		m.exact()
	})
}

// A message that is refused goes alone, and takes nothing with it.
func TestQueueRefusesOneAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModelProducer(t)
		t.Repeat(map[string]func(*rapid.T){"add": m.add, "send": m.send, "arrive": m.arrive, "refuse": m.refuse, "not now": m.notNow})
		m.finish()
		m.exact()
	})
}

// Whatever a broker forgets, every message arrives; some may do so twice.
func TestQueueOutlivesAForgetfulBroker(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModelProducer(t)
		t.Repeat(map[string]func(*rapid.T){"add": m.add, "send": m.send, "arrive": m.arrive, "lost answer": m.lostAnswer, "not now": m.notNow, "cut": m.cut, "forget": m.forget, "refuse": m.refuse})
		m.finish()
		for i := range m.sent {
			if v := fmt.Sprint(i); m.told[v] >= 0 && !slices.Contains(m.log.values, v) {
				m.t.Fatalf("%s is not in the log", v)
			}
		}
	})
}
