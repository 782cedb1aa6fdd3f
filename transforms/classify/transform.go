package classify

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/fields"
	"github.com/axiom-data-science/hydraulics/internal/infer/model"
	"github.com/axiom-data-science/hydraulics/internal/infer/serving"
)

// Version is what the transform reports.
const Version = "1.0.0"

var _ connector.BatchTransform = (*Transform)(nil)
var _ connector.Validator = (*Transform)(nil)
var _ connector.Closer = (*Transform)(nil)

func init() { connector.RegisterTransform(func() connector.Transform { return new(Transform) }) }

// Transform classifies the image in a field of each record.
type Transform struct {
	model   model.Classifier
	image   string                                   // field
	outputs []output                                 // as fields
	headers []output                                 // as headers
	schemas fields.Cache[*connector.Schema, *layout] // by identity: the records of a batch share one
	now     func() time.Time                         // tests replace it

	unclassified string
	limit        float32            // threshold of the classes that limits does not name
	limits       map[string]float32 // by class
	checked      *model.Manifest    // whose labels hold the classes of limits

	offline func(images int) // of a preview that asks no server; nil asks

	rate float64   // images a second, 0 for any
	free time.Time // when the next image may be classified
}

// layout is a struct schema with the added fields, and where each of them is.
type layout struct {
	schema *connector.Schema
	at     []int
}

// Info describes the plugin.
func (*Transform) Info() connector.Info {
	return connector.Info{Name: "classify", Version: Version, Doc: "Adds the class of an image, its probability, the classifier and the time."}
}

// Configure loads the model. A server is asked with the first batch, so that
// one that is away is waited for.
func (t *Transform) Configure(c connector.Context, conf connector.Config) error {
	t.image, t.unclassified = conf.String("image.field"), conf.String("unclassified")
	t.schemas = fields.Cache[*connector.Schema, *layout]{}
	if t.now == nil {
		t.now = time.Now
	}
	t.outputs, t.headers = outputsOf(conf)
	t.limit = float32(conf.Float64("threshold"))
	t.rate = conf.Float64("max.rate")
	var err error
	if t.limits, err = parseThresholds(conf.List("thresholds")); err != nil {
		return connector.Fatal(err)
	}
	if asked := serversOf(conf); c.Preview != nil && c.Preview.Offline && asked != "" {
		t.offline = func(images int) {
			c.Preview.Would(connector.Effect{Does: fmt.Sprintf("ask %s for the classes of %d images", asked, images)})
		}
		return nil
	}
	t.model, err = model.Open(model.Options{
		Model: conf.String("model"), Manifest: conf.String("manifest"), Labels: conf.String("labels"), Others: conf.List("ensemble"),
		Name: conf.String("model.name"), Version: conf.String("model.version"), Threads: conf.Int("threads"),
		Protocol: conf.String("protocol"), Format: conf.String("request.format"), BatchSize: conf.Int("batch.size"), InFlight: conf.Int("max.in.flight.requests"),
		Delay: milliseconds(conf, "batch.delay.ms"), Hedge: milliseconds(conf, "hedge.ms"), Timeout: milliseconds(conf, "timeout.ms"), Refresh: milliseconds(conf, "version.refresh.ms"),
		Scores:    conf.String("scores.field") != "" || slices.ContainsFunc(t.headers, func(o output) bool { return o.part == "scores" }),
		Embedding: conf.String("embedding.field") != "",
		Swap:      swapOf(c, conf),
	})
	return connector.Coded("H4005", connector.Fatal(err))
}

// serversOf names the servers among the models, empty without any.
func serversOf(conf connector.Config) string {
	var servers []string
	for _, m := range append([]string{conf.String("model")}, conf.List("ensemble")...) {
		if model.Remote(m) {
			servers = append(servers, serving.Redact(m))
		}
	}
	return strings.Join(servers, ", ")
}

// swapOf says how the model is replaced, and tells log and metrics of it.
func swapOf(c connector.Context, conf connector.Config) model.Swap {
	s := model.Swap{Every: time.Duration(conf.Int64("swap.check.ms")) * time.Millisecond, Canary: conf.String("canary.folder"), Images: conf.Int("canary.images"),
		Agreement: conf.Float64("canary.agreement"), Drift: conf.Float64("canary.drift"), AnyLabels: conf.String("canary.labels") == "any"}
	if s.Every == 0 {
		return s
	}
	swaps := c.Metrics.Counter("classify_model_swaps_total", "Models that were put in the place of another.")
	refused := c.Metrics.Counter("classify_model_rollbacks_total", "New models that were refused or taken back; the one before goes on.")
	s.Note = func(e model.SwapEvent) {
		log := c.Log.With("model", e.From, "new", e.To, "images", e.Images, "agreement", e.Agreement, "drift", e.Drift)
		if e.Err != nil {
			refused.Add(1)
			log.Error("new model refused, the old one goes on", "error", e.Err.Error())
			return
		}
		swaps.Add(1)
		log.Info("model swapped")
	}
	return s
}

func milliseconds(conf connector.Config, key string) time.Duration {
	return time.Duration(conf.Int(key)) * time.Millisecond
}

