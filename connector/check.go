package connector

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// AtLeast checks that a number is there and not below low.
func AtLeast(low float64) Check { return Between(low, math.Inf(1)) }

// Between checks that a number is there and low <= n <= high.
func Between(low, high float64) Check {
	return func(_ string, v any) error {
		n, ok := number(v)
		switch {
		case !ok:
			return fmt.Errorf("Value must be non-null") //nolint:staticcheck // Kafka's words
		case n < low:
			return fmt.Errorf("Value must be at least %s", bound(low)) //nolint:staticcheck // Kafka's words
		case n > high:
			return fmt.Errorf("Value must be no more than %s", bound(high)) //nolint:staticcheck // Kafka's words
		}
		return nil
	}
}

func bound(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case int16:
		return float64(n), true
	case int32:
		return float64(n), true
	case int64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

// OneOf checks that a text is one of these.
func OneOf(valid ...string) Check {
	return func(_ string, v any) error {
		if s, ok := v.(string); !ok || !slices.Contains(valid, s) {
			return fmt.Errorf("String must be one of: %s", strings.Join(valid, ", ")) //nolint:staticcheck // Kafka's words
		}
		return nil
	}
}

// OneOfFold checks that a text is one of these, ignoring case.
func OneOfFold(valid ...string) Check {
	return func(_ string, v any) error {
		s, ok := v.(string)
		if !ok || !slices.ContainsFunc(valid, func(x string) bool { return strings.EqualFold(x, s) }) {
			upper := make([]string, len(valid))
			for i, x := range valid {
				upper[i] = strings.ToUpper(x)
			}
			return fmt.Errorf("String must be one of (case insensitive): %s", strings.Join(upper, ", ")) //nolint:staticcheck // Kafka's words
		}
		return nil
	}
}

// NotNull checks that a value is there.
func NotNull(_ string, v any) error {
	if v == nil {
		return fmt.Errorf("entry must be non null")
	}
	return nil
}

// NotEmpty checks that a text, if there, is not empty.
func NotEmpty(_ string, v any) error {
	if s, ok := v.(string); ok && s == "" {
		return fmt.Errorf("String must be non-empty") //nolint:staticcheck // Kafka's words
	}
	return nil
}

// NoControls checks that a text is not empty and has no ISO control characters.
func NoControls(_ string, v any) error {
	s, ok := v.(string)
	switch {
	case !ok:
		return fmt.Errorf("entry must be non null")
	case s == "":
		return fmt.Errorf("String may not be empty") //nolint:staticcheck // Kafka's words
	case strings.ContainsFunc(s, unicode.IsControl):
		return fmt.Errorf("String may not contain control sequences but had the following ASCII chars: %s", controls(s)) //nolint:staticcheck // Kafka's words
	}
	return nil
}

func controls(s string) string {
	var codes []string
	for _, r := range s {
		if unicode.IsControl(r) {
			codes = append(codes, strconv.Itoa(int(r)))
		}
	}
	return strings.Join(codes, ", ")
}

// MaxLen checks that a list has at most n entries.
func MaxLen(n int) Check {
	return func(_ string, v any) error {
		if l, ok := v.([]string); ok && len(l) > n {
			return fmt.Errorf("exceeds maximum list size of [%d].", n) //nolint:staticcheck // Kafka's words
		}
		return nil
	}
}

// All checks with several checks; the first reason counts.
func All(checks ...Check) Check {
	return func(name string, v any) error {
		for _, c := range checks {
			if err := c(name, v); err != nil {
				return err
			}
		}
		return nil
	}
}
