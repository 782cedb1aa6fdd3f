package reclassify

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/cli"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// compareName is the class of the sink that collects what is compared.
const compareName = "reclassify-compare"

// verdict is what one model says of an image.
type verdict struct {
	class, classifier string
	hab               bool
}

// compared is a sink that takes the statistics of a flow and of a run; of an
// image the last of each counts. It is filled by one task.
type compared struct {
	run *run

	mu       sync.Mutex
	old, new map[string]verdict // by image
	models   map[string]bool    // of the run
}

var _ connector.Sink = (*compared)(nil)

// Info describes the plugin.
func (*compared) Info() connector.Info {
	return connector.Info{Name: compareName, Version: "1.0.0", Doc: "Collects the classes that hydraulics reclassify compares."}
}

// ConfigDef has no keys.
func (*compared) ConfigDef() *connector.ConfigDef { return connector.NewConfigDef() }

// Start has nothing to do.
func (*compared) Start(context.Context, connector.Context, connector.Config) error { return nil }

// Stop has nothing to do.
func (*compared) Stop() error { return nil }

// Put sorts records into those from before the run and its own.
func (c *compared) Put(_ context.Context, records []connector.Record) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range records {
		if r.Value == nil {
			continue
		}
		if t, ok := sampleTime(r.Value); ok && (c.run.Since != 0 && t < c.run.Since || c.run.Until != 0 && t >= c.run.Until) {
			continue
		}
		image, v := imageOf(r.Key), verdict{}
		v.class, _ = field(r.Value, "name").(string)
		v.classifier, _ = field(r.Value, "classifier").(string)
		v.hab, _ = field(r.Value, "hab").(bool)
		h, marked := r.Headers.Last(runHeader)
		switch {
		case marked && r.Origin.Topic == c.run.Output && h.Value == c.run.Name:
			c.new[image], c.models[v.classifier] = v, true
		case r.Origin.Topic == c.run.Stats && r.Origin.Offset < c.run.StatsEnds[r.Origin.Partition]:
			c.old[image] = v
		}
	}
	return nil
}

// imageOf names an image by the key of its statistics: the bin and the ROI.
func imageOf(key any) string {
	if field(key, "pid") != nil {
		return fmt.Sprint(field(key, "pid"), " ", field(key, "roi"))
	}
	return fmt.Sprint(key)
}

// Report is what has changed from the old model to the new one.
type Report struct {
	Run    string   `json:"run"`
	Models []string `json:"models"` // of the run
	// Images have a class of both; OnlyNew had none before, OnlyOld have none of
	// the run: they are no longer in the image topic, or are dead letters.
	Images  int `json:"images"`
	OnlyNew int `json:"only_new"`
	OnlyOld int `json:"only_old"`
	Same    int `json:"same_class"`
	Changed int `json:"other_class"`
	// BecameHAB and CeasedHAB are images of which only the new, or only the old
	// class is a harmful alga.
	BecameHAB int         `json:"became_hab"`
	CeasedHAB int         `json:"ceased_hab"`
	Classes   []Confusion `json:"classes"`
}

// Confusion counts the images of one class that got another, or the same.
type Confusion struct {
	Old    string `json:"old"`
	New    string `json:"new"`
	Images int    `json:"images"`
	OldHAB bool   `json:"old_hab"`
	NewHAB bool   `json:"new_hab"`
}

// compare reads the statistics once more and makes the report. It is a sink of
// the runtime with a group that is not used again.
func (p *plan) compare(ctx context.Context, client *kafka.Client, r *run) (*Report, error) {
	c := &compared{run: r, old: map[string]verdict{}, new: map[string]verdict{}, models: map[string]bool{}}
	name := p.name + "-report-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	topics := []string{r.Stats}
	if r.Output != r.Stats {
		topics = append(topics, r.Output)
	}
	var there []string
	for _, topic := range topics {
		if _, err := client.Partitions(ctx, topic); err == nil {
			there = append(there, topic)
		} else if !errors.Is(err, kafka.ErrUnknownTopic) {
			return nil, err
		}
	}
	if len(there) > 0 {
		if err := p.collect(ctx, client, c, name, there); err != nil {
			return nil, err
		}
	}
	return c.report(), nil
}

