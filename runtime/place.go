package runtime

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
)

// place is where errors of a task come from.
type place struct {
	connector string
	task      int
}

// wrap adds connector, task, stage and record to an error:
// "ifcb-stats/0: value converter (avro): images[2]@1841: ...".
func (p place) wrap(stage, record string, err error) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s/%d: ", p.connector, p.task)
	for _, part := range []string{stage, record} {
		if part != "" {
			b.WriteString(part + ": ")
		}
	}
	return fmt.Errorf("%s%w", b.String(), err)
}

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// panicked is a panic of a plugin as an error.
type panicked struct {
	value any
	stack []byte
}

// Error says that it was a panic and with what value.
func (p *panicked) Error() string { return fmt.Sprintf("the plugin panicked: %v", p.value) }

// Exception names Java's class of what nobody expected, for dead letters.
func (p *panicked) Exception() string { return "java.lang.RuntimeException" }

// catch turns a panic into an error. It has no mark: a transform or converter
// that panics has met a record that it cannot take, anything else is broken. It
// is for defer.
func catch(err *error) {
	if v := recover(); v != nil {
		*err = &panicked{value: v, stack: debug.Stack()}
	}
}

// guard calls a plugin; its panic is an error.
func guard(call func() error) (err error) {
	defer catch(&err)
	return call()
}

// Trace gives an error as the REST API's trace field shows it: its text and,
// where a plugin panicked, the stack.
func Trace(err error) string {
	if err == nil {
		return ""
	}
	if p, ok := errors.AsType[*panicked](err); ok {
		return err.Error() + "\n" + string(p.stack)
	}
	return err.Error()
}
