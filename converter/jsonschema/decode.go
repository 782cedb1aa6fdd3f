package jsonschema

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// misfit is a value that is not what its schema wants. It names the type, never
// the value, which may be private.
func misfit(want string, v any) error {
	kind := fmt.Sprintf("%T", v)
	switch v.(type) {
	case nil:
		kind = "null"
	case bool:
		kind = "a boolean"
	case string:
		kind = "a text"
	case json.Number:
		kind = "a number"
	case []any:
		kind = "an array"
	case map[string]any:
		kind = "an object"
	}
	return fmt.Errorf("expected %s, got %s", want, kind)
}

func readBoolean(v any) (any, error) {
	if b, ok := v.(bool); ok {
		return b, nil
	}
	return nil, misfit("a boolean", v)
}

func readString(v any) (any, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	return nil, misfit("a text", v)
}

func readBytes(v any) (any, error) {
	s, ok := v.(string)
	if !ok {
		return nil, misfit("bytes in base64", v)
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("expected bytes in base64: %w", err)
	}
	return b, nil
}

// integer reads a whole number; 1.0 and 1e3 are such.
func integer(v any) (int64, error) {
	text, ok := v.(json.Number)
	if !ok {
		return 0, misfit("an integer", v)
	}
	if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		return n, nil
	}
	f, err := text.Float64()
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, fmt.Errorf("expected an integer of at most 64 bits, got another number")
	}
	return int64(f), nil
}

func readInteger(typ connector.Type) func(any) (any, error) {
	return func(v any) (any, error) {
		n, err := integer(v)
		if err != nil {
			return nil, err
		}
		switch {
		case typ == connector.Int64:
			return n, nil
		case typ == connector.Int32 && n == int64(int32(n)):
			return int32(n), nil
		case typ == connector.Int16 && n == int64(int16(n)):
			return int16(n), nil
		case typ == connector.Int8 && n == int64(int8(n)):
			return int8(n), nil
		}
		return nil, fmt.Errorf("%d is beyond the range of %s", n, typ)
	}
}

// float reads a number, or the names of those that JSON has none for.
func float(v any, bits int) (float64, error) {
	switch x := v.(type) {
	case json.Number:
		f, err := strconv.ParseFloat(string(x), bits)
		if err != nil {
			return 0, fmt.Errorf("the number is beyond the range of float%d", bits)
		}
		return f, nil
	case string:
		switch x {
		case "NaN":
			return math.NaN(), nil
		case "Infinity":
			return math.Inf(1), nil
		case "-Infinity":
			return math.Inf(-1), nil
		}
	}
	return 0, misfit("a number", v)
}

func readFloat64(v any) (any, error) { return float(v, 64) }

func readFloat32(v any) (any, error) {
	f, err := float(v, 32)
	return float32(f), err
}

// logical reads logical types as what they are.
func logical(p *plan) error {
	want := connector.Int32
	switch p.schema.Name() {
	case connector.DecimalName:
		scale, err := connector.DecimalScale(p.schema)
		if err != nil || p.schema.Type() != connector.Bytes {
			return fmt.Errorf("a decimal must be bytes with a parameter scale")
		}
		p.read = func(v any) (any, error) { return readDecimal(v, scale) }
		return nil
	case connector.DateName:
		p.read = readDate
	case connector.TimeName:
		p.read = readTime
	case connector.TimestampName:
		p.read, want = readTimestamp, connector.Int64
	default:
		return nil
	}
	if p.schema.Type() != want {
		return fmt.Errorf("%s must be %s, not %s", p.schema.Name(), want, p.schema.Type())
	}
	return nil
}

const dayMillis = 86_400_000

func readDate(v any) (any, error) {
	n, err := integer(v)
	if err != nil || n != int64(int32(n)) {
		return nil, misfit("days since 1970", v)
	}
	return time.UnixMilli(n * dayMillis).UTC(), nil
}

func readTime(v any) (any, error) {
	n, err := integer(v)
	if err != nil || n < 0 || n >= dayMillis {
		return nil, misfit("milliseconds of a day", v)
	}
	return time.UnixMilli(n).UTC(), nil
}

func readTimestamp(v any) (any, error) {
	n, err := integer(v)
	if err != nil {
		return nil, misfit("milliseconds since 1970", v)
	}
	return time.UnixMilli(n).UTC(), nil
}

// maxDigits bounds decimals: a number of a few bytes is not to be a million digits.
const maxDigits = 10_000

// readDecimal reads a decimal as it is written in either format.
func readDecimal(v any, scale int) (any, error) {
	switch x := v.(type) {
	case string:
		b, err := base64.StdEncoding.DecodeString(x)
		if err != nil {
			return nil, fmt.Errorf("expected a decimal in base64: %w", err)
		}
		return connector.DecimalFromBytes(b, scale), nil
	case json.Number:
		return decimal(string(x), scale)
	}
	return nil, misfit("a decimal", v)
}

// decimal reads a number that has the scale, or fewer digits behind the point.
func decimal(text string, scale int) (connector.Decimal, error) {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	power := 0
	if exponent != "" {
		n, err := strconv.Atoi(exponent)
		if err != nil {
			return connector.Decimal{}, fmt.Errorf("the decimal's exponent is none")
		}
		power = n
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	shift := scale + power - len(fraction) // digits to add, or to take away
	n, ok := new(big.Int).SetString(whole+fraction, 10)
	if !ok || shift > maxDigits || shift < -maxDigits || len(mantissa) > maxDigits {
		return connector.Decimal{}, fmt.Errorf("the decimal has too many digits")
	}
	ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(shift, -shift))), nil)
	if shift >= 0 {
		return connector.Decimal{Unscaled: n.Mul(n, ten), Scale: scale}, nil
	}
	rest := new(big.Int)
	if n.QuoRem(n, ten, rest); rest.Sign() != 0 {
		return connector.Decimal{}, fmt.Errorf("the decimal has more than %d digits behind the point, which is its schema's scale", scale)
	}
	return connector.Decimal{Unscaled: n, Scale: scale}, nil
}
