package postgres

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/fields"
	"github.com/axiom-data-science/hydraulics/internal/pg"
)

// logical is a type of Debezium's: the column that is made for it, and how its
// values are written as text for a column, nil where they say themselves. A value
// that a column is not for goes on as if it had no such type.
type logical struct {
	column string
	text   func(c *cells, f *field, col *pg.Column, v any) (text string, ok bool)
}

// logicals are Debezium's types by the names of their schemas.
var logicals = map[string]*logical{
	"io.debezium.time.Date":           {"DATE", daysText},
	"io.debezium.time.Time":           {"TIME", clockText(time.Millisecond)},
	"io.debezium.time.MicroTime":      {"TIME", clockText(time.Microsecond)},
	"io.debezium.time.NanoTime":       {"TIME", clockText(time.Nanosecond)},
	"io.debezium.time.Timestamp":      {"TIMESTAMP", wallText(time.Millisecond)},
	"io.debezium.time.MicroTimestamp": {"TIMESTAMP", wallText(time.Microsecond)},
	"io.debezium.time.NanoTimestamp":  {"TIMESTAMP", wallText(time.Nanosecond)},
	"io.debezium.time.ZonedTimestamp": {"TIMESTAMPTZ", zonedText},
	"io.debezium.time.ZonedTime":      {"TIMETZ", nil},
	"io.debezium.time.IsoDate":        {"DATE", isoText},
	"io.debezium.time.IsoTime":        {"TIME", isoText},
	"io.debezium.time.IsoTimestamp":   {"TIMESTAMP", isoText},
	"io.debezium.time.Interval":       {"INTERVAL", nil},
	"io.debezium.time.MicroDuration":  {"INTERVAL", clockText(time.Microsecond)},
	"io.debezium.time.NanoDuration":   {"INTERVAL", clockText(time.Nanosecond)},
	"io.debezium.time.Year":           {"INT", nil},

	"io.debezium.data.Json":                 {"JSON", jsonText},
	"io.debezium.data.Uuid":                 {"UUID", nil},
	"io.debezium.data.Xml":                  {"XML", nil},
	"io.debezium.data.Enum":                 {"TEXT", nil},
	"io.debezium.data.EnumSet":              {"TEXT", nil},
	"io.debezium.data.Ltree":                {"LTREE", nil},
	"io.debezium.data.Bits":                 {"BIT VARYING", bitsText},
	"io.debezium.data.VariableScaleDecimal": {"DECIMAL", decimalText},
	"io.debezium.data.FloatVector":          {"VECTOR", vectorText},
	"io.debezium.data.DoubleVector":         {"VECTOR", vectorText},
	"io.debezium.data.SparseDoubleVector":   {"SPARSEVEC", sparseText},

	"io.debezium.data.geometry.Point":     {"POINT", geometryText},
	"io.debezium.data.geometry.Geometry":  {"GEOMETRY", geometryText},
	"io.debezium.data.geometry.Geography": {"GEOGRAPHY", geometryText},
}

// logicalOf gives the type of Debezium's that a schema has, nil for none.
func logicalOf(schema *connector.Schema) *logical {
	if schema == nil || schema.Name() == "" {
		return nil
	}
	return logicals[schema.Name()]
}

// sourceTypes are the types of a source's column, as a parameter of the schema says
// them (column.propagate.source.type), that are made as they were.
var sourceTypes = map[string]bool{"JSONB": true, "HSTORE": true, "CITEXT": true, "INET": true, "CIDR": true, "MACADDR": true, "MACADDR8": true, "MONEY": true, "OID": true, "XML": true,
	"INT4RANGE": true, "INT8RANGE": true, "NUMRANGE": true, "TSRANGE": true, "TSTZRANGE": true, "DATERANGE": true}

// debeziumType gives the type of a column to make, "" where Debezium says nothing.
func debeziumType(schema *connector.Schema) string {
	source := strings.ToUpper(parameter(schema, "__debezium.source.column.type"))
	if sourceTypes[source] {
		return source
	}
	kind := logicalOf(schema)
	if kind == nil {
		return ""
	}
	if length, ok := bitLength(schema); ok && kind.column == "BIT VARYING" {
		if source == "VARBIT" {
			return fmt.Sprintf("BIT VARYING(%d)", length)
		}
		return fmt.Sprintf("BIT(%d)", length)
	}
	return kind.column
}

// timeNumber gives a number that is a time, unless the column takes numbers.
func timeNumber(col *pg.Column, v any) (int64, bool) {
	n, ok := fields.Int64(v)
	return n, ok && col.Category != 'N'
}

func daysText(c *cells, _ *field, col *pg.Column, v any) (string, bool) {
	n, ok := timeNumber(col, v)
	if !ok {
		return "", false
	}
	return c.wall(time.Unix(0, 0).UTC().AddDate(0, 0, int(n)), col, col.OID != pgtype.TimestampOID && col.OID != pgtype.TimestamptzOID), true
}

