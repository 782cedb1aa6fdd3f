//go:build integration

package integration

import (
	"encoding/json"
	"strings"
	"time"
)

// start is what the topic of statuses says of a task's starts.
type start struct {
	worker string    // of the last one
	at     time.Time // the same
	count  int       // of those that the topic still has
}

// starts reads when tasks have begun to run, by the end of their key, such as "sink-0": a
// worker says that a task is RUNNING when it starts it, and not again while it runs.
func (c *cluster) starts(topic string) map[string]start {
	c.t.Helper()
	found := map[string]start{}
	for _, m := range c.read(topic) {
		var s struct {
			State  string `json:"state"`
			Worker string `json:"worker_id"`
		}
		task, is := strings.CutPrefix(string(m.Key), "status-task-")
		if !is || m.Value == nil {
			continue
		}
		check(c.t, json.Unmarshal(m.Value, &s))
		if s.State == "RUNNING" {
			found[task] = start{s.Worker, time.UnixMilli(m.Timestamp), found[task].count + 1}
		}
	}
	return found
}
