package kafka

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

// route sends to one broker what the partitions have that it leads. Its
// goroutine ends with the producer.
type route struct {
	p      *Producer
	broker int32
	wake   chan struct{}

	// The producer's mu guards these.
	queues []*partitionQueue
	turn   int   // which of them comes first
	link   *link // nil without a connection
	flying int   // requests

	failures int // of connecting in a row; the goroutine's
}

func newRoute(p *Producer, broker int32) *route {
	return &route{p: p, broker: broker, wake: make(chan struct{}, 1)}
}

// nudge has the route look for something to do.
func (r *route) nudge() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// cut ends what the route waits for from its broker. mu is held.
func (r *route) cut() {
	if r.link != nil {
		r.link.cut()
	}
	r.nudge()
}

func (r *route) run() {
	defer r.hangUp()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for r.p.ctx.Err() == nil {
		r.p.expire()
		lost, due, wait := r.look(time.Now())
		if lost {
			r.hangUp()
			continue
		}
		if due {
			if err := r.ready(); err != nil {
				r.fail(err)
				continue
			}
			if r.send() {
				continue
			}
		}
		timer.Reset(wait)
		select {
		case <-r.wake:
		case <-timer.C:
		case <-r.p.ctx.Done():
		}
	}
}

// idle is how long a route sleeps that has nothing to do.
const idle = time.Minute

// look tells whether the connection is lost, whether something is due, and when
// something will be.
func (r *route) look(now time.Time) (lost, due bool, wait time.Duration) {
	p := r.p
	p.mu.Lock()
	defer p.mu.Unlock()
	wait = idle
	for i := 0; i < len(r.queues); i++ {
		q := r.queues[i]
		if q.leader != r.broker && len(q.flying) == 0 {
			if p.move(q); q.route != r {
				i--
				continue
			}
		}
		if w := r.dueIn(q, now); w <= 0 {
			due = true
		} else {
			wait = min(wait, w)
		}
		if p.set.delivery > 0 && len(q.waiting) > 0 {
			wait = min(wait, max(q.waiting[0].born.Add(p.set.delivery).Sub(now), time.Millisecond))
		}
	}
	if r.flying >= p.set.inFlight {
		due = false
	}
	return r.link != nil && r.link.lost, due, wait
}

// dueIn says when the next batch of a queue is to be sent.
func (r *route) dueIn(q *partitionQueue, now time.Time) time.Duration {
	p := r.p
	if q.blocked() || q.leader != r.broker {
		return idle
	}
	b := q.waiting[0]
	wait := q.pause.Sub(now)
	if !b.full && p.hurry == 0 && b.attempts == 0 {
		wait = max(wait, b.born.Add(p.set.linger).Sub(now))
	}
	return wait
}

