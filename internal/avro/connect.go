package avro

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// The names by which Confluent's AvroData keeps in an Avro schema what only
// Kafka Connect's model has, and the other way round.
const (
	confluent      = "io.confluent.connect.avro"
	unionName      = confluent + ".Union"
	enumParameter  = confluent + ".Enum"
	mapEntry       = "MapEntry"
	mapEntryName   = confluent + "." + mapEntry
	defaultName    = "ConnectDefault"
	precisionParam = "connect.decimal.precision"
	sizeParam      = "connect.fixed.size"

	propName    = "connect.name"
	propVersion = "connect.version"
	propDoc     = "connect.doc"
	propDefault = "connect.default"
	propParams  = "connect.parameters"
	propType    = "connect.type"
	propMap     = "connect.internal.type"

	// defaultPrecision is the precision of a decimal schema that names none.
	defaultPrecision = 64
)

// toConnect gives the schema of the values that a node's reader makes.
func toConnect(n *node, optional bool) (*connector.Schema, error) {
	if n.loop != nil {
		s, err := n.loop.toConnect(n)
		if err == nil && optional {
			s = s.AsOptional()
		}
		return s, err
	}
	s, err := toConnectType(n)
	if err != nil {
		return nil, err
	}
	if other, _ := n.optional(); other != nil || n.single {
		return s, nil // the branch's own attributes are set
	}
	if s, err = withAttributes(s, n); err != nil {
		return nil, err
	}
	if optional {
		s = s.AsOptional()
	}
	return s, nil
}

func toConnectType(n *node) (*connector.Schema, error) {
	switch n.kind {
	case kindNull:
		return nil, fmt.Errorf("a null type that is not part of a union has no values")
	case kindBoolean:
		return connector.BooleanSchema, nil
	case kindInt:
		switch {
		case n.logical == date:
			return connector.DateSchema, nil
		case n.logical == timeMillis:
			return connector.TimeSchema, nil
		case n.props[propType] == "int8":
			return connector.Int8Schema, nil
		case n.props[propType] == "int16":
			return connector.Int16Schema, nil
		}
		return connector.Int32Schema, nil
	case kindLong:
		if n.logical == timestampMillis {
			return connector.TimestampSchema, nil
		}
		return connector.Int64Schema, nil
	case kindFloat:
		return connector.Float32Schema, nil
	case kindDouble:
		return connector.Float64Schema, nil
	case kindString:
		return connector.StringSchema, nil
	case kindBytes, kindFixed:
		return bytesToConnect(n), nil
	case kindEnum:
		return enumToConnect(n), nil
	case kindArray:
		return arrayToConnect(n)
	case kindMap:
		elem, err := toConnect(n.elem, false)
		if err != nil {
			return nil, err
		}
		return connector.MapOf(connector.StringSchema, elem), nil
	case kindUnion:
		return unionToConnect(n)
	}
	return recordToConnect(n)
}

func enumToConnect(n *node) *connector.Schema {
	param := n.options.enumParameter()
	s := connector.StringSchema.WithParameter(param, n.name)
	for i, symbol := range n.symbols {
		value := symbol
		if n.options.Generalized {
			value = strconv.Itoa(i)
		}
		s = s.WithParameter(param+"."+symbol, value)
	}
	return s
}

func bytesToConnect(n *node) *connector.Schema {
	s := connector.BytesSchema
	if n.logical == decimal {
		s = connector.DecimalSchema(n.scale)
		if n.prec != defaultPrecision {
			s = s.WithParameter(precisionParam, strconv.Itoa(n.prec))
		}
	}
	if n.kind == kindFixed {
		s = s.WithParameter(sizeParam, strconv.Itoa(n.size))
	}
	return s
}

// isMapEntry tells a record that is an entry of a map whose keys are not strings.
func (n *node) isMapEntry() bool {
	return n.kind == kindRecord && n.loop == nil && (n.name == mapEntryName || n.props[propMap] == mapEntry) &&
		len(n.fields) == 2 && n.fields[0].name == "key" && n.fields[1].name == "value"
}

func arrayToConnect(n *node) (*connector.Schema, error) {
	if !n.elem.isMapEntry() {
		elem, err := toConnect(n.elem, false)
		if err != nil {
			return nil, err
		}
		return connector.ArrayOf(elem), nil
	}
	key, err := fieldToConnect(n.elem.fields[0])
	if err != nil {
		return nil, err
	}
	value, err := fieldToConnect(n.elem.fields[1])
	if err != nil {
		return nil, err
	}
	return connector.MapOf(key, value), nil
}

