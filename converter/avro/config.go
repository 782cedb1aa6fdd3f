package avro

import (
	"slices"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/registry"
	"github.com/axiom-data-science/hydraulics/internal/registry/wire"
)

// The configuration keys of Avro alone, which are Confluent's.
const (
	keyEnhanced = "enhanced.avro.schema.support"
	keyMetadata = "connect.meta.data"
)

var configDef = connector.NewConfigDef(slices.Concat(registry.Keys(), wire.Keys(), []connector.Key{
	wire.Boolean(keyEnhanced, false, connector.Medium, "Write strings that were read from an Avro enum, and bytes that were read from a fixed, as such again."),
	wire.Boolean(keyMetadata, true, connector.Low, "Keep in the Avro schema, as properties connect.*, what only Kafka Connect's schema has: documentation, versions, parameters."),
})...)
