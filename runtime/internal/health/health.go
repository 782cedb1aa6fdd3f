// Package health has what a doctor found, as it is sent and printed.
package health

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/failures"
	"github.com/axiom-data-science/hydraulics/internal/output"
)

// The states of a check.
const (
	OK   = "ok"
	Warn = "warn"
	Fail = "fail"
)

// OfWorker is whom a check is of that concerns the worker itself.
const OfWorker = "worker"

// Check is a line of what a doctor found.
type Check struct {
	State  string   `json:"state"`
	Of     []string `json:"of"` // worker, or names of connectors
	What   string   `json:"what"`
	Says   string   `json:"says,omitempty"`
	Code   string   `json:"code,omitempty"`
	Cause  string   `json:"cause,omitempty"`
	Remedy string   `json:"remedy,omitempty"`
}

// Of gives a finding of the worker or a connector as a check.
func Of(of string, f connector.Finding) Check {
	c := Check{State: OK, Of: []string{of}, What: f.What, Says: f.Says}
	if f.Err != nil {
		c.State = Fail
		if f.Warning {
			c.State = Warn
		}
		c.Says = strings.TrimPrefix(f.Err.Error(), f.What+": ")
		c.Says, _, _ = strings.Cut(c.Says, "\n")
		known, _ := failures.Find(connector.CodeOf(f.Err))
		c.Code, c.Cause, c.Remedy = connector.CodeOf(f.Err), known.Cause, known.Remedy
	}
	return c
}

// Report is what was found, in order. What was found for several alike is there once.
type Report struct{ Checks []Check }

// Add notes findings of the worker or a connector.
func (r *Report) Add(of string, findings ...connector.Finding) {
	for _, f := range findings {
		r.Merge(Of(of, f))
	}
}

// Merge notes checks.
func (r *Report) Merge(checks ...Check) {
	for _, c := range checks {
		i := slices.IndexFunc(r.Checks, func(o Check) bool {
			return o.What == c.What && o.Says == c.Says && o.State == c.State && c.What != "configuration"
		})
		if i < 0 {
			c.Of = slices.Clone(c.Of)
			r.Checks = append(r.Checks, c)
			continue
		}
		for _, of := range c.Of {
			if at := &r.Checks[i]; !slices.Contains(at.Of, of) {
				at.Of = append(at.Of, of)
			}
		}
	}
}

// Count gives how many checks have a state.
func (r *Report) Count(state string) int {
	n := 0
	for _, c := range r.Checks {
		if c.State == state {
			n++
		}
	}
	return n
}

// Print prints the checks; for people a table, the remedies of those that are not in
// order, and how many there are.
func (r *Report) Print(out io.Writer, form *output.Form) error {
	if !form.ForPeople() {
		return form.Value(out, r.Checks)
	}
	table := output.Table{Columns: []string{"STATE", "OF", "WHAT", "SAYS"}}
	for _, c := range r.Checks {
		says := c.Says
		if c.Code != "" {
			says += " [" + c.Code + "]"
		}
		table.Add(c.State, strings.Join(c.Of, ","), c.What, says)
	}
	if err := form.Print(out, nil, table); err != nil {
		return err
	}
	var said []string
	for _, c := range r.Checks {
		if c.Remedy != "" && !slices.Contains(said, c.Code) {
			said = append(said, c.Code)
			fmt.Fprintf(out, "\n%s: %s\n", c.Code, c.Remedy)
		}
	}
	_, err := fmt.Fprintf(out, "\n%d checks: %d fail, %d warn\n", len(r.Checks), r.Count(Fail), r.Count(Warn))
	return err
}
