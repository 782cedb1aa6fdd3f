package json

import (
	"encoding/json"
	"fmt"

	"github.com/axiom-data-science/hydraulics/connector"
)

// typeNames are the types as the envelope's schema spells them.
var typeNames = map[connector.Type]string{
	connector.Int8: "int8", connector.Int16: "int16", connector.Int32: "int32", connector.Int64: "int64",
	connector.Float32: "float", connector.Float64: "double", connector.Boolean: "boolean", connector.String: "string",
	connector.Bytes: "bytes", connector.Array: "array", connector.Map: "map", connector.Object: "struct",
}

var typesByName = func() map[string]connector.Type {
	m := map[string]connector.Type{}
	for t, name := range typeNames {
		m[name] = t
	}
	return m
}()

// schemaJSON is a schema in the envelope, in the order that Kafka writes it.
type schemaJSON struct {
	Type       string            `json:"type"`
	Items      json.RawMessage   `json:"items,omitempty"`
	Keys       json.RawMessage   `json:"keys,omitempty"`
	Values     json.RawMessage   `json:"values,omitempty"`
	Fields     []json.RawMessage `json:"fields,omitempty"`
	Optional   bool              `json:"optional"`
	Name       string            `json:"name,omitempty"`
	Version    int               `json:"version,omitempty"`
	Doc        string            `json:"doc,omitempty"`
	Parameters map[string]string `json:"parameters,omitempty"`
	Default    json.RawMessage   `json:"default,omitempty"`
	Field      *string           `json:"field,omitempty"`
}

// schemaText writes a schema, remembering it by identity.
func (c *Converter) schemaText(s *connector.Schema) (json.RawMessage, error) {
	if s == nil {
		return json.RawMessage("null"), nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if text, ok := c.written[s]; ok {
		return text, nil
	}
	text, err := c.writeSchema(s, nil)
	if err != nil {
		return nil, err
	}
	if len(c.written) >= c.cacheSize {
		clear(c.written)
	}
	c.written[s] = text
	return text, nil
}

func (c *Converter) writeSchema(s *connector.Schema, field *string) (json.RawMessage, error) {
	if s == nil {
		return json.RawMessage("null"), nil
	}
	if s.Cyclic() {
		return nil, connector.Data(fmt.Errorf("struct %s holds itself, and the schema of an envelope has no end: set schemas.enable=false, or use Avro", s.Name()))
	}
	out := schemaJSON{Type: typeNames[s.Type()], Optional: s.Optional(), Name: s.Name(), Version: s.Version(),
		Doc: s.Doc(), Parameters: s.Parameters(), Field: field}
	var err error
	switch s.Type() {
	case connector.Array:
		out.Items, err = c.writeSchema(s.Elem(), nil)
	case connector.Map:
		if out.Keys, err = c.writeSchema(s.Key(), nil); err == nil {
			out.Values, err = c.writeSchema(s.Elem(), nil)
		}
	case connector.Object:
		out.Fields = make([]json.RawMessage, len(s.Fields()))
		for i, f := range s.Fields() {
			if out.Fields[i], err = c.writeSchema(f.Schema, &f.Name); err != nil {
				return nil, err
			}
		}
	}
	if err != nil {
		return nil, err
	}
	if def, ok := s.Default(); ok && def != nil {
		if out.Default, err = c.appendValue(nil, s, def); err != nil {
			return nil, err
		}
	}
	if s.Type() == connector.Object && len(out.Fields) == 0 {
		return emptyStruct(out)
	}
	return json.Marshal(out)
}

// emptyStruct writes a struct schema without fields, whose list is there and empty.
func emptyStruct(out schemaJSON) (json.RawMessage, error) {
	type plain schemaJSON
	return json.Marshal(struct {
		plain
		Fields []json.RawMessage `json:"fields"`
	}{plain(out), []json.RawMessage{}})
}

// parseSchema reads a schema, remembering it by its text. null is nil.
func (c *Converter) parseSchema(r *reader, text []byte) (*connector.Schema, error) {
	c.mu.Lock()
	s, ok := c.parsed[string(text)]
	c.mu.Unlock()
	if ok {
		return s, nil
	}
	v, err := decode(text)
	if err != nil {
		return nil, err
	}
	if s, err = r.readSchema(v); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.parsed) >= c.cacheSize {
		clear(c.parsed)
	}
	c.parsed[string(text)] = s
	c.know(s, text)
	return s, nil
}

