package protobuf

import (
	"slices"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/registry"
	"github.com/axiom-data-science/hydraulics/internal/registry/wire"
)

// The configuration keys of Protobuf alone, which are Confluent's.
const (
	keyEnhanced   = "enhanced.protobuf.schema.support"
	keyIntEnums   = "int.for.enums"
	keyOptional   = "optional.for.nullables"
	keyProto2     = "optional.for.proto2"
	keyWrapper    = "wrapper.for.nullables"
	keyWrapperRaw = "wrapper.for.raw.primitives"
	keyStructs    = "generate.struct.for.nulls"
	keyIndex      = "generate.index.for.unions"
	keyFlatten    = "flatten.unions"
)

var configDef = connector.NewConfigDef(slices.Concat(registry.Keys(), wire.Keys(), wire.SumKeys(), []connector.Key{
	wire.Boolean(keyEnhanced, false, connector.Medium, "Keep packages in the names of schemas."),
	wire.Boolean(wire.KeyScrub, false, connector.Medium, "Replace the characters of names that Protobuf does not allow."),
	wire.Boolean(keyIntEnums, false, connector.Medium, "Read enums as integers."),
	wire.Boolean(keyOptional, false, connector.Medium, "Write fields that may be null as optional ones; fields are optional in Kafka Connect only where they are in Protobuf."),
	wire.Boolean(keyProto2, true, connector.Medium, "Read null where an optional field of proto2 is not set."),
	wire.Boolean(keyWrapper, false, connector.Medium, "Write fields that may be null as wrapper messages, and read these as single values."),
	wire.Boolean(keyWrapperRaw, true, connector.Medium, "Read a value that is nothing but a wrapper message as a single value."),
	wire.Boolean(keyStructs, false, connector.Medium, "Read an empty struct where a message is not set."),
	wire.Boolean(keyIndex, true, connector.Low, "Number the names of unions."),
	wire.Boolean(keyFlatten, false, connector.Low, "Read the fields of a oneof as fields of their message."),
})...)

// options are what the configuration says about values.
type options struct {
	generalized, ignoreDefault, enhanced, scrub, intEnums bool
	optional, proto2, wrapper, wrapperRaw                 bool
	structs, index, flatten                               bool
}

func optionsOf(conf connector.Config) options {
	return options{
		generalized: conf.Bool(wire.KeyGeneralized), ignoreDefault: conf.Bool(wire.KeyIgnoreDefault), enhanced: conf.Bool(keyEnhanced),
		scrub: conf.Bool(wire.KeyScrub), intEnums: conf.Bool(keyIntEnums), optional: conf.Bool(keyOptional), proto2: conf.Bool(keyProto2),
		wrapper: conf.Bool(keyWrapper), wrapperRaw: conf.Bool(keyWrapperRaw), structs: conf.Bool(keyStructs),
		index: conf.Bool(keyIndex), flatten: conf.Bool(keyFlatten),
	}
}