func unionToConnect(n *node) (*connector.Schema, error) {
	if other, _ := n.optional(); other != nil {
		return toConnect(other, true)
	}
	if n.single {
		return toConnect(n.branches[0], false)
	}
	var fields []connector.Field
	optional := false
	for _, b := range n.branches {
		if b.kind == kindNull {
			optional = true
			continue
		}
		s, err := toConnect(b, true)
		if err != nil {
			return nil, err
		}
		name := b.branchName()
		if n.options.Generalized {
			name = generalField(len(fields))
		}
		fields = append(fields, connector.F(name, s))
	}
	name := unionName
	if n.options.Generalized {
		name = n.general
	}
	s, err := connector.NewStructSchema(name, fields)
	if err != nil {
		return nil, fmt.Errorf("union: two branches have the simple name of one field (enhanced.avro.schema.support=true names them in full): %w", err)
	}
	if n.options.Generalized {
		s = s.WithParameter(generalUnion, name)
	}
	if optional {
		s = s.AsOptional()
	}
	return s, nil
}

// branchName gives the name of a union branch's field: a named type's simple
// name or its full one, a type's name for others.
func (n *node) branchName() string {
	if n.name == "" {
		return n.kind.String()
	}
	if n.options.Enhanced {
		return n.name
	}
	for i := len(n.name) - 1; i >= 0; i-- {
		if n.name[i] == '.' {
			return n.name[i+1:]
		}
	}
	return n.name
}

func recordToConnect(n *node) (*connector.Schema, error) {
	fields := make([]connector.Field, len(n.fields))
	for i, f := range n.fields {
		s, err := fieldToConnect(f)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.name, err)
		}
		fields[i] = connector.F(f.name, s)
	}
	return connector.NewStructSchema("", fields)
}

func fieldToConnect(f field) (*connector.Schema, error) {
	s, err := toConnect(f.node, false)
	if err != nil {
		return nil, err
	}
	if f.doc != "" && !s.Cyclic() {
		s = s.WithDoc(f.doc)
	}
	if !f.hasDefault || f.def == nil {
		return s, nil
	}
	def, err := defaultValue(f.node, s, f.def)
	if err != nil {
		return nil, fmt.Errorf("default: %w", err)
	}
	return s.TryDefault(def)
}

// withAttributes sets what AvroData keeps in properties.
func withAttributes(s *connector.Schema, n *node) (*connector.Schema, error) {
	if n.kind == kindUnion {
		return s, nil
	}
	switch doc, _ := n.props[propDoc].(string); {
	case n.options.FieldsOnly:
	case n.doc != "":
		s = s.WithDoc(n.doc)
	case doc != "":
		s = s.WithDoc(doc)
	}
	if version, ok := integerOf(n.props[propVersion]); ok {
		s = s.WithVersion(int(version))
	}
	if params, ok := n.props[propParams].(map[string]any); ok {
		for k, v := range params {
			if text, ok := v.(string); ok {
				s = s.WithParameter(k, text)
			}
		}
	}
	name, ok := n.props[propName].(string)
	switch {
	case ok:
		s = s.WithName(name)
	case n.name != "" && n.name != confluent+"."+defaultName && n.logical == "":
		s = s.WithName(n.name)
	}
	if def := n.props[propDefault]; def != nil && !n.options.FieldsOnly {
		v, err := defaultValue(n, s, def)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", propDefault, err)
		}
		return s.TryDefault(v)
	}
	return s, nil
}

// integerValue gives an integer as the Connect schema has it.
func integerValue(n *node, s *connector.Schema, i int64) any {
	switch n.logical {
	case date:
		return time.Unix(i*secondsPerDay, 0).UTC()
	case timeMillis, timestampMillis:
		return time.UnixMilli(i).UTC()
	}
	switch s.Type() {
	case connector.Int8:
		return int8(i)
	case connector.Int16:
		return int16(i)
	case connector.Int32:
		return int32(i)
	}
	return i
}

const secondsPerDay = 24 * 60 * 60

func integerOf(v any) (int64, bool) {
	switch x := v.(type) {
	case int:
		return int64(x), true
	case int32:
		return int64(x), true
	case int64:
		return x, true
	case float64:
		return int64(x), x == math.Trunc(x) && math.Abs(x) < 1<<53
	case json.Number:
		n, err := x.Int64()
		return n, err == nil
	}
	return 0, false
}

func floatOf(v any) (float64, bool) {
	switch x := v.(type) {
	case float32:
		return float64(x), true
	case float64:
		return x, true
	case json.Number:
		f, err := x.Float64()
		return f, err == nil
	}
	i, ok := integerOf(v)
	return float64(i), ok
}

// pow10 gives 10^n.
func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
