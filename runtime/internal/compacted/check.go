package compacted

import (
	"context"
	"errors"
	"fmt"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// Check looks whether a topic is there as it has to be, and may be used, or whether it
// could be made. None is.
func Check(ctx context.Context, c *kafka.Client, s Settings) connector.Finding {
	n, rights, err := c.TopicRights(ctx, s.Topic)
	f := connector.Finding{What: "topic " + s.Topic, Says: fmt.Sprintf("it may be used, partitions: %d", n), Err: err}
	if errors.Is(err, kafka.ErrUnknownTopic) {
		f.Says = "it is not there, and the worker makes it"
		f.Err = connector.Coded("H8008", c.WouldCreate(ctx, s.spec()))
		return f
	}
	if err != nil {
		f.Err = connector.Coded("H2015", err)
		return f
	}
	if !rights.Known() {
		f.Says = fmt.Sprintf("the broker does not tell of rights, partitions: %d", n)
	}
	if lacking := rights.Lacks(kafka.Read, kafka.Write); len(lacking) > 0 {
		f.Err = connector.Coded("H2015", fmt.Errorf("the worker may not use it: allow %v on it", lacking[0]))
		return f
	}
	if s.Use == Configs && n != 1 {
		f.Err = connector.Coded("H2018", fmt.Errorf("it has %d partitions, and configurations need one", n))
		return f
	}
	conf, err := c.TopicConfig(ctx, s.Topic, cleanup)
	switch policy := conf[cleanup]; {
	case ctx.Err() != nil:
		f.Err = context.Cause(ctx)
	case err != nil || policy == "":
		f.Warning, f.Err = true, connector.Coded("H2015", errors.New("whether it is compacted is not known: allow DescribeConfigs on it"))
	case policy != "compact":
		f.Err = connector.Coded("H2019", fmt.Errorf("it has %s=%s", cleanup, policy))
	}
	return f
}
