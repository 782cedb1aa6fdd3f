package reclassify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/cli"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// run is the state of a run, which is kept from its first start on. How far it
// is itself is in the offsets of its consumer group.
type run struct {
	Name   string    `json:"name"`
	Model  string    `json:"model"` // with its digest, or the server's URL
	Images string    `json:"images"`
	Stats  string    `json:"stats"`  // topic of the flow
	Output string    `json:"output"` // topic of the run
	Since  int64     `json:"since"`  // seconds since 1970, 0 for any
	Until  int64     `json:"until"`
	Began  time.Time `json:"began"`
	Done   bool      `json:"done"`
	// ImageEnds are where the images end that the flow had classified, by
	// partition; StatsEnds where its statistics did.
	ImageEnds map[int32]int64 `json:"image_ends"`
	StatsEnds map[int32]int64 `json:"stats_ends"`

	behind int64 // records that are left to the flow, known at the first start
}

// begin takes up a run that was begun before, or notes where a new one ends.
func (p *plan) begin(ctx context.Context, client *kafka.Client) (*run, error) {
	r := &run{Name: p.name, Model: p.identity, Images: config.SplitList(text(p.stream, "topics"))[0], Stats: text(p.stream, "topic"), Began: time.Now().UTC()}
	if r.Output = p.name; p.o.Same {
		r.Output = r.Stats
	}
	for to, moment := range map[*int64]time.Time{&r.Since: p.o.Since, &r.Until: p.o.Until} {
		if !moment.IsZero() {
			*to = moment.Unix()
		}
	}
	data, err := os.ReadFile(p.file)
	if err == nil {
		return r.resume(p.file, data)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	all, err := ends(ctx, client, r.Images)
	if err != nil {
		return nil, err
	}
	if r.ImageEnds, err = p.imageEnds(ctx, client, r.Images, all); err != nil {
		return nil, err
	}
	for partition, end := range all {
		r.behind += end - r.ImageEnds[partition]
	}
	// Behind the flow's commits: the statistics of all images before them are there.
	if r.StatsEnds, err = ends(ctx, client, r.Stats); err != nil && !errors.Is(err, kafka.ErrUnknownTopic) {
		return nil, err
	}
	return r, r.save(p.file)
}

// resume gives the run of a state file, if it is this one.
func (r *run) resume(file string, data []byte) (*run, error) {
	var old run
	if err := json.Unmarshal(data, &old); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w; delete it to begin anew", file, err)
	}
	for _, x := range []struct {
		what     string
		old, now any
	}{{"model", old.Model, r.Model}, {"image topic", old.Images, r.Images}, {"topic of statistics", old.Stats, r.Stats},
		{"output", old.Output, r.Output}, {"--since", old.Since, r.Since}, {"--until", old.Until, r.Until}} {
		if x.old != x.now {
			return nil, fmt.Errorf("the run %s has the %s %v, now it is %v: %w", r.Name, x.what, x.old, x.now, errOtherRun)
		}
	}
	return &old, nil
}

// save writes the state as a whole.
func (r *run) save(file string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	part := file + ".part"
	if err := os.WriteFile(part, append(data, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(part, file)
}

// ends gives the ends of a topic's partitions.
func ends(ctx context.Context, client *kafka.Client, topic string) (map[int32]int64, error) {
	all, err := client.EndOffsets(ctx, topic)
	if err != nil {
		return map[int32]int64{}, err
	}
	by := map[int32]int64{}
	for tp, end := range all {
		by[tp.Partition] = end
	}
	return by, nil
}

// imageEnds is how far the flow's stream is: images behind that are left to it,
// so that none is classified by both at once. Where it never ran all count.
func (p *plan) imageEnds(ctx context.Context, client *kafka.Client, topic string, all map[int32]int64) (map[int32]int64, error) {
	live, err := client.CommittedOffsets(ctx, p.liveGroup())
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(live, func(tp connector.TopicPartition, _ int64) bool { return tp.Topic != topic })
	if len(live) == 0 {
		return all, nil
	}
	read := map[int32]int64{}
	for partition := range all {
		read[partition] = live[connector.TopicPartition{Topic: topic, Partition: partition}]
	}
	return read, nil
}

// records is the number of offsets before the ends.
func (r *run) records() (n int64) {
	for _, end := range r.ImageEnds {
		n += end
	}
	return n
}

// errFound stops a search for a record.
var errFound = errors.New("there is a record")

// unread is how many offsets before the ends of a topic a group has not
// committed yet. Where its reader seems to be idle those are looked at: they
// may hold no records any more, or none but markers of transactions.
func unread(ctx context.Context, client *kafka.Client, group, topic string, ends map[int32]int64, idle bool) (int64, error) {
	committed, err := client.CommittedOffsets(ctx, group)
	if err != nil {
		return 0, err
	}
	left := int64(0)
	for partition, end := range ends {
		tp := connector.TopicPartition{Topic: topic, Partition: partition}
		next := committed[tp]
		if next >= end {
			continue
		}
		if idle {
			err := client.ReadPartition(ctx, tp, next, func(m kafka.Message) error {
				if m.Offset < end {
					return errFound
				}
				return errBehind
			})
			if err == nil || errors.Is(err, errBehind) {
				continue
			}
			if !errors.Is(err, errFound) {
				return 0, err
			}
		}
		left += end - next
	}
	return left, nil
}

// errBehind stops a search behind the end.
var errBehind = errors.New("the next record is behind the end")

// idle tells whether a connector's tasks have nothing in work and see nothing
// before them. Before their first answer from Kafka they do not know better.
func idle(w *cli.Worker, name string) bool {
	tasks := 0
	for _, s := range w.Snapshots() {
		if s.Connector != name {
			continue
		}
		tasks++
		if s.Active > 0 || len(s.Lag) == 0 {
			return false
		}
		for _, lag := range s.Lag {
			if lag > 0 {
				return false
			}
		}
	}
	return tasks > 0
}

// ends writes the ends for a configuration.
func (r *run) ends() string {
	var parts []string
	for _, partition := range slices.Sorted(maps.Keys(r.ImageEnds)) {
		parts = append(parts, topicPartition(connector.TopicPartition{Topic: r.Images, Partition: partition}, r.ImageEnds[partition]))
	}
	return strings.Join(parts, ",")
}