// clockText writes a time of day, or a duration, in a unit.
func clockText(unit time.Duration) func(*cells, *field, *pg.Column, any) (string, bool) {
	return func(_ *cells, _ *field, col *pg.Column, v any) (string, bool) {
		n, ok := timeNumber(col, v)
		if !ok {
			return "", false
		}
		sign, size := "", uint64(n)
		if n < 0 {
			sign, size = "-", -size
		}
		second := uint64(time.Second / unit)
		fraction := size % second * uint64(unit)
		size /= second
		return fmt.Sprintf("%s%02d:%02d:%02d.%09d", sign, size/3600, size/60%60, size%60, fraction), true
	}
}

// PostgreSQL's infinities, as Debezium says them in its unit and in ISO 8601.
const (
	endless   = 9223372036825200000
	beginless = -9223372036832400000
)

// wallText writes a date and time of day without a zone, which Debezium counts as if
// it were UTC.
func wallText(unit time.Duration) func(*cells, *field, *pg.Column, any) (string, bool) {
	return func(c *cells, _ *field, col *pg.Column, v any) (string, bool) {
		n, ok := timeNumber(col, v)
		switch {
		case !ok:
			return "", false
		case unit != time.Nanosecond && n == endless:
			return "infinity", true
		case unit != time.Nanosecond && n == beginless:
			return "-infinity", true
		}
		var t time.Time
		switch unit {
		case time.Millisecond:
			t = time.UnixMilli(n)
		case time.Microsecond:
			t = time.UnixMicro(n)
		default:
			t = time.Unix(0, n)
		}
		return c.wall(t.UTC(), col, false), true
	}
}

// wall writes what a clock shows. It is that of db.timezone where a column wants an
// instant.
func (c *cells) wall(t time.Time, col *pg.Column, date bool) string {
	if date {
		return dateText(t, "")
	}
	if col.OID == pgtype.TimestamptzOID {
		return c.timestamp(time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), c.zone), col)
	}
	return dateText(t, " 15:04:05.999999999")
}

// zonedText writes an instant in ISO 8601, whose years PostgreSQL has in words of its
// own where they have not four digits.
func zonedText(c *cells, _ *field, col *pg.Column, v any) (string, bool) {
	text, _ := v.(string)
	t, ok := isoTime(text)
	if !ok || col.Category != 'D' || col.OID == pgtype.TimetzOID {
		return "", false
	}
	return c.timestamp(t, col), true
}

// isoTime reads a date and time of ISO 8601 with years of any length.
func isoTime(text string) (time.Time, bool) {
	end := strings.IndexByte(strings.TrimLeft(text, "+-"), '-') + len(text) - len(strings.TrimLeft(text, "+-"))
	if end < 4 {
		return time.Time{}, false
	}
	year, err := strconv.Atoi(text[:end])
	if err != nil {
		return time.Time{}, false
	}
	like := 2000 + (year%400+400)%400 // a year with the same calendar
	t, err := time.Parse(time.RFC3339Nano, strconv.Itoa(like)+text[end:])
	if err != nil {
		return time.Time{}, false
	}
	return t.UTC().AddDate(year-like, 0, 0), true
}

// isoText writes what a clock shows, which Debezium says in ISO 8601, of UTC.
func isoText(c *cells, _ *field, col *pg.Column, v any) (string, bool) {
	text, ok := v.(string)
	if !ok || col.Category != 'D' {
		return "", false
	}
	if t, ok := isoTime(text); ok {
		switch {
		case t.Equal(time.UnixMicro(endless)):
			return "infinity", true
		case t.Equal(time.UnixMicro(beginless)):
			return "-infinity", true
		}
		return c.wall(t, col, false), true
	}
	text = strings.TrimSuffix(text, "Z")
	if t, ok := isoTime(text + "T00:00:00Z"); ok {
		return c.wall(t, col, col.OID == pgtype.DateOID), true
	}
	return text, true
}

// jsonText writes JSON; an hstore column takes an object's texts.
func jsonText(_ *cells, _ *field, col *pg.Column, v any) (string, bool) {
	text, ok := v.(string)
	if !ok || !isHstore(col) {
		return "", false
	}
	var object map[string]any
	if json.Unmarshal([]byte(text), &object) != nil {
		return "", false
	}
	return hstoreText(object)
}

// isHstore and isGeometry tell types of extensions, in whatever schema these are.
func isHstore(col *pg.Column) bool { return bare(col.Type) == "hstore" }

func isGeometry(col *pg.Column) bool {
	return bare(col.Type) == "geometry" || bare(col.Type) == "geography"
}

