package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/axiom-data-science/hydraulics/runtime/internal/events"
	"github.com/axiom-data-science/hydraulics/runtime/internal/preview"
)

// TapOptions say which records are shown of those that pass.
type TapOptions struct {
	Task  int     // below 0 for all
	Stage string  // a part of its name; empty is the whole journey
	Rate  float64 // records per second of each worker; 0 is what the worker does
	Last  int     // of before
}

// Seen is what a tap has to say: one of the three, or none of them once it is open.
type Seen struct {
	Sample *preview.Sample
	Counts *WorkerCounts
	Note   string
}

// WorkerCounts are what the tap of one worker has seen.
type WorkerCounts struct {
	Worker string `json:"worker"`
	preview.Counts
}

// Tap shows records that pass through the tasks of a connector until ctx ends, each
// gives an error, or the worker has no more to show.
func (c *Client) Tap(ctx context.Context, name string, o TapOptions, each func(Seen) error) error {
	q := url.Values{}
	if o.Task >= 0 {
		q.Set("task", strconv.Itoa(o.Task))
	}
	if o.Stage != "" {
		q.Set("stage", o.Stage)
	}
	if o.Rate > 0 {
		q.Set("rate", strconv.FormatFloat(o.Rate, 'g', -1, 64))
	}
	if o.Last > 0 {
		q.Set("last", strconv.Itoa(o.Last))
	}
	r := call{method: http.MethodGet, path: []string{"connectors", name, "tap"}, query: q, about: "tap of " + about(name), ours: true, accept: events.Type}
	var unreachable []error
	for _, base := range c.bases {
		err := c.stream(ctx, base, r, each)
		if _, away := errors.AsType[*UnreachableError](err); !away {
			return err
		}
		unreachable = append(unreachable, err)
	}
	return errors.Join(unreachable...)
}

// stream reads what one worker shows.
func (c *Client) stream(ctx context.Context, base *url.URL, r call, each func(Seen) error) error {
	resp, err := c.send(ctx, base, r, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		_, err := read(ctx, base, r, resp)
		return err
	}
	if err := each(Seen{}); err != nil {
		return err
	}
	over := ""
	err = events.Read(resp.Body, func(e events.Event) error {
		seen, note := Seen{}, struct{ Message string }{}
		var err error
		switch e.Name {
		case "record":
			err = json.Unmarshal(e.Data, &seen.Sample)
		case "counts":
			err = json.Unmarshal(e.Data, &seen.Counts)
		case "note", "end":
			err = json.Unmarshal(e.Data, &note)
			if e.Name == "end" {
				over = note.Message
				return err
			}
			seen.Note = note.Message
		}
		if err != nil {
			return fmt.Errorf("%s: %s: %w", base, r.about, err)
		}
		return each(seen)
	})
	switch {
	case err != nil || ctx.Err() != nil:
		return err
	case over == "":
		over = "the worker is gone"
	}
	return fmt.Errorf("%s: %s: it ended: %s", base, r.about, over)
}
