package runtime

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/failures"
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
	return connector.Coded(codeOf(stage, err), fmt.Errorf("%s%w", b.String(), err))
}

// placeOf names a record by where it was read from, such as images[2]@1841.
func placeOf(topic string, partition int32, offset int64) string {
	return fmt.Sprintf("%s[%d]@%d", topic, partition, offset)
}

// stageCodes are the codes of failures that have none of their own, by where they are.
var stageCodes = []struct{ place, code string }{
	{"key converter", "H3001"},
	{"value converter", "H3001"},
	{"header converter", "H3012"},
	{"transform", "H4001"},
	{"predicate", "H4001"},
	{"restore of state", "H4012"},
	{"changelog", "H4013"},
	{"producer", "H8002"},
	{"dead letter", "H8004"},
	{"output", "H8002"},
	{"creation of topic", "H8008"},
	{"commit in source", "H8001"},
	{"commit of record in source", "H8001"},
	{"seek of sink", "H8003"},
	{"pause of sink", "H8003"},
	{"message to topic", "H8002"},
	{"offset commit", "H8005"},
	{"consumer", "H8007"},
	{"source", "H8001"},
	{"sink", "H8003"},
	{"opening of partitions", "H8003"},
	{"flush", "H8003"},
	{"start", "H8009"},
}

// codeOf gives the code for an error at a stage that has none of its own.
func codeOf(stage string, err error) string {
	if _, ok := errors.AsType[*panicked](err); ok {
		return "H4002"
	}
	for _, s := range stageCodes {
		if strings.HasPrefix(stage, s.place) {
			return s.code
		}
	}
	return "H8000"
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

// Trace gives an error as the REST API's trace field shows it: its text with its code
// and, where a plugin panicked, the stack.
func Trace(err error) string {
	if err == nil {
		return ""
	}
	if p, ok := errors.AsType[*panicked](err); ok {
		return failures.Text(err) + "\n" + string(p.stack)
	}
	return failures.Text(err)
}
