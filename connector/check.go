package connector

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Number is the type of a bound, which is written as it is: 1 or 1.0.
type Number interface {
	int | int16 | int32 | int64 | float64
}

// AtLeast checks that a number is there and not below low.
func AtLeast[N Number](low N) Check {
	return func(_ string, v any) error {
		n, ok := number(v)
		switch {
		case !ok:
			return fmt.Errorf("Value must be non-null")
		case n < float64(low):
			return fmt.Errorf("Value must be at least %s", shown(low))
		}
		return nil
	}
}

// Between checks that a number is there and low <= n <= high.
func Between[N Number](low, high N) Check {
	least := AtLeast(low)
	return func(name string, v any) error {
		if err := least(name, v); err != nil {
			return err
		}
		if n, _ := number(v); n > float64(high) {
			return fmt.Errorf("Value must be no more than %s", shown(high))
		}
		return nil
	}
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

// OneOfOrNull checks that a text is one of these or null, which is named as the
// last choice: the key may be left out.
func OneOfOrNull(valid ...string) Check {
	choices := strings.Join(append(slices.Clone(valid), "null"), ", ")
	return func(_ string, v any) error {
		if s, ok := v.(string); v != nil && (!ok || !slices.Contains(valid, s)) {
			return fmt.Errorf("String must be one of: %s", choices)
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
