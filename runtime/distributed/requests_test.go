package distributed

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/runtime/cluster"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
)

// While a rebalance is on, what changes something is a conflict. After it a request goes
// to the worker that it is for.
//
// Clauses: K12.
func TestRequestsInARebalance(t *testing.T) {
	elsewhere, rebalance := &herder.Elsewhere{URL: "http://b"}, &herder.Error{Reason: herder.Conflict,
		Text: "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway."}
	tests := map[string]struct {
		placed       cluster.Placement
		leads, owner error
	}{
		"nobody is known to lead": {cluster.Placement{Worker: "a"}, rebalance, rebalance},
		"another one leads":       {cluster.Placement{Worker: "a", Leader: "b", LeaderURL: "http://b"}, elsewhere, elsewhere},
		"nobody has the task":     {cluster.Placement{Worker: "a", Leader: "a", LeaderURL: "http://a"}, nil, herder.ErrRebalance},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := &Member{placed: tt.placed, group: new(cluster.Group)}
			if d := cmp.Diff(tt.leads, m.Leads()); d != "" {
				t.Errorf("who leads: %s", d)
			}
			if d := cmp.Diff(tt.owner, m.Owner(herder.TaskID{Connector: "c"})); d != "" {
				t.Errorf("who has the task: %s", d)
			}
		})
	}
}
