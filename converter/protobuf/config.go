package protobuf

import (
	"slices"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/registry"
	"github.com/axiom-data-science/hydraulics/internal/registry/wire"
)

// The configuration keys of Protobuf alone, which are Confluent's.
const (
	keyGeneralized   = "generalized.sum.type.support"
	keyIgnoreDefault = "ignore.default.for.nullables"
	keyEnhanced      = "enhanced.protobuf.schema.support"
	keyScrub         = "scrub.invalid.names"
	keyIntEnums      = "int.for.enums"
	keyOptional      = "optional.for.nullables"
	keyProto2        = "optional.for.proto2"
	keyWrapper       = "wrapper.for.nullables"
	keyWrapperRaw    = "wrapper.for.raw.primitives"
	keyStructs       = "generate.struct.for.nulls"
	keyIndex         = "generate.index.for.unions"
	keyFlatten       = "flatten.unions"
)

func boolean(name string, def bool, importance connector.Importance, doc string) connector.Key {
	return connector.Key{Name: name, Type: connector.BooleanKey, Default: def, Importance: importance, Group: wire.Group, Doc: doc}
}

var configDef = connector.NewConfigDef(slices.Concat(registry.Keys(), wire.Keys(), []connector.Key{
	boolean(keyGeneralized, false, connector.Medium, "Name enums and unions as the converters of other formats do, so that they can be written in those."),
	boolean(keyIgnoreDefault, false, connector.Medium, "Write null, not the default, where a field is null."),
	boolean(keyEnhanced, false, connector.Medium, "Keep packages in the names of schemas."),
	boolean(keyScrub, false, connector.Medium, "Replace the characters of names that Protobuf does not allow."),
	boolean(keyIntEnums, false, connector.Medium, "Read enums as integers."),
	boolean(keyOptional, false, connector.Medium, "Write fields that may be null as optional ones; fields are optional in Kafka Connect only where they are in Protobuf."),
	boolean(keyProto2, true, connector.Medium, "Read null where an optional field of proto2 is not set."),
	boolean(keyWrapper, false, connector.Medium, "Write fields that may be null as wrapper messages, and read these as single values."),
	boolean(keyWrapperRaw, true, connector.Medium, "Read a value that is nothing but a wrapper message as a single value."),
	boolean(keyStructs, false, connector.Medium, "Read an empty struct where a message is not set."),
	boolean(keyIndex, true, connector.Low, "Number the names of unions."),
	boolean(keyFlatten, false, connector.Low, "Read the fields of a oneof as fields of their message."),
})...)

// options are what the configuration says about values.
type options struct {
	generalized, ignoreDefault, enhanced, scrub, intEnums bool
	optional, proto2, wrapper, wrapperRaw                 bool
	structs, index, flatten                               bool
}

func optionsOf(conf connector.Config) options {
	return options{
		generalized: conf.Bool(keyGeneralized), ignoreDefault: conf.Bool(keyIgnoreDefault), enhanced: conf.Bool(keyEnhanced),
		scrub: conf.Bool(keyScrub), intEnums: conf.Bool(keyIntEnums), optional: conf.Bool(keyOptional), proto2: conf.Bool(keyProto2),
		wrapper: conf.Bool(keyWrapper), wrapperRaw: conf.Bool(keyWrapperRaw), structs: conf.Bool(keyStructs),
		index: conf.Bool(keyIndex), flatten: conf.Bool(keyFlatten),
	}
}
