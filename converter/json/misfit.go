package json

import (
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// reader turns the decoded JSON of one record into values of a schema. What does
// not fit is read as Kafka Connect reads it and noted, or, if strict, an error.
type reader struct {
	strict, replaceNull bool

	notes int    // how many values were read as another one
	first string // the field of the first of them, "" for the value itself
}

// missing is what a text without any JSON has in it, which is not null.
type missing struct{}

// otherwise gives what Kafka Connect makes of a value that does not fit.
func (r *reader) otherwise(field string, v any, misfit error) (any, error) {
	if r.strict {
		return nil, misfit
	}
	if r.notes++; r.notes == 1 {
		r.first = field
	}
	return v, nil
}

// zeros are what a JSON value of another type is read as; text and bytes as null.
var zeros = map[connector.Type]any{
	connector.Int8: int8(0), connector.Int16: int16(0), connector.Int32: int32(0), connector.Int64: int64(0),
	connector.Float32: float32(0), connector.Float64: float64(0), connector.Boolean: false,
}

// members gives what is in an object, which an array may be written as. Java
// has it in the order of the text, which is not known any more.
func members(v any) []any {
	m, _ := v.(map[string]any)
	var list []any
	for _, k := range slices.Sorted(maps.Keys(m)) {
		list = append(list, m[k])
	}
	return list
}

// lowBits gives the lower 64 bits of a number's whole part.
func lowBits(x json.Number) int64 {
	v, err := parseDecimal(x.String())
	d, ok := v.(connector.Decimal)
	if err != nil || !ok || d.Scale <= -64 || d.Scale >= len(x) {
		return 0 // a multiple of 2^64, or nothing but a fraction
	}
	n, ten := new(big.Int).Set(d.Unscaled), big.NewInt(10)
	if d.Scale < 0 {
		n.Mul(n, ten.Exp(ten, big.NewInt(int64(-d.Scale)), nil))
	} else {
		n.Quo(n, ten.Exp(ten, big.NewInt(int64(d.Scale)), nil))
	}
	n.And(n, new(big.Int).SetUint64(1<<64-1))
	return int64(n.Uint64())
}

// withoutLeadingZeros rewrites numbers such as 007, which Kafka Connect takes,
// as JSON has them.
func withoutLeadingZeros(data []byte) []byte {
	out := make([]byte, 0, len(data))
	inText := false
	for i := 0; i < len(data); i++ {
		c := data[i]
		out = append(out, c)
		switch {
		case inText && c == '\\' && i+1 < len(data):
			i++
			out = append(out, data[i])
		case c == '"':
			inText = !inText
		case !inText && c == '0' && (i == 0 || !strings.ContainsRune("0123456789.eE+", rune(data[i-1]))):
			for i+1 < len(data) && data[i] == '0' && data[i+1] >= '0' && data[i+1] <= '9' {
				i++
			}
			out[len(out)-1] = data[i]
		}
	}
	return out
}
