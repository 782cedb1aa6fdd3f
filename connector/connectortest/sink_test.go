package connectortest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

// shelf is a system that holds texts.
type shelf struct {
	mu    sync.Mutex
	items []string
	away  bool
	hangs chan struct{}
}

var errAway = errors.New("the shelf is away")

func (s *shelf) write(ctx context.Context, items ...string) error {
	s.mu.Lock()
	hangs := s.hangs
	s.mu.Unlock()
	if hangs != nil {
		select {
		case <-hangs:
		case <-ctx.Done():
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case s.away:
		return connector.Retriable(errAway)
	}
	s.items = append(s.items, items...)
	return nil
}

func (s *shelf) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// appender is a sink that keeps its promises, and puts each batch on the shelf.
type appender struct {
	info
	shelf *shelf
}

func (a *appender) Start(context.Context, connector.Context, connector.Config) error { return nil }
func (a *appender) Put(ctx context.Context, records []connector.Record) error {
	return a.shelf.write(ctx, texts(records)...)
}
func (a *appender) Stop() error { return nil }

func texts(records []connector.Record) []string {
	var all []string
	for _, r := range records {
		all = append(all, r.Value.(string))
	}
	return all
}

// buffer is a sink that keeps its promises, and writes at Flush.
type buffer struct {
	appender
	held []string
}

func (b *buffer) Put(ctx context.Context, records []connector.Record) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	b.held = append(b.held, texts(records)...)
	return nil
}

func (b *buffer) Flush(ctx context.Context) error {
	if err := b.shelf.write(ctx, b.held...); err != nil {
		return err
	}
	b.held = nil
	return nil
}

// upserter is a sink that keeps its promises, and holds the last item of a key.
type upserter struct{ appender }

func (u *upserter) Put(ctx context.Context, records []connector.Record) error {
	if err := u.shelf.write(ctx); err != nil {
		return err
	}
	u.shelf.set(func() {
		for _, r := range records {
			u.shelf.items = slices.DeleteFunc(u.shelf.items, func(item string) bool { return keyOf(item) == r.Key })
			u.shelf.items = append(u.shelf.items, r.Value.(string))
		}
	})
	return nil
}

func keyOf(item string) any {
	var key, n int
	_, _ = fmt.Sscanf(item, "%d: %d", &key, &n)
	return fmt.Sprint(key)
}

// sinkCase is a case of a sink on a shelf.
func sinkCase(of func(s *shelf) connector.Sink, keyed bool) SinkCase {
	current := new(shelf)
	c := SinkCase{
		New: func() connector.Sink { return of(current) },
		System: func(testing.TB) SinkSystem {
			s := new(shelf)
			current = s
			return SinkSystem{
				Held: func() []string {
					s.mu.Lock()
					defer s.mu.Unlock()
					return slices.Clone(s.items)
				},
				Break: func() func() {
					s.set(func() { s.away = true })
					return func() { s.set(func() { s.away = false }) }
				},
				Hang: func() func() {
					hangs := make(chan struct{})
					s.set(func() { s.hangs = hangs })
					return func() { s.set(func() { s.hangs = nil }); close(hangs) }
				},
			}
		},
		Record: func(n int) connector.Record {
			key := fmt.Sprint(n % 30)
			return connector.NewRecord("t", connector.StringSchema, key, connector.StringSchema, fmt.Sprintf("%s: %d", key, n))
		},
		Item: func(r connector.Record) string { return r.Value.(string) },
	}
	if keyed {
		c.Key = func(r connector.Record) string { return r.Key.(string) }
	}
	return c
}

func TestSinksThatKeepTheirPromises(t *testing.T) {
	t.Run("appender", func(t *testing.T) {
		Sink(t, sinkCase(func(s *shelf) connector.Sink { return &appender{shelf: s} }, false))
	})
	t.Run("buffer", func(t *testing.T) {
		Sink(t, sinkCase(func(s *shelf) connector.Sink { return &buffer{appender: appender{shelf: s}} }, false))
	})
	t.Run("upserter", func(t *testing.T) {
		Sink(t, sinkCase(func(s *shelf) connector.Sink { return &upserter{appender{shelf: s}} }, true))
	})
}

// changed is a sink with other functions in the place of its own.
type changed struct {
	appender
	start func() error
	put   func(ctx context.Context, records []connector.Record) error
	stop  func() error

	reporter connector.ErrantReporter
}

func (c *changed) Start(_ context.Context, conn connector.Context, _ connector.Config) error {
	c.reporter = conn.Reporter
	if c.start != nil {
		return c.start()
	}
	return nil
}

func (c *changed) Put(ctx context.Context, records []connector.Record) error {
	if c.put != nil {
		return c.put(ctx, records)
	}
	return c.appender.Put(ctx, records)
}

