package postgres

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/plainjson"
	"github.com/axiom-data-science/hydraulics/internal/pg"
)

// cells writes values as text that the server reads as a column's type.
type cells struct {
	zone, dateZone *time.Location
	timestamps     map[string]bool // fields that are timestamps by configuration
	unit           time.Duration   // of those that are int64
}

var errNUL = errors.New("text contains U+0000, which PostgreSQL cannot store")

// inField says where a value that does not fit would have gone.
func inField(f *field, col *pg.Column, err error) error {
	return fmt.Errorf("field %s, column %s of type %s: %w", f.name, col.Name, col.Type, err)
}

// input gives a value that is not null as the server's input for a column.
func (c *cells) input(f *field, col *pg.Column, v any) (string, error) {
	text, ok := "", false
	if f.logical != nil && f.logical.text != nil {
		text, ok = f.logical.text(c, f, col, v)
	}
	if !ok {
		text, ok = v.(string)
	}
	var err error
	if !ok {
		text, err = c.text(f, col, v)
	}
	switch {
	case err != nil:
		return "", err
	case strings.IndexByte(text, 0) >= 0:
		return "", errNUL
	case !utf8.ValidString(text):
		return "", errors.New("text is not valid UTF-8")
	}
	return text, nil
}

// element adds a value as an element of an array literal, which is a value of a
// column of arrays.
func (c *cells) element(out []byte, f *field, col *pg.Column, v any) ([]byte, error) {
	if v == nil {
		return append(out, "NULL"...), nil
	}
	text, err := c.input(f, col, v)
	if err != nil {
		return nil, inField(f, col, err)
	}
	return quoted(out, text), nil
}