// ready sees to a connection, and to a producer id where that is needed.
func (r *route) ready() error {
	p := r.p
	if err := r.connect(); err != nil {
		return err
	}
	p.naming.Lock()
	defer p.naming.Unlock()
	p.mu.Lock()
	needs, l := false, r.link
	for _, q := range r.queues {
		needs = needs || !q.blocked() && q.needs(p.id)
	}
	p.mu.Unlock()
	if !needs {
		return nil
	}
	resp, err := do(p.ctx, func() (*sarama.InitProducerIDResponse, error) {
		return l.InitProducerID(&sarama.InitProducerIDRequest{Version: 4, ProducerID: noProducerID.id, ProducerEpoch: noProducerID.epoch})
	})
	if err == nil && resp.Err != sarama.ErrNoError {
		err = resp.Err
	}
	if errors.Is(err, sarama.ErrClusterAuthorizationFailed) {
		return p.doWithout(err)
	}
	if err != nil {
		return fmt.Errorf("producer id: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.id = producerID{resp.ProducerID, resp.ProducerEpoch}
	return nil
}

// doWithout goes on without idempotence where the broker refuses it: those before
// 2.8 want a right of its own for it. A producer whose properties insist on it ends.
// One request at a time keeps the order, but what is sent again for want of an
// answer may be there twice.
func (p *Producer) doWithout(refusal error) error {
	if p.set.insists {
		return connector.Fatal(fmt.Errorf("producer: enable.idempotence=true: %w: allow IdempotentWrite on the cluster, or do not set it", refusal))
	}
	p.client.options.Log.Warn("the broker refuses idempotence, records may be written twice when Kafka is in trouble: allow IdempotentWrite on the cluster, or set producer.override.enable.idempotence=false: " + refusal.Error())
	p.mu.Lock()
	defer p.mu.Unlock()
	p.set.idempotent, p.set.inFlight = false, 1
	for _, t := range p.topics {
		for _, q := range t.queues {
			q.idempotent, q.most = false, 1
		}
	}
	return nil
}

// connect opens a connection to the broker unless there is one.
func (r *route) connect() error {
	p := r.p
	p.mu.Lock()
	address, there := p.addresses[r.broker], r.link != nil
	p.mu.Unlock()
	if there {
		return nil
	}
	l, err := reach(p.ctx, p.conf, address)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	r.link = l
	return nil
}

// hangUp closes the connection; what was on its way is back in the queues then.
func (r *route) hangUp() {
	r.p.mu.Lock()
	l := r.link
	r.link = nil
	r.p.mu.Unlock()
	l.close()
}

// fail waits after something that concerns the whole broker.
func (r *route) fail(err error) {
	p := r.p
	r.hangUp()
	if p.ctx.Err() != nil {
		return
	}
	if fatal := final(err); fatal != nil {
		p.end(fatal)
		return
	}
	if r.failures++; r.failures > 1 {
		p.trouble.note("partitions cannot be written", err)
	}
	p.mu.Lock()
	for _, q := range r.queues {
		p.search(q.Topic)
	}
	p.mu.Unlock()
	p.expire()
	pause(p.ctx, p.set.backoff.after(r.failures))
}

// final tells whether an error concerns the whole producer, and for good.
func final(err error) error {
	switch {
	case connector.KindOf(err) == connector.KindFatal:
		return err
	case errors.Is(err, sarama.ErrUnsupportedVersion):
		return connector.Fatal(fmt.Errorf("%w: set producer.override.enable.idempotence=false", err))
	}
	return nil
}

// end fails all that waits and all that is sent from now on.
func (p *Producer) end(why error) {
	p.mu.Lock()
	if p.broken == nil {
		p.broken = why
	}
	p.mu.Unlock()
	p.giveUp(why, time.Time{})
}

// parcel is a batch in a request.
type parcel struct {
	queue *partitionQueue
	batch *recordBatch
}

// send sends one request with what is due, one batch of a partition. It tells
// whether there was something.
func (r *route) send() bool {
	p := r.p
	request := &sarama.ProduceRequest{Version: 9, RequiredAcks: p.set.acks, Timeout: int32(p.set.timeout.Milliseconds())}
	l, parcels := r.pack(request, time.Now())
	if len(parcels) == 0 {
		return false
	}
	r.failures = 0
	err := l.AsyncProduce(request, func(resp *sarama.ProduceResponse, err error) { r.answered(l, parcels, resp, err) })
	switch {
	case err != nil:
		r.answered(l, parcels, nil, err)
	case p.set.acks == sarama.NoResponse:
		r.settle(parcels, func(parcel) answer { return answer{offset: -1, appended: connector.NoTimestamp} })
	}
	return true
}

// pack puts what is due into a request.
func (r *route) pack(request *sarama.ProduceRequest, now time.Time) (l *link, parcels []parcel) {
	p := r.p
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.link == nil || r.link.lost || r.flying >= p.set.inFlight || len(r.queues) == 0 {
		return nil, nil
	}
	size := 0
	for i := range r.queues {
		q := r.queues[(r.turn+i)%len(r.queues)]
		if r.dueIn(q, now) > 0 || q.needs(p.id) || size > 0 && size+q.waiting[0].size > p.set.request {
			continue
		}
		b := q.take(p.id)
		size += b.size
		request.AddBatch(q.Topic, q.Partition, b.encode(q.as, p.set.codec))
		parcels = append(parcels, parcel{q, b})
	}
	r.turn++
	if len(parcels) > 0 {
		r.flying++
	}
	return r.link, parcels
}

// answered takes an answer, in the goroutine that reads the connection.
func (r *route) answered(l *link, parcels []parcel, resp *sarama.ProduceResponse, err error) {
	if err != nil {
		r.p.mu.Lock()
		l.lost = true
		r.p.mu.Unlock()
	}
	r.settle(parcels, func(s parcel) answer {
		if err != nil {
			return answer{err: err}
		}
		block := resp.GetBlock(s.queue.Topic, s.queue.Partition)
		if block == nil {
			return answer{err: sarama.ErrIncompleteResponse}
		}
		a := answer{code: block.Err, offset: block.Offset, appended: connector.NoTimestamp}
		if block.Err == sarama.ErrDuplicateSequenceNumber {
			a.offset = -1
		}
		if !block.Timestamp.IsZero() {
			a.appended = block.Timestamp.UnixMilli()
		}
		if block.ErrorMessage != nil && block.Err != sarama.ErrNoError {
			a.said = *block.ErrorMessage
		}
		return a
	})
}

// settle gives each batch of a request what its answer means for it.
func (r *route) settle(parcels []parcel, of func(parcel) answer) {
	p := r.p
	var done []outcome
	var trouble error
	now := time.Now()
	p.mu.Lock()
	r.flying--
	for _, s := range parcels {
		a := of(s)
		attempts := s.batch.attempts
		switch s.queue.answered(s.batch, a) {
		case delivered:
			done = append(done, outcome{s.queue, s.batch, a})
		case failed:
			done = append(done, outcome{s.queue, s.batch, answer{err: p.failure(s.queue, s.batch, a), offset: -1, appended: connector.NoTimestamp}})
		case resent:
			s.queue.pause = now.Add(p.set.backoff.after(s.batch.attempts))
			p.search(s.queue.Topic)
			if attempts > 0 {
				trouble = explain(a)
			}
		}
	}
	r.nudge()
	over := trouble == nil && len(done) > 0 && !r.troubled()
	p.mu.Unlock()
	if trouble != nil && p.ctx.Err() == nil {
		p.trouble.note("partitions cannot be written", trouble)
	}
	if over {
		p.trouble.over()
	}
	if len(done) > 0 {
		p.finish(done)
	}
}

// troubled tells that other partitions cannot be written. mu is held.
func (r *route) troubled() bool {
	return r.p.searching || slices.ContainsFunc(r.queues, func(q *partitionQueue) bool { return len(q.waiting) > 0 && q.waiting[0].attempts > 1 })
}

// explain gives what an answer says as an error.
func explain(a answer) error {
	switch {
	case a.err != nil:
		return a.err
	case a.said != "":
		return fmt.Errorf("%w: %s", a.code, a.said)
	}
	return a.code
}
