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
			return fmt.Errorf("Value must be non-null")
		case n < low:
			return fmt.Errorf("Value must be at least %s", bound(low, v))
		case n > high:
			return fmt.Errorf("Value must be no more than %s", bound(high, v))
		}
		return nil
	}
}

// bound writes a bound like the value: 1 for an integer, 1.0 for a double.
func bound(f float64, v any) string {
	if _, double := v.(float64); double {
		return javaDouble(f)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

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
			return fmt.Errorf("String must be one of: %s", strings.Join(valid, ", "))
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
			return fmt.Errorf("String must be one of (case insensitive): %s", strings.Join(upper, ", "))
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
		return fmt.Errorf("String must be non-empty")
	}
	return nil
}

// NoControls checks that a text, if there, is not empty and has no ISO control
// characters.
func NoControls(_ string, v any) error {
	s, ok := v.(string)
	switch {
	case !ok:
		return nil
	case s == "":
		return fmt.Errorf("String may not be empty")
	case strings.ContainsFunc(s, unicode.IsControl):
		return fmt.Errorf("String may not contain control sequences but had the following ASCII chars: %s", controls(s))
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

// Sentence is a check's error that is the whole text a user reads: it is not
// put behind "Invalid value x for configuration k: ".
type Sentence string

// Error gives the text.
func (s Sentence) Error() string { return string(s) }

// Distinct checks that the entries of a list are not empty and not repeated;
// whether the list may be empty or null is said.
func Distinct(emptyAllowed, nullAllowed bool) Check {
	return func(name string, v any) error {
		list, _ := v.([]string)
		switch {
		case v == nil && nullAllowed:
			return nil
		case v == nil:
			return Sentence("Configuration '" + name + "' values must not be null.")
		case len(list) == 0 && !emptyAllowed:
			return Sentence("Configuration '" + name + "' must not be empty. Valid values include: any non-empty value")
		case len(distinct(list)) < len(list):
			return Sentence("Configuration '" + name + "' values must not be duplicated.")
		case slices.Contains(list, ""):
			return Sentence("Configuration '" + name + "' values must not be empty.")
		}
		return nil
	}
}

// ListOf checks that every entry of a list is one of these; without any, that
// none is empty. None may repeat, see Key.Distinct. Whether the list may be empty is said, null it may not be.
func ListOf(emptyAllowed bool, valid ...string) Check {
	return func(name string, v any) error {
		list, _ := v.([]string)
		switch {
		case v == nil:
			return Sentence("Configuration '" + name + "' values must not be null.")
		case len(list) == 0 && !emptyAllowed:
			return Sentence("Configuration '" + name + "' must not be empty. Valid values include: " + listText(valid))
		case len(distinct(list)) < len(list):
			return Sentence("Configuration '" + name + "' values must not be duplicated.")
		case slices.Contains(list, ""):
			return Sentence("Configuration '" + name + "' values must not be empty.")
		}
		for _, s := range list {
			if len(valid) > 0 && !slices.Contains(valid, s) {
				return Sentence(Invalid(name, s, "String must be one of: "+strings.Join(valid, ", ")))
			}
		}
		return nil
	}
}

func listText(list []string) string { return "[" + strings.Join(list, ", ") + "]" }

// MaxLen checks that a list has at most n entries.
func MaxLen(n int) Check {
	return func(_ string, v any) error {
		if l, ok := v.([]string); ok && len(l) > n {
			return fmt.Errorf("exceeds maximum list size of [%d].", n)
		}
		return nil
	}
}

// Optional checks a value only where there is one.
func Optional(check Check) Check {
	return func(name string, v any) error {
		if v == nil {
			return nil
		}
		return check(name, v)
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
