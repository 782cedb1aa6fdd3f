// Package number reads numbers from text and narrows them as Java does: an
// integer that is too wide loses its upper bits, a float becomes the nearest
// integer there is, NaN is 0.
package number

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Int64 is Number.longValue; ok is false for what is no number.
func Int64(v any) (n int64, ok bool) {
	switch x := v.(type) {
	case int8:
		return int64(x), true
	case int16:
		return int64(x), true
	case int32:
		return int64(x), true
	case int64:
		return x, true
	case float32:
		return saturate(float64(x)), true
	case float64:
		return saturate(x), true
	case connector.Decimal:
		return lowBits(Truncate(x)), true
	case *big.Int:
		return lowBits(x), true
	}
	return 0, false
}

// Int32 is Number.intValue.
func Int32(v any) (n int32, ok bool) {
	switch v.(type) {
	case float32, float64:
		f, _ := Float64(v)
		return int32(min(max(saturate(f), math.MinInt32), math.MaxInt32)), true
	}
	wide, ok := Int64(v)
	return int32(wide), ok
}

// Float64 is Number.doubleValue.
func Float64(v any) (f float64, ok bool) {
	switch x := v.(type) {
	case float32:
		return float64(x), true
	case float64:
		return x, true
	case connector.Decimal:
		return decimalFloat(x, 64), true
	case *big.Int:
		return decimalFloat(connector.Decimal{Unscaled: x}, 64), true
	}
	n, ok := Int64(v)
	return float64(n), ok
}

// Float32 is Number.floatValue.
func Float32(v any) (f float32, ok bool) {
	switch x := v.(type) {
	case connector.Decimal:
		return float32(decimalFloat(x, 32)), true
	case *big.Int:
		return float32(decimalFloat(connector.Decimal{Unscaled: x}, 32)), true
	case float32:
		return x, true
	case float64:
		return float32(x), true
	}
	n, ok := Int64(v)
	return float32(n), ok
}

func saturate(f float64) int64 {
	switch {
	case f != f:
		return 0
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64
	}
	return int64(f)
}

var mask64 = new(big.Int).SetUint64(math.MaxUint64)

func lowBits(n *big.Int) int64 { return int64(new(big.Int).And(n, mask64).Uint64()) }

// Truncate gives the integer part of a decimal. The upper bits of one that has
// more than anybody can want are lost.
func Truncate(d connector.Decimal) *big.Int {
	switch {
	case d.Scale == 0:
		return d.Unscaled
	case d.Unscaled.Sign() == 0 || d.Scale <= -64 || d.Scale > 2*d.Unscaled.BitLen():
		return new(big.Int) // 10^64 and more have no bits below the 64th
	case d.Scale < 0:
		return new(big.Int).Mul(d.Unscaled, pow10(-d.Scale))
	}
	return new(big.Int).Quo(d.Unscaled, pow10(d.Scale))
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

func decimalFloat(d connector.Decimal, bits int) float64 {
	f, _ := strconv.ParseFloat(d.Unscaled.String()+"e"+strconv.Itoa(-d.Scale), bits) // infinite where it is too large, as in Java
	return f
}

// ParseInt is Long.parseLong, or that of a type of fewer bits: no spaces,
// digits of any script.
func ParseInt(text string, bits int) (int64, bool) {
	n, err := strconv.ParseInt(asciiDigits(text), 10, bits)
	return n, err == nil
}

// asciiDigits rewrites decimal digits of any script.
func asciiDigits(text string) string {
	return strings.Map(func(r rune) rune {
		if d := Digit(r); d >= 0 {
			return rune('0' + d)
		}
		return r
	}, text)
}

// Digit gives the value of a decimal digit of any script, -1 of what is none.
// As in Java's parsers it is one of the first 65536 characters.
func Digit(r rune) int {
	switch {
	case r >= '0' && r <= '9':
		return int(r - '0')
	case r < 0x80 || r > 0xffff || !unicode.IsDigit(r):
		return -1
	}
	for _, rng := range unicode.Nd.R16 { // the digits of a script are ten in a row
		if uint16(r) >= rng.Lo && uint16(r) <= rng.Hi {
			return int(uint16(r)-rng.Lo) % 10
		}
	}
	return -1
}

var floatSyntax = regexp.MustCompile(`^[+-]?(NaN|Infinity|((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|0[xX]([0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?\d+)[fFdD]?)$`)

// ParseFloat is Double.parseDouble or Float.parseFloat: spaces around it, a
// type's letter and hexadecimal digits are fine, and what is too large is infinite.
func ParseFloat(text string, bits int) (float64, bool) {
	text = strings.TrimFunc(text, func(r rune) bool { return r <= ' ' })
	if !floatSyntax.MatchString(text) {
		return 0, false
	}
	if !strings.HasSuffix(text, "Infinity") && !strings.HasSuffix(text, "NaN") {
		text = strings.TrimRight(text, "fFdD")
	}
	f, _ := strconv.ParseFloat(text, bits)
	return f, true
}

var decimalSyntax = regexp.MustCompile(`^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$`)

// ParseDecimal is new BigDecimal(text).
func ParseDecimal(text string) (connector.Decimal, bool) {
	m := decimalSyntax.FindStringSubmatch(asciiDigits(text))
	if m == nil || m[2]+m[3] == "" {
		return connector.Decimal{}, false
	}
	exponent := int64(0)
	if m[4] != "" {
		var err error
		if exponent, err = strconv.ParseInt(m[4], 10, 32); err != nil {
			return connector.Decimal{}, false
		}
	}
	scale := int64(len(m[3])) - exponent
	n, ok := new(big.Int).SetString(m[1]+m[2]+m[3], 10)
	if !ok || scale != int64(int32(scale)) {
		return connector.Decimal{}, false
	}
	return connector.Decimal{Unscaled: n, Scale: int(scale)}, true
}

// DecimalOf is BigDecimal.valueOf of a float: the shortest digits that read back.
func DecimalOf(f float64) (connector.Decimal, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return connector.Decimal{}, fmt.Errorf("%v is no decimal number", f)
	}
	text := strconv.FormatFloat(f, 'E', -1, 64)
	mantissa, exp, _ := strings.Cut(text, "E")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0" // Java's text of a float always has a fraction
	}
	e, _ := strconv.Atoi(exp)
	if e >= -3 && e < 7 {
		mantissa = strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.Contains(mantissa, ".") {
			mantissa += ".0"
		}
		e = 0
	}
	d, _ := ParseDecimal(mantissa + "E" + strconv.Itoa(e))
	return d, nil
}
