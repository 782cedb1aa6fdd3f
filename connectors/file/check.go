package file

import (
	"context"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/disk"
)

var (
	_ connector.Checker = (*Sink)(nil)
	_ connector.Checker = (*Source)(nil)
)

// Check looks whether the file may be written, and makes none.
func (*Sink) Check(_ context.Context, _ connector.Context, conf connector.Config, found func(connector.Finding)) {
	if name := conf.String("file"); name != "" {
		found(disk.ToAppend("file", name))
	}
}

// Check looks whether the file may be read.
func (*Source) Check(_ context.Context, _ connector.Context, conf connector.Config, found func(connector.Finding)) {
	if name := conf.String("file"); name != "" {
		found(disk.FileToRead("file", name))
	}
}
