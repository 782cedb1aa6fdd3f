package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/axiom-data-science/hydraulics/cmd/hydraulics/internal/watch"
	"github.com/axiom-data-science/hydraulics/internal/data/wholejson"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// firstRows prints the first answer to the query that has rows.
func (d *demo) firstRows(ctx context.Context) {
	tick := time.NewTicker(watch.Every)
	defer tick.Stop()
	for {
		if rows, err := d.ask(ctx, d.query()); err == nil && len(rows) > 0 {
			text, err := json.Marshal(rows[0])
			if err == nil {
				fmt.Fprintf(d.out, "\nthe query answers with %d rows, the first is\n  %s\n", len(rows), text)
			}
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (d *demo) ask(ctx context.Context, url string) ([]map[string]any, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, resp.Status)
	}
	var rows []map[string]any
	return rows, wholejson.Decode(json.NewDecoder(io.LimitReader(resp.Body, 1<<20)), &rows)
}

// flow is how the demo's connectors follow one another: a group and what it reads.
var flow = []struct{ group, topic string }{
	{"connect-ifcb-stats", "ifcb-images"}, {"connect-ifcb-postgres", "ifcb-sample-stats"}, {"connect-ifcb-bins", "ifcb-images-bins"},
}

// untilIdle waits until the source has given all that is offered and every
// connector behind it has committed all that it was given.
func (d *demo) untilIdle(ctx context.Context) error {
	client, err := kafka.Open(ctx, kafka.Options{Bootstrap: []string{d.at.Kafka}, Log: d.log})
	if err != nil {
		return err
	}
	defer client.Close()
	tick := time.NewTicker(watch.Every)
	defer tick.Stop()
	for {
		done, err := d.sourceDone()
		for i := 0; done && err == nil && i < len(flow); i++ {
			done, err = watch.CaughtUp(ctx, client, flow[i].group, flow[i].topic)
		}
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("demo: --until-idle: %w", err)
		}
		if done {
			fmt.Fprintln(d.out, d.outcome())
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("demo: interrupted before all bins have landed")
		}
	}
}

// outcome says in words what became of the bins.
func (d *demo) outcome() string {
	givenUp := 0.0
	for _, s := range d.worker.Snapshots() {
		if s.Connector == "ifcb-images" {
			givenUp += watch.Sample(s, "ifcb_bins_failed_total")
		}
	}
	if givenUp > 0 {
		return fmt.Sprintf("the bins that could be had have landed; %.0f of those offered were given up, the errors above say why", givenUp)
	}
	return "all bins that are offered have landed"
}
