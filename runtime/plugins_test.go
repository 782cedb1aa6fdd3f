package runtime

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/converter/simpleheader"
)

// plugins gives a registry of test plugins that share what script holds.
func plugins(s *script) *connector.Registry {
	r := new(connector.Registry)
	r.Add(connector.ConverterType, func() connector.Plugin { return textConverter{} })
	r.Add(connector.ConverterType, func() connector.Plugin { return textConverter{name: "json"} }) // the worker's default
	r.Add(connector.HeaderConverterType, func() connector.Plugin { return new(simpleheader.Converter) })
	r.Add(connector.SourceType, func() connector.Plugin { return &numbers{script: s} })
	r.Add(connector.SinkType, func() connector.Plugin { return &collect{script: s} })
	r.Add(connector.SinkType, func() connector.Plugin { return &buffer{collect: collect{script: s}} })
	r.Add(connector.SinkType, func() connector.Plugin { return &chooser{collect{script: s}} })
	r.Add(connector.TransformType, func() connector.Plugin { return &change{script: s} })
	r.Add(connector.TransformType, func() connector.Plugin { return &batchChange{change{script: s}} })
	r.Add(connector.TransformType, func() connector.Plugin { return &counting{script: s} })
	r.Add(connector.PredicateType, func() connector.Plugin { return isOdd{} })
	return r
}

// script is what test plugins do and what they have seen.
type script struct {
	poll     func(n int) error                                 // of numbers, before it gives number n
	start    func() error                                      // of numbers and collect
	put      func(rs []connector.Record) error                 // of collect
	flush    func() error                                      // of buffer
	change   func(v string) (out string, keep bool, err error) // of change
	choose   func(current offsets) (offsets, error)            // of chooser
	opened   func(c connector.SinkContext) error               // of collect
	batch    int                                               // that collect would like to have at once
	linger   time.Duration                                     // and how long it waits for as many
	context  connector.Context                                 // of the last start
	reported func(r connector.Record) error                    // of collect: why a record is reported, nil for none
	arrived  func()                                            // of collect, when it has waited for a record's letter

	mu       sync.Mutex
	records  []connector.Record // taken by sinks
	passed   []string           // numbers that CommitRecord was called with
	commits  int
	events   []string
	instance int
}

func (s *script) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, fmt.Sprintf(format, args...))
}

// values gives the values that sinks took, in order.
func (s *script) values() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]string, len(s.records))
	for i, r := range s.records {
		list[i], _ = r.Value.(string)
	}
	return list
}

// textConverter keeps text as it is and refuses what starts with "bad".
type textConverter struct{ name string }

func (c textConverter) Info() connector.Info {
	if c.name != "" {
		return connector.Info{Name: c.name, Version: "1"}
	}
	return connector.Info{Name: "text", Version: "1", Class: "test.TextConverter"}
}
func (textConverter) ConfigDef() *connector.ConfigDef { return connector.NewConfigDef() }
func (textConverter) Configure(connector.Context, connector.Config, bool) error {
	return nil
}

func (textConverter) FromConnect(_ context.Context, _ string, _ *connector.Schema, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		if strings.HasPrefix(v, "bad") {
			return nil, fmt.Errorf("%q is bad", v)
		}
		return []byte(v), nil
	}
	return nil, fmt.Errorf("a %T is no text", v)
}

func (textConverter) ToConnect(_ context.Context, _ string, data []byte) (*connector.Schema, any, error) {
	if data == nil {
		return nil, nil, nil
	}
	if strings.HasPrefix(string(data), "bad") {
		return nil, nil, fmt.Errorf("%q is bad", data)
	}
	return connector.OptionalStringSchema, string(data), nil
}

// numbers gives the numbers from 0 to count-1 and then is done, or waits.
type numbers struct {
	script       *script
	topic        string
	count, batch int
	wait         bool
	next         int
}

