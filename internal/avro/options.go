package avro

import (
	"strconv"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Options refine how schemas are mapped; they are Confluent's, the zero value is
// its default.
type Options struct {
	// Enhanced writes strings that were enums and bytes that were fixed as such
	// again, and names a union's branches in full: enhanced.avro.schema.support.
	Enhanced bool
	// NoMetadata leaves the connect.* properties out: connect.meta.data=false.
	NoMetadata bool
	// Generalized names enums and unions as the converters of other formats do:
	// generalized.sum.type.support.
	Generalized bool
	// NullForDefault writes null, not the default, where a field that may be null
	// has none: ignore.default.for.nullables.
	NullForDefault bool
	// Scrub makes names that Avro allows of those that it does not; nil refuses
	// these: scrub.invalid.names.
	Scrub func(name string) string
	// OptionalKeys writes maps whose keys may be null as maps, not as lists of
	// entries: allow.optional.map.keys.
	OptionalKeys bool
	// KeepSingletons reads a union of one type as a struct, not as that type:
	// flatten.singleton.unions=false.
	KeepSingletons bool
	// FieldsOnly keeps documentation and defaults of fields alone, not of types:
	// discard.type.doc.default.
	FieldsOnly bool
}

// The names of [Options.Generalized].
const (
	generalEnum       = "org.apache.kafka.connect.data.Enum"
	generalUnion      = "org.apache.kafka.connect.data.Union"
	generalName       = "connect_union_"
	generalFieldStart = generalName + "field_"
)

// scrub gives a name as Avro has it.
func (o *Options) scrub(name string) string {
	if o.Scrub == nil {
		return name
	}
	return o.Scrub(name)
}

// enumParameter gives the parameter that marks a string as an enum.
func (o *Options) enumParameter() string {
	if o.Generalized {
		return generalEnum
	}
	return enumParameter
}

// generalField names the field of a union's branch, counted without null.
func generalField(i int) string { return generalFieldStart + strconv.Itoa(i) }

// isUnion tells the struct of a union, which has a field per branch.
func isUnion(s *connector.Schema) bool {
	_, general := s.Parameter(generalUnion)
	return general || s.Name() == unionName
}
