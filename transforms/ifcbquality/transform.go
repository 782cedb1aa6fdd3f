package ifcbquality

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/fields"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// Version is what the transform reports.
const Version = "1.0.0"

// The verdicts.
const (
	pass = "pass"
	fail = "fail"
)

var (
	_ connector.Transform = (*Transform)(nil)
	_ connector.Validator = (*Transform)(nil)
)

func init() { connector.RegisterTransform(func() connector.Transform { return new(Transform) }) }

// Transform adds a verdict and its reasons to records of bins and images.
type Transform struct {
	drop      bool
	otherRuns bool
	ranges    []valueRange
	failed    float64 // part of a bin's images
	image     imageCheck
	added     *fields.Fields
}

// valueRange is what a field's number may be.
type valueRange struct {
	field, what, unit string
	least, most       float64
	needed            bool // null fails
}

// Info describes the plugin.
func (*Transform) Info() connector.Info {
	return connector.Info{Name: "ifcb-quality", Version: Version, Doc: "Adds to records of IFCB bins and images whether they pass a site's checks, and why not."}
}

// Configure takes the thresholds.
func (t *Transform) Configure(_ connector.Context, conf connector.Config) error {
	t.drop, t.otherRuns, t.failed = conf.String("on.fail") == onFailDrop, conf.Bool("other.runs"), conf.Float64("failed.max.ratio")
	clock := conf.Float64("clock.max.s")
	t.ranges = []valueRange{
		{"ml_analyzed", "the volume", " ml", conf.Float64("volume.min.ml"), conf.Float64("volume.max.ml"), true},
		{"run_time", "the run time", " s", conf.Float64("run.time.min.s"), conf.Float64("run.time.max.s"), false},
		{"humidity", "the humidity", " %", conf.Float64("humidity.min"), conf.Float64("humidity.max"), false},
		{"temperature", "the temperature", " °C", conf.Float64("temperature.min"), conf.Float64("temperature.max"), false},
		{"clock_offset", "the clock's offset", " s", -clock, clock, false},
	}
	t.image = imageCheck{conf.String("image.field"), conf.Float64("contrast.min"), conf.Float64("focus.min")}
	t.added = fields.New(
		connector.F("quality", connector.OptionalStringSchema.WithDoc("pass or fail, by transform ifcb-quality; null where nothing is known of the bin.")),
		connector.F("quality_reasons", connector.OptionalStringSchema.WithDoc("Why the quality is fail, with semicolons between.")),
	)
	return nil
}

// Apply checks one record. A null value passes as it is.
func (t *Transform) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	if r.Value == nil {
		return r, true, nil
	}
	in, err := fields.Of(r.Value)
	if err != nil {
		return r, false, connector.Data(err)
	}
	reasons, err := t.check(in)
	if err != nil {
		return r, false, connector.Data(err)
	}
	verdict, why := any(pass), any(nil)
	switch {
	case in.Get("status") == ifcb.BinSkipped:
		verdict = nil
	case len(reasons) > 0:
		verdict, why = fail, strings.Join(reasons, "; ")
	}
	out, err := t.added.Record(r, []any{verdict, why})
	return out, err == nil && !(t.drop && verdict == fail), connector.Data(err)
}

// check gives the reasons against a record.
func (t *Transform) check(in fields.Reader) (reasons []string, err error) {
	add := func(format string, args ...any) { reasons = append(reasons, fmt.Sprintf(format, args...)) }
	for _, c := range t.ranges {
		value, there := in.Lookup(c.field)
		v, isNumber := fields.Float64(value)
		switch {
		case value == nil && c.needed && there:
			add("%s is unknown", c.what)
		case value == nil:
		case !isNumber:
			return nil, fmt.Errorf("field %s: expected a number, got %T", c.field, value)
		case math.IsNaN(v) || v < c.least || v > c.most:
			add("%s of %.4g%s is not from %.4g to %.4g", c.what, v, c.unit, c.least, c.most)
		}
	}
	if flags, _ := in.Get("run_flags").(string); !t.otherRuns && !ifcb.IsSample(strings.FieldsFunc(flags, func(r rune) bool { return r == ',' })) {
		add("it is no sample of the water: %s", flags)
	}
	if status := in.Get("status"); status == ifcb.BinFailed {
		add("none of its images could be had")
	} else if lost, expected := in.Get("failed"), in.Get("expected"); lost != nil && expected != nil {
		n, okLost := fields.Int64(lost)
		of, okOf := fields.Int64(expected)
		if okLost && okOf && float64(n) > t.failed*float64(of) {
			add("%d of %d images could not be had", n, of)
		}
	} else if status == ifcb.BinPartial {
		add("some of its images could not be had")
	}
	more, err := t.image.check(in)
	return append(reasons, more...), err
}
