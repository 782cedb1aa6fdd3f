package connector

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode"
)

// ParseType parses one value as Kafka's ConfigDef does: text is trimmed of
// everything up to U+0020, booleans ignore case, "a, b" is a list of two.
// A nil value is nil. The error is Kafka's sentence and hides passwords.
func ParseType(name string, value any, t KeyType) (any, error) {
	if value == nil {
		return nil, nil
	}
	text, isText := value.(string)
	trimmed := trimmed(text)
	invalid := func(reason string) (any, error) {
		return nil, fmt.Errorf("%s", Invalid(name, value, reason))
	}
	switch t {
	case BooleanKey:
		if b, ok := value.(bool); ok {
			return b, nil
		}
		if isText && strings.EqualFold(trimmed, "true") {
			return true, nil
		}
		if isText && strings.EqualFold(trimmed, "false") {
			return false, nil
		}
		return invalid("Expected value to be either true or false")
	case StringKey:
		if isText {
			return trimmed, nil
		}
		return invalid("Expected value to be a string, but it was a " + javaName(value))
	case PasswordKey:
		if p, ok := value.(Password); ok {
			return p, nil
		}
		if isText {
			return Password(trimmed), nil
		}
		return invalid("Expected value to be a string, but it was a " + javaName(value))
	case ClassKey:
		switch {
		case !isText:
			return invalid("Expected a Class instance or class name.")
		case !Plugins.isClass(trimmed):
			return invalid("Class " + text + " could not be found.")
		}
		return trimmed, nil
	case ListKey:
		switch l := value.(type) {
		case []string:
			return l, nil
		case []any:
			return textList(l, invalid)
		}
		if !isText {
			return invalid("Expected a comma separated list.")
		}
		if trimmed == "" {
			return []string{}, nil
		}
		return splitList(trimmed), nil
	case DoubleKey:
		switch v := value.(type) {
		case float64:
			return v, nil
		case float32:
			return float64(v), nil
		case int, int16, int32, int64:
			return reflect.ValueOf(v).Convert(reflect.TypeFor[float64]()).Interface(), nil
		case string:
			if f, ok := parseJavaDouble(trimmed); ok {
				return f, nil
			}
			return invalid("Not a number of type DOUBLE")
		}
		return invalid("Expected value to be a double, but it was a " + javaName(value))
	case IntKey, ShortKey, LongKey:
		return parseInteger(value, trimmed, isText, t, invalid)
	}
	return nil, fmt.Errorf("configuration %s has the unknown type %s", name, t)
}

// trimmed gives a text without what Kafka takes off it.
func trimmed(text string) string {
	return strings.TrimFunc(text, func(r rune) bool { return r <= ' ' })
}

func parseInteger(value any, trimmed string, isText bool, t KeyType, invalid func(string) (any, error)) (any, error) {
	bits := map[KeyType]int{ShortKey: 16, IntKey: 32, LongKey: 64}[t]
	var n int64
	switch v := value.(type) {
	case int:
		n = int64(v)
	case int16:
		if t != ShortKey {
			return invalid("Expected value to be a " + integerNoun[t] + ", but it was a java.lang.Short")
		}
		n = int64(v)
	case int32:
		n = int64(v)
	case int64:
		if t != LongKey {
			return invalid("Expected value to be a " + integerNoun[t] + ", but it was a java.lang.Long")
		}
		n = v
	default:
		if !isText {
			return invalid("Expected value to be a " + integerNoun[t] + ", but it was a " + javaName(value))
		}
		var err error
		if n, err = strconv.ParseInt(asciiDigits(trimmed), 10, bits); err != nil {
			return invalid("Not a number of type " + string(t))
		}
	}
	if bits < 64 && (n < -1<<(bits-1) || n > 1<<(bits-1)-1) {
		return invalid("Not a number of type " + string(t))
	}
	switch t {
	case ShortKey:
		return int16(n), nil
	case IntKey:
		return int32(n), nil
	}
	return n, nil
}

var integerNoun = map[KeyType]string{IntKey: "32-bit integer", ShortKey: "16-bit integer (short)", LongKey: "64-bit integer (long)"}

// textList takes a list of texts, as it is where code made it with nulls among
// them; another entry is an error.
func textList(list []any, invalid func(string) (any, error)) (any, error) {
	var texts []string
	for _, v := range list {
		s, ok := v.(string)
		if !ok && v != nil {
			return invalid("Expected a comma separated list.")
		}
		if ok {
			texts = append(texts, s)
		}
	}
	if len(texts) < len(list) {
		return list, nil
	}
	return append([]string{}, texts...), nil
}

