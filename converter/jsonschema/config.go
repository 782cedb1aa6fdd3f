package jsonschema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/registry"
	"github.com/axiom-data-science/hydraulics/internal/registry/wire"
)

// The configuration keys of JSON Schema alone, which are Confluent's.
const (
	keyGeneralized   = "generalized.sum.type.support"
	keyIgnoreDefault = "ignore.default.for.nullables"
	keyAdditional    = "object.additional.properties"
	keyNonRequired   = "use.optional.for.nonrequired"
	keyDecimal       = "decimal.format"
	keyFlatten       = "flatten.singleton.unions"
	keyFailInvalid   = "json.fail.invalid.schema"
	base64Format     = "BASE64"
	numericFormat    = "NUMERIC"
)

func boolean(name string, def bool, importance connector.Importance, doc string) connector.Key {
	return connector.Key{Name: name, Type: connector.BooleanKey, Default: def, Importance: importance, Group: wire.Group, Doc: doc}
}

var configDef = connector.NewConfigDef(slices.Concat(registry.Keys(), wire.Keys(), []connector.Key{
	boolean(keyGeneralized, false, connector.Medium, "Name enums and unions as the converters of other formats do, so that they can be written in those."),
	boolean(keyIgnoreDefault, false, connector.Medium, "Write null, not the default, where a field is null."),
	boolean(keyAdditional, true, connector.Medium, "Allow properties that are not named in the schemas of objects."),
	boolean(keyNonRequired, false, connector.Medium, "Read properties that an object need not have as optional fields."),
	{Name: keyDecimal, Type: connector.StringKey, Default: base64Format, Importance: connector.Low, Group: wire.Group, Check: isDecimalFormat,
		Doc: "How decimals are written: BASE64 (the bytes of the unscaled number) or NUMERIC (a JSON number)."},
	boolean(keyFlatten, true, connector.Low, "Read a union of one schema as that one."),
	boolean(keyFailInvalid, false, connector.Medium, "Refuse values that do not fit the JSON Schema, written and read: limits, patterns, required properties."),
})...)

func isDecimalFormat(_ string, value any) error {
	text, _ := value.(string)
	if !strings.EqualFold(text, base64Format) && !strings.EqualFold(text, numericFormat) {
		return fmt.Errorf("it must be %s or %s", base64Format, numericFormat)
	}
	return nil
}

// options are what the configuration says about values.
type options struct {
	generalized, ignoreDefault, closed, nonRequired bool
	numeric, flatten, validate                      bool
}

func optionsOf(conf connector.Config) options {
	return options{
		generalized: conf.Bool(keyGeneralized), ignoreDefault: conf.Bool(keyIgnoreDefault), closed: !conf.Bool(keyAdditional),
		nonRequired: conf.Bool(keyNonRequired), numeric: strings.EqualFold(conf.String(keyDecimal), numericFormat),
		flatten: conf.Bool(keyFlatten), validate: conf.Bool(keyFailInvalid),
	}
}
