// Command custom-source is a hydraulics worker with one more source: the
// built-in plugins it needs and its own, a list of imports.
package main

import (
	"github.com/axiom-data-science/hydraulics/runtime/cli"

	_ "example.org/custom-source/ctd"
	_ "github.com/axiom-data-science/hydraulics/connectors/all"
	_ "github.com/axiom-data-science/hydraulics/converter/all"
	_ "github.com/axiom-data-science/hydraulics/transforms/all"
)

func main() { cli.Main("custom-source") }
