package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// ofCluster are the keys of a cluster's workers. A session is short, so that a takeover
// is not all waiting, and nothing waits for a lost worker to return.
func ofCluster(name string) []string {
	lines := []string{"group.id=" + name, "offset.storage.partitions=5", "session.timeout.ms=6000", "heartbeat.interval.ms=1000", "scheduled.rebalance.max.delay.ms=0"}
	for _, topic := range []string{"config", "offset", "status"} {
		lines = append(lines, topic+".storage.topic="+name+"-"+topic, topic+".storage.replication.factor=1")
	}
	return lines
}

// cluster is workers of one group.
type cluster struct {
	b       *bench
	s       side
	name    string
	workers []*worker
}

// join starts further workers, all at once.
func (c *cluster) join(ctx context.Context, n int) error {
	if c.name == "" {
		c.name = c.b.topics.name("cluster")
	}
	workers, errs := make([]*worker, n), make(chan error, n)
	for i := range workers {
		go func() { // ends with the worker's start
			var err error
			workers[i], _, err = c.b.launch(ctx, c.s, c.name)
			errs <- err
		}()
	}
	var err error
	for range n {
		err = errors.Join(err, <-errs)
	}
	for _, w := range workers {
		if w != nil {
			c.workers = append(c.workers, w)
		}
	}
	return err
}

func (c *cluster) stop() {
	for _, w := range c.workers {
		w.stop()
	}
	c.workers = nil
}

// create creates a connector, once no rebalance is on.
func (c *cluster) create(ctx context.Context, name string, config map[string]string) error {
	w := c.workers[0]
	var err error
	return errors.Join(w.await(ctx, "the connector "+name, 50*time.Millisecond, func() (bool, error) {
		err = w.create(ctx, name, config)
		return err == nil || !strings.Contains(err.Error(), "409") && !strings.Contains(err.Error(), "500"), nil
	}), err)
}

// spread gives how many tasks run at each worker, as one of them says.
func (w *worker) spread() (map[string]int, error) {
	res, err := http.Get(w.url + "/connectors?expand=status")
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var all map[string]struct {
		Status struct {
			Tasks []struct {
				State  string
				Worker string `json:"worker_id"`
				Trace  string
			}
		}
	}
	if res.StatusCode != http.StatusOK {
		return nil, nil // a rebalance is on
	}
	if err := json.NewDecoder(res.Body).Decode(&all); err != nil {
		return nil, err
	}
	at := map[string]int{}
	for name, c := range all {
		for _, t := range c.Status.Tasks {
			if t.State == "FAILED" {
				return nil, fmt.Errorf("%s has failed: %s", name, t.Trace)
			}
			if t.State == "RUNNING" {
				at[t.Worker]++
			}
		}
	}
	return at, nil
}

// runs waits until so many tasks run, the same share at each worker.
func (c *cluster) runs(ctx context.Context, tasks int) error {
	w := c.workers[0]
	return w.await(ctx, fmt.Sprintf("%d tasks at %d workers", tasks, len(c.workers)), 5*time.Millisecond, func() (bool, error) {
		at, err := w.spread()
		if err != nil {
			return false, err
		}
		for _, w := range c.workers {
			n := at[w.id]
			if n < tasks/len(c.workers) || n > (tasks+len(c.workers)-1)/len(c.workers) {
				return false, nil
			}
		}
		return true, nil
	})
}

// cost gives what all workers took together.
func (c *cluster) cost() (all cost, err error) {
	for _, w := range c.workers {
		one, err := w.cost()
		if err != nil {
			return all, err
		}
		all.cpu, all.memory = all.cpu+one.cpu, all.memory+one.memory
	}
	return all, nil
}

