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
	keyAdditional  = "object.additional.properties"
	keyNonRequired = "use.optional.for.nonrequired"
	keyDecimal     = "decimal.format"
	keyFlatten     = "flatten.singleton.unions"
	keyFailInvalid = "json.fail.invalid.schema"
	base64Format   = "BASE64"
	numericFormat  = "NUMERIC"
)

var configDef = connector.NewConfigDef(slices.Concat(registry.Keys(), wire.Keys(), wire.SumKeys(), []connector.Key{
	wire.Boolean(keyAdditional, true, connector.Medium, "Allow properties that are not named in the schemas of objects."),
	wire.Boolean(keyNonRequired, false, connector.Medium, "Read properties that an object need not have as optional fields."),
	{Name: keyDecimal, Type: connector.StringKey, Default: base64Format, Importance: connector.Low, Group: wire.Group, Check: isDecimalFormat,
		Doc: "How decimals are written: BASE64 (the bytes of the unscaled number) or NUMERIC (a JSON number)."},
	wire.Boolean(keyFlatten, true, connector.Low, "Read a union of one schema as that one."),
	wire.Boolean(keyFailInvalid, false, connector.Medium, "Refuse values that do not fit the JSON Schema, written and read: limits, patterns, required properties."),
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
		generalized: conf.Bool(wire.KeyGeneralized), ignoreDefault: conf.Bool(wire.KeyIgnoreDefault), closed: !conf.Bool(keyAdditional),
		nonRequired: conf.Bool(keyNonRequired), numeric: strings.EqualFold(conf.String(keyDecimal), numericFormat),
		flatten: conf.Bool(keyFlatten), validate: conf.Bool(keyFailInvalid),
	}
}
