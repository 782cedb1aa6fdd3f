package distributed

import (
	"context"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/internal/compacted"
)

// Check looks whether a worker could be one of its cluster: the group, and the topics
// that keep the cluster's state. It joins and makes nothing.
func Check(ctx context.Context, c *kafka.Client, worker connector.Props, found func(connector.Finding)) {
	group, _ := worker.Text("group.id")
	found(c.CheckGroup(ctx, group, "H2016"))
	for _, use := range []compacted.Use{compacted.Configs, compacted.Offsets, compacted.Statuses} {
		s, _, err := use.Of(worker)
		if err != nil {
			found(connector.Finding{What: string(use) + "topic", Err: connector.Coded("H1009", err)})
			continue
		}
		found(compacted.Check(ctx, c, s))
	}
}
