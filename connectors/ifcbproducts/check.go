package ifcbproducts

import (
	"context"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/disk"
)

var _ connector.Checker = (*Sink)(nil)

// Check looks whether the folder is there and may be written to.
func (*Sink) Check(_ context.Context, _ connector.Context, conf connector.Config, found func(connector.Finding)) {
	found(disk.ToWrite("folder", conf.String("folder")))
}
