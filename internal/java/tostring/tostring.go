// Package tostring writes values as Java's toString and names their Java
// classes. Users of Kafka Connect know these texts: the string converter and
// the file sink write them to topics and files, and error messages quote them.
package tostring

import (
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/dateformat"
)

// Class names the Java class that holds such a value in Kafka Connect.
func Class(v any) string {
	switch x := v.(type) {
	case nil:
		return "null"
	case int8:
		return "java.lang.Byte"
	case int16:
		return "java.lang.Short"
	case int32:
		return "java.lang.Integer"
	case int64:
		return "java.lang.Long"
	case float32:
		return "java.lang.Float"
	case float64:
		return "java.lang.Double"
	case bool:
		return "java.lang.Boolean"
	case string:
		return "java.lang.String"
	case []byte:
		return "[B"
	case []any:
		return "java.util.ArrayList"
	case map[string]any, map[any]any:
		return "java.util.LinkedHashMap"
	case *connector.Struct:
		return "org.apache.kafka.connect.data.Struct"
	case connector.Decimal:
		return "java.math.BigDecimal"
	case time.Time:
		return "java.util.Date"
	case *big.Int:
		return "java.math.BigInteger"
	default:
		return fmt.Sprintf("%T", x)
	}
}

// dateText is Date.toString: the Julian calendar before 1582, years of an era.
var dateText = dateformat.MustCompile("EEE MMM dd HH:mm:ss 'UTC' y")

// String writes a value as Java's toString does, maps sorted by key. Bytes have
// no text in Java but an address, so they are written in Go's %x.
func String(v any) string {
	switch x := v.(type) {
	case nil:
		return "null"
	case string:
		return x
	case float32:
		return floatText(float64(x), 32)
	case float64:
		return floatText(x, 64)
	case []byte:
		return fmt.Sprintf("%x", x)
	case time.Time:
		return dateText.Format(x)
	case connector.Decimal:
		return decimalText(x)
	case []any:
		parts := make([]string, len(x))
		for i, e := range x {
			parts[i] = String(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		parts := make([]string, 0, len(x))
		for _, k := range slices.Sorted(maps.Keys(x)) {
			parts = append(parts, k+"="+String(x[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case map[any]any:
		parts := make([]string, 0, len(x))
		for k, e := range x {
			parts = append(parts, String(k)+"="+String(e))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ", ") + "}"
	case *connector.Struct:
		return structText(x)
	case int32:
		return strconv.Itoa(int(x))
	case int64:
		return strconv.FormatInt(x, 10)
	case bool:
		return strconv.FormatBool(x)
	}
	return fmt.Sprint(v)
}

// structText writes the fields that are not null.
func structText(s *connector.Struct) string {
	var out strings.Builder
	out.Grow(128)
	out.WriteString("Struct{")
	comma := ""
	for i, f := range s.Schema().Fields() {
		if e := s.At(i); e != nil {
			out.WriteString(comma)
			out.WriteString(f.Name)
			out.WriteByte('=')
			out.WriteString(String(e))
			comma = ","
		}
	}
	out.WriteByte('}')
	return out.String()
}

// floatText is Double.toString since JDK 19: the shortest digits that read back, with an
// exponent below 10^-3 and from 10^7 on.
func floatText(f float64, bits int) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0:
		if math.Signbit(f) {
			return "-0.0"
		}
		return "0.0"
	}
	if a := math.Abs(f); a >= 1e-3 && a < 1e7 {
		text := strconv.FormatFloat(f, 'f', -1, bits)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return text
	}
	text := strconv.FormatFloat(f, 'e', -1, bits)
	if !strings.Contains(text, ".") {
		// Java writes at least two digits, and of those the nearest: 4.9E-324.
		text = strconv.FormatFloat(f, 'e', 1, bits)
		if back, err := strconv.ParseFloat(text, bits); err != nil || back != f {
			text = strings.Replace(strconv.FormatFloat(f, 'e', -1, bits), "e", ".0e", 1)
		}
	}
	digits, exp, _ := strings.Cut(text, "e")
	n, _ := strconv.Atoi(exp)
	return digits + "E" + strconv.Itoa(n)
}

// decimalText is BigDecimal.toString.
func decimalText(d connector.Decimal) string {
	digits := new(big.Int).Abs(d.Unscaled).String()
	exp := len(digits) - 1 - d.Scale
	if d.Scale >= 0 && exp >= -6 {
		return d.String()
	}
	sign := ""
	if d.Unscaled.Sign() < 0 {
		sign = "-"
	}
	text := digits[:1]
	if len(digits) > 1 {
		text += "." + digits[1:]
	}
	if exp != 0 {
		text += fmt.Sprintf("E%+d", exp)
	}
	return sign + text
}