// bare is a type's name without its schema.
func bare(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// hstoreText writes texts by their names as the extension reads them.
func hstoreText(m map[string]any) (string, bool) {
	var out []byte
	for i, k := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(quoted(out, k), "=>"...)
		switch v := m[k].(type) {
		case nil:
			out = append(out, "NULL"...)
		case string:
			out = quoted(out, v)
		default:
			return "", false
		}
	}
	return string(out), true
}

// bitLength is how many bits the values have, where that is bounded.
func bitLength(schema *connector.Schema) (int, bool) {
	n, err := strconv.Atoi(parameter(schema, "length"))
	return n, err == nil && n > 0 && n < math.MaxInt32
}

// bitsText writes bits, of which the first byte has the last. Zeros in front are not
// in it: a bit column has as many as its length says, bit varying has none.
func bitsText(_ *cells, f *field, col *pg.Column, v any) (string, bool) {
	b, ok := v.([]byte)
	if !ok || col.OID != pgtype.BitOID && col.OID != pgtype.VarbitOID {
		return "", false
	}
	var text strings.Builder
	for _, x := range slices.Backward(b) {
		fmt.Fprintf(&text, "%08b", x)
	}
	digits := strings.TrimLeft(text.String(), "0")
	if n, ok := bitLength(f.schema); ok && col.OID == pgtype.BitOID && len(digits) < n {
		digits = strings.Repeat("0", n-len(digits)) + digits
	}
	return digits, true
}

// decimalText writes a decimal that says its scale.
func decimalText(_ *cells, _ *field, col *pg.Column, v any) (string, bool) {
	s, ok := v.(*connector.Struct)
	if !ok {
		return "", false
	}
	scale, _ := s.Get("scale")
	value, _ := s.Get("value")
	n, isInt := scale.(int32)
	b, isBytes := value.([]byte)
	if !isInt || !isBytes {
		return "", false
	}
	return connector.DecimalFromBytes(b, int(n)).String(), true
}

// vectorText writes a list of numbers as the extension pgvector reads it.
func vectorText(_ *cells, _ *field, col *pg.Column, v any) (string, bool) {
	list, ok := v.([]any)
	if !ok || col.Category == 'A' {
		return "", false
	}
	out := []byte{'['}
	for i, x := range list {
		if i > 0 {
			out = append(out, ',')
		}
		text, ok := numberText(x, col)
		if !ok {
			return "", false
		}
		out = append(out, text...)
	}
	return string(append(out, ']')), true
}

// sparseText writes the numbers of a vector that are not zero, and how many it has.
func sparseText(_ *cells, _ *field, col *pg.Column, v any) (string, bool) {
	s, ok := v.(*connector.Struct)
	if !ok {
		return "", false
	}
	dimensions, _ := s.Get("dimensions")
	vector, _ := s.Get("vector")
	n, isInt := fields.Int64(dimensions)
	m, isMap := vector.(map[any]any)
	if !isInt || !isMap {
		return "", false
	}
	var parts []string
	for k, x := range m {
		index, isIndex := fields.Int64(k)
		text, isNumber := numberText(x, col)
		if !isIndex || !isNumber {
			return "", false
		}
		parts = append(parts, fmt.Sprintf("%d:%s", index, text))
	}
	slices.Sort(parts)
	return fmt.Sprintf("{%s}/%d", strings.Join(parts, ","), n), true
}

// geometryText writes a point as PostgreSQL reads it, and for PostGIS what is in well
// known binary, with the system of its coordinates in it.
func geometryText(_ *cells, _ *field, col *pg.Column, v any) (string, bool) {
	s, ok := v.(*connector.Struct)
	if !ok {
		return "", false
	}
	if col.OID == pgtype.PointOID {
		x, _ := s.Get("x")
		y, _ := s.Get("y")
		fx, isX := x.(float64)
		fy, isY := y.(float64)
		return "(" + floatText(fx, 64) + "," + floatText(fy, 64) + ")", isX && isY
	}
	value, _ := s.Get("wkb")
	wkb, ok := value.([]byte)
	if !ok || !isGeometry(col) {
		return "", false
	}
	srid, _ := s.Get("srid")
	n, _ := srid.(int32)
	return hex.EncodeToString(withSRID(wkb, n)), true
}

// hasSRID is the flag of PostGIS's well known binary that says that the number of the
// system follows.
const hasSRID = 0x20000000

// withSRID gives well known binary with the number of its system, if it has one.
func withSRID(wkb []byte, srid int32) []byte {
	if srid == 0 || len(wkb) < 5 {
		return wkb
	}
	var order binary.AppendByteOrder = binary.BigEndian
	kind := binary.BigEndian.Uint32(wkb[1:])
	if wkb[0] == 1 {
		order, kind = binary.LittleEndian, binary.LittleEndian.Uint32(wkb[1:])
	}
	if kind&hasSRID != 0 {
		return wkb
	}
	out := order.AppendUint32([]byte{wkb[0]}, kind|hasSRID)
	return append(order.AppendUint32(out, uint32(srid)), wkb[5:]...)
}
