package runtime

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/axiom-data-science/hydraulics/connector"
)

// sinkContext notes what a sink asks for, from any goroutine, until the task's
// does it. The zero value has no partitions.
type sinkContext struct {
	mu       sync.Mutex // guards the following
	assigned []connector.TopicPartition
	paused   map[connector.TopicPartition]bool
	changed  bool // paused, since it was taken
	seeks    map[connector.TopicPartition]int64
	commit   bool
}

var _ connector.SinkContext = (*sinkContext)(nil)

// assign notes the partitions that the task has. Those that are paused stay so
// where it gets them back at once.
func (c *sinkContext) assign(tps []connector.TopicPartition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.assigned = slices.Clone(tps)
	clear(c.seeks)
	if len(tps) > 0 && len(c.paused) > 0 {
		maps.DeleteFunc(c.paused, func(tp connector.TopicPartition, _ bool) bool { return !slices.Contains(tps, tp) })
		c.changed = true
	}
}

// Assignment gives the partitions that the task has.
func (c *sinkContext) Assignment() []connector.TopicPartition {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.assigned)
}

// Pause keeps records of partitions from the sink.
func (c *sinkContext) Pause(tps ...connector.TopicPartition) error {
	return c.on(tps, func(tp connector.TopicPartition) {
		if c.paused == nil {
			c.paused = map[connector.TopicPartition]bool{}
		}
		c.paused[tp], c.changed = true, true
	})
}

// Resume undoes Pause.
func (c *sinkContext) Resume(tps ...connector.TopicPartition) error {
	return c.on(tps, func(tp connector.TopicPartition) {
		delete(c.paused, tp)
		c.changed = true
	})
}

// Seek has a partition go on at an offset.
func (c *sinkContext) Seek(tp connector.TopicPartition, offset int64) error {
	if offset < 0 {
		return fmt.Errorf("%s[%d]: offset %d is negative", tp.Topic, tp.Partition, offset)
	}
	return c.on([]connector.TopicPartition{tp}, func(tp connector.TopicPartition) {
		if c.seeks == nil {
			c.seeks = map[connector.TopicPartition]int64{}
		}
		c.seeks[tp] = offset
	})
}

// RequestCommit has offsets committed soon.
func (c *sinkContext) RequestCommit() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.commit = true
}

// on does something for partitions, if the task has them all.
func (c *sinkContext) on(tps []connector.TopicPartition, do func(connector.TopicPartition)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, tp := range tps {
		if !slices.Contains(c.assigned, tp) {
			return fmt.Errorf("%s[%d] is not assigned to this task", tp.Topic, tp.Partition)
		}
	}
	for _, tp := range tps {
		do(tp)
	}
	return nil
}

// takeSeeks gives the seeks that were asked for since the last call.
func (c *sinkContext) takeSeeks() map[connector.TopicPartition]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	seeks := c.seeks
	c.seeks = nil
	return seeks
}

// takePaused gives the partitions that are to be paused, if they are others than
// at the last call.
func (c *sinkContext) takePaused() (paused map[connector.TopicPartition]bool, changed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed = c.changed
	c.changed = false
	return maps.Clone(c.paused), changed
}

// takeCommit tells whether a commit was asked for since the last call.
func (c *sinkContext) takeCommit() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	asked := c.commit
	c.commit = false
	return asked
}
