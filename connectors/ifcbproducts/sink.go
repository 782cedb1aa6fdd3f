package ifcbproducts

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
	"github.com/axiom-data-science/hydraulics/internal/plankton/imaging"
	"github.com/axiom-data-science/hydraulics/internal/plankton/products"
)

// Version is what the connector reports.
const Version = "1.0.0"

const (
	// filterMemory bounds the filters kept for recent image shapes, bytes.
	filterMemory = 64 << 20
	// most is how many images are kept until they are written; one takes some kilobytes.
	most = 20_000
	// lockWait is how often a lock is asked for that another one holds.
	lockWait = 20 * time.Millisecond
)

// filters are shared by all tasks of the process, which see the same shapes.
var filters = sync.OnceValue(func() *imaging.Filters { return imaging.NewFilters(filterMemory) })

var (
	_ connector.Sink    = (*Sink)(nil)
	_ connector.Flusher = (*Sink)(nil)
)

func init() { connector.RegisterSink(func() connector.Sink { return new(Sink) }) }

// Sink writes the products of bins.
type Sink struct {
	folder   products.Folder
	scored   bool // class scores are wanted
	field    struct{ image, scores, classifier, time string }
	pool     *imaging.Pool
	reporter connector.ErrantReporter
	pending  map[ifcb.BinID]*bin // what is to be written
	images   int                 // in pending
}

// bin is what is to be written of a bin.
type bin struct {
	images *products.Images
	scores *products.Scores
}

// Info describes the plugin.
func (*Sink) Info() connector.Info {
	return connector.Info{Name: "ifcb-products", Version: Version,
		Doc: "Writes class scores, features and blobs of an IFCB's bins as files, laid out as dashboards look for them."}
}

// Start looks for the folder. It does not make one: where a disk is not mounted its place is left alone, and waited for.
func (s *Sink) Start(_ context.Context, c connector.Context, conf connector.Config) error {
	wanted := conf.List("products")
	s.scored = slices.Contains(wanted, classScores)
	s.folder = products.Folder{Path: conf.String("folder"), Class: conf.String("class.suffix"), Features: conf.String("features.suffix"),
		NoFeatures: !slices.Contains(wanted, features), NoBlobs: !slices.Contains(wanted, blobs)}
	s.field.image, s.field.scores = conf.String("image.field"), conf.String("scores.field")
	s.field.classifier, s.field.time = conf.String("classifier.field"), conf.String("time.field")
	s.pool = imaging.NewPool(imaging.Options{Filters: filters()})
	s.reporter, s.pending, s.images = c.Reporter, map[ifcb.BinID]*bin{}, 0
	info, err := os.Stat(s.folder.Path)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is no folder", s.folder.Path)
	}
	if err != nil {
		return connector.Coded("H7005", connector.Retriable(fmt.Errorf("folder: %w: make it, or mount what holds it", err)))
	}
	return nil
}

// Put measures the images of a batch and keeps what it found until the next flush.
func (s *Sink) Put(ctx context.Context, records []connector.Record) error {
	found := make([]image, len(records))
	failed := make([]error, len(records))
	s.pool.Each(len(records), func(analyser *imaging.Analyser, i int) {
		if ctx.Err() == nil {
			found[i], failed[i] = s.image(analyser, records[i])
		}
	})
	if err := ctx.Err(); err != nil {
		return err
	}
	for i := range records {
		err := failed[i]
		if err == nil {
			err = s.keep(&found[i])
		}
		if err == nil {
			continue
		}
		if err := s.refuse(ctx, records[i], err); err != nil {
			return err
		}
	}
	if s.images >= most {
		return s.Flush(ctx)
	}
	return nil
}

// refuse reports a record of which there are no products.
func (s *Sink) refuse(ctx context.Context, r connector.Record, cause error) error {
	cause = connector.Data(fmt.Errorf("record %s[%d]@%d: %w", r.Origin.Topic, r.Origin.Partition, r.Origin.Offset, cause))
	if s.reporter == nil {
		return cause
	}
	return s.reporter.Report(ctx, r, cause)
}

// keep adds an image to what is to be written.
func (s *Sink) keep(img *image) error {
	id := img.id.Bin
	b := s.pending[id]
	if b == nil {
		b = new(bin)
		if s.folder.Images() {
			b.images = products.NewImages(id.String())
		}
		if s.scored {
			b.scores = products.NewScores(id.String())
		}
	}
	if b.images != nil {
		if err := b.images.Add(img.id.Number, &img.measured); err != nil {
			return err
		}
	}
	if b.scores != nil {
		b.scores.Add(img.id.Number, img.scores, img.model, img.at)
	}
	s.pending[id] = b
	s.images++
	return nil
}

// Flush adds to the files of bins what was put. Where it ends early, on a full disk, the next one goes on.
func (s *Sink) Flush(ctx context.Context) error {
	if len(s.pending) == 0 {
		return nil
	}
	lock := flock.New(filepath.Join(s.folder.Path, ".lock"), flock.SetPermissions(0o644))
	if _, err := lock.TryLockContext(ctx, lockWait); err != nil {
		return connector.Retriable(fmt.Errorf("folder: %w", err))
	}
	for _, id := range slices.SortedFunc(maps.Keys(s.pending), ifcb.BinID.Compare) {
		err := ctx.Err()
		if err == nil {
			err = s.folder.Add(id, s.pending[id].images, s.pending[id].scores)
		}
		if err != nil {
			err = errors.Join(err, lock.Close())
			if errors.Is(err, products.ErrForeign) {
				return connector.Fatal(err)
			}
			return connector.Coded("H7006", connector.Retriable(err))
		}
		delete(s.pending, id)
	}
	s.images = 0
	return connector.Retriable(lock.Close())
}

// Stop lets go of what was not flushed: it comes again.
func (s *Sink) Stop() error {
	s.pending = nil
	return nil
}
