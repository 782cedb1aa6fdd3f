package config

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// shortest is the length of the shortest value that [Report.Refer] looks for
// within texts. One that is shorter is found by chance, and is no secret.
const shortest = 4

// Refer gives a task's configuration, which a plugin made of its connector's
// resolved one, as it may be kept and shown. A key whose value the plugin left
// as it was has what was written; in other texts, references take the place of
// what they stood for. All values are texts or null.
// [Validator.ResolveTask] is the way back.
func (r *Report) Refer(resolved, task connector.Props) connector.Props {
	var pairs []string
	for _, ref := range slices.SortedFunc(maps.Keys(r.references), func(a, b string) int { // the longest values first
		return cmp.Or(cmp.Compare(len(r.references[b]), len(r.references[a])), cmp.Compare(a, b))
	}) {
		if value := r.references[ref]; len(value) >= shortest {
			pairs = append(pairs, value, ref)
		}
	}
	within := strings.NewReplacer(pairs...)
	out := make(connector.Props, len(task))
	for key, v := range task {
		text, given := plain(v)
		was, had := plain(resolved[key])
		switch {
		case !given:
			out[key] = nil
		case had && text == was:
			out[key], _ = plain(r.written[key])
		default:
			out[key] = within.Replace(text)
		}
	}
	return out
}

// plain gives the text of a value that a plugin may have typed.
func plain(v any) (string, bool) {
	if p, ok := v.(connector.Password); ok {
		return p.Secret(), true
	}
	return connector.FormatValue(v)
}

// ResolveTask gives a task's configuration that [Report.Refer] made as the task
// gets it: references replaced by what they stand for now, relative paths made
// absolute. The report is that of the connector. The error names every key
// whose reference has no value.
func (v *Validator) ResolveTask(r *Report, task connector.Props) (connector.Props, error) {
	if v.Resolver == nil {
		return task.Clone(), nil
	}
	out, _, unresolved := v.Resolver.resolve(task, r.from)
	if err := unresolved.Err(); err != nil {
		return nil, err
	}
	return out, v.absolute(r, out)
}