func (*numbers) Info() connector.Info { return connector.Info{Name: "numbers", Version: "2"} }
func (*numbers) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "topic", Type: connector.StringKey, Required: true},
		connector.Key{Name: "count", Type: connector.IntKey, Required: true},
		connector.Key{Name: "batch", Type: connector.IntKey, Default: 10},
		connector.Key{Name: "wait", Type: connector.BooleanKey, Default: false},
	)
}

var numbersPartition = map[string]any{"what": "numbers"}

func (n *numbers) Start(ctx context.Context, c connector.Context, conf connector.Config) error {
	n.script.mu.Lock()
	n.script.context = c
	n.script.instance++
	n.script.mu.Unlock()
	if n.script.start != nil {
		if err := n.script.start(); err != nil {
			return err
		}
	}
	n.topic, n.count, n.batch, n.wait = conf.String("topic"), conf.Int("count"), conf.Int("batch"), conf.Bool("wait")
	at, err := c.Offsets.Offset(ctx, numbersPartition)
	if err != nil {
		return err
	}
	if at != nil {
		last, err := at["n"].(json.Number).Int64()
		if err != nil {
			return err
		}
		n.next = int(last) + 1
	}
	return nil
}

func (n *numbers) Poll(ctx context.Context) ([]connector.SourceRecord, error) {
	if n.next >= n.count {
		if !n.wait {
			return nil, connector.ErrDone
		}
		<-ctx.Done()
		return nil, nil
	}
	var list []connector.SourceRecord
	for i := n.next; i < min(n.next+n.batch, n.count); i++ {
		if n.script.poll != nil {
			if err := n.script.poll(i); err != nil {
				return nil, err
			}
		}
		r := connector.NewRecord(n.topic, nil, strconv.Itoa(i%7), nil, strconv.Itoa(i))
		list = append(list, connector.SourceRecord{Record: r, SourcePartition: numbersPartition, SourceOffset: map[string]any{"n": i}})
	}
	n.next += len(list)
	return list, nil
}

func (n *numbers) CommitRecord(_ context.Context, r connector.SourceRecord, meta *connector.RecordMetadata) error {
	n.script.mu.Lock()
	defer n.script.mu.Unlock()
	v := r.Value.(string)
	if meta == nil {
		v += " dropped"
	}
	n.script.passed = append(n.script.passed, v)
	return nil
}

func (n *numbers) Commit(context.Context) error {
	n.script.mu.Lock()
	defer n.script.mu.Unlock()
	n.script.commits++
	return nil
}

func (n *numbers) Stop() error { n.script.note("stop"); return nil }

// collect keeps what it is given.
type collect struct {
	script *script
	c      connector.Context
}

func (*collect) Info() connector.Info            { return connector.Info{Name: "collect", Version: "1"} }
func (*collect) ConfigDef() *connector.ConfigDef { return connector.NewConfigDef() }
func (s *collect) Start(_ context.Context, c connector.Context, _ connector.Config) error {
	s.c = c
	s.script.mu.Lock()
	s.script.context = c
	s.script.instance++
	s.script.mu.Unlock()
	if s.script.start != nil {
		return s.script.start()
	}
	return nil
}

func (s *collect) Batch() (int, time.Duration) { return s.script.batch, s.script.linger }

func (s *collect) Put(ctx context.Context, rs []connector.Record) error {
	if s.script.put != nil {
		if err := s.script.put(rs); err != nil {
			return err
		}
	}
	for _, r := range rs {
		if s.script.reported != nil {
			if why := s.script.reported(r); why != nil {
				if s.c.Reporter == nil {
					return why
				}
				if err := errors.Join(s.c.Reporter.Report(ctx, r, why), s.c.Reporter.Wait(ctx)); err != nil {
					return err
				}
				if s.script.arrived != nil {
					s.script.arrived()
				}
				continue
			}
		}
		s.script.mu.Lock()
		s.script.records = append(s.script.records, r)
		s.script.mu.Unlock()
	}
	return nil
}

