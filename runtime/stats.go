package runtime

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// Stats is a snapshot of a task: what metrics and the page are made of. All
// counts are since the task was started.
type Stats struct {
	Connector string
	Task      int
	Kind      Kind
	Class     string // of the source or sink, "stream" for a stream; empty before it is made
	Version   string
	State     state.State
	Since     time.Time // of the state

	RecordsIn  int64 // polled from the source or read from Kafka
	RecordsOut int64 // acknowledged by Kafka or put into the sink
	Dropped    int64 // by transforms
	Active     int64 // on their way: read and not yet acknowledged or committed
	Batches    Timing

	Errors  Errors
	Commits Commits
	// Waits is what the task waits for, if anything.
	Waits *Waits

	LastIn    time.Time // when records last came in, zero without any
	LastOut   time.Time // when records last went out
	Newest    time.Time // the newest timestamp of a record that went out
	Restoring bool      // while stores are read from their changelog

	// Lag is the number of records in Kafka behind the last one read, by
	// assigned partition; nil for sources.
	Lag map[connector.TopicPartition]int64
	// Stages are in the journey's order; poll comes first, put last.
	Stages []StageStats
	// Metrics are what plugins count themselves.
	Metrics []Sample
}

// Timing sums up calls.
type Timing struct {
	Count int64
	Total time.Duration
	Max   time.Duration
}

// StageStats is what one stage has done.
type StageStats struct {
	Name    string // as errors name it: "value converter (avro)"
	Class   string
	Records int64
	Errors  int64
	Time    Timing // per batch
}

// Errors counts failures; the words are Kafka Connect's task-error-metrics.
type Errors struct {
	Failures           int64 // attempts that failed
	Errors             int64 // failures that were not cured by a retry
	Skipped            int64 // records tolerated
	Retries            int64
	Logged             int64
	DeadLetters        int64 // dead letters sent
	DeadLetterFailures int64 // dead letters that Kafka did not take
	Last               string
	LastTime           time.Time
	Retrying           bool // the last error is being retried at this moment
}

// Waits is something that a task waits for and that keeps it from its work: a
// call that does not return, or what is tried again and again.
type Waits struct {
	For     string // such as "sink (postgres)", "Kafka", "offset commit"
	Why     string // in words
	Since   time.Time
	Stalled bool // for longer than task.stalled.ms
}

// Commits counts offset commits.
type Commits struct {
	Completed int64
	Failed    int64
	Time      Timing
	Last      time.Time
}

// stageStats counts for one stage.
type stageStats struct {
	records, errors atomic.Int64
	time            timing
}

func (s *stageStats) observe(records int, d time.Duration) {
	s.records.Add(int64(records))
	s.time.observe(d)
}

type timing struct{ count, total, max atomic.Int64 }

func (t *timing) observe(d time.Duration) {
	t.count.Add(1)
	t.total.Add(int64(d))
	for m := t.max.Load(); int64(d) > m && !t.max.CompareAndSwap(m, int64(d)); m = t.max.Load() {
	}
}

func (t *timing) get() Timing {
	return Timing{Count: t.count.Load(), Total: time.Duration(t.total.Load()), Max: time.Duration(t.max.Load())}
}

// errorStats counts failures of one task.
type errorStats struct {
	failures, errors, skipped, retries, logged atomic.Int64
	letters, letterFailures                    atomic.Int64
	waiting                                    atomic.Int32 // retries that are awaited: of the batch, and of the consumer

	mu       sync.Mutex
	text     string
	at       time.Time
	retrying bool
	waited   time.Time // when the last wait for a retry ended
	loops    int       // in which something is tried again
	since    time.Time // the first failure of what is tried again
	place    string    // of it
}

// again notes that something failed in a place and is tried again, until over.
func (s *errorStats) again(place string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loops++; s.loops == 1 {
		s.since, s.place = time.Now(), place
	}
}

func (s *errorStats) over() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loops--; s.loops == 0 {
		s.retrying = false
	}
}

// waits gives what is tried again.
func (s *errorStats) waits() *Waits {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loops == 0 || !s.retrying {
		return nil
	}
	return &Waits{For: s.place, Why: s.text, Since: s.since}
}

// alive gives the last moment, from that one on, at which the task was surely
// not stuck, but waited for a retry.
func (s *errorStats) alive(from time.Time) time.Time {
	if s.waiting.Load() > 0 {
		return time.Now()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waited.After(from) {
		return s.waited
	}
	return from
}

// wait notes that a retry is awaited, until the function it gives is called.
func (s *errorStats) wait() (over func()) {
	s.waiting.Add(1)
	return func() {
		s.mu.Lock()
		s.waited = time.Now()
		s.mu.Unlock()
		s.waiting.Add(-1)
	}
}

func (s *errorStats) last(err error, retrying bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text, s.at, s.retrying = err.Error(), time.Now(), retrying
}

func (s *errorStats) get() Errors {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Errors{
		Failures: s.failures.Load(), Errors: s.errors.Load(), Skipped: s.skipped.Load(),
		Retries: s.retries.Load(), Logged: s.logged.Load(),
		DeadLetters: s.letters.Load(), DeadLetterFailures: s.letterFailures.Load(),
		Last: s.text, LastTime: s.at, Retrying: s.retrying && (s.loops > 0 || s.waiting.Load() > 0),
	}
}

// counters are a task's own counts.
type counters struct {
	in, out, dropped, active          atomic.Int64
	batches                           timing
	commitsDone, commitsFailed        atomic.Int64
	commits                           timing
	lastIn, lastOut, lastCommit, news atomic.Int64 // nanoseconds and, of news, milliseconds since 1970; 0 is never
	restoring                         atomic.Bool
	restored                          atomic.Int64 // when that has ended, Unix nanoseconds
}

func (c *counters) read(n int) {
	c.in.Add(int64(n))
	c.active.Add(int64(n))
	c.lastIn.Store(time.Now().UnixNano())
}

// wrote counts n records whose newest timestamp is given, in milliseconds.
func (c *counters) wrote(n int, newest int64) {
	c.out.Add(int64(n))
	c.lastOut.Store(time.Now().UnixNano())
	for old := c.news.Load(); newest > old && !c.news.CompareAndSwap(old, newest); old = c.news.Load() {
	}
}

// committed counts one commit of offsets.
func (c *counters) committed(began time.Time, err error) {
	if err != nil {
		c.commitsFailed.Add(1)
		return
	}
	c.commitsDone.Add(1)
	c.commits.observe(time.Since(began))
	c.lastCommit.Store(time.Now().UnixNano())
}

func (c *counters) fill(s *Stats) {
	s.RecordsIn, s.RecordsOut, s.Dropped, s.Active = c.in.Load(), c.out.Load(), c.dropped.Load(), c.active.Load()
	s.Batches = c.batches.get()
	s.Commits = Commits{Completed: c.commitsDone.Load(), Failed: c.commitsFailed.Load(), Time: c.commits.get(), Last: instant(c.lastCommit.Load())}
	s.LastIn, s.LastOut = instant(c.lastIn.Load()), instant(c.lastOut.Load())
	if ms := c.news.Load(); ms > 0 {
		s.Newest = time.UnixMilli(ms)
	}
	s.Restoring = c.restoring.Load()
}

func instant(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}
