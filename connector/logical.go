package connector

import (
	"fmt"
	"math/big"
	"strconv"
)

// The names of Kafka Connect's logical types.
const (
	DecimalName   = "org.apache.kafka.connect.data.Decimal"
	DateName      = "org.apache.kafka.connect.data.Date"
	TimeName      = "org.apache.kafka.connect.data.Time"
	TimestampName = "org.apache.kafka.connect.data.Timestamp"
)

// The schemas of the logical types of time. Their values are time.Time in UTC:
// a Date is a midnight, a Time a time of day on 1970-01-01, a Timestamp an
// instant in milliseconds.
var (
	DateSchema      = Int32Schema.WithName(DateName).WithVersion(1)
	TimeSchema      = Int32Schema.WithName(TimeName).WithVersion(1)
	TimestampSchema = Int64Schema.WithName(TimestampName).WithVersion(1)
)

// DecimalSchema gives the schema of decimals with this scale; values are [Decimal].
func DecimalSchema(scale int) *Schema {
	return BytesSchema.WithName(DecimalName).WithVersion(1).WithParameter("scale", strconv.Itoa(scale))
}

// DecimalScale gives the scale of a decimal schema.
func DecimalScale(s *Schema) (int, error) {
	t, ok := s.Parameter("scale")
	if !ok {
		return 0, fmt.Errorf("schema %s: parameter scale is missing", s.Name())
	}
	n, err := strconv.Atoi(t)
	if err != nil {
		return 0, fmt.Errorf("schema %s: scale %q is not an integer", s.Name(), t)
	}
	return n, nil
}

// Decimal is an exact decimal number, Unscaled * 10^-Scale.
type Decimal struct {
	Unscaled *big.Int
	Scale    int
}

// NewDecimal makes a decimal of unscaled * 10^-scale.
func NewDecimal(unscaled int64, scale int) Decimal {
	return Decimal{Unscaled: big.NewInt(unscaled), Scale: scale}
}

// Equal compares number and scale: 1.0 and 1.00 differ, as in Java.
func (d Decimal) Equal(o Decimal) bool {
	if d.Scale != o.Scale || d.Unscaled == nil || o.Unscaled == nil {
		return d.Scale == o.Scale && d.Unscaled == o.Unscaled
	}
	return d.Unscaled.Cmp(o.Unscaled) == 0
}

// String gives the plain notation, never an exponent.
func (d Decimal) String() string {
	if d.Unscaled == nil {
		return "0"
	}
	if d.Scale <= 0 {
		p := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(-d.Scale)), nil)
		return p.Mul(p, d.Unscaled).String()
	}
	text := new(big.Int).Abs(d.Unscaled).String()
	for len(text) <= d.Scale {
		text = "0" + text
	}
	text = text[:len(text)-d.Scale] + "." + text[len(text)-d.Scale:]
	if d.Unscaled.Sign() < 0 {
		return "-" + text
	}
	return text
}

// Bytes gives the unscaled number as big-endian two's complement of the least
// length: the form of a decimal in Avro and in Kafka Connect's JSON.
func (d Decimal) Bytes() []byte {
	n := d.Unscaled
	switch n.Sign() {
	case 0:
		return []byte{0}
	case 1:
		b := n.Bytes()
		if b[0]&0x80 != 0 {
			b = append([]byte{0}, b...)
		}
		return b
	}
	bits := new(big.Int).Not(n).BitLen() // of -n-1
	length := bits/8 + 1
	wrap := new(big.Int).Lsh(big.NewInt(1), uint(8*length))
	return wrap.Add(wrap, n).FillBytes(make([]byte, length))
}

// DecimalFromBytes reads what Bytes writes; empty is zero.
func DecimalFromBytes(b []byte, scale int) Decimal {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return Decimal{Unscaled: n, Scale: scale}
}
