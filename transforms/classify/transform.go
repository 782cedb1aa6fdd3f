package classify

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/model"
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
	image   string // field
	outputs []output
	schemas map[*connector.Schema]*layout // by identity: the records of a batch share one
	now     func() time.Time              // tests replace it
}

// output is a field that is added.
type output struct {
	field  string
	schema *connector.Schema
	value  func(r model.Result, at time.Time) any
}

// layout is a struct schema with the added fields, and where each of them is.
type layout struct {
	schema *connector.Schema
	at     []int
}

// maxSchemas bounds the cache; more different ones at once do not occur.
const maxSchemas = 64

// Info describes the plugin.
func (*Transform) Info() connector.Info {
	return connector.Info{Name: "classify", Version: Version, Doc: "Adds the class of an image, its probability, the classifier and the time."}
}

// ConfigDef gives the keys.
func (*Transform) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "model", Type: connector.StringKey, Required: true, Check: connector.NotEmpty, Path: true, Importance: connector.High,
			Doc: "ONNX file, or the URL of a model behind TensorFlow Serving's REST protocol such as http://host:8501/v1/models/NAME."},
		connector.Key{Name: "manifest", Type: connector.StringKey, Path: true,
			Doc: "YAML file that describes the model. The default is the file beside it with the same name and .yaml."},
		connector.Key{Name: "labels", Type: connector.StringKey, Path: true,
			Doc: "File with the names of the classes in the order of the model's outputs, one a line; it takes the place of the manifest's."},
		connector.Key{Name: "model.name", Type: connector.StringKey, Doc: "Name of the model in the field classifier, in place of the manifest's."},
		connector.Key{Name: "model.version", Type: connector.StringKey, Doc: "Version of the model in the field classifier, in place of the manifest's or the server's."},
		connector.Key{Name: "image.field", Type: connector.StringKey, Default: "image", Check: connector.NotEmpty,
			Doc: "Field that holds the image: a PNG file as bytes, or as base64 text."},
		connector.Key{Name: "name.field", Type: connector.StringKey, Default: "name", Doc: "Field for the class, empty for none."},
		connector.Key{Name: "prob.field", Type: connector.StringKey, Default: "prob", Doc: "Field for the probability of the class, 0 to 1, empty for none."},
		connector.Key{Name: "classifier.field", Type: connector.StringKey, Default: "classifier", Doc: "Field for the model's name and version, NAME:VERSION, empty for none."},
		connector.Key{Name: "time.field", Type: connector.StringKey, Default: "classification_time",
			Doc: "Field for the time of the classification, seconds since 1970 UTC, empty for none."},
		connector.Key{Name: "threads", Type: connector.IntKey, Default: 0, Check: connector.Between(0, 1024), Importance: connector.Low,
			Doc: "Images that are classified at once in this process, each on a core of its own; 0 is one per core. Tasks with the same model share it."},
		connector.Key{Name: "batch.size", Type: connector.IntKey, Default: 8, Check: connector.Between(1, 1024), Importance: connector.Low,
			Doc: "Largest number of images in one request to a server; one image is 1.6 MB of JSON."},
		connector.Key{Name: "timeout.ms", Type: connector.IntKey, Default: 60000, Check: connector.AtLeast(1), Importance: connector.Low,
			Doc: "Time for one request to a server."},
		connector.Key{Name: "version.refresh.ms", Type: connector.IntKey, Default: 30000, Check: connector.AtLeast(1), Importance: connector.Low,
			Doc: "Time after which a server is asked again which version it serves. Requests name the version, so the field classifier is always true."},
	)
}

// fields are the keys that name added fields.
var fields = []string{"name.field", "prob.field", "classifier.field", "time.field"}

// Validate finds fields that are named twice.
func (*Transform) Validate(conf connector.Config, p *connector.Problems) {
	by := map[string]string{}
	for _, key := range fields {
		name := conf.String(key)
		if other, twice := by[name]; twice && name != "" {
			p.Add(key, "%s", connector.Invalid(key, name, "it is the field of "+other+" too"))
		}
		by[name] = key
	}
}

// Configure loads the model. A server is asked with the first batch, so that
// one that is away is waited for.
func (t *Transform) Configure(_ connector.Context, conf connector.Config) error {
	t.image = conf.String("image.field")
	t.schemas = map[*connector.Schema]*layout{}
	if t.now == nil {
		t.now = time.Now
	}
	t.outputs = nil
	for _, o := range []output{
		{conf.String("name.field"), connector.StringSchema, func(r model.Result, _ time.Time) any { return r.Class }},
		{conf.String("prob.field"), connector.Float32Schema, func(r model.Result, _ time.Time) any { return r.Prob }},
		{conf.String("classifier.field"), connector.StringSchema, func(r model.Result, _ time.Time) any { return r.Model }},
		{conf.String("time.field"), connector.Int64Schema, func(_ model.Result, at time.Time) any { return at.Unix() }},
	} {
		if o.field != "" {
			t.outputs = append(t.outputs, o)
		}
	}
	var err error
	t.model, err = model.Open(model.Options{
		Model: conf.String("model"), Manifest: conf.String("manifest"), Labels: conf.String("labels"),
		Name: conf.String("model.name"), Version: conf.String("model.version"), Threads: conf.Int("threads"), BatchSize: conf.Int("batch.size"),
		Timeout: time.Duration(conf.Int("timeout.ms")) * time.Millisecond, Refresh: time.Duration(conf.Int("version.refresh.ms")) * time.Millisecond,
	})
	return connector.Fatal(err)
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
	classes := t.model.Classify(ctx, images)
	at := t.now()
	for k, i := range index {
		err := classes[k].Err
		if err == nil {
			err = t.add(&results[i].Record, classes[k], at)
		}
		if err != nil {
			results[i] = connector.Result{Record: records[i], Err: err}
		}
	}
	return results
}

// imageOf gives the PNG file in a value.
func (t *Transform) imageOf(value any) ([]byte, error) {
	var v any
	switch x := value.(type) {
	case *connector.Struct:
		v, _ = x.Get(t.image)
	case map[string]any:
		v = x[t.image]
	default:
		return nil, fmt.Errorf("value is a %T, expected a struct or map with an image", value)
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
	switch x := r.Value.(type) {
	case map[string]any:
		m := maps.Clone(x)
		for _, o := range t.outputs {
			m[o.field] = o.value(got, at)
		}
		r.Value = m
	case *connector.Struct:
		l, err := t.layout(x.Schema())
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
	if l, ok := t.schemas[in]; ok {
		return l, nil
	}
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
	if len(t.schemas) >= maxSchemas {
		clear(t.schemas)
	}
	t.schemas[in] = l
	return l, nil
}
