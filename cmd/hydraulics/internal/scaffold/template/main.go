// Command example-worker is a worker with the plugins of hydraulics and one of its own.
package main

import (
	"github.com/axiom-data-science/hydraulics/runtime/cli"

	_ "github.com/axiom-data-science/hydraulics/cmd/hydraulics/internal/scaffold/template/source/example"
	_ "github.com/axiom-data-science/hydraulics/connectors/all"
	_ "github.com/axiom-data-science/hydraulics/converter/all"
	_ "github.com/axiom-data-science/hydraulics/transforms/all"
)

func main() { cli.Main("example-worker") }