// splitList splits at commas and takes the white space around them.
func splitList(s string) []string {
	parts := strings.Split(s, ",")
	for i := range parts {
		if i > 0 {
			parts[i] = strings.TrimLeftFunc(parts[i], javaSpace)
		}
		if i < len(parts)-1 {
			parts[i] = strings.TrimRightFunc(parts[i], javaSpace)
		}
	}
	return parts
}

// javaSpace is what \s matches in Java's regular expressions.
func javaSpace(r rune) bool { return r == ' ' || r >= '\t' && r <= '\r' }

// asciiDigits rewrites decimal digits of any script, which Java's parseInt takes.
func asciiDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r > 127 && unicode.Is(unicode.Nd, r) {
			zero := r
			for unicode.Is(unicode.Nd, zero-1) && r-zero < 9 {
				zero--
			}
			return '0' + r - zero
		}
		if r == '_' {
			return 'x' // Go's ParseInt refuses it with base 10 too; make that sure
		}
		return r
	}, s)
}

// parseJavaDouble reads what Java's Double.parseDouble does: a sign, decimal or
// hexadecimal with p exponent, an optional d or f at the end, NaN and Infinity.
func parseJavaDouble(s string) (float64, bool) {
	body, neg := s, false
	if strings.HasPrefix(body, "-") || strings.HasPrefix(body, "+") {
		body, neg = body[1:], body[0] == '-'
	}
	switch body {
	case "NaN":
		return math.NaN(), true
	case "Infinity":
		if neg {
			return math.Inf(-1), true
		}
		return math.Inf(1), true
	}
	hex := len(body) > 1 && (body[:2] == "0x" || body[:2] == "0X")
	if n := len(body); n > 1 && strings.ContainsRune("dDfF", rune(body[n-1])) && (!hex || strings.ContainsAny(body, "pP")) {
		body = body[:n-1]
	}
	if body == "" || strings.ContainsAny(body, "_+-iInN") && !exponentSignOnly(body) {
		return 0, false
	}
	f, err := strconv.ParseFloat(body, 64)
	if err != nil && !math.IsInf(f, 0) {
		return 0, false
	}
	if neg {
		f = -f
	}
	return f, true
}

// exponentSignOnly tells that the only signs in s follow an exponent letter and
// that it has no letters of Go's own spellings.
func exponentSignOnly(s string) bool {
	for i, r := range s {
		switch r {
		case '+', '-':
			if i == 0 || !strings.ContainsRune("eEpP", rune(s[i-1])) {
				return false
			}
		case '_', 'i', 'I', 'n', 'N':
			return false
		}
	}
	return true
}

func javaName(v any) string {
	switch v.(type) {
	case int8:
		return "java.lang.Byte"
	case string:
		return "java.lang.String"
	case bool:
		return "java.lang.Boolean"
	case int, int32:
		return "java.lang.Integer"
	case int16:
		return "java.lang.Short"
	case int64:
		return "java.lang.Long"
	case float64:
		return "java.lang.Double"
	case float32:
		return "java.lang.Float"
	case []string, []any:
		return "java.util.ArrayList"
	case map[string]any:
		return "java.util.LinkedHashMap"
	case []byte:
		return "[B"
	case Decimal:
		return "java.math.BigDecimal"
	}
	return fmt.Sprintf("%T", v)
}

// FormatValue writes a parsed value as Kafka does: lists with commas, floats
// as Java writes them, passwords hidden. A nil value has no text.
func FormatValue(v any) (text string, ok bool) {
	switch x := v.(type) {
	case nil:
		return "", false
	case []string:
		return strings.Join(x, ","), true
	case float64:
		return javaDouble(x), true
	}
	return fmt.Sprint(v), true
}

// javaDouble writes a number as Java's Double.toString.
func javaDouble(f float64) string {
	switch size := math.Abs(f); {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 0):
		return strings.TrimPrefix(fmt.Sprintf("%+f", f), "+") + "inity"
	case f == 0 || size >= 1e-3 && size < 1e7:
		text := strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return text
	}
	digits, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	if !strings.Contains(digits, ".") {
		digits += ".0"
	}
	n, err := strconv.Atoi(exponent)
	if err != nil {
		panic("connector: exponent " + exponent)
	}
	return digits + "E" + strconv.Itoa(n)
}
