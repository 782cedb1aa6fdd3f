package preview

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Expected is what a record is expected to become.
type Expected struct {
	Fate   Fate   `json:"fate"`   // delivered where nothing is said
	Topic  string `json:"topic"`  // of the record or its dead letter
	Stage  string `json:"stage"`  // that drops it, or where it fails
	Reason string `json:"reason"` // a part of it
	// After are fields behind a stage, which is named as in a preview, or a transform
	// by its alias. Fields are those at the end.
	After  map[string]map[string]json.RawMessage `json:"after"`
	Fields map[string]json.RawMessage            `json:"fields"`
	Absent []string                              `json:"absent"` // fields that are not there at the end
}

// Differences says what of a result is not as expected. within is how far numbers may
// be from those expected, as a share of them.
func Differences(r *Result, records []Expected, would []string, within float64) []string {
	var list []string
	for i := range records {
		if i < len(r.Records) {
			list = append(list, differences(&r.Records[i], &records[i], within)...)
		}
	}
	if len(records) != len(r.Records) {
		list = append(list, fmt.Sprintf("expected %d records, got %d", len(records), len(r.Records)))
	}
	for _, text := range would {
		if !slices.ContainsFunc(r.Effects, func(e connector.Effect) bool { return strings.Contains(e.Does+"\n"+e.Text, text) }) {
			list = append(list, fmt.Sprintf("expected that it would %q", text))
		}
	}
	return list
}

func differences(r *Record, want *Expected, within float64) []string {
	var list []string
	differs := func(format string, args ...any) { list = append(list, r.Record+": "+fmt.Sprintf(format, args...)) }
	if fate := cmp.Or(want.Fate, Delivered); fate != r.Fate {
		differs("expected %q, got %q: %s", fate, r.Fate, r.end())
	}
	if want.Topic != "" && want.Topic != r.Topic {
		differs("expected topic %s, got %q", want.Topic, r.Topic)
	}
	if want.Stage != "" && !isStage(r.Stage, want.Stage) {
		differs("expected stage %s, got %q", want.Stage, r.Stage)
	}
	if !strings.Contains(r.Reason, want.Reason) {
		differs("expected reason %q, got %q", want.Reason, r.Reason)
	}
	for _, stage := range slices.Sorted(maps.Keys(want.After)) {
		i := slices.IndexFunc(r.Steps, func(s Step) bool { return isStage(s.Stage, stage) })
		if i < 0 {
			differs("after %s: it did not come there", stage)
			continue
		}
		for _, d := range fieldsDiffer(r.Steps[i].Record, want.After[stage], within) {
			differs("after %s: %s", stage, d)
		}
	}
	if len(r.Steps) == 0 {
		if len(want.Fields) > 0 {
			differs("it has no fields")
		}
		return list
	}
	last := r.Steps[len(r.Steps)-1].Record
	for _, d := range fieldsDiffer(last, want.Fields, within) {
		differs("%s", d)
	}
	for _, l := range leaves(last) {
		if slices.Contains(want.Absent, l.name) {
			differs("%s: expected none, got %s", l.name, Brief(text(l)))
		}
	}
	return list
}

// isStage tells whether a stage is the one of a name, or the transform of an alias.
func isStage(place, name string) bool {
	return place == name || strings.HasPrefix(place, name+" (") || strings.HasPrefix(place, "transform "+name+" (")
}

// fieldsDiffer compares some fields of a record.
func fieldsDiffer(r connector.Record, want map[string]json.RawMessage, within float64) []string {
	got := map[string]json.RawMessage{}
	for _, l := range leaves(r) {
		got[l.name] = text(l)
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(want)) {
		v, there := got[name]
		switch {
		case !there:
			list = append(list, fmt.Sprintf("%s: expected %s, got none", name, Brief(want[name])))
		case !same(want[name], v, within):
			list = append(list, fmt.Sprintf("%s: expected %s, got %s", name, Brief(want[name]), Brief(v)))
		}
	}
	return list
}

// same compares JSON: numbers by how near they are, everything else as it is.
func same(want, got json.RawMessage, within float64) bool {
	var a, b any
	if json.Unmarshal(want, &a) != nil || json.Unmarshal(got, &b) != nil {
		return false
	}
	x, ok := a.(float64)
	y, both := b.(float64)
	if ok && both {
		return math.Abs(x-y) <= within*math.Abs(x)
	}
	return reflect.DeepEqual(a, b)
}