func (b *bench) clusterLanes() []lane {
	var spread string
	many := b.lines * 3 / 5 // so many that what joining takes does not count
	three, one := side{name: "three workers", workers: 3}, side{name: "one worker", workers: 1}
	return []lane{
		{fmt.Sprintf("cluster: topic to topic, %d records of 1 KB", many), []side{three, one},
			func(ctx context.Context) (err error) {
				spread, err = b.topics.fill(ctx, "spread", many, 3, texts(1<<10))
				return err
			},
			func(ctx context.Context, s side) (cost, error) { return b.shared(ctx, s, spread, many) }},
		{"cluster: start of a worker to the first record", []side{ours, theirs}, nil, b.first},
		{fmt.Sprintf("cluster: a second worker joins, until it has half of %d connectors", clusterSources), []side{ours, theirs}, nil, b.joined},
		{fmt.Sprintf("cluster: kill -9 of one of two workers, until the other runs all %d connectors (session 6 s)", clusterSources), []side{ours, theirs}, nil, b.takenOver},
		{fmt.Sprintf("cluster: %d mock tasks at three workers, all started at once, until all run", mocks), []side{ours}, nil, b.many},
	}
}

// with has a cluster do something and ends it.
func (b *bench) with(ctx context.Context, s side, workers int, do func(c *cluster) (cost, error)) (cost, error) {
	c := &cluster{b: b, s: s}
	defer c.stop()
	if err := c.join(ctx, workers); err != nil {
		return cost{}, err
	}
	return do(c)
}

// timed gives the cost of something.
func (c *cluster) timed(do func() error) (cost, error) {
	before, err := c.cost()
	if err != nil {
		return cost{}, err
	}
	began := time.Now()
	if err := do(); err != nil {
		return cost{}, err
	}
	took := time.Since(began)
	all, err := c.cost()
	all.took, all.cpu = took, all.cpu-before.cpu
	return all, err
}

// shared takes a topic of three partitions to another one, by three tasks.
func (b *bench) shared(ctx context.Context, s side, in string, n int) (cost, error) {
	return b.with(ctx, s, s.workers, func(c *cluster) (cost, error) {
		out := b.topics.name("shared")
		if err := b.topics.client.CreateTopic(ctx, kafka.TopicSpec{Name: out, Partitions: 3, Replication: 1}); err != nil {
			return cost{}, err
		}
		time.Sleep(settle)
		return c.timed(func() error {
			if err := c.create(ctx, out, map[string]string{"connector.class": "stream", "topics": in, "topic": out, "tasks.max": "3"}); err != nil {
				return err
			}
			return c.workers[0].await(ctx, "the last record", 10*time.Millisecond, func() (bool, error) { return b.topics.holds(ctx, out, n) })
		})
	})
}

// lines gives the configuration of a source of a file's few lines.
func (c *cluster) lines(name, topic string) (map[string]string, error) {
	file := filepath.Join(c.b.dir, c.name+"-"+name+".txt")
	return map[string]string{"connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector", "tasks.max": "1", "file": file, "topic": topic}, writeLines(file, 10, 100)
}

// first starts a worker on topics that are not there, and has it bring a file's lines.
func (b *bench) first(ctx context.Context, s side) (cost, error) {
	topic := b.topics.name("first")
	if err := b.topics.create(ctx, topic); err != nil {
		return cost{}, err
	}
	began := time.Now()
	return b.with(ctx, s, 1, func(c *cluster) (cost, error) {
		config, err := c.lines("first", topic)
		if err != nil {
			return cost{}, err
		}
		if err := c.create(ctx, "first", config); err != nil {
			return cost{}, err
		}
		if err := c.workers[0].await(ctx, "the first record", 2*time.Millisecond, func() (bool, error) { return b.topics.holds(ctx, topic, 1) }); err != nil {
			return cost{}, err
		}
		took := time.Since(began)
		all, err := c.cost()
		all.took = took
		return all, err
	})
}

// clusterSources is how many connectors a cluster has that a worker joins or leaves.
const clusterSources = 20

// sources has a cluster run a few sources.
func (c *cluster) sources(ctx context.Context) error {
	topic := c.b.topics.name("sources")
	if err := c.b.topics.create(ctx, topic); err != nil {
		return err
	}
	for i := range clusterSources {
		name := fmt.Sprint("lines-", i)
		config, err := c.lines(name, topic)
		if err != nil {
			return err
		}
		if err := c.create(ctx, name, config); err != nil {
			return err
		}
	}
	return c.runs(ctx, clusterSources)
}

