package file

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/tostring"
)

var _ connector.Previewer = (*Sink)(nil)

// Preview shows the lines.
func (*Sink) Preview(_ context.Context, c connector.Context, conf connector.Config, records []connector.Record) error {
	e := connector.Effect{Does: fmt.Sprintf("append %d lines to %s", len(records), cmp.Or(conf.String("file"), "standard output"))}
	lines := make([]string, len(records))
	for i, r := range records {
		lines[i] = tostring.String(r.Value)
		e.Records = append(e.Records, i)
	}
	e.Text = strings.Join(lines, "\n")
	c.Preview.Would(e)
	return nil
}
