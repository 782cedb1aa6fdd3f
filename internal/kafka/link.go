package kafka

import (
	"context"

	"github.com/IBM/sarama"
)

// link is a connection of its owner's own to a broker that leads partitions.
type link struct {
	*sarama.Broker
	*wire
	lost bool // its owner's mu guards it
}

// reach connects to a broker, unless ctx ends before.
func reach(ctx context.Context, conf sarama.Config, address string) (*link, error) {
	type result struct {
		link *link
		err  error
	}
	done := make(chan result)
	go func() { // ends with the dial's time-outs
		b, w, err := dial(conf, address)
		r := result{err: err}
		if err == nil {
			r.link = &link{Broker: b, wire: w}
		}
		select {
		case done <- r:
		case <-ctx.Done():
			r.link.close()
		}
	}()
	select {
	case r := <-done:
		return r.link, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// close ends a connection, if there is one: what is under way on it fails.
func (l *link) close() {
	if l != nil {
		l.cut()
		_ = l.Broker.Close() // nothing is lost with a connection
	}
}