// Close releases the model.
func (t *Transform) Close() error {
	if t.model == nil {
		return nil
	}
	return t.model.Close()
}

// Apply classifies one record.
func (t *Transform) Apply(ctx context.Context, r connector.Record) (connector.Record, bool, error) {
	got := t.ApplyBatch(ctx, []connector.Record{r})[0]
	return got.Record, got.Keep, got.Err
}

// ApplyBatch classifies a batch. A record without a value passes as it is.
func (t *Transform) ApplyBatch(ctx context.Context, records []connector.Record) []connector.Result {
	results := make([]connector.Result, len(records))
	var images [][]byte
	var index []int
	for i, r := range records {
		results[i] = connector.Result{Record: r, Keep: true}
		if r.Value == nil {
			continue
		}
		img, err := t.imageOf(r.Value)
		if err != nil {
			results[i] = connector.Result{Record: r, Err: connector.Data(err)}
			continue
		}
		images, index = append(images, img), append(index, i)
	}
	if len(images) == 0 {
		return results
	}
	if t.offline != nil {
		t.offline(len(images))
		return results
	}
	if err := t.wait(ctx, len(images)); err != nil {
		for _, i := range index {
			results[i] = connector.Result{Record: records[i], Err: err}
		}
		return results
	}
	classes := t.model.Classify(ctx, images)
	at := t.now()
	for k, i := range index {
		err := classes[k].Err
		if err == nil {
			err = t.judge(&classes[k])
		}
		if err == nil {
			err = t.add(&results[i].Record, classes[k], at)
		}
		if err != nil {
			results[i] = connector.Result{Record: records[i], Err: err}
		}
	}
	return results
}

// judge makes a class that is below its threshold the unclassified one.
func (t *Transform) judge(r *model.Result) error {
	if len(t.limits) > 0 && r.By != nil && r.By != t.checked {
		for class := range t.limits {
			if !slices.Contains(r.By.Labels, class) {
				return connector.Coded("H4010", connector.Fatal(fmt.Errorf("thresholds: model %s has no class %s", r.Model, class)))
			}
		}
		t.checked = r.By
	}
	limit, own := t.limits[r.Class]
	if !own {
		limit = t.limit
	}
	if r.Prob < limit {
		r.Class = t.unclassified
	}
	return nil
}

// wait keeps to the largest rate.
func (t *Transform) wait(ctx context.Context, images int) error {
	if t.rate <= 0 {
		return nil
	}
	now := time.Now()
	if t.free.Before(now) {
		t.free = now
	}
	timer := time.NewTimer(t.free.Sub(now))
	defer timer.Stop()
	select {
	case <-timer.C:
		t.free = t.free.Add(time.Duration(float64(images) / t.rate * float64(time.Second)))
		return nil
	case <-ctx.Done():
		return connector.Retriable(ctx.Err())
	}
}

// imageOf gives the PNG file in a value.
func (t *Transform) imageOf(value any) ([]byte, error) {
	v, err := fields.Get(value, t.image)
	if err != nil {
		return nil, err
	}
	switch x := v.(type) {
	case []byte:
		if x != nil {
			return x, nil
		}
	case string:
		img, err := base64.StdEncoding.DecodeString(x)
		if err != nil {
			return nil, fmt.Errorf("field %s: the text is not base64: %w", t.image, err)
		}
		return img, nil
	case nil:
	default:
		return nil, fmt.Errorf("field %s: expected an image as bytes or base64 text, got %T", t.image, v)
	}
	return nil, fmt.Errorf("field %s with the image is missing or null", t.image)
}

// add puts the result into a copy of the record's value.
func (t *Transform) add(r *connector.Record, got model.Result, at time.Time) error {
	for _, o := range t.headers {
		r.Headers = r.Headers.Without(o.field).With(o.field, o.schema, o.value(got, at))
	}
	switch x := r.Value.(type) {
	case map[string]any:
		m := maps.Clone(x)
		for _, o := range t.outputs {
			m[o.field] = o.value(got, at)
		}
		r.Value = m
	case *connector.Struct:
		l, err := t.schemas.Get(x.Schema(), func() (*layout, error) { return t.layout(x.Schema()) })
		if err != nil {
			return connector.Data(err)
		}
		values := make([]any, len(l.schema.Fields()))
		copy(values, x.Values())
		for i, o := range t.outputs {
			values[l.at[i]] = o.value(got, at)
		}
		r.ValueSchema, r.Value = l.schema, connector.StructFrom(l.schema, values)
	default:
		return connector.Data(errors.New("value is no struct or map"))
	}
	return nil
}

// layout gives a schema with the added fields. One that is there already
// keeps its place and gets the type of what is put into it.
func (t *Transform) layout(in *connector.Schema) (*layout, error) {
	l := &layout{}
	list := append([]connector.Field(nil), in.Fields()...)
	for _, o := range t.outputs {
		if f, ok := in.Field(o.field); ok {
			list[f.Index] = connector.F(o.field, o.schema)
			l.at = append(l.at, f.Index)
			continue
		}
		l.at = append(l.at, len(list))
		list = append(list, connector.F(o.field, o.schema))
	}
	var err error
	if l.schema, err = in.WithFields(list); err != nil {
		return nil, err
	}
	return l, nil
}
