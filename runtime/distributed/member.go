package distributed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/cluster"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
	"github.com/axiom-data-science/hydraulics/runtime/herder/store"
	"github.com/axiom-data-science/hydraulics/runtime/internal/compacted"
	"github.com/axiom-data-science/hydraulics/runtime/internal/offset"
	"github.com/axiom-data-science/hydraulics/runtime/internal/status"
)

// Options are what a member needs.
type Options struct {
	// Worker is the worker's configuration, Props the same as it was written, resolved.
	Worker connector.Config
	Props  connector.Props
	// Client connects to Kafka. It outlives the member.
	Client *kafka.Client
	// URL is that of the worker's REST API, as the others reach it, and WorkerID its
	// name in statuses, host:port.
	URL, WorkerID string
	// Version is that of the worker's program.
	Version string
	// HTTP sends requests to other workers.
	HTTP *http.Client
	Log  *slog.Logger
}

// Member is a worker in its cluster. It is safe for concurrent use.
type Member struct {
	o        Options
	group    *cluster.Group
	store    *store.Kafka
	offsets  *offset.Kafka
	statuses *status.Kafka
	keys     keyring

	cancel context.CancelFunc // ends the goroutines; nil before Join
	work   sync.WaitGroup
	ended  error // of the group, after its goroutine

	mu       sync.Mutex
	placed   cluster.Placement
	view     cluster.View
	known    map[string]bool  // the connectors of which the group knows
	since    map[string]int64 // the offsets behind the connectors' last commits of tasks, of those that came while the worker was there
	changed  chan struct{}    // closed at every placement and session key, then made anew
	reassign func()           // has the herder run what is placed here
}

// Open makes sure of the cluster's topics and reads them to their ends. Join makes the
// worker a member. Close is due after that, also without Join.
func Open(ctx context.Context, o Options) (_ *Member, err error) {
	m := &Member{o: o, known: map[string]bool{}, since: map[string]int64{}, changed: make(chan struct{})}
	if m.keys, err = newKeyring(o.Worker); err != nil {
		return nil, err
	}
	var settings [3]compacted.Options
	var errs []error
	for i, use := range []compacted.Use{compacted.Configs, compacted.Offsets, compacted.Statuses} {
		s, ignored, err := use.Of(o.Props)
		errs = append(errs, err)
		for _, key := range ignored {
			o.Log.Warn(key + " is ignored: such a topic is compacted, and that of configurations has one partition")
		}
		settings[i] = compacted.Options{Settings: s, Client: o.Client, Log: o.Log}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			m.closeTopics()
		}
	}()
	if m.store, err = store.OpenKafka(ctx, settings[0]); err != nil {
		return nil, err
	}
	if m.offsets, err = offset.OpenKafka(ctx, settings[1]); err != nil {
		return nil, err
	}
	if m.statuses, err = status.OpenKafka(ctx, settings[2]); err != nil {
		return nil, err
	}
	for _, name := range m.store.Connectors() {
		m.known[name] = true
	}
	if m.group, err = cluster.New(o.Client, m.groupOptions()); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *Member) groupOptions() cluster.Options {
	c := m.o.Worker
	millis := func(key string) time.Duration { return time.Duration(c.Int(key)) * time.Millisecond }
	version := map[string]cluster.Version{config.ProtocolEager: cluster.Eager, config.ProtocolCompatible: cluster.Compatible,
		config.ProtocolSessioned: cluster.Sessioned}[strings.ToLower(c.String("connect.protocol"))]
	return cluster.Options{Group: c.String("group.id"), URL: m.o.URL, Software: m.o.Version, Version: version,
		SessionTimeout: millis("session.timeout.ms"), HeartbeatInterval: millis("heartbeat.interval.ms"), RebalanceTimeout: millis("rebalance.timeout.ms"),
		MaxDelay: millis("scheduled.rebalance.max.delay.ms"), SyncTimeout: millis("worker.sync.timeout.ms"), UnsyncBackoff: millis("worker.unsync.backoff.ms"),
		LeaveAtOnce: c.String("worker.leave.on.stop") == config.LeaveNow, Config: configs{m.store}, Place: m.place, Log: m.o.Log}
}

