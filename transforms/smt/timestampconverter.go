package smt

import (
	"context"
	"math"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/dateformat"
	"github.com/axiom-data-science/hydraulics/internal/java/tostring"
	"github.com/axiom-data-science/hydraulics/internal/java/values"
)

var (
	_ connector.Transform = (*TimestampConverter)(nil)
	_ connector.Validator = (*TimestampConverter)(nil)
)

func init() {
	for _, p := range []part{onKey, onValue} {
		connector.RegisterTransform(func() connector.Transform { return &TimestampConverter{part: p} })
	}
}

// TimestampConverter converts a time between a text, a Unix time and Connect's
// Date, Time and Timestamp.
type TimestampConverter struct {
	part      part
	field     string // empty for the whole key or value
	target    string
	format    *dateformat.Format // nil without one
	precision string
	rewriter  rewriter
}

const convertingTimestamps = "converting timestamp formats"

// Info describes the plugin.
func (t *TimestampConverter) Info() connector.Info {
	return t.part.info("TimestampConverter", "timestamp-converter", "Converts a time between text, Unix time and Connect's types.")
}

// ConfigDef gives Kafka's keys.
func (*TimestampConverter) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "field", Type: connector.StringKey, Default: "", Importance: connector.High,
			Doc: "The field containing the timestamp, or empty if the entire value is a timestamp"},
		connector.Key{Name: "target.type", Type: connector.StringKey, Required: true, Importance: connector.High,
			Check: connector.OneOf("string", "unix", "Date", "Time", "Timestamp"),
			Doc:   "The desired timestamp representation: string, unix, Date, Time, or Timestamp"},
		connector.Key{Name: "format", Type: connector.StringKey, Default: "",
			Doc: "A SimpleDateFormat-compatible format for the timestamp. Used to generate the output when type=string or used to parse the input if the input is a string."},
		connector.Key{Name: "unix.precision", Type: connector.StringKey, Default: "milliseconds", Importance: connector.Low,
			Check: connector.OneOf("nanoseconds", "microseconds", "milliseconds", "seconds"),
			Doc: "The desired Unix precision for the timestamp: seconds, milliseconds, microseconds, or nanoseconds. Used to generate the output when type=unix or used to parse the input if the input is a Long." +
				"Note: This SMT will cause precision loss during conversions from, and to, values with sub-millisecond components."},
		replaceNullKey, ownSyntaxKey,
	)
}

// blank tells whether there is a format at all: spaces are none.
func blank(text string) bool {
	return strings.TrimFunc(text, func(r rune) bool { return r <= ' ' }) == ""
}

// Validate wants a pattern that can be read.
func (*TimestampConverter) Validate(conf connector.Config, p *connector.Problems) {
	pattern := conf.String("format")
	if blank(pattern) {
		if conf.String("target.type") == "string" {
			p.Add("format", "TimestampConverter requires format option to be specified when using string timestamps")
		}
	} else if _, err := dateformat.Compile(pattern); err != nil {
		p.Add("format", "%s", connector.Invalid("TimestampConverter requires a SimpleDateFormat-compatible pattern for string timestamps: "+pattern,
			"java.lang.IllegalArgumentException: "+err.Error(), ""))
	}
	checkPaths(conf, p, "field")
}

// Configure compiles the pattern.
func (t *TimestampConverter) Configure(_ connector.Context, conf connector.Config) error {
	t.field, t.target, t.precision = conf.String("field"), conf.String("target.type"), conf.String("unix.precision")
	t.rewriter = rewriter{purpose: convertingTimestamps, replaceNull: conf.Bool("replace.null.with.default"), whole: true}
	var err error
	if pattern := conf.String("format"); !blank(pattern) {
		if t.format, err = dateformat.Compile(pattern); err != nil {
			return err
		}
	}
	p, err := parsePath(t.field, nested(conf))
	if err != nil {
		return err
	}
	t.rewriter.root.at(p).change = change{
		schema: func(s *connector.Schema) (*connector.Schema, error) {
			return t.schema(s.Optional()), nil
		},
		value: t.convert,
	}
	return nil
}

