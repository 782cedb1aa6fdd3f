// Command hydraulics is a worker with every connector, converter and transform
// of the project, and the tools of the plankton flow.
package main

import (
	"github.com/axiom-data-science/hydraulics/configs"
	_ "github.com/axiom-data-science/hydraulics/connectors/all"
	_ "github.com/axiom-data-science/hydraulics/converter/all"
	"github.com/axiom-data-science/hydraulics/runtime/cli"
	_ "github.com/axiom-data-science/hydraulics/transforms/all"
)

func main() {
	cli.Defaults = configs.FS
	cli.Main("hydraulics", newDatabaseCommand(), newDemoCommand(), newDLQCommand(), newEvaluateCommand(), newIFCBCommand(), newIngestCommand(), newNewCommand(), newPublishFeedImagesCommand(),
		newPublishStationImagesCommand(), newReadAPICommand(), newReclassifyCommand(), newSchemasCommand(), newSimulateCommand(), newTopicsCommand())
}
