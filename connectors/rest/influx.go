package rest

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/tostring"
)

// influx writes records in InfluxDB's line protocol: measurement,tags fields time.
type influx struct {
	measurement template
	tags        []part
	timestamp   string // the field of it; empty: the record's own
	unit        time.Duration
}

// units are the values of precision in the URL of a write, of InfluxDB 1 and 2.
var units = map[string]time.Duration{"": time.Nanosecond, "ns": time.Nanosecond, "n": time.Nanosecond, "us": time.Microsecond, "u": time.Microsecond,
	"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour}

func newInflux(conf connector.Config) *influx {
	u, err := url.Parse(conf.String("url"))
	precision := ""
	if err == nil {
		precision = u.Query().Get("precision")
	}
	x := &influx{measurement: mustTemplate(conf.String("influx.measurement")), timestamp: conf.String("influx.timestamp"), unit: units[precision]}
	for _, name := range conf.List("influx.tags") {
		x.tags = append(x.tags, part{from: fromValue, path: []string{name}})
	}
	return x
}

// The characters that are escaped in names and tags.
const (
	inMeasurement = `, `
	inTag         = `,= `
)

// escaped writes a name or tag. The protocol has no form for a line break, nor for a
// backslash before what is escaped or at the end.
func escaped(out []byte, text, special string) ([]byte, error) {
	before := byte(0)
	for i := range len(text) {
		c := text[i]
		isSpecial := strings.IndexByte(special, c) >= 0
		if c == '\n' || c == '\r' || isSpecial && before == '\\' {
			before = '\\'
			break
		}
		if isSpecial {
			out = append(out, '\\')
		}
		out, before = append(out, c), c
	}
	if before == 0 || before == '\\' {
		return nil, fmt.Errorf("is empty or has a line break or backslash that line protocol has no form for")
	}
	return out, nil
}

func (x *influx) add(b *buffer, r *connector.Record) error {
	out, err := x.measurement.append(b.flat, r, func(out []byte, text string) ([]byte, error) { return escaped(out, text, inMeasurement) })
	if err != nil {
		return fmt.Errorf("influx.measurement: %w", err)
	}
	if out, err = x.addTags(out, r); err != nil {
		return err
	}
	at, timed := inUnit(r.Timestamp, x.unit), r.Timestamp != connector.NoTimestamp
	between := byte(' ')
	err = fieldsOf(false).each(r, func(name string, schema *connector.Schema, v any) (err error) {
		switch {
		case name == x.timestamp:
			at, err = x.time(v)
			timed = true
			return err
		case slices.ContainsFunc(x.tags, func(tag part) bool { return tag.path[0] == name }):
			return nil
		}
		if out, err = escaped(append(out, between), name, inTag); err != nil {
			return err
		}
		between = ','
		out, err = influxValue(append(out, '='), schema, v)
		return err
	})
	if err != nil {
		return err
	}
	if between == ' ' {
		return fmt.Errorf("the value has no field that is not null, and line protocol wants one")
	}
	if timed {
		out = strconv.AppendInt(append(out, ' '), at, 10)
	}
	b.flat = out
	return nil
}

// time gives a field's time in the unit; a number is in it already.
func (x *influx) time(v any) (int64, error) {
	switch v := v.(type) {
	case time.Time:
		return inUnit(v.UnixMilli(), x.unit), nil
	case int64:
		return v, nil
	case int32:
		return int64(v), nil
	}
	return 0, fmt.Errorf("it is a %s, but a time is a timestamp or a whole number", tostring.Class(v))
}

// inUnit gives milliseconds since 1970 in a unit, rounded down.
func inUnit(ms int64, unit time.Duration) int64 {
	if unit < time.Millisecond {
		return ms * int64(time.Millisecond/unit)
	}
	n := int64(unit / time.Millisecond)
	if ms%n < 0 {
		return ms/n - 1
	}
	return ms / n
}

// addTags adds the fields that are tags; one that is null or empty is none.
func (x *influx) addTags(out []byte, r *connector.Record) ([]byte, error) {
	for i := range x.tags {
		tag := &x.tags[i]
		schema, v := tag.value(r)
		if v == nil || v == "" {
			continue
		}
		text, err := tag.primitive(schema, v)
		if err != nil {
			return nil, err
		}
		if out, err = escaped(append(out, ','), tag.path[0], inTag); err != nil {
			return nil, err
		}
		if out, err = escaped(append(out, '='), text, inTag); err != nil {
			return nil, fmt.Errorf("field %s: %w", tag.path[0], err)
		}
	}
	return out, nil
}

func influxValue(out []byte, schema *connector.Schema, v any) ([]byte, error) {
	switch v := v.(type) {
	case string:
		out = append(out, '"')
		out = append(out, influxText.Replace(v)...)
		return append(out, '"'), nil
	case bool:
		return strconv.AppendBool(out, v), nil
	case int8, int16, int32, int64:
		return append(append(out, fmt.Sprint(v)...), 'i'), nil
	case float32:
		return influxFloat(out, float64(v), 32)
	case float64:
		return influxFloat(out, v, 64)
	case connector.Decimal:
		return append(out, v.String()...), nil
	}
	if text, ok := instant(schema, v); ok {
		return append(append(append(out, '"'), text...), '"'), nil
	}
	return nil, fmt.Errorf("a %s has no form in line protocol: drop the field or flatten it", tostring.Class(v))
}

// influxText escapes a field's text, which may have line breaks.
var influxText = strings.NewReplacer(`"`, `\"`, `\`, `\\`)

func influxFloat(out []byte, f float64, bits int) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, fmt.Errorf("%v has no form in line protocol", f)
	}
	return strconv.AppendFloat(out, f, 'g', -1, bits), nil
}
