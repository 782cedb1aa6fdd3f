package registryd

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/twmb/avro"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/axiom-data-science/hydraulics/internal/data/wholejson"
	"github.com/axiom-data-science/hydraulics/internal/jsonschema"
	"github.com/axiom-data-science/hydraulics/internal/protobuf"
)

// The types of schemas, as the API names them.
const (
	typeAvro     = "AVRO"
	typeJSON     = "JSON"
	typeProtobuf = "PROTOBUF"
)

// formats read the schemas of each type.
var formats = map[string]func(text string, references []referred) (parsed, error){
	typeAvro: parseAvro, typeJSON: parseJSON, typeProtobuf: parseProtobuf,
}

// referred is a schema that another refers to, by the name that it has there.
type referred struct{ name, text string }

// parsed is a schema that was read.
type parsed interface {
	// identity tells schemas apart by what they say; normalized ones also where
	// what they say stands in another order.
	identity(normalized bool) any
	// text is what is kept of a schema's text.
	text() string
	// cannotRead says in words why data of another schema of the same type
	// cannot be read with this one.
	cannotRead(writer parsed) []string
	// serialized is the text that is given to clients who ask for the format of
	// that name.
	serialized() (string, error)
}

// identityOf tells schemas apart, with their types and what they refer to.
func identityOf(kind string, p parsed, references []Reference, normalized bool) [sha256.Size]byte {
	if len(references) == 0 {
		references = nil
	}
	canonical, err := json.Marshal([]any{kind, p.identity(normalized), references})
	if err != nil {
		canonical = []byte(p.text()) // JSON that was just read can be written
	}
	return sha256.Sum256(canonical)
}

type avroSchema struct {
	schema *avro.Schema
	source string
}

func parseAvro(text string, references []referred) (parsed, error) {
	var cache avro.SchemaCache
	for _, r := range references {
		if _, err := cache.Parse(r.text); err != nil {
			return nil, fmt.Errorf("reference %s: %w", r.name, err)
		}
	}
	schema, err := cache.Parse(text)
	return avroSchema{schema, text}, err
}

// identity is the schema without white space, order of keys and {"type":"int"}
// for "int". A text that is no JSON is a name.
func (a avroSchema) identity(bool) any {
	v, err := decoded(a.source)
	if err != nil {
		return a.source
	}
	return simplify(v)
}

func (a avroSchema) text() string                { return compact(a.source) }
func (a avroSchema) serialized() (string, error) { return a.text(), nil }

func (a avroSchema) cannotRead(writer parsed) []string {
	if err := avro.CheckCompatibility(writer.(avroSchema).schema, a.schema); err != nil {
		return []string{trimAvro(err)}
	}
	return nil
}

type jsonSchema struct {
	schema *jsonschema.Schema
	source string
}

func parseJSON(text string, references []referred) (parsed, error) {
	list := make([]jsonschema.Reference, len(references))
	for i, r := range references {
		list[i] = jsonschema.Reference{Name: r.name, Text: r.text}
	}
	schema, err := jsonschema.Parse(text, list...)
	if err != nil {
		return nil, err
	}
	if _, err := jsonschema.Compile(text, list...); err != nil {
		return nil, err
	}
	return jsonSchema{schema, text}, nil
}

// identity is the schema without white space, normalized also without the order of keys.
func (j jsonSchema) identity(normalized bool) any {
	if !normalized {
		return j.text()
	}
	v, err := decoded(j.source)
	if err != nil {
		return j.source
	}
	return v
}

func (j jsonSchema) text() string                { return compact(j.source) }
func (j jsonSchema) serialized() (string, error) { return j.text(), nil }

func (j jsonSchema) cannotRead(writer parsed) []string {
	return jsonschema.Incompatibilities(writer.(jsonSchema).schema, j.schema)
}

type protobufSchema struct {
	file   protoreflect.FileDescriptor
	source string
}

func parseProtobuf(text string, references []referred) (parsed, error) {
	list := make([]protobuf.Import, len(references))
	for i, r := range references {
		list[i] = protobuf.Import{Path: r.name, Text: r.text}
	}
	file, err := protobuf.Parse(text, list...)
	if err != nil {
		return nil, err
	}
	source, err := protobuf.Text(text, file)
	return protobufSchema{file, source}, err
}

func (p protobufSchema) identity(normalized bool) any {
	sum, err := protobuf.Identity(p.file, normalized)
	if err != nil {
		return p.source
	}
	return sum[:]
}

func (p protobufSchema) text() string                { return p.source }
func (p protobufSchema) serialized() (string, error) { return protobuf.Serialized(p.file) }

func (p protobufSchema) cannotRead(writer parsed) []string {
	return protobuf.Incompatibilities(writer.(protobufSchema).file, p.file)
}

func decoded(text string) (v any, err error) {
	err = wholejson.Unmarshal([]byte(text), &v)
	return v, err
}

// simplify gives what an Avro schema says in its shortest form.
func simplify(v any) any {
	switch x := v.(type) {
	case map[string]any:
		if name, ok := x["type"].(string); ok && len(x) == 1 {
			return name
		}
		for k, e := range x {
			x[k] = simplify(e)
		}
	case []any:
		for i, e := range x {
			x[i] = simplify(e)
		}
	}
	return v
}

// compact takes the white space out of a JSON text.
func compact(text string) string {
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		return text
	}
	return b.String()
}
