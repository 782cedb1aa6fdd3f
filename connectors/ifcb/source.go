package ifcb

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/ifcb"
)

// Version is what the connector reports.
const Version = "1.0.0"

// maxBatchBytes is when a batch of images is full, whatever their number.
const maxBatchBytes = 8 << 20

var _ connector.Source = (*Source)(nil)

func init() { connector.RegisterSource(func() connector.Source { return new(Source) }) }

// Source gives the images of a dashboard's dataset, bin by bin; keys are D20190728T212639_IFCB104_00002. Within a bin
// images come in order of their number.
type Source struct {
	opts    options
	log     *slog.Logger
	metrics metrics
	client  *client
	site    site // nil until the dashboard's generation is known
	ledger  *ledger
	offset  map[string]any // the ledger as it was at the last settled bin
	queue   queue
	planned bool
	seen    time.Time // of the newest bin that was listed
	look    time.Time // when to look for bins next
	current *bin
	hitches int // transient failures at the current bin, in a row
}

// Info describes the plugin.
func (*Source) Info() connector.Info {
	return connector.Info{Name: "ifcb", Version: Version, Doc: "Gives the images of an Imaging FlowCytobot dashboard, of either generation."}
}

// ConfigDef gives the keys.
func (*Source) ConfigDef() *connector.ConfigDef { return configDef() }

// TaskConfigs gives one task: a dataset is read in one order.
func (*Source) TaskConfigs(_ context.Context, _ connector.Context, conf connector.Config, _ int) ([]connector.Props, error) {
	return []connector.Props{conf.Props()}, nil
}

// Start reads the ledger of earlier runs. The dashboard is first asked by Poll.
func (s *Source) Start(ctx context.Context, c connector.Context, conf connector.Config) error {
	var err error
	if s.opts, err = newOptions(conf); err != nil {
		return err
	}
	var stored map[string]any
	if c.Offsets != nil {
		if stored, err = c.Offsets.Offset(ctx, s.partition()); err != nil {
			return fmt.Errorf("offset of %s: %w", s.opts.address.dataset, err)
		}
	}
	if s.ledger, err = readLedger(stored); err != nil {
		return err
	}
	s.offset = s.ledger.offset()
	s.queue.oldestFirst = s.opts.oldestFirst
	s.log, s.metrics = c.Log, newMetrics(c.Metrics)
	s.client = newClient(s.opts.timeout)
	return nil
}

func (s *Source) partition() map[string]any {
	return map[string]any{"dashboard": s.opts.address.base, "dataset": s.opts.address.dataset}
}

