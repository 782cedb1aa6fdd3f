package avro

import (
	"slices"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/avro"
	"github.com/axiom-data-science/hydraulics/internal/registry"
	"github.com/axiom-data-science/hydraulics/internal/registry/wire"
)

// The configuration keys of Avro alone, which are Confluent's.
const (
	keyEnhanced = "enhanced.avro.schema.support"
	keyMetadata = "connect.meta.data"
	keyKeys     = "allow.optional.map.keys"
	keyFlatten  = "flatten.singleton.unions"
	keyDiscard  = "discard.type.doc.default"
)

var configDef = connector.NewConfigDef(slices.Concat(registry.Keys(), wire.Keys(), wire.SumKeys(), []connector.Key{
	wire.Boolean(keyEnhanced, false, connector.Medium, "Write strings that were read from an Avro enum, and bytes that were read from a fixed, as such again; name the branches of unions in full."),
	wire.Boolean(keyMetadata, true, connector.Low, "Keep in the Avro schema, as properties connect.*, what only Kafka Connect's schema has: documentation, versions, parameters."),
	wire.Boolean(wire.KeyScrub, false, connector.Medium, "Replace the characters of names that Avro does not allow."),
	wire.Boolean(keyKeys, false, connector.Low, "Write maps whose keys are strings that may be null as Avro's maps, not as lists of entries."),
	wire.Boolean(keyFlatten, true, connector.Low, "Read a union of one type as that one."),
	wire.Boolean(keyDiscard, false, connector.Low, "Keep documentation and defaults of fields alone, not those of types."),
})...)

// optionsOf gives what the configuration says about schemas.
func optionsOf(conf connector.Config) avro.Options {
	o := avro.Options{
		Enhanced: conf.Bool(keyEnhanced), NoMetadata: !conf.Bool(keyMetadata), Generalized: conf.Bool(wire.KeyGeneralized), NullForDefault: conf.Bool(wire.KeyIgnoreDefault),
		OptionalKeys: conf.Bool(keyKeys), KeepSingletons: !conf.Bool(keyFlatten), FieldsOnly: conf.Bool(keyDiscard),
	}
	if conf.Bool(wire.KeyScrub) {
		o.Scrub = func(name string) string { return wire.Scrub(name, true) }
	}
	return o
}
