package fields

import "encoding/json"

// Int64 widens an integer of any width. A number of JSON counts when it is one; nothing else does.
func Int64(v any) (int64, bool) {
	switch x := v.(type) {
	case int8:
		return int64(x), true
	case int16:
		return int64(x), true
	case int32:
		return int64(x), true
	case int64:
		return x, true
	case json.Number:
		n, err := x.Int64()
		return n, err == nil
	}
	return 0, false
}

// Float64 widens a number of any kind and width. One of JSON that no float can hold does not count, nor does anything
// that is no number.
func Float64(v any) (float64, bool) {
	switch x := v.(type) {
	case float64:
		return x, true
	case float32:
		return float64(x), true
	case json.Number:
		f, err := x.Float64()
		return f, err == nil
	}
	n, ok := Int64(v)
	return float64(n), ok
}
