package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

const (
	// batchMessages and batchBytes bound what a feed hands over at once.
	batchMessages = 500
	batchBytes    = 4 << 20
	// endPatience is how long a reader to the end waits for records that may
	// not exist: the last offsets may be commit markers.
	endPatience = 500 * time.Millisecond
)

// feed reads one partition from an offset on. It is used from one goroutine;
// position and lag from any.
type feed struct {
	tp  connector.TopicPartition
	pc  sarama.PartitionConsumer
	pos atomic.Int64 // of the next message
}

func newFeed(tp connector.TopicPartition, pc sarama.PartitionConsumer, from int64) *feed {
	f := &feed{tp: tp, pc: pc}
	f.pos.Store(from)
	return f
}

func (f *feed) position() int64 { return f.pos.Load() }

// lag gives the number of records that are there and were not read.
func (f *feed) lag() int64 { return max(0, f.pc.HighWaterMarkOffset()-f.position()) }

// errOutOfRange says that the offset to read is no longer, or not yet, there.
var errOutOfRange = errors.New("offset out of range")

// next gives some messages, in order, waiting for the first at most for the
// patience, for ever if that is negative. Nothing and no error is a time-out.
func (f *feed) next(ctx context.Context, patience time.Duration) ([]Message, error) {
	var timeout <-chan time.Time
	if patience >= 0 {
		t := time.NewTimer(patience)
		defer t.Stop()
		timeout = t.C
	}
	for {
		select {
		case in, ok := <-f.pc.Messages():
			if !ok {
				return nil, f.ended()
			}
			return f.more(in), nil
		case err, ok := <-f.pc.Errors():
			if !ok {
				return nil, f.ended()
			}
			if errors.Is(err, sarama.ErrOffsetOutOfRange) {
				return nil, fmt.Errorf("%w: %d", errOutOfRange, f.position())
			}
			// sarama itself tries again
		case <-timeout:
			return nil, nil
		case <-ctx.Done():
			return nil, nil
		}
	}
}

func (f *feed) ended() error {
	return fmt.Errorf("%w: reading ended at %d", errOutOfRange, f.position())
}

// more adds to a first message what is there already.
func (f *feed) more(in *sarama.ConsumerMessage) []Message {
	batch := []Message{fromSarama(in)}
	size := batch[0].size()
	for len(batch) < batchMessages && size < batchBytes {
		select {
		case in, ok := <-f.pc.Messages():
			if !ok {
				f.pos.Store(batch[len(batch)-1].Offset + 1)
				return batch
			}
			m := fromSarama(in)
			size += m.size()
			batch = append(batch, m)
			continue
		default:
		}
		break
	}
	f.pos.Store(batch[len(batch)-1].Offset + 1)
	return batch
}

// stop ends the reading. What was fetched is dropped.
func (f *feed) stop() {
	f.pc.AsyncClose()
	for range f.pc.Messages() { // until sarama has closed it
	}
	for range f.pc.Errors() {
	}
}
