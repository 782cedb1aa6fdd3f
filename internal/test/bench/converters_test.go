package bench

import (
	"bytes"
	"encoding/json"
	"testing"

	tw "github.com/twmb/avro"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/converter/avro"
	"github.com/axiom-data-science/hydraulics/converter/jsonschema"
	"github.com/axiom-data-science/hydraulics/converter/protobuf"
	protobufschema "github.com/axiom-data-science/hydraulics/internal/protobuf"
	"github.com/axiom-data-science/hydraulics/internal/registry"
	"github.com/axiom-data-science/hydraulics/internal/test/registrytest"
	"github.com/axiom-data-science/hydraulics/transforms/ifcbstats"
)

// library is a plain library that reads and writes the same bytes.
type library interface {
	write() ([]byte, error)
	read(data []byte) error
}

// BenchmarkConverters measures the converters with a registry on the statistics
// record of ten fields, and beside each a plain library: from the values of the
// fields to bytes, and back to those.
func BenchmarkConverters(b *testing.B) {
	values := map[string]any{"time": int32(1564349199), "ifcb_id": "IFCB104", "roi": int32(1841), "name": "Pseudo-nitzschia", "classifier": "ifcb-2026:3",
		"prob": float32(0.875), "classification_time": int32(1764349199), "biovolume": float32(1234.5), "carbon": float32(98.25), "hab": true}
	record := connector.NewStruct(ifcbstats.ValueSchema)
	for name, v := range values {
		record.Set(name, v)
	}
	for _, c := range []struct {
		name    string
		conv    connector.Converter
		typ     registry.Type
		prefix  int // before what a library knows
		library func(b *testing.B, schema string) library
	}{
		{"avro", new(avro.Converter), registry.Avro, 5, func(b *testing.B, schema string) library {
			s, err := tw.Parse(schema)
			check(b, err)
			return &avroLibrary{s, values}
		}},
		{"protobuf", new(protobuf.Converter), registry.Protobuf, 6, func(b *testing.B, schema string) library {
			file, err := protobufschema.Parse(schema)
			check(b, err)
			return &protobufLibrary{file.Messages().Get(0), values}
		}},
		{"json-schema", new(jsonschema.Converter), registry.JSON, 5, func(*testing.B, string) library { return jsonLibrary{values} }},
	} {
		b.Run(c.name, func(b *testing.B) {
			url := registrytest.URL(b)
			conv := registrytest.Configure(b, c.conv, url, nil)
			data, err := conv.FromConnect(b.Context(), "stats", ifcbstats.ValueSchema, record)
			check(b, err)
			schema, err := registrytest.Client(b, url, c.typ).Latest(b.Context(), "stats-value")
			check(b, err)
			lib := c.library(b, schema.Text)
			if plain, err := lib.write(); err != nil || c.typ != registry.JSON && !bytes.Equal(plain, data[c.prefix:]) {
				b.Fatalf("the library writes %x, %v, the converter %x", plain, err, data[c.prefix:])
			}
			run := func(name string, one func() error) {
				b.Run(name, func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						check(b, one())
					}
				})
			}
			run("write", func() error {
				_, err := conv.FromConnect(b.Context(), "stats", ifcbstats.ValueSchema, record)
				return err
			})
			run("write-library", func() error {
				_, err := lib.write()
				return err
			})
			run("read", func() error {
				_, _, err := conv.ToConnect(b.Context(), "stats", data)
				return err
			})
			run("read-library", func() error { return lib.read(data[c.prefix:]) })
		})
	}
}

type avroLibrary struct {
	schema *tw.Schema
	values map[string]any
}

func (l *avroLibrary) write() ([]byte, error) { return l.schema.Encode(l.values) }

func (l *avroLibrary) read(data []byte) error {
	var v any
	_, err := l.schema.Decode(data, &v)
	return err
}

type protobufLibrary struct {
	message protoreflect.MessageDescriptor
	values  map[string]any
}

func (l *protobufLibrary) write() ([]byte, error) {
	m := dynamicpb.NewMessage(l.message)
	for i := range l.message.Fields().Len() {
		f := l.message.Fields().Get(i)
		m.Set(f, protoreflect.ValueOf(l.values[string(f.Name())]))
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(m)
}

func (l *protobufLibrary) read(data []byte) error {
	m := dynamicpb.NewMessage(l.message)
	if err := proto.Unmarshal(data, m); err != nil {
		return err
	}
	values := make([]any, l.message.Fields().Len())
	for i := range values {
		values[i] = m.Get(l.message.Fields().Get(i)).Interface()
	}
	return nil
}

type jsonLibrary struct{ values map[string]any }

func (l jsonLibrary) write() ([]byte, error) { return json.Marshal(l.values) }

func (jsonLibrary) read(data []byte) error {
	var v any
	return json.Unmarshal(data, &v)
}