// quoted adds a text in the quotes of an array literal.
func quoted(out []byte, s string) []byte {
	out = append(out, '"')
	if !strings.ContainsAny(s, `"\`) {
		return append(append(out, s...), '"')
	}
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			out = append(out, '\\')
		}
		out = append(out, s[i])
	}
	return append(out, '"')
}

// text gives a value that is neither null nor text as the server's input for a
// column.
func (c *cells) text(f *field, col *pg.Column, v any) (string, error) {
	if col.OID == pgtype.JSONOID || col.OID == pgtype.JSONBOID {
		out, err := plainjson.Append(nil, f.schema, v)
		return string(out), err
	}
	if m, ok := v.(map[string]any); ok && isHstore(col) {
		if text, ok := hstoreText(m); ok {
			return text, nil
		}
	}
	if list, ok := v.([]any); ok {
		return c.array(f, col, list)
	}
	if temporal(col) {
		switch x := v.(type) {
		case int64:
			if c.timestamps[f.name] {
				return c.timestamp(c.fromEpoch(x), col), nil
			}
			return "", errors.New("a number is no time: name the field in timestamp.fields.list, or convert it (TimestampConverter)")
		case int8, int16, int32, float32, float64, connector.Decimal, json.Number, int:
			return "", errors.New("a number is no time: convert it (TimestampConverter)")
		}
	}
	switch x := v.(type) {
	case bool:
		if col.OID == pgtype.BitOID || col.OID == pgtype.VarbitOID {
			return map[bool]string{true: "1", false: "0"}[x], nil
		}
		return strconv.FormatBool(x), nil
	case time.Time:
		return c.time(f.schema, x, col), nil
	case []byte:
		if col.OID != pgtype.ByteaOID && col.Elem != "bytea" {
			return "", errors.New("bytes go into bytea only")
		}
		return `\x` + hex.EncodeToString(x), nil
	case *connector.Struct, map[string]any, map[any]any:
		return "", errors.New("a nested value goes into json or jsonb only: flatten it (Flatten), or make the column jsonb")
	}
	number, ok := numberText(v, col)
	if !ok {
		return "", fmt.Errorf("a %T is no value of Kafka Connect", v)
	}
	if col.OID == pgtype.BoolOID {
		return "", errors.New("a number is no boolean: convert it (Cast)")
	}
	return number, nil
}

// temporal tells that PostgreSQL might read a number's digits as a time.
func temporal(col *pg.Column) bool { return col.Category == 'D' || col.Category == 'T' }

func numberText(v any, col *pg.Column) (string, bool) {
	switch x := v.(type) {
	case int8:
		return strconv.FormatInt(int64(x), 10), true
	case int16:
		return strconv.FormatInt(int64(x), 10), true
	case int32:
		return strconv.FormatInt(int64(x), 10), true
	case int64:
		return strconv.FormatInt(x, 10), true
	case int:
		return strconv.Itoa(x), true
	case float32:
		// As the JDBC driver's float4 does, a float32 becomes the double of the
		// same value; elsewhere its own shortest digits are right.
		if col.OID == pgtype.Float8OID || col.Elem == "double precision" {
			return floatText(float64(x), 64), true
		}
		return floatText(float64(x), 32), true
	case float64:
		return floatText(x, 64), true
	case connector.Decimal:
		return x.String(), true
	case json.Number:
		return x.String(), true
	}
	return "", false
}

func floatText(f float64, bits int) string {
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	format := byte('f') // so that 3.0 fits an integer column and 3.5 does not
	if size := math.Abs(f); size >= 1e21 || size < 1e-6 && size > 0 {
		format = 'g'
	}
	return strconv.FormatFloat(f, format, -1, bits)
}

// array gives an array's literal.
func (c *cells) array(f *field, col *pg.Column, list []any) (string, error) {
	if col.Elem == "" {
		return "", errors.New("an array goes into array, json and jsonb columns only")
	}
	ef, ecol := elementOf(f), elementColumn(col)
	out := []byte{'{'}
	for i, v := range list {
		if i > 0 {
			out = append(out, ',')
		}
		if _, nested := v.([]any); nested {
			return "", errors.New("an array of arrays cannot be stored: use a jsonb column")
		}
		var err error
		if out, err = c.element(out, ef, ecol, v); err != nil {
			return "", fmt.Errorf("element %d: %w", i, err)
		}
	}
	return string(append(out, '}')), nil
}

// elementOf and elementColumn are for an array's elements what field and column are
// for it.
func elementOf(f *field) *field {
	return &field{name: f.name, schema: f.schema.Elem(), logical: logicalOf(f.schema.Elem())}
}

func elementColumn(col *pg.Column) *pg.Column {
	return &pg.Column{Name: col.Name, Type: col.Elem, Elem: col.Elem, OID: elemOID[col.Elem], Category: elemCategory[col.Elem]}
}

// elemOID and elemCategory say of an array's elements what matters here.
var (
	elemOID = map[string]uint32{"json": pgtype.JSONOID, "jsonb": pgtype.JSONBOID, "boolean": pgtype.BoolOID, "bytea": pgtype.ByteaOID,
		"date": pgtype.DateOID, "timestamp without time zone": pgtype.TimestampOID, "time with time zone": pgtype.TimetzOID, "bit": pgtype.BitOID, "bit varying": pgtype.VarbitOID,
		"timestamp with time zone": pgtype.TimestamptzOID}
	elemCategory = map[string]byte{"date": 'D', "time without time zone": 'D', "time with time zone": 'D', "timestamp without time zone": 'D',
		"timestamp with time zone": 'D', "interval": 'T',
		"smallint": 'N', "integer": 'N', "bigint": 'N', "real": 'N', "double precision": 'N', "numeric": 'N'}
)

func (c *cells) fromEpoch(n int64) time.Time {
	if c.unit == time.Nanosecond {
		return time.Unix(0, n)
	}
	return time.UnixMicro(n)
}

func (c *cells) time(schema *connector.Schema, t time.Time, col *pg.Column) string {
	kind := ""
	if schema != nil {
		kind = schema.Name()
	}
	switch kind {
	case connector.DateName:
		return dateText(t.In(c.dateZone), "")
	case connector.TimeName:
		return t.UTC().Format("15:04:05.000")
	}
	return c.timestamp(t, col)
}

// timestamp writes an instant: as such for timestamptz, else as the time of day
// in db.timezone.
func (c *cells) timestamp(t time.Time, col *pg.Column) string {
	if col.OID == pgtype.TimestamptzOID {
		return dateText(t.UTC(), " 15:04:05.999999999+00")
	}
	return dateText(t.In(c.zone), " 15:04:05.999999999")
}

// dateText writes a date and what follows it. PostgreSQL has no year 0: the one
// before 1 is 1 BC.
func dateText(t time.Time, rest string) string {
	year, suffix := t.Year(), ""
	if year < 1 {
		year, suffix = 1-year, " BC"
	}
	return fmt.Sprintf("%04d-%s%s", year, t.Format("01-02"+rest), suffix)
}

// typeOIDs, typeNames and timeTypes say of the types that columns are made of what
// cells treats in a way of its own.
var (
	typeOIDs = map[string]uint32{"BYTEA": pgtype.ByteaOID, "JSON": pgtype.JSONOID, "JSONB": pgtype.JSONBOID, "DOUBLE PRECISION": pgtype.Float8OID, "BOOLEAN": pgtype.BoolOID,
		"DATE": pgtype.DateOID, "TIMESTAMP": pgtype.TimestampOID, "TIMESTAMPTZ": pgtype.TimestamptzOID, "TIMETZ": pgtype.TimetzOID, "POINT": pgtype.PointOID}
	typeNames = map[string]string{"SMALLINT": "smallint", "INT": "integer", "BIGINT": "bigint", "REAL": "real", "DOUBLE PRECISION": "double precision",
		"BOOLEAN": "boolean", "TEXT": "text", "BYTEA": "bytea", "DECIMAL": "numeric", "DATE": "date", "TIME": "time without time zone",
		"TIMESTAMP": "timestamp without time zone", "TIMESTAMPTZ": "timestamp with time zone", "TIMETZ": "time with time zone", "INTERVAL": "interval", "JSON": "json", "JSONB": "jsonb", "UUID": "uuid"}
	timeTypes = map[string]byte{"DATE": 'D', "TIME": 'D', "TIMETZ": 'D', "TIMESTAMP": 'D', "TIMESTAMPTZ": 'D', "INTERVAL": 'T'}
)
