package ifcb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/plankton/dashboard"
)

// Version is what the connector reports.
const Version = "1.2.0"

var (
	_ connector.Source     = (*Source)(nil)
	_ connector.Resplitter = (*Source)(nil)
)

func init() { connector.RegisterSource(func() connector.Source { return new(Source) }) }

// Source gives the images of a dashboard's datasets, or of a folder of raw files, bin by bin; keys are
// D20190728T212639_IFCB104_00002. Within a bin images come in order of their number, behind them what became of the
// bin, on a topic of its own.
type Source struct {
	metrics metrics
	client  *dashboard.Client
	live    []*timeline // one per dataset, served in turn
	history []*timeline // periods to fill in, served while no live timeline has anything
	turn    int         // of the live timelines
}

// Info describes the plugin.
func (*Source) Info() connector.Info {
	return connector.Info{Name: "ifcb", Version: Version,
		Doc: "Gives the images of an Imaging FlowCytobot: from dashboards of either generation, or from its own files."}
}

// ConfigDef gives the keys.
func (*Source) ConfigDef() *connector.ConfigDef { return configDef() }

// Start reads the ledgers of earlier runs. The dashboard is first asked by Poll.
func (s *Source) Start(ctx context.Context, c connector.Context, conf connector.Config) error {
	o, err := newOptions(conf)
	if err != nil {
		return err
	}
	s.metrics, s.client = newMetrics(c.Metrics), o.newClient()
	for _, at := range o.addresses {
		var live *timeline
		if !o.once || o.period.isZero() {
			if live, err = s.newTimeline(ctx, c, o, at); err != nil {
				return err
			}
			s.live = append(s.live, live)
		}
		if o.period.isZero() {
			continue
		}
		past, err := s.newTimeline(ctx, c, o, at, inPast(live, o.period))
		if err != nil {
			return err
		}
		s.history = append(s.history, past)
	}
	return nil
}

// Stop drops the bins under way and closes connections.
func (s *Source) Stop() error {
	for _, l := range append(s.live[:len(s.live):len(s.live)], s.history...) {
		l.drop()
	}
	if s.client != nil {
		s.client.Close()
	}
	return nil
}

// Poll gives the next images. It looks for new bins when it is time to, also in the middle of a backlog.
func (s *Source) Poll(ctx context.Context) ([]connector.SourceRecord, error) {
	records, err := s.poll(ctx)
	if ctx.Err() != nil {
		return records, nil // cancelled: what the dashboard did not answer is no error
	}
	return records, err
}

// longestPoll is how long a poll waits at most: one that takes much longer counts as stuck.
const longestPoll = 10 * time.Second

// poll asks the live timelines in turn, then those of the past, until one has something. So a bin of today waits for one
// batch of the past at most, and a dataset in trouble does not keep the others from their turn.
func (s *Source) poll(ctx context.Context) ([]connector.SourceRecord, error) {
	wait, open := longestPoll, false
	for i := range len(s.live) + len(s.history) {
		l := s.timeline(i)
		if l.done {
			continue
		}
		records, idle, err := l.poll(ctx)
		if errors.Is(err, connector.ErrDone) {
			l.done = true
			continue
		}
		open = true
		if err != nil || idle == 0 {
			s.turn++
			s.metrics.pending.Set(s.pending())
			return records, err
		}
		wait = min(wait, idle)
	}
	s.metrics.pending.Set(s.pending())
	if !open {
		return nil, connector.ErrDone
	}
	pause(ctx, wait)
	return nil, nil
}

// timeline gives the timelines in the order of their turn.
func (s *Source) timeline(i int) *timeline {
	if i < len(s.live) {
		return s.live[(s.turn+i)%len(s.live)]
	}
	return s.history[(s.turn+i-len(s.live))%len(s.history)]
}

func (s *Source) pending() float64 {
	n := 0
	for i := range len(s.live) + len(s.history) {
		n += len(s.timeline(i).queue.pending)
	}
	return float64(n)
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// metrics of the source.
type metrics struct {
	bins, failed, skipped, images, lost connector.Counter
	pending                             connector.Gauge
}

func newMetrics(m connector.Metrics) metrics {
	return metrics{
		bins:    m.Counter("ifcb_bins_total", "Bins whose images were all given."),
		failed:  m.Counter("ifcb_bins_failed_total", "Bins that were given up because their images could not be had."),
		skipped: m.Counter("ifcb_bins_skipped_total", "Bins that were left out because they are flagged to be skipped."),
		images:  m.Counter("ifcb_images_total", "Images given."),
		lost:    m.Counter("ifcb_images_failed_total", "Single images that could not be had, of bins that were."),
		pending: m.Gauge("ifcb_bins_pending", "Bins that are known and wait."),
	}
}

func (s *Source) newTimeline(ctx context.Context, c connector.Context, o options, at dashboard.Address, refine ...func(*timeline)) (*timeline, error) {
	l := &timeline{opts: o, address: at, log: c.Log, metrics: s.metrics, client: s.client}
	l.queue.oldestFirst = o.oldestFirst
	for _, f := range refine {
		f(l)
	}
	var stored map[string]any
	var err error
	if c.Offsets != nil {
		if stored, err = c.Offsets.Offset(ctx, l.partition()); err != nil {
			return nil, fmt.Errorf("offset of %s: %w", at.Series(), err)
		}
	}
	if l.ledger, err = readLedger(stored); err != nil {
		return nil, err
	}
	l.offset = l.ledger.offset()
	return l, nil
}