func (s *collect) Open(tps []connector.TopicPartition) error {
	s.script.note("open %d", len(tps))
	if s.script.opened != nil {
		return s.script.opened(s.c.Sink)
	}
	return nil
}

func (s *collect) Close(tps []connector.TopicPartition) error {
	s.script.note("close %d", len(tps))
	return nil
}

func (s *collect) Stop() error { s.script.note("stop"); return nil }

// buffer is collect with records that are durable only after Flush.
type buffer struct {
	collect
	held []connector.Record
}

func (*buffer) Info() connector.Info { return connector.Info{Name: "buffer", Version: "1"} }
func (s *buffer) Put(_ context.Context, rs []connector.Record) error {
	s.held = append(s.held, rs...)
	return nil
}

func (s *buffer) Flush(ctx context.Context) error {
	if s.script.flush != nil {
		if err := s.script.flush(); err != nil {
			return err
		}
	}
	held := s.held
	s.held = nil
	return s.collect.Put(ctx, held)
}

// offsets are those of partitions.
type offsets = map[connector.TopicPartition]int64

// chooser is collect that says which offsets are safe to commit.
type chooser struct{ collect }

func (*chooser) Info() connector.Info { return connector.Info{Name: "chooser", Version: "1"} }
func (s *chooser) PreCommit(_ context.Context, current map[connector.TopicPartition]int64) (map[connector.TopicPartition]int64, error) {
	return s.script.choose(current)
}

// change changes text values.
type change struct{ script *script }

func (*change) Info() connector.Info            { return connector.Info{Name: "change", Version: "1"} }
func (*change) ConfigDef() *connector.ConfigDef { return connector.NewConfigDef() }
func (*change) Configure(connector.Context, connector.Config) error {
	return nil
}

func (c *change) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	out, keep, err := c.script.change(r.Value.(string))
	r.Value = out
	r.Origin = connector.Origin{Topic: "forged"} // the runtime keeps its own
	return r, keep, err
}

// batchChange is change for batches.
type batchChange struct{ change }

func (*batchChange) Info() connector.Info { return connector.Info{Name: "batch-change", Version: "1"} }
func (c *batchChange) ApplyBatch(ctx context.Context, rs []connector.Record) []connector.Result {
	list := make([]connector.Result, len(rs))
	for i, r := range rs {
		list[i].Record, list[i].Keep, list[i].Err = c.Apply(ctx, r)
	}
	return list
}

// counting numbers the records of each key: its value becomes "<key>:<n>".
type counting struct{ script *script }

func (*counting) Info() connector.Info            { return connector.Info{Name: "counting", Version: "1"} }
func (*counting) ConfigDef() *connector.ConfigDef { return connector.NewConfigDef() }
func (*counting) Configure(connector.Context, connector.Config) error {
	return nil
}
func (*counting) Store() connector.StoreSpec { return connector.StoreSpec{Name: "counts"} }
func (*counting) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	return r, false, errors.New("not to be called")
}

func (c *counting) ApplyStateful(_ context.Context, s connector.Store, r connector.Record) (connector.Record, bool, error) {
	key := []byte(r.Key.(string))
	b, ok, err := s.Get(key)
	if err != nil {
		return r, false, err
	}
	n := uint64(0)
	if ok {
		n = binary.BigEndian.Uint64(b)
	}
	n++
	if err := s.Put(key, binary.BigEndian.AppendUint64(nil, n)); err != nil {
		return r, false, err
	}
	r.Value = fmt.Sprintf("%s:%d", key, n)
	return r, true, nil
}

// isOdd tells odd numbers.
type isOdd struct{}

func (isOdd) Info() connector.Info            { return connector.Info{Name: "is-odd", Version: "1"} }
func (isOdd) ConfigDef() *connector.ConfigDef { return connector.NewConfigDef() }
func (isOdd) Configure(connector.Context, connector.Config) error {
	return nil
}

func (isOdd) Test(r connector.Record) (bool, error) {
	n, err := strconv.Atoi(r.Value.(string))
	return n%2 == 1, err
}
