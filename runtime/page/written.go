package page

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/topics"
)

const (
	// writtenRecords is how many of a source's newest records are shown, and writtenFor
	// how long they may take to read.
	writtenRecords = 60
	writtenFor     = 5 * time.Second
)

var errWrittenFor = errors.New("the newest records take more than 5 s to read: the view of topics takes more time")

// writtenLast are how many records of a partition are read: fewer where so many are too
// large, so that the newest are among them.
var writtenLast = []int{20, 5, 1}

// written gives the newest records that a source has written to topics, the newest first.
// They are read from there, as the view of topics does: it costs nothing while nobody looks.
func (p *Page) written(ctx context.Context, source string, names []string) ([]shown, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, writtenFor, errWrittenFor)
	defer cancel()
	c, err := p.open(ctx, "consumer")
	if err != nil {
		return nil, err
	}
	defer c.Close()
	list := []shown{}
	for _, topic := range names {
		of, err := p.newest(ctx, c, source, topic)
		switch {
		case errors.Is(err, kafka.ErrUnknownTopic): // nothing is written yet
		case err != nil:
			return nil, err
		}
		list = append(list, of...)
	}
	slices.SortStableFunc(list, func(a, b shown) int { return b.Time.Compare(a.Time) })
	return list[:min(len(list), writtenRecords)], nil
}

// newest gives the last records of a topic's partitions, of each the newest first.
func (p *Page) newest(ctx context.Context, c *kafka.Client, source, topic string) ([]shown, error) {
	if err := p.mayRead(topic); err != nil {
		return nil, err
	}
	d, err := p.decoder(source, topic)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	var list []shown
	for _, last := range writtenLast {
		list = nil
		t := topics.Tail{Client: c, Decoder: d, Topic: topic, Partition: -1, From: strconv.Itoa(-last), Bytes: tailBytes, Now: time.Now()}
		ended, err := t.Each(ctx, func(x *topics.Record) error {
			list = append(list, p.tailed(x).shown)
			for _, e := range x.Errors {
				list[len(list)-1].Fields = append(list[len(list)-1].Fields, named{"error", e})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if ended.By == "" {
			break
		}
	}
	slices.Reverse(list)
	return list, nil
}
