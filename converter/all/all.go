// Package all registers every converter of hydraulics.
package all

import (
	_ "github.com/axiom-data-science/hydraulics/converter/avro"         // Avro in the Confluent wire format
	_ "github.com/axiom-data-science/hydraulics/converter/json"         // JSON, with and without schemas
	_ "github.com/axiom-data-science/hydraulics/converter/jsonschema"   // JSON with a schema registry
	_ "github.com/axiom-data-science/hydraulics/converter/primitive"    // single values: text, bytes, numbers
	_ "github.com/axiom-data-science/hydraulics/converter/protobuf"     // Protobuf in the Confluent wire format
	_ "github.com/axiom-data-science/hydraulics/converter/simpleheader" // headers as text, the default
)
