package cli

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
	isOK   = "ok"
	isWarn = "warn"
	isFail = "fail"
)

// check is a line of what a doctor found.
type check struct {
	State  string   `json:"state"`
	Of     []string `json:"of"` // worker, or names of connectors
	What   string   `json:"what"`
	Says   string   `json:"says,omitempty"`
	Code   string   `json:"code,omitempty"`
	Cause  string   `json:"cause,omitempty"`
	Remedy string   `json:"remedy,omitempty"`
}

// health is what was found, in order. What was found for several alike is there once.
type health struct{ list []*check }

// add notes findings of the worker or a connector.
func (h *health) add(of string, findings ...connector.Finding) {
	for _, f := range findings {
		c := &check{State: isOK, Of: []string{of}, What: f.What, Says: f.Says}
		if f.Err != nil {
			c.State = isFail
			if f.Warning {
				c.State = isWarn
			}
			c.Says = strings.TrimPrefix(f.Err.Error(), f.What+": ")
			c.Says, _, _ = strings.Cut(c.Says, "\n")
			known, _ := failures.Find(connector.CodeOf(f.Err))
			c.Code, c.Cause, c.Remedy = connector.CodeOf(f.Err), known.Cause, known.Remedy
		}
		i := slices.IndexFunc(h.list, func(o *check) bool {
			return o.What == c.What && o.Says == c.Says && o.State == c.State && c.What != "configuration"
		})
		switch {
		case i < 0:
			h.list = append(h.list, c)
		case !slices.Contains(h.list[i].Of, of):
			h.list[i].Of = append(h.list[i].Of, of)
		}
	}
}

// count gives how many checks have a state.
func (h *health) count(state string) int {
	n := 0
	for _, c := range h.list {
		if c.State == state {
			n++
		}
	}
	return n
}

// print prints a table of the checks, the remedies of those that are not in order, and
// how many there are.
func (h *health) print(out io.Writer, form *output.Form) error {
	table := output.Table{Columns: []string{"STATE", "OF", "WHAT", "SAYS"}}
	for _, c := range h.list {
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
	for _, c := range h.list {
		if c.Remedy != "" && !slices.Contains(said, c.Code) {
			said = append(said, c.Code)
			fmt.Fprintf(out, "\n%s: %s\n", c.Code, c.Remedy)
		}
	}
	_, err := fmt.Fprintf(out, "\n%d checks: %d fail, %d warn\n", len(h.list), h.count(isFail), h.count(isWarn))
	return err
}