// Stop drops the bin under way and closes connections.
func (s *Source) Stop() error {
	if s.current != nil {
		s.current.close()
		s.current = nil
	}
	if s.client != nil {
		s.client.close()
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

func (s *Source) poll(ctx context.Context) ([]connector.SourceRecord, error) {
	if s.site == nil {
		found, err := detect(ctx, s.client, s.opts.address, s.opts.generation)
		if err != nil {
			return nil, err
		}
		s.site = found
		s.log.Info("dashboard found", "url", s.opts.address.base, "dataset", s.opts.address.dataset, "generation", found.generation())
	}
	if s.current == nil {
		if opened, err := s.nextBin(ctx); err != nil || !opened {
			return nil, err
		}
	}
	return s.read(ctx)
}

// nextBin opens the next bin that is due; false when there is none, after a wait.
func (s *Source) nextBin(ctx context.Context) (bool, error) {
	if !s.planned || (!s.opts.once && !time.Now().Before(s.look)) {
		if err := s.refresh(ctx); err != nil {
			return false, listingError(err)
		}
		s.look = time.Now().Add(s.opts.interval)
	}
	s.metrics.pending.Set(float64(len(s.queue.pending)))
	next, wait, ok := s.queue.next(time.Now())
	switch {
	case !ok && s.opts.once && len(s.queue.pending) == 0:
		return false, connector.ErrDone
	case !ok:
		if left := time.Until(s.look); !s.opts.once && (wait == 0 || left < wait) {
			wait = left
		}
		pause(ctx, wait)
		return false, nil
	}
	b, err := s.openBin(ctx, next.id, next.after)
	if err != nil {
		return false, s.trouble(ctx, next.id, err)
	}
	s.current, s.hitches = b, 0
	return true, nil
}

// listingError marks what a dashboard in trouble answers in place of a list: a page, a 404. It worked before, or will.
func listingError(err error) error {
	if connector.KindOf(err) == connector.KindUnmarked {
		return connector.Retriable(err)
	}
	return err
}

// trouble decides about a bin that could not be opened or read. An error of the environment is the runtime's to wait
// for; when it comes again and again with this bin while the dashboard is well, the bin is the cause.
func (s *Source) trouble(ctx context.Context, id ifcb.BinID, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	if connector.KindOf(err) == connector.KindFatal {
		return err
	}
	if connector.KindOf(err) == connector.KindRetriable {
		if s.hitches++; s.hitches < s.opts.attempts {
			return err
		}
		if _, _, listErr := s.site.recent(ctx, time.Time{}); listErr != nil {
			return err
		}
	}
	s.hitches = 0
	if s.current != nil {
		s.current.close()
		s.current = nil
	}
	if made := s.queue.postpone(id, time.Now().Add(s.opts.retry)); made < s.opts.attempts {
		s.log.Warn("bin failed, it is tried again", "bin", id.String(), "attempt", made, "of", s.opts.attempts, "err", err)
		return nil
	}
	s.log.Error("bin failed and is given up", "bin", id.String(), "attempts", s.opts.attempts, "err", err)
	s.metrics.failed.Add(1)
	s.settle(id)
	return nil
}

// settle notes that a bin needs no more work.
func (s *Source) settle(id ifcb.BinID) {
	s.queue.remove(id)
	s.ledger.settle(id, s.queue.bins())
	s.offset = s.ledger.offset()
}

// read gives the next images of the current bin. The last one's offset says that the bin is settled.
func (s *Source) read(ctx context.Context) ([]connector.SourceRecord, error) {
	b := s.current
	var records []connector.SourceRecord
	for size := 0; b.next < len(b.numbers) && len(records) < s.opts.batch && size < maxBatchBytes; {
		number := b.numbers[b.next]
		img, err := s.readImage(ctx, b, number)
		if err != nil && !isGone(err) {
			if len(records) > 0 {
				return records, nil // the next poll meets the error again
			}
			return nil, s.trouble(ctx, b.id, err)
		}
		b.next++
		if err != nil {
			b.lost++
			s.metrics.lost.Add(1)
			s.log.Error("image failed", "bin", b.id.String(), "roi", number, "err", err)
			continue
		}
		s.hitches = 0
		size += len(img.png)
		r := s.record(b, img)
		s.queue.given(b.id, number)
		r.SourceOffset = s.at(b.id, number)
		records = append(records, r)
	}
	s.metrics.images.Add(float64(len(records)))
	b.given += len(records)
	if b.next < len(b.numbers) {
		return records, nil
	}
	b.close()
	s.current = nil
	s.settle(b.id)
	if len(records) > 0 {
		records[len(records)-1].SourceOffset = s.offset
	}
	s.metrics.bins.Add(1)
	s.log.Info("bin done", "bin", b.id.String(), "images", b.given, "failed", b.lost)
	return records, nil
}

// at is the offset behind an image of a bin that is under way.
func (s *Source) at(id ifcb.BinID, number int) map[string]any {
	offset := make(map[string]any, len(s.offset)+2)
	for k, v := range s.offset {
		offset[k] = v
	}
	offset["bin"], offset["roi"] = id.String(), int64(number)
	return offset
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
	bins, failed, images, lost connector.Counter
	pending                    connector.Gauge
}

func newMetrics(m connector.Metrics) metrics {
	return metrics{
		bins:    m.Counter("ifcb_bins_total", "Bins whose images were all given."),
		failed:  m.Counter("ifcb_bins_failed_total", "Bins that were given up because their images could not be had."),
		images:  m.Counter("ifcb_images_total", "Images given."),
		lost:    m.Counter("ifcb_images_failed_total", "Single images that could not be had, of bins that were."),
		pending: m.Gauge("ifcb_bins_pending", "Bins that are known and wait."),
	}
}
