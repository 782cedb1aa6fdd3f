package biovolume

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/fields"
	"github.com/axiom-data-science/hydraulics/internal/plankton/imaging"
)

// Version is what the transform reports.
const Version = "1.1.0"

// filterMemory bounds the filters kept for recent image shapes, bytes. Those of a bin of 1346 images in 125 shapes take 60 MB
// and are all kept, those of small and common shapes from bin to bin.
const filterMemory = 64 << 20

// filters are shared by all tasks of the process, which see the same shapes: the memory does not grow with their number.
var filters = sync.OnceValue(func() *imaging.Filters { return imaging.NewFilters(filterMemory) })

var _ connector.BatchTransform = (*Transform)(nil)

func init() { connector.RegisterTransform(func() connector.Transform { return new(Transform) }) }

// Transform measures the images of records. A batch is spread over the processors.
type Transform struct {
	field     string
	algorithm algorithm
	mask      bool
	outline   bool
	nullable  bool // on.no.blob=null
	added     *fields.Fields
	pool      *imaging.Pool
}

// Info describes the plugin.
func (*Transform) Info() connector.Info {
	return connector.Info{Name: "biovolume", Version: Version, Doc: "Finds the particle in an image and adds its area, shape and biovolume."}
}

// Configure makes the analysers.
func (t *Transform) Configure(_ connector.Context, conf connector.Config) error {
	t.field, t.outline, t.nullable = conf.String("image.field"), conf.Bool("outline"), conf.String("on.no.blob") == onNoBlobNull
	t.mask = conf.Bool("mask")
	t.algorithm = algorithms[conf.String("algorithm")]
	t.added = fields.New(t.fields()...)
	t.pool = imaging.NewPool(imaging.Options{PixelsPerMicron: conf.Float64("pixels.per.micron"), Filters: filters()})
	return nil
}

// Apply measures one record's image. A null value passes as it is.
func (t *Transform) Apply(ctx context.Context, r connector.Record) (connector.Record, bool, error) {
	result := t.ApplyBatch(ctx, []connector.Record{r})[0]
	return result.Record, result.Keep, result.Err
}

// ApplyBatch measures the images of a batch, several at a time. It returns when all are done.
func (t *Transform) ApplyBatch(ctx context.Context, records []connector.Record) []connector.Result {
	type measured struct {
		values []any
		err    error
	}
	found := make([]measured, len(records))
	t.pool.Each(len(records), func(analyser *imaging.Analyser, i int) {
		if found[i].err = ctx.Err(); found[i].err == nil && records[i].Value != nil {
			found[i].values, found[i].err = t.measure(analyser, records[i])
		}
	})
	results := make([]connector.Result, len(records))
	for i, r := range records {
		results[i].Record, results[i].Keep, results[i].Err = t.result(r, found[i].values, found[i].err)
	}
	return results
}

// result adds what was measured to a record.
func (t *Transform) result(r connector.Record, values []any, err error) (connector.Record, bool, error) {
	switch {
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return r, false, err
	case err != nil:
		return r, false, connector.Data(err)
	case values == nil:
		return r, true, nil
	}
	out, err := t.added.Record(r, values)
	return out, err == nil, connector.Data(err)
}

// measure gives the values of the added fields.
func (t *Transform) measure(analyser *imaging.Analyser, r connector.Record) ([]any, error) {
	value, err := fields.Get(r.Value, t.field)
	if err != nil {
		return nil, err
	}
	data, err := fields.Image(value)
	if err != nil {
		return nil, fmt.Errorf("field %s: %w", t.field, err)
	}
	gray, err := imaging.DecodePNG(data)
	if err != nil {
		return nil, fmt.Errorf("field %s: %w", t.field, err)
	}
	found, err := t.algorithm.analyse(analyser, gray)
	if err == nil && found.status != imaging.OK && !t.nullable {
		err = fmt.Errorf("%s: %s; on.no.blob=null lets such images pass", found.status, t.reason(found.status))
	}
	var values []any
	if err == nil {
		values, err = t.values(found, gray)
	}
	if err != nil {
		return nil, fmt.Errorf("field %s: %w", t.field, err)
	}
	return values, nil
}

// reason says what a status means.
func (t *Transform) reason(status imaging.Status) string {
	if status == imaging.HullError {
		return "the outline of the particle is a line or the whole image"
	}
	return "no particle of at least " + t.algorithm.least + " was found"
}
