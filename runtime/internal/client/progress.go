package client

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Progress is what a task has done so far.
type Progress struct {
	In        int64     `json:"records_in"`
	Out       int64     `json:"records_out"`
	Dropped   int64     `json:"records_dropped"`
	Skipped   int64     `json:"records_skipped"`
	Active    int64     `json:"records_active"`
	Lag       int64     `json:"lag"`
	LastOut   time.Time `json:"last_out,omitzero"`
	Retrying  bool      `json:"retrying,omitempty"`
	LastError string    `json:"last_error,omitempty"`
}

// Progress gives all connectors with what their tasks have done. A worker only knows
// that of its own tasks: those others are asked that run some, at the addresses which
// statuses tell. What is wrong with one of these is a note, and its tasks have none.
func (c *Client) Progress(ctx context.Context) (all map[string]Connector, notes []error, err error) {
	if all, err = c.connectors(ctx, true); err != nil {
		return nil, nil, err
	}
	missing, running, known := map[string]bool{}, false, false
	for _, one := range all {
		for _, t := range one.Status.Tasks {
			known = known || t.Progress != nil
			if t.Progress == nil && t.Worker != "" && t.State.State == "RUNNING" {
				missing[t.Worker], running = true, true
			}
		}
	}
	for _, at := range slices.Sorted(maps.Keys(missing)) {
		there, err := c.at(at).statuses(ctx, true)
		if err != nil {
			notes = append(notes, fmt.Errorf("what the tasks of worker %s have done is not known: %w", at, err))
			continue
		}
		for name, one := range all {
			for i := range one.Status.Tasks {
				if p := there[name].Progress(one.Status.Tasks[i].ID); p != nil {
					one.Status.Tasks[i].Progress, known = p, true
				}
			}
		}
	}
	if running && !known && len(notes) == 0 {
		return nil, nil, &Error{URL: c.URL(), About: "progress of tasks", Status: http.StatusNotFound, Message: "it does not tell what tasks have done", lacks: true, ours: true}
	}
	return all, notes, ctx.Err()
}

// Progress gives what a task has done, nil where that is not known.
func (c Connector) Progress(task int) *Progress {
	for _, t := range c.Status.Tasks {
		if t.ID == task {
			return t.Progress
		}
	}
	return nil
}

// at gives a client of another worker of the same cluster, at a host and port.
func (c *Client) at(host string) *Client {
	other := *c
	other.bases = []*url.URL{{Scheme: c.bases[0].Scheme, Host: host}}
	return &other
}