// configs is the configuration topic as the group sees it.
type configs struct{ *store.Kafka }

// Snapshot gives what was read of it.
func (c configs) Snapshot() cluster.Snapshot {
	at, tasks := c.Kafka.Snapshot()
	return cluster.Snapshot{Offset: at, Tasks: tasks}
}

// CatchUp reads it to its end.
func (c configs) CatchUp(ctx context.Context) error { return c.ToEnd(ctx) }

// Offsets gives the store of source offsets.
func (m *Member) Offsets() offset.Store { return m.offsets }

// Store gives the store of what is wanted, which only the leader changes.
func (m *Member) Store() store.Store { return wanted{m.store, m} }

// Join makes the worker a member of the group. reassign has its herder run what it is
// assigned, and is called from the member's goroutine.
func (m *Member) Join(reassign func(), failed func(error)) {
	ctx, cancel := context.WithCancel(context.Background())
	m.cancel = cancel
	m.mu.Lock()
	m.reassign = reassign
	m.mu.Unlock()
	m.work.Go(func() {
		m.ended = m.group.Run(ctx)
		if ctx.Err() == nil { // the group refuses it
			failed(m.ended)
		}
	})
	m.work.Go(func() { m.rotate(ctx) })
	m.work.Go(func() { m.watch(ctx) })
}

// lastWords is how long the statuses of what has stopped may take to be written.
const lastWords = 3 * time.Second

// Close leaves the group and the topics. What the worker runs has stopped by then. It is
// safe on a member that has not joined, and on none.
func (m *Member) Close(ctx context.Context) error {
	if m == nil {
		return nil
	}
	if m.cancel == nil {
		m.Join(func() {}, func(error) {}) // the group's goroutine ends it
	}
	m.cancel()
	m.work.Wait()
	limited, done := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer done()
	err := m.statuses.Flush(limited)
	if err != nil {
		err = fmt.Errorf("statuses of what has stopped: %w", err)
	}
	m.closeTopics()
	return errors.Join(m.ended, err)
}

func (m *Member) closeTopics() {
	if m.statuses != nil {
		m.statuses.Close()
	}
	if m.offsets != nil {
		_ = m.offsets.Close() // it gives no error
	}
	if m.store != nil {
		m.store.Close()
	}
}

// wanted is the store of what is wanted as a herder sees it: the member hears first of
// what changes.
type wanted struct {
	*store.Kafka
	m *Member
}

// Listen has tell hear of every record from now on.
func (w wanted) Listen(tell func(store.Record)) {
	w.Kafka.Listen(func(r store.Record) {
		rejoin := w.m.heard(r)
		tell(r)
		if rejoin {
			w.m.group.Rejoin()
		}
	})
}

// Append writes records where the worker leads, and those for loggers anywhere. What
// keeps it from that may pass.
func (w wanted) Append(ctx context.Context, records ...store.Record) error {
	ofLeader := slices.ContainsFunc(records, func(r store.Record) bool { _, level := r.(store.LoggerLevel); return !level })
	if err := w.m.Leads(); ofLeader && err != nil {
		return err
	}
	if err := w.Kafka.Append(ctx, records...); err != nil {
		return connector.Retriable(err)
	}
	return nil
}

var _ store.Store = wanted{}

// heard takes note of a change of what is wanted, and tells whether it is one of what
// is to be shared out.
func (m *Member) heard(r store.Record) (rejoin bool) {
	at := m.store.Offset()
	m.mu.Lock()
	defer m.mu.Unlock()
	switch r := r.(type) {
	case store.ConnectorConfig:
		rejoin = m.known[r.Connector] != (r.Config != nil)
		if m.known[r.Connector] = r.Config != nil; r.Config == nil {
			delete(m.known, r.Connector)
			delete(m.since, r.Connector)
		}
	case store.TaskCommit:
		m.since[r.Connector] = at
		return true
	case store.SessionKey:
		m.note()
	}
	return rejoin
}

// note wakes those who wait for a change. mu is held.
func (m *Member) note() {
	close(m.changed)
	m.changed = make(chan struct{})
}

var (
	_ herder.Assignment = (*Member)(nil)
	_ herder.Leader     = (*Member)(nil)
	_ herder.Statuses   = (*Member)(nil)
)
