package runtime

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/failures"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
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
	// The same of late: an observation is a batch's records, of those that are on
	// their way their number at a change of it.
	RecentIn, RecentOut, RecentActive Recent
	// EndToEnd is how old the oldest record of each batch was when the sink had
	// taken it. Nothing for sources and streams.
	EndToEnd Timing
	// Running and Paused are the shares of its time that the task was so.
	Running, Paused float64

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
	// Plugins are its converters, transforms and predicates.
	Plugins []PluginInfo
	// Metrics are what plugins count themselves.
	Metrics []Sample
}

// StageStats is what one stage has done.
type StageStats struct {
	Name    string // as errors name it: "value converter (avro)"
	Java    string // as Kafka Connect names it: "VALUE_CONVERTER"
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
	Skipped   int64 // too late: the partitions were another member's by then
	Time      Timing
	Last      time.Time
	// Successes has 1 for a commit that was completed of late and 0 for one that
	// failed, Skips those that were skipped.
	Successes, Skips Recent
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
	s.text, s.at, s.retrying = failures.Text(err), time.Now(), retrying
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
	recentIn, recentOut, recentActive window
	endToEnd                          timing
	commitsFailed, commitsSkipped     atomic.Int64
	commits                           timing // of those that were completed
	successes, skips                  window
	lastIn, lastOut, lastCommit, news atomic.Int64 // nanoseconds and, of news, milliseconds since 1970; 0 is never
	restoring                         atomic.Bool
	restored                          atomic.Int64 // when that has ended, Unix nanoseconds
}

func (c *counters) read(n int) {
	c.in.Add(int64(n))
	c.recentIn.observe(float64(n))
	c.onTheirWay(n)
	c.lastIn.Store(time.Now().UnixNano())
}

// onTheirWay counts n more records as on their way, or fewer.
func (c *counters) onTheirWay(n int) { c.recentActive.observe(float64(c.active.Add(int64(n)))) }

// wrote counts n records whose newest timestamp is given, in milliseconds.
func (c *counters) wrote(n int, newest int64) {
	c.out.Add(int64(n))
	c.recentOut.observe(float64(n))
	c.lastOut.Store(time.Now().UnixNano())
	for old := c.news.Load(); newest > old && !c.news.CompareAndSwap(old, newest); old = c.news.Load() {
	}
}

// arrived notes that a sink has taken a batch whose oldest timestamp is given, in
// milliseconds.
func (c *counters) arrived(oldest int64) {
	if oldest != connector.NoTimestamp {
		c.endToEnd.observe(max(0, time.Since(time.UnixMilli(oldest))))
	}
}

// committed counts one commit of offsets.
func (c *counters) committed(began time.Time, err error) {
	switch {
	case errors.Is(err, kafka.ErrGenerationLost):
		c.commitsSkipped.Add(1)
		c.skips.observe(1)
	case err != nil:
		c.commitsFailed.Add(1)
		c.successes.observe(0)
	default:
		c.commits.observe(time.Since(began))
		c.successes.observe(1)
		c.lastCommit.Store(time.Now().UnixNano())
	}
}

func (c *counters) fill(s *Stats) {
	s.RecordsIn, s.RecordsOut, s.Dropped, s.Active = c.in.Load(), c.out.Load(), c.dropped.Load(), c.active.Load()
	s.RecentIn, s.RecentOut, s.RecentActive = c.recentIn.get(), c.recentOut.get(), c.recentActive.get()
	s.Batches, s.EndToEnd = c.batches.get(), c.endToEnd.get()
	s.Commits = Commits{Failed: c.commitsFailed.Load(), Skipped: c.commitsSkipped.Load(), Time: c.commits.get(), Last: instant(c.lastCommit.Load()),
		Successes: c.successes.get(), Skips: c.skips.get()}
	s.Commits.Completed = s.Commits.Time.Count
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
