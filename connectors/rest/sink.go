package rest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/plainjson"
)

// Version is what the connector reports.
const Version = "1.0.0"

var (
	_ connector.Sink      = (*Sink)(nil)
	_ connector.Batcher   = (*Sink)(nil)
	_ connector.Publisher = (*Sink)(nil)
	_ connector.Validator = (*Sink)(nil)
)

func init() { connector.RegisterSink(func() connector.Sink { return new(Sink) }) }

// Sink sends records to a web service.
type Sink struct {
	plan
	name     string
	conf     connector.Config
	log      *slog.Logger
	follow   bool
	hosts    []string
	codes    codes // further ones to repeat after
	retries  int   // -1 without end
	backoff  time.Duration
	linger   time.Duration
	trim     bool
	ignore   bool // records that are refused, where none is tolerated
	secrets  []string
	login    *login
	client   *http.Client
	reporter connector.ErrantReporter
	reports  reports
	counters counters
	mean     int // bytes of a record's body in the batch before, rounded up
	spare    spare
	writer   plainjson.Writer // of the records' JSON

	mu sync.Mutex
	// probed is how the service answered the question that a start after a refusal
	// asks, until it takes something; 0 without one.
	probed int
	fits   int // bytes of a request, where the service took no more; 0 without a bound
	progress
	refused run
}

// counters are the sink's metrics.
type counters struct {
	taken, refused, ignored connector.Counter
	seconds                 connector.Histogram
}

// Info describes the plugin.
func (*Sink) Info() connector.Info {
	return connector.Info{Name: "rest", Version: Version, Aliases: []string{"rest-sink", "http-sink"}, Doc: "Sends records to a web service."}
}

// ConfigDef gives the keys.
func (*Sink) ConfigDef() *connector.ConfigDef { return configDef() }

// Start makes the client. It connects with the first record, but after a refusal
// asks first whether the service still refuses.
func (s *Sink) Start(ctx context.Context, c connector.Context, conf connector.Config) (err error) {
	conf, problems := withPreset(conf)
	if err := problems.Err(); err != nil {
		return err
	}
	if s.plan, err = newPlan(conf); err != nil {
		return connector.Fatal(err)
	}
	s.name, s.conf, s.log, s.reporter = c.Connector, conf, c.Log, c.Reporter
	s.follow, s.hosts = conf.Bool("redirects.follow"), conf.List("redirects.hosts")
	s.trim, s.ignore = conf.Bool("trim.sensitive.log"), conf.String("behavior.on.error") == errorIgnore
	s.codes, _ = parseCodes(conf.List("retry.on.status.codes")) // checked with the key
	s.retries, s.backoff, s.linger = -1, milliseconds(conf, "retry.backoff.ms"), milliseconds(conf, "batch.linger.ms")
	if conf.Has("max.retries") {
		s.retries = conf.Int("max.retries")
	}
	s.counters = counters{
		taken:   c.Metrics.Counter("rest_records_total", "Records that the service has taken."),
		refused: c.Metrics.Counter("rest_refused_records_total", "Records that the service refused."),
		ignored: c.Metrics.Counter("rest_ignored_records_total", "Records that were left out: null values, and refused ones that are ignored."),
		seconds: c.Metrics.Histogram("rest_request_seconds", "Time of requests.", []float64{0.01, 0.1, 1, 10}),
	}
	s.reports = newReports(c, conf)
	s.progress, s.refused = newProgress(), run{}
	client, tokens, err := s.newClient(c, conf)
	if err != nil {
		return connector.Fatal(err)
	}
	s.client = client
	if s.login, err = newLogin(c, conf, tokens); err != nil {
		return connector.Fatal(err)
	}
	s.secrets = secretsOf(conf)
	return s.ask(ctx, c.Failed)
}

func milliseconds(conf connector.Config, key string) time.Duration {
	return time.Duration(conf.Int64(key)) * time.Millisecond
}

// Batch asks for as many records as the requests that may be on their way hold.
func (s *Sink) Batch() (records int, linger time.Duration) {
	if s.batch == 1 {
		return 1, 0
	}
	return s.batch * s.inFlight, s.linger
}

// Put sends the records. Those that the service has taken, or refused, are not sent
// again when it comes again after an error.
func (s *Sink) Put(ctx context.Context, records []connector.Record) error {
	w := s.newWork(records)
	if err := w.fill(); err != nil {
		return err
	}
	err := w.send(ctx)
	if err == nil {
		err = w.settle(ctx)
	}
	if err != nil {
		w.remember()
		return err
	}
	if len(s.fates)+len(s.begins)+s.again > 0 {
		s.progress = newProgress()
	}
	w.leave()
	return nil
}

// progress is what became of a batch that failed half way and comes again.
type progress struct {
	fates map[connector.Origin]fate // of the records that the service has taken or refused
	// begins are the records that a request began with: the same records go together
	// again, so that the service can know the request by its idempotency key.
	begins map[connector.Origin]bool
	again  int // how often it has come again
}

func newProgress() progress {
	return progress{fates: map[connector.Origin]fate{}, begins: map[connector.Origin]bool{}}
}

// Stop closes the connections.
func (s *Sink) Stop() error {
	if s.client != nil {
		s.client.CloseIdleConnections()
	}
	return nil
}

// AlterTopicOffsets has nothing against any offset: the service keeps none.
func (*Sink) AlterTopicOffsets(context.Context, connector.Context, connector.Config, map[connector.TopicPartition]*int64) error {
	return nil
}

// at gives an error of a record its place.
func at(r *connector.Record, err error) error {
	return connector.Data(fmt.Errorf("record %s[%d]@%d: %w", r.Origin.Topic, r.Origin.Partition, r.Origin.Offset, err))
}