// joined times a rebalance from the second worker's joining on. Java's answers no request
// before it is over, ours does.
func (b *bench) joined(ctx context.Context, s side) (cost, error) {
	return b.with(ctx, s, 1, func(c *cluster) (cost, error) {
		if err := c.sources(ctx); err != nil {
			return cost{}, err
		}
		before, err := c.cost()
		if err != nil {
			return cost{}, err
		}
		var began time.Time
		seen := make(chan error, 1)
		go func() { // ends with the second member, or its start's end
			at, err := b.members(ctx, c.name, 2)
			began = at
			seen <- err
		}()
		if err := c.join(ctx, 1); err != nil {
			return cost{}, err
		}
		if err := <-seen; err != nil {
			return cost{}, err
		}
		if err := c.runs(ctx, clusterSources); err != nil {
			return cost{}, err
		}
		took := time.Since(began)
		all, err := c.cost()
		all.took, all.cpu = took, all.cpu-before.cpu
		return all, err
	})
}

// members waits until a group has so many, and tells when.
func (b *bench) members(ctx context.Context, group string, n int) (time.Time, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(b.broker))
	if err != nil {
		return time.Time{}, err
	}
	defer client.Close()
	request := kmsg.NewPtrDescribeGroupsRequest()
	request.Groups = []string{group}
	for {
		answer, err := request.RequestWith(ctx, client)
		if err != nil || len(answer.Groups) == 1 && len(answer.Groups[0].Members) == n {
			return time.Now(), err
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// takenOver times the others' taking up of what a killed worker ran.
func (b *bench) takenOver(ctx context.Context, s side) (cost, error) {
	return b.with(ctx, s, 2, func(c *cluster) (cost, error) {
		if err := c.sources(ctx); err != nil {
			return cost{}, err
		}
		killed := c.workers[1]
		c.workers = c.workers[:1]
		if err := killed.cmd.Process.Kill(); err != nil {
			return cost{}, err
		}
		<-killed.ended
		return c.timed(func() error { return c.runs(ctx, clusterSources) })
	})
}

// mocks is how many connectors three workers share, with a task each, which does nothing.
const mocks = 1000

// health is what a worker says of its cluster.
type health struct {
	Cluster struct {
		Generation int
		Parts      int
	}
}

// many starts workers that have many tasks to share, and looks whether the REST API
// answers meanwhile.
func (b *bench) many(ctx context.Context, s side) (cost, error) {
	c := &cluster{b: b, s: s}
	defer c.stop()
	if err := c.join(ctx, 1); err != nil {
		return cost{}, err
	}
	for i := range mocks {
		if err := c.create(ctx, fmt.Sprint("mock-", i), map[string]string{"connector.class": "mock-source"}); err != nil {
			return cost{}, err
		}
	}
	if err := c.runs(ctx, mocks); err != nil {
		return cost{}, err
	}
	c.stop()
	began := time.Now()
	if err := c.join(ctx, 3); err != nil {
		return cost{}, err
	}
	answered := time.Now()
	err := c.workers[0].await(ctx, "the last sync", 5*time.Millisecond, c.synced)
	if err != nil {
		return cost{}, err
	}
	synced := time.Since(answered)
	var slowest time.Duration
	err = c.workers[0].await(ctx, "all tasks", 20*time.Millisecond, func() (bool, error) {
		asked := time.Now()
		at, err := c.workers[0].spread()
		slowest = max(slowest, time.Since(asked))
		sum := 0
		for _, n := range at {
			sum += n
		}
		return sum == mocks && len(at) == 3, err
	})
	if err != nil {
		return cost{}, err
	}
	all, err := c.cost()
	all.took = time.Since(began)
	log.Printf("first join to last sync %.2f s, to all RUNNING %.2f s, slowest answer meanwhile %.0f ms", synced.Seconds(), time.Since(answered).Seconds(), slowest.Seconds()*1000)
	return all, err
}

// synced tells whether all is shared out, each part to one worker.
func (c *cluster) synced() (bool, error) {
	var generations []int
	parts := 0
	for _, w := range c.workers {
		res, err := http.Get(w.url + "/health")
		if err != nil {
			return false, err
		}
		var h health
		err = errors.Join(json.NewDecoder(res.Body).Decode(&h), res.Body.Close())
		if err != nil {
			return false, err
		}
		generations, parts = append(generations, h.Cluster.Generation), parts+h.Cluster.Parts
	}
	return slices.Min(generations) == slices.Max(generations) && parts == 2*mocks, nil
}
