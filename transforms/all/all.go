// Package all registers every transform and predicate of hydraulics.
package all

import (
	_ "github.com/axiom-data-science/hydraulics/transforms/biovolume"   // volume of a cell by its outline
	_ "github.com/axiom-data-science/hydraulics/transforms/carbon"      // carbon content of cells
	_ "github.com/axiom-data-science/hydraulics/transforms/classify"    // class of an image by a CNN
	_ "github.com/axiom-data-science/hydraulics/transforms/debezium"    // rows out of Debezium's change events
	_ "github.com/axiom-data-science/hydraulics/transforms/ifcbquality" // checks of bins and images
	_ "github.com/axiom-data-science/hydraulics/transforms/ifcbstats"   // the record of the statistics
	_ "github.com/axiom-data-science/hydraulics/transforms/keepbest"    // the best of several classifications
	_ "github.com/axiom-data-science/hydraulics/transforms/predicate"   // Kafka Connect's predicates
	_ "github.com/axiom-data-science/hydraulics/transforms/smt"         // Kafka Connect's single message transforms
)