func (c *changed) Stop() error {
	if c.stop != nil {
		return c.stop()
	}
	return nil
}

// flusher is a changed buffer.
type flusher struct {
	buffer
	flush  func(ctx context.Context) error
	closed func()
}

func (f *flusher) Flush(ctx context.Context) error {
	if f.flush != nil {
		return f.flush(ctx)
	}
	return f.buffer.Flush(ctx)
}

func (f *flusher) Open([]connector.TopicPartition) error { return nil }
func (f *flusher) Close([]connector.TopicPartition) error {
	if f.closed != nil {
		f.closed()
	}
	return nil
}

func TestBadSinks(t *testing.T) {
	bad := func(name, fails, says string, spoil func(s *shelf, c *changed)) badCase {
		return badCase{name: name, fails: fails, says: says, promises: sinkCase(func(s *shelf) connector.Sink {
			c := &changed{appender: appender{shelf: s}}
			spoil(s, c)
			return c
		}, false).promises()}
	}
	badFlusher := func(name, fails, says string, spoil func(s *shelf, f *flusher)) badCase {
		return badCase{name: name, fails: fails, says: says, promises: sinkCase(func(s *shelf) connector.Sink {
			f := &flusher{buffer: buffer{appender: appender{shelf: s}}}
			spoil(s, f)
			return f
		}, false).promises()}
	}
	badUpserter := func(name, fails, says string, put func(s *shelf, records []connector.Record)) badCase {
		return badCase{name: name, fails: fails, says: says, promises: sinkCase(func(s *shelf) connector.Sink {
			return &changed{appender: appender{shelf: s}, put: func(_ context.Context, records []connector.Record) error {
				s.set(func() { put(s, records) })
				return nil
			}}
		}, true).promises()}
	}
	leak := make(chan struct{})
	t.Cleanup(func() { close(leak) })
	hangs := bad("Put waits without end", "a hanging Put ends with its context", "a hanging Put whose context was cancelled does not return", func(s *shelf, c *changed) {
		c.put = func(_ context.Context, records []connector.Record) error {
			return s.write(context.Background(), texts(records)...)
		}
	})
	leaks := bad("a goroutine for each start", "leaves no goroutine", "goroutines are left behind", func(_ *shelf, c *changed) {
		c.start = func() error { go func() { <-leak }(); return nil }
	})
	hangs.waits, leaks.waits = true, true
	runBad(t, []badCase{
		hangs, leaks,
		bad("keeps two of a hundred", "holds what was put", "98 of 100 items are lost", func(s *shelf, c *changed) {
			c.put = func(ctx context.Context, records []connector.Record) error {
				if len(s.items) >= 2 {
					return nil
				}
				return s.write(ctx, texts(records[:min(len(records), 2-len(s.items))])...)
			}
		}),
		bad("writes at Stop", "holds what was put", "before Stop: 100 of 100 items are lost", func(s *shelf, c *changed) {
			var held []string
			c.put = func(_ context.Context, records []connector.Record) error {
				held = append(held, texts(records)...)
				return nil
			}
			c.stop = func() error { err := s.write(context.Background(), held...); held = nil; return err }
		}),
		bad("writes everything twice", "holds what was put", "is held twice", func(s *shelf, c *changed) {
			c.put = func(ctx context.Context, records []connector.Record) error {
				return s.write(ctx, append(texts(records), texts(records)...)...)
			}
		}),
		bad("writes something else", "holds what was put", "is none that was put", func(s *shelf, c *changed) {
			c.put = func(ctx context.Context, records []connector.Record) error {
				return s.write(ctx, append(texts(records), "something")...)
			}
		}),
		bad("turns a batch round", "holds what was put", "is out of order", func(s *shelf, c *changed) {
			c.put = func(ctx context.Context, records []connector.Record) error {
				all := texts(records)
				slices.Reverse(all)
				return s.write(ctx, all...)
			}
		}),
		bad("tells records by their offset alone", "holds what was put", "items are lost", func(s *shelf, c *changed) {
			last := int64(-1)
			c.put = func(ctx context.Context, records []connector.Record) error {
				for _, r := range records {
					if r.Origin.Offset <= last {
						continue
					}
					last = r.Origin.Offset
					if err := s.write(ctx, r.Value.(string)); err != nil {
						return err
					}
				}
				return nil
			}
		}),
		bad("marks an empty batch", "an empty batch changes nothing", `after an empty batch the system holds ["mark"]`, func(s *shelf, c *changed) {
			c.put = func(ctx context.Context, records []connector.Record) error {
				if len(records) == 0 {
					return s.write(ctx, "mark")
				}
				return s.write(ctx, texts(records)...)
			}
		}),
		bad("fails on an empty batch", "an empty batch changes nothing", "panic: runtime error: index out of range", func(s *shelf, c *changed) {
			c.put = func(ctx context.Context, records []connector.Record) error {
				_ = records[0]
				return s.write(ctx, texts(records)...)
			}
		}),
		bad("changes records", "leaves records as they are", "record 0 was changed", func(s *shelf, c *changed) {
			c.put = func(ctx context.Context, records []connector.Record) error {
				all := texts(records)
				for i := range records {
					records[i].Value = nil
				}
				return s.write(ctx, all...)
			}
		}),
		bad("empties the system at its start", "the next task goes on", "items are lost", func(s *shelf, c *changed) {
			c.start = func() error { s.set(func() { s.items = nil }); return nil }
		}),
		bad("hides an outage", "an outage loses nothing", "the system is away, and the sink says that the records are durable", func(s *shelf, c *changed) {
			c.put = func(ctx context.Context, records []connector.Record) error {
				_ = s.write(ctx, texts(records)...)
				return nil
			}
		}),
		bad("ends its task in an outage", "an outage loses nothing", "an outage is not retriable but unmarked", func(s *shelf, c *changed) {
			c.put = func(ctx context.Context, records []connector.Record) error {
				if err := s.write(ctx, texts(records)...); err != nil {
					return errors.New(err.Error())
				}
				return nil
			}
		}),
		bad("blames a record for an outage", "an outage loses nothing", "an outage is blamed on 4 records, which would be dead-lettered: the shelf is away", func(s *shelf, c *changed) {
			c.put = func(ctx context.Context, records []connector.Record) error {
				err := s.write(ctx, texts(records)...)
				if err != nil {
					_ = c.reporter.Report(ctx, records[0], err)
				}
				return err
			}
		}),
		bad("takes a failed batch for done when it comes again", "an outage loses nothing", "items are lost", func(s *shelf, c *changed) {
			seen := map[connector.Origin]int{}
			c.put = func(ctx context.Context, records []connector.Record) error {
				if seen[records[0].Origin]++; seen[records[0].Origin] > 2 {
					return nil
				}
				return s.write(ctx, texts(records)...)
			}
		}),
		badFlusher("forgets its buffer when a flush fails", "an outage loses nothing", "items are lost", func(s *shelf, f *flusher) {
			f.flush = func(ctx context.Context) error {
				held := f.held
				f.held = nil
				if len(held) == 0 && f.shelf.away {
					return connector.Retriable(errAway)
				}
				return s.write(ctx, held...)
			}
		}),
		badFlusher("forgets its buffer when it loses a partition", "a rebalance loses nothing", "items are lost", func(_ *shelf, f *flusher) {
			f.closed = func() { f.held = nil }
		}),
		badFlusher("does not flush what came after the first flush", "holds what was put", "items are lost", func(_ *shelf, f *flusher) {
			flushed := false
			f.flush = func(ctx context.Context) error {
				if flushed {
					return nil
				}
				flushed = true
				return f.buffer.Flush(ctx)
			}
		}),
		bad("says a cancelled batch is through", "a cancelled Put loses nothing", "30 of 100 items are lost", func(s *shelf, c *changed) {
			c.put = func(ctx context.Context, records []connector.Record) error {
				if ctx.Err() != nil {
					return nil
				}
				return s.write(ctx, texts(records)...)
			}
		}),
		bad("cannot go on after a cancelled batch", "a cancelled Put loses nothing", "put: the sink is broken", func(s *shelf, c *changed) {
			broken := false
			c.put = func(ctx context.Context, records []connector.Record) error {
				if broken = broken || ctx.Err() != nil; broken {
					return errors.New("the sink is broken")
				}
				return s.write(ctx, texts(records)...)
			}
		}),
		bad("needs a start to stop", "stops twice and without a start", "panic", func(_ *shelf, c *changed) {
			var file *shelf
			c.stop = func() error { file.items = nil; return nil }
		}),
		bad("fails to stop again", "stops twice and without a start", "stop: closed already", func(_ *shelf, c *changed) {
			stopped := false
			c.stop = func() error {
				if stopped {
					return errors.New("closed already")
				}
				stopped = true
				return nil
			}
		}),
		badUpserter("holds a key twice", "records that come again are not lost or mixed up", "or is held twice", func(s *shelf, records []connector.Record) {
			s.items = append(s.items, texts(records)...)
		}),
		badUpserter("holds the first of a key", "holds what was put", "is not the last of its key", func(s *shelf, records []connector.Record) {
			for _, r := range records {
				if !slices.ContainsFunc(s.items, func(item string) bool { return keyOf(item) == r.Key }) {
					s.items = append(s.items, r.Value.(string))
				}
			}
		}),
	})
}
