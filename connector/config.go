package connector

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Props is a configuration as written: text by key. A nil value is a key that
// is there with null, which is not the same as absent: it stays null even where
// there is a default, and the runtime refuses it where a connector has one.
// Values that code fills in may have the type of their key.
type Props map[string]any

// Text gives the text of a key and whether it is there and not null.
func (p Props) Text(key string) (string, bool) {
	switch v := p[key].(type) {
	case nil:
		return "", false
	case string:
		return v, true
	default:
		return fmt.Sprint(v), true
	}
}

// Clone gives a copy.
func (p Props) Clone() Props { return maps.Clone(p) }

// WithPrefix gives the keys that start with prefix, without it.
func (p Props) WithPrefix(prefix string) Props {
	sub := Props{}
	for k, v := range p {
		if rest, ok := strings.CutPrefix(k, prefix); ok && rest != "" {
			sub[rest] = v
		}
	}
	return sub
}

// Password is a secret text. It prints as [hidden].
type Password string

// String hides the secret.
func (p Password) String() string { return "[hidden]" }

// GoString hides the secret from %#v.
func (p Password) GoString() string { return "[hidden]" }

// MarshalText hides the secret from JSON and logs.
func (p Password) MarshalText() ([]byte, error) { return []byte("[hidden]"), nil }

// Secret gives the text itself.
func (p Password) Secret() string { return string(p) }

// Config is a configuration that was parsed by a [ConfigDef]: every key of the
// definition has a value of its type, or nil. The getters panic on a key that
// the definition lacks or has with another type: a mistake in the plugin.
type Config struct {
	values map[string]any
	props  Props
}

// Format prints the keys only, whatever the verb: values may be secret.
func (c Config) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "configuration of %s", strings.Join(slices.Sorted(maps.Keys(c.props)), ", "))
}

func get[T any](c Config, key string) T {
	v, ok := c.values[key]
	if !ok {
		panic("connector: no key " + key + " in the definition")
	}
	if v == nil {
		var zero T
		return zero
	}
	t, ok := v.(T)
	if !ok {
		panic(fmt.Sprintf("connector: key %s is a %T", key, v))
	}
	return t
}

// String gives a StringKey's or ClassKey's value, "" for null.
func (c Config) String(key string) string { return get[string](c, key) }

// Int gives an IntKey's, ShortKey's or LongKey's value, 0 for null.
func (c Config) Int(key string) int { return int(c.Int64(key)) }

// Int64 gives an IntKey's, ShortKey's or LongKey's value, 0 for null.
func (c Config) Int64(key string) int64 {
	switch v := get[any](c, key).(type) {
	case nil:
		return 0
	case int16:
		return int64(v)
	case int32:
		return int64(v)
	case int64:
		return v
	default:
		panic(fmt.Sprintf("connector: key %s is a %T", key, v))
	}
}

// Float64 gives a DoubleKey's value, 0 for null.
func (c Config) Float64(key string) float64 { return get[float64](c, key) }

// Bool gives a BooleanKey's value, false for null.
func (c Config) Bool(key string) bool { return get[bool](c, key) }

// List gives a ListKey's value, nil for null. Nulls in it, which no text has, are
// empty texts.
func (c Config) List(key string) []string {
	list, withNulls := get[any](c, key).([]any)
	if !withNulls {
		return get[[]string](c, key)
	}
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i], _ = v.(string)
	}
	return texts
}

// Password gives a PasswordKey's value, "" for null.
func (c Config) Password(key string) Password { return get[Password](c, key) }

// Value gives a key's value of its type as it is, nil for null.
func (c Config) Value(key string) any { return get[any](c, key) }

// Has tells whether a key of the definition has a value that is not null.
func (c Config) Has(key string) bool { return get[any](c, key) != nil }

// Given tells whether a key was written by the user, known to the definition or not.
func (c Config) Given(key string) bool { _, ok := c.props[key]; return ok }

// Props gives everything that was written, unknown keys too. It is not to be changed.
func (c Config) Props() Props { return c.props }

// Problem is one thing wrong with a configuration.
type Problem struct {
	Key     string
	Message string
}

// Problems collects everything wrong with a configuration.
type Problems struct {
	list []Problem
}

// Add notes a problem of a key. By convention the message is the whole
// sentence a user reads; [Invalid] makes the usual one.
func (p *Problems) Add(key, format string, args ...any) {
	p.list = append(p.list, Problem{Key: key, Message: fmt.Sprintf(format, args...)})
}

// List gives the problems in the order they were found.
func (p *Problems) List() []Problem { return p.list }

// Err gives one error that names every problem, nil without any.
func (p *Problems) Err() error {
	if len(p.list) == 0 {
		return nil
	}
	lines := make([]string, len(p.list))
	for i, x := range p.list {
		lines[i] = x.Message
	}
	return Fatal(fmt.Errorf("%s", strings.Join(lines, "\n")))
}

// Invalid gives the message for a bad value in Kafka Connect's words. Pass a
// Password as such, so that it is hidden.
func Invalid(key string, value any, reason string) string {
	text := "Invalid value " + shown(value) + " for configuration " + key
	if reason != "" {
		text += ": " + reason
	}
	return text
}

// shown writes a value as Java prints it.
func shown(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case []string:
		return "[" + strings.Join(v, ", ") + "]"
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = shown(x)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, k+"="+shown(v[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case float64:
		return javaDouble(v)
	case []byte:
		return "[B" // Java adds the array's identity; bytes are not shown
	}
	return fmt.Sprint(value)
}
