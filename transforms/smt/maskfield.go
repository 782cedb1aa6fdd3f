package smt

import (
	"context"
	"math/big"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/number"
	"github.com/axiom-data-science/hydraulics/internal/java/tostring"
	"github.com/axiom-data-science/hydraulics/internal/java/values"
)

var (
	_ connector.Transform = (*MaskField)(nil)
	_ connector.Validator = (*MaskField)(nil)
)

func init() {
	for _, p := range []part{onKey, onValue} {
		connector.RegisterTransform(func() connector.Transform { return &MaskField{part: p} })
	}
}

// MaskField puts a value that says nothing in place of fields.
type MaskField struct {
	part     part
	rewriter rewriter
}

// Info describes the plugin.
func (t *MaskField) Info() connector.Info {
	return t.part.info("MaskField", "mask-field", "Hides fields behind 0, an empty text and so on, or behind a replacement.")
}

// ConfigDef gives Kafka's keys.
func (*MaskField) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "fields", Type: connector.ListKey, Required: true, Importance: connector.High, Distinct: true,
			Check: connector.Distinct(false, false), Doc: "Names of fields to mask."},
		connector.Key{Name: "replacement", Type: connector.StringKey, Importance: connector.Low, Check: connector.NotEmpty,
			Doc: "Custom value replacement, that will be applied to all 'fields' values (numeric or non-empty string values only)."},
		replaceNullKey, ownSyntaxKey,
	)
}

// Validate reads the paths.
func (*MaskField) Validate(conf connector.Config, p *connector.Problems) {
	checkPaths(conf, p, "fields")
}

// Configure reads the paths.
func (t *MaskField) Configure(_ connector.Context, conf connector.Config) error {
	t.rewriter = rewriter{purpose: "mask fields", replaceNull: conf.Bool("replace.null.with.default"), sameSchema: true}
	mask := masked
	if conf.Has("replacement") {
		text := conf.String("replacement")
		mask = func(v any) (any, error) { return replaced(v, text) }
	}
	fields, err := parsePaths(conf.List("fields"), nested(conf))
	if err != nil {
		return err
	}
	for _, p := range fields {
		t.rewriter.root.at(p).change.value = func(_ *connector.Schema, v any) (any, error) {
			if v == nil {
				return nil, nil
			}
			return mask(v)
		}
	}
	return nil
}

// Apply masks one record's fields. As in Java a null key or value is an error:
// a predicate keeps tombstones away.
func (t *MaskField) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	out, err := t.rewriter.rewrite(t.part, r)
	return out, err == nil, err
}

// masked gives the value of a type that says nothing.
func masked(v any) (any, error) {
	switch v.(type) {
	case bool:
		return false, nil
	case int8:
		return int8(0), nil
	case int16:
		return int16(0), nil
	case int32:
		return int32(0), nil
	case int64:
		return int64(0), nil
	case float32:
		return float32(0), nil
	case float64:
		return float64(0), nil
	case string:
		return "", nil
	case *big.Int:
		return new(big.Int), nil
	case connector.Decimal:
		return connector.NewDecimal(0, 0), nil
	case time.Time:
		return time.UnixMilli(0).UTC(), nil
	case []any:
		return []any{}, nil
	case map[string]any:
		return map[string]any{}, nil
	case map[any]any:
		return map[any]any{}, nil
	}
	return nil, dataf("Cannot mask value of type: class %s", tostring.Class(v))
}

// replaced gives the replacement as a value of the same type.
func replaced(v any, text string) (any, error) {
	switch v.(type) {
	case string:
		return text, nil
	case int8, int16, int32, int64, float32, float64:
		return values.Number(typeOf(v), nil, text)
	case connector.Decimal:
		if d, ok := number.ParseDecimal(text); ok {
			return d, nil
		}
		return nil, dataf("Unable to convert %s (class java.lang.String) to number", text)
	case *big.Int:
		if d, ok := number.ParseDecimal(text); ok && !strings.ContainsAny(text, ".eE") {
			return d.Unscaled, nil
		}
		return nil, dataf("Unable to convert %s (class java.lang.String) to number", text)
	}
	return nil, dataf("Cannot mask value of type class %s with custom replacement.", tostring.Class(v))
}
