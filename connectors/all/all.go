// Package all registers every source and sink of hydraulics.
package all

import (
	_ "github.com/axiom-data-science/hydraulics/connectors/datagen"      // made-up records
	_ "github.com/axiom-data-science/hydraulics/connectors/file"         // lines of files
	_ "github.com/axiom-data-science/hydraulics/connectors/ifcb"         // images of an IFCB dashboard
	_ "github.com/axiom-data-science/hydraulics/connectors/ifcbproducts" // files of bins for dashboards
	_ "github.com/axiom-data-science/hydraulics/connectors/postgres"     // tables of PostgreSQL
	_ "github.com/axiom-data-science/hydraulics/connectors/rest"         // requests to an HTTP server
	_ "github.com/axiom-data-science/hydraulics/connectors/tools"        // what tests a worker
)
