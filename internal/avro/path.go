package avro

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// fieldError is what is wrong with the value at a path, such as images[2].prob.
type fieldError struct {
	path string
	text string
}

func (e *fieldError) Error() string {
	if e.path == "" {
		return e.text
	}
	return "field " + e.path + ": " + e.text
}

// misfitf makes the error of a value whose path its callers add.
func misfitf(format string, args ...any) error {
	return &fieldError{text: fmt.Sprintf(format, args...)}
}

func expected(n *node, v any) error {
	if v == nil {
		return misfitf("expected %s, got null", n.describe())
	}
	return misfitf("expected %s, got %s", n.describe(), typeName(v))
}

// in puts a step before an error's path: a field's name, or [index].
func in(step string, err error) error {
	e, ok := errors.AsType[*fieldError](err)
	if !ok {
		return fmt.Errorf("field %s: %w", step, err)
	}
	path := step + e.path
	if e.path != "" && e.path[0] != '[' {
		path = step + "." + e.path
	}
	if len(path) > maxPath {
		path = strings.ToValidUTF8(path[:maxPath], "") + "…"
	}
	return &fieldError{path: path, text: e.text}
}

// maxPath bounds a path, which may be as long as records hold each other.
const maxPath = 500

func inIndex(i int, err error) error { return in(fmt.Sprintf("[%d]", i), err) }

func inKey(k string, err error) error { return in(fmt.Sprintf("[%q]", k), err) }

// typeName names a value's type in Avro's words, never the value.
func typeName(v any) string {
	switch x := v.(type) {
	case bool:
		return "boolean"
	case int8, int16, int32:
		return "int"
	case int64:
		return "long"
	case float32:
		return "float"
	case float64:
		return "double"
	case string:
		return "string"
	case []byte:
		return "bytes"
	case []any:
		return "array"
	case map[string]any, map[any]any:
		return "map"
	case connector.Decimal:
		return "decimal"
	case time.Time:
		return "time"
	case *connector.Struct:
		if x != nil && x.Schema().Name() != "" {
			return "struct " + x.Schema().Name()
		}
		return "struct"
	}
	return fmt.Sprintf("%T", v)
}