// Apply converts one record's time. A null stays null, its schema becomes the
// new one.
func (t *TimestampConverter) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	schema, value := t.part.get(r)
	switch {
	case t.field == "":
		v, err := t.convert(schema, value)
		if err != nil {
			return r, false, err
		}
		if schema != nil {
			schema = t.schema(schema.Optional())
		}
		return t.part.with(r, schema, v), true, nil
	case value == nil && schema == nil:
		return r, true, nil
	case value == nil:
		if schema.Type() != connector.Object {
			return r, false, dataf("Cannot list fields on non-struct type")
		}
		plan, err := t.rewriter.plan(schema)
		if err != nil {
			return r, false, err
		}
		return t.part.with(r, plan.schema, nil), true, nil
	}
	out, err := t.rewriter.rewrite(t.part, r)
	return out, err == nil, err
}

// schema gives the schema of the target.
func (t *TimestampConverter) schema(optional bool) *connector.Schema {
	s := map[string]*connector.Schema{"string": connector.StringSchema, "unix": connector.Int64Schema, "Date": connector.DateSchema,
		"Time": connector.TimeSchema, "Timestamp": connector.TimestampSchema}[t.target]
	if optional {
		return s.AsOptional()
	}
	return s
}

// holdsTimes checks that the values of a schema can be times.
func holdsTimes(s *connector.Schema) error {
	switch s.Name() {
	case connector.TimestampName, connector.DateName, connector.TimeName:
		return nil
	}
	if s.Type() != connector.String && s.Type() != connector.Int64 {
		return dataf("Schema %s does not correspond to a known timestamp type format", values.SchemaText(s))
	}
	return nil
}

func (t *TimestampConverter) convert(s *connector.Schema, v any) (any, error) {
	if s != nil {
		if err := holdsTimes(s); err != nil {
			return nil, err
		}
	}
	if v == nil {
		return nil, nil
	}
	at, err := t.read(v)
	if err != nil {
		return nil, err
	}
	return t.write(at), nil
}

// read gives the time that a value means.
func (t *TimestampConverter) read(v any) (time.Time, error) {
	switch x := v.(type) {
	case time.Time:
		return x, nil
	case int64:
		return time.UnixMilli(t.millis(x)).UTC(), nil
	case string:
		if t.format == nil {
			return time.Time{}, dataf("a text is no time without the key format")
		}
		at, ok := t.format.Parse(x)
		if !ok {
			return at, dataf("Could not parse timestamp: value (%s) does not match pattern (%s)", x, t.format)
		}
		return at, nil
	}
	return time.Time{}, dataf("TimestampConverter does not support class %s objects as timestamps", tostring.Class(v))
}

func (t *TimestampConverter) write(at time.Time) any {
	const day = 24 * 60 * 60 * 1000
	ms := at.UnixMilli()
	ofDay := (ms%day + day) % day
	switch t.target {
	case "string":
		return t.format.Format(at)
	case "unix":
		return t.unix(ms)
	case "Date":
		return time.UnixMilli(ms - ofDay).UTC()
	case "Time":
		return time.UnixMilli(ofDay).UTC()
	}
	return at
}

// millis reads a Unix time; it truncates, and what is too large is the largest
// there is.
func (t *TimestampConverter) millis(n int64) int64 {
	switch t.precision {
	case "seconds":
		return times(n, 1000)
	case "microseconds":
		return n / 1000
	case "nanoseconds":
		return n / 1_000_000
	}
	return n
}

func (t *TimestampConverter) unix(ms int64) int64 {
	switch t.precision {
	case "seconds":
		return ms / 1000
	case "microseconds":
		return times(ms, 1000)
	case "nanoseconds":
		return times(ms, 1_000_000)
	}
	return ms
}

func times(n, by int64) int64 {
	switch {
	case n > math.MaxInt64/by:
		return math.MaxInt64
	case n < math.MinInt64/by:
		return math.MinInt64
	}
	return n * by
}
