package kafka

import (
	"context"
	"errors"

	"github.com/IBM/sarama"
)

const (
	// batchMessages and batchBytes bound what a reader hands over at once.
	batchMessages = 500
	batchBytes    = 1 << 20
	// fetchAhead is how many messages sarama holds ready per partition: what it has
	// ready is at least what a poll gives, and with each poll sinks write and streams
	// commit.
	fetchAhead = 256
)

// errOutOfRange says that the offset to read is no longer, or not yet, there.
var errOutOfRange = errors.New("offset out of range")

// feed is an open partition consumer of sarama's. It is used from one goroutine.
type feed struct {
	pc      sarama.PartitionConsumer
	next    int64 // the offset behind the last message
	trouble *trouble
}

// wait waits for room; errors that come meanwhile do not pile up.
func (f *feed) wait(ctx context.Context, room <-chan struct{}) error {
	for {
		select {
		case <-room:
			return nil
		case err, ok := <-f.pc.Errors():
			if !ok {
				return errOutOfRange
			}
			f.note(err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// batch waits for messages and gives some, in order.
func (f *feed) batch(ctx context.Context) (messages []Message, size int64, err error) {
	for {
		select {
		case in, ok := <-f.pc.Messages():
			if !ok {
				return nil, 0, errOutOfRange // sarama ends a partition for nothing else
			}
			f.trouble.over()
			messages, size = f.more(in)
			return messages, size, nil
		case err, ok := <-f.pc.Errors():
			if !ok {
				return nil, 0, errOutOfRange
			}
			f.note(err)
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
}

func (f *feed) note(err *sarama.ConsumerError) {
	if !errors.Is(err, sarama.ErrOffsetOutOfRange) { // Messages ends then
		f.trouble.note("reading is interrupted", err)
	}
}

// more adds to a first message what is there already.
func (f *feed) more(in *sarama.ConsumerMessage) (batch []Message, size int64) {
	batch = append(make([]Message, 0, 1+len(f.pc.Messages())), fromSarama(in))
	for size = batch[0].size(); len(batch) < batchMessages && size < batchBytes; {
		select {
		case in, ok := <-f.pc.Messages():
			if ok {
				m := fromSarama(in)
				size += m.size()
				batch = append(batch, m)
				continue
			}
		default:
		}
		break
	}
	f.next = batch[len(batch)-1].Offset + 1
	return batch, size
}

// stop ends the reading. What was fetched is dropped.
func (f *feed) stop() {
	f.pc.AsyncClose()
	for range f.pc.Messages() { // until sarama has closed it
	}
	for range f.pc.Errors() {
	}
}