func (r *reader) readSchema(v any) (*connector.Schema, error) {
	if v == nil {
		return nil, nil
	}
	m, _ := v.(map[string]any)
	name, ok := m["type"].(string)
	if !ok {
		return nil, dataf("Schema must contain 'type' field")
	}
	t, ok := typesByName[name]
	if !ok {
		return nil, dataf("Unknown schema type: %s", name)
	}
	s, err := r.readType(t, m)
	if err != nil {
		return nil, err
	}
	if s, err = r.readAttributes(s, m); err != nil {
		return nil, err
	}
	if def, ok := m["default"]; ok && (def != nil || !s.Optional()) { // null is no default of a type that does not have it
		value, err := r.fromJSON("default", s, def)
		if err != nil {
			return nil, err
		}
		if _, whole := value.(*connector.Struct); whole && !r.strict {
			return nil, dataf("Invalid default value: Kafka Connect takes none of a struct, the converter's key strict=true does")
		}
		return s.TryDefault(value)
	}
	return s, nil
}

func (r *reader) readType(t connector.Type, m map[string]any) (*connector.Schema, error) {
	if t.Primitive() {
		return connector.PrimitiveSchema(t), nil
	}
	part := func(key, missing string) (*connector.Schema, error) {
		if m[key] == nil {
			return nil, dataf("%s", missing)
		}
		return r.readSchema(m[key])
	}
	switch t {
	case connector.Array:
		elem, err := part("items", "Array schema did not specify the element type")
		if err != nil {
			return nil, err
		}
		return connector.ArrayOf(elem), nil
	case connector.Map:
		key, err := part("keys", "Map schema did not specify the key type")
		if err != nil {
			return nil, err
		}
		value, err := part("values", "Map schema did not specify the value type")
		if err != nil {
			return nil, err
		}
		return connector.MapOf(key, value), nil
	}
	list, ok := m["fields"].([]any)
	if !ok {
		return nil, dataf(`Struct schema's "fields" argument is not an array.`)
	}
	fields := make([]connector.Field, len(list))
	for i, f := range list {
		fm, _ := f.(map[string]any)
		name, ok := fm["field"].(string)
		if !ok {
			return nil, dataf("Struct schema's field name not specified properly")
		}
		fs, err := r.readSchema(f)
		if err != nil {
			return nil, err
		}
		fields[i] = connector.F(name, fs)
	}
	s, err := connector.NewStructSchema("", fields)
	return s, connector.Data(err)
}

func (r *reader) readAttributes(s *connector.Schema, m map[string]any) (*connector.Schema, error) {
	if optional, ok := m["optional"].(bool); ok && optional {
		s = s.AsOptional()
	}
	if name, ok := m["name"].(string); ok {
		s = s.WithName(name)
	}
	if doc, ok := m["doc"].(string); ok {
		s = s.WithDoc(doc)
	}
	if version, ok := m["version"].(json.Number); ok {
		n, err := version.Int64()
		if err == nil {
			s = s.WithVersion(int(n))
		} else if _, err := r.otherwise("version", nil, dataf("Invalid schema version %s: it must be an integer", version)); err != nil {
			return nil, err
		}
	}
	params, _ := m["parameters"].(map[string]any)
	for k, v := range params {
		text, ok := v.(string)
		if !ok {
			return nil, dataf("Schema parameters must have string values.")
		}
		s = s.WithParameter(k, text)
	}
	return s, nil
}
