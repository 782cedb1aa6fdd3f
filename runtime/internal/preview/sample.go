package preview

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/output"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// Sample is a record that a tap has seen on its way through a running task.
type Sample struct {
	Time time.Time `json:"time"`
	Task int       `json:"task"`
	Record
}

// Counts are what a tap has seen.
type Counts struct {
	Seen  int64 `json:"seen"`  // records that passed
	Shown int64 `json:"shown"` // of them
	Lost  int64 `json:"lost"`  // chosen, but their reader was too slow
}

// mostValue is how much of a value a tap shows, bytes of JSON.
const mostValue = 1 << 20

// Named tells whether a stage is meant by a part of its name.
func Named(stage, part string) bool {
	return strings.Contains(strings.ToLower(stage), strings.ToLower(part))
}

// Tapped tells whether records pass through what a task calls by this name: others are
// beside their way.
func Tapped(stage string) bool {
	for _, beside := range []string{"consumer", "producer", "output", "offset commit", "commit", "flush"} {
		if strings.HasPrefix(stage, beside) {
			return false
		}
	}
	return true
}

// Masked hides the values of fields with a name that secrets have, and leaves out those
// that are very large.
func Masked(changes []Change) []Change {
	for i := range changes {
		c := &changes[i]
		mask(c.Field, &c.Before)
		mask(c.Field, &c.After)
	}
	return changes
}

func mask(field string, v *json.RawMessage) {
	switch {
	case *v == nil:
	case config.SecretName(field) && string(*v) != "null":
		*v, _ = json.Marshal(config.Hidden) // of a text alone
	case len(*v) > mostValue:
		*v, _ = json.Marshal(fmt.Sprintf("%d bytes, which are not shown", len(*v)))
	default:
		*v = within(*v)
	}
}

// within hides what lists and maps hold under names that secrets have.
func within(v json.RawMessage) json.RawMessage {
	if len(v) == 0 || v[0] != '[' && v[0] != '{' {
		return v
	}
	d := json.NewDecoder(bytes.NewReader(v))
	d.UseNumber()
	var all any
	if d.Decode(&all) != nil || !hide(all) {
		return v
	}
	out, err := json.Marshal(all)
	if err != nil {
		return v
	}
	return out
}

// hide tells whether it has hidden something.
func hide(v any) (some bool) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			some = hide(x) || some
		}
	case map[string]any:
		for k, x := range v {
			if config.SecretName(k) && x != nil {
				v[k], some = config.Hidden, true
				continue
			}
			some = hide(x) || some
		}
	}
	return some
}

// WriteSample shows a sample to people.
func WriteSample(out io.Writer, s *Sample) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  task %d  %s\n", s.Time.UTC().Format("2006-01-02T15:04:05.000Z"), s.Task, s.Record.Record)
	for _, step := range s.Steps {
		fmt.Fprintf(&b, "  %s\n", step.Stage)
		for _, f := range step.Fields {
			fmt.Fprintf(&b, "      %s = %s\n", f.Field, Brief(f.After))
		}
		for _, line := range lines(step.Changes) {
			fmt.Fprintf(&b, "    %s\n", line)
		}
	}
	fmt.Fprintf(&b, "  => %s\n", output.Clip(s.end(), longestText))
	_, err := io.WriteString(out, b.String())
	return err
}