// collect runs the sink until it has read all there is now.
func (p *plan) collect(ctx context.Context, client *kafka.Client, c *compared, name string, topics []string) error {
	sink := change(p.stream, name, []string{"topic", "transforms", "transforms.", "predicates", "predicates.", "input.key.converter", "input.key.converter.",
		"input.value.converter", "input.value.converter.", "input.header.converter", "errors.", "state.", "topic.creation.", "consumer.override.group.id"},
		[][2]string{{"connector.class", compareName}, {"topics", strings.Join(topics, ",")}, {"tasks.max", "1"},
			{"errors.tolerance", "all"}, {"errors.log.enable", "true"}})
	stop := map[string]map[int32]int64{}
	for _, topic := range topics {
		var err error
		if stop[topic], err = ends(ctx, client, topic); err != nil {
			return err
		}
	}
	registry := plugins(func(r *connector.Registry) { r.Add(connector.SinkType, func() connector.Plugin { return c }) })
	return p.work(ctx, []config.Connector{sink}, registry, func(w *cli.Worker) (bool, error) {
		for topic, ends := range stop {
			if left, err := unread(ctx, client, "connect-"+name, topic, ends, idle(w, name)); left > 0 || err != nil {
				return false, err
			}
		}
		return true, nil
	})
}

// report counts.
func (c *compared) report() *Report {
	c.mu.Lock()
	defer c.mu.Unlock()
	rep := &Report{Run: c.run.Name, Models: slices.Sorted(maps.Keys(c.models))}
	count := map[Confusion]int{}
	for image, n := range c.new {
		o, ok := c.old[image]
		if !ok {
			rep.OnlyNew++
			continue
		}
		rep.Images++
		if o.class == n.class {
			rep.Same++
		} else {
			rep.Changed++
		}
		if n.hab && !o.hab {
			rep.BecameHAB++
		}
		if o.hab && !n.hab {
			rep.CeasedHAB++
		}
		count[Confusion{Old: o.class, New: n.class, OldHAB: o.hab, NewHAB: n.hab}]++
	}
	for image := range c.old {
		if _, ok := c.new[image]; !ok {
			rep.OnlyOld++
		}
	}
	for k, n := range count {
		k.Images = n
		rep.Classes = append(rep.Classes, k)
	}
	slices.SortFunc(rep.Classes, func(a, b Confusion) int {
		if d := b.Images - a.Images; d != 0 {
			return d
		}
		return strings.Compare(a.Old+"\x00"+a.New, b.Old+"\x00"+b.New)
	})
	return rep
}

// write prints the report, and writes it to files where they are wanted.
func (r *Report) write(out io.Writer, jsonFile, csvFile string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: classified by %s\n", r.Run, strings.Join(r.Models, ", "))
	fmt.Fprintf(&b, "%d images were classified before and now: %d have the same class, %d another one\n", r.Images, r.Same, r.Changed)
	fmt.Fprintf(&b, "%d images had no class before; %d have none of this run (no longer in Kafka, or dead letters)\n", r.OnlyNew, r.OnlyOld)
	fmt.Fprintf(&b, "harmful algae: %d images became one, %d ceased to be one\n", r.BecameHAB, r.CeasedHAB)
	for _, c := range r.Classes {
		note := ""
		switch {
		case c.NewHAB && !c.OldHAB:
			note = "  became harmful"
		case c.OldHAB && !c.NewHAB:
			note = "  ceased to be harmful"
		}
		if c.Old != c.New || note != "" {
			fmt.Fprintf(&b, "%8d  %s -> %s%s\n", c.Images, c.Old, c.New, note)
		}
	}
	if _, err := io.WriteString(out, b.String()); err != nil {
		return err
	}
	if jsonFile != "" {
		data, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(jsonFile, append(data, '\n'), 0o644); err != nil {
			return fmt.Errorf("--json: %w", err)
		}
	}
	if csvFile != "" {
		if err := r.writeCSV(csvFile); err != nil {
			return fmt.Errorf("--csv: %w", err)
		}
	}
	return nil
}

// writeCSV writes the table of classes old and new.
func (r *Report) writeCSV(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	w := csv.NewWriter(f)
	rows := [][]string{{"old", "new", "images", "old_hab", "new_hab"}}
	for _, c := range r.Classes {
		rows = append(rows, []string{c.Old, c.New, strconv.Itoa(c.Images), strconv.FormatBool(c.OldHAB), strconv.FormatBool(c.NewHAB)})
	}
	return errors.Join(w.WriteAll(rows), f.Close())
}
