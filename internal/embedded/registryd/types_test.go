package registryd

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

const (
	protoPoint    = "syntax = \"proto3\";\nmessage P {\n  int32 x = 1;\n}\n"
	protoPointY   = "syntax = \"proto3\";\nmessage P {\n  int32 x = 1;\n  int32 y = 2;\n}\n"
	protoPointBad = "syntax = \"proto3\";\nmessage P {\n  string x = 1;\n}\n"
	ofProtobuf    = `,"schemaType":"PROTOBUF"`

	jsonPoint    = `{"type":"object","additionalProperties":false,"properties":{"x":{"type":"integer"}}}`
	jsonPointY   = `{"type":"object","additionalProperties":false,"properties":{"x":{"type":"integer"},"y":{"type":"integer"}}}`
	jsonPointBad = `{"type":"object","additionalProperties":false,"properties":{"x":{"type":"string"}}}`
	ofJSON       = `,"schemaType":"JSON"`
)

// TestTypes registers each type and asks what it is compatible with.
func TestTypes(t *testing.T) {
	for name, c := range map[string]struct{ of, first, second, bad, broken, spaced string }{
		"Protobuf":    {ofProtobuf, protoPoint, protoPointY, protoPointBad, `syntax = "proto3"; message P { Nothing x = 1; }`, "syntax='proto3'; /* a comment */ message P { int32 x=1; }"},
		"JSON Schema": {ofJSON, jsonPoint, jsonPointY, jsonPointBad, `{"type":"thing"}`, strings.ReplaceAll(jsonPoint, ":", " : ")},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, new(MemoryLog))
			for i, step := range []struct {
				request string
				status  int
				want    string
			}{
				{"POST /subjects/a/versions " + schemaBody(c.first, c.of), 200, `{"id":1}`},
				{"POST /subjects/a/versions " + schemaBody(c.spaced, c.of), 200, `{"id":1}`},
				{"POST /subjects/b/versions " + schemaBody(c.first, c.of), 200, `{"id":1}`},
				{"POST /subjects/a/versions " + schemaBody(c.bad, c.of), 409, `{"error_code":409,`},
				{"POST /subjects/a/versions " + schemaBody(c.broken, c.of), 422, `{"error_code":42201,`},
				{"POST /subjects/a/versions " + schemaBody(`"string"`), 409, `{"error_code":409,`},
				{"POST /subjects/a/versions " + schemaBody(c.second, c.of), 200, `{"id":2}`},
				{"POST /subjects/a " + schemaBody(c.first, c.of), 200, `{"subject":"a","version":1,"id":1,"schemaType":`},
				{"POST /subjects/a " + schemaBody(c.bad, c.of), 404, `{"error_code":40403,`},
				{"GET /schemas/ids/2", 200, `{"schemaType":`},
				{"GET /subjects/a/versions/latest", 200, `{"subject":"a","version":2,"id":2,"schemaType":`},
			} {
				if status, got := ask(t, s, step.request); status != step.status || !strings.HasPrefix(got, step.want) {
					t.Errorf("%d: %s\ngot  %d %s\nwant %d %s", i, step.request, status, got, step.status, step.want)
				}
			}
			for level, want := range map[string]map[string]bool{
				"BACKWARD": {c.first: true, c.second: true, c.bad: false}, "FORWARD_TRANSITIVE": {c.second: c.of == ofProtobuf, c.bad: false},
				"FULL": {c.bad: false}, "NONE": {c.bad: true},
			} {
				ask(t, s, `PUT /config/a {"compatibility":"`+level+`"}`)
				for schema, ok := range want {
					if c.of == ofJSON && schema == c.first {
						continue // which refuses y
					}
					if _, got := ask(t, s, "POST /compatibility/subjects/a/versions "+schemaBody(schema, c.of)); got != fmt.Sprintf(`{"is_compatible":%t}`, ok) {
						t.Errorf("%s: %s is %s", level, schema, got)
					}
				}
			}
		})
	}
}

// TestNormalize finds a schema that says the same in another order.
func TestNormalize(t *testing.T) {
	for name, c := range map[string]struct{ of, first, turned string }{
		"Protobuf":    {ofProtobuf, protoPointY, "syntax = \"proto3\";\nmessage P {\n  int32 y = 2;\n  int32 x = 1;\n}\n"},
		"JSON Schema": {ofJSON, jsonPointY, `{"additionalProperties":false,"type":"object","properties":{"y":{"type":"integer"},"x":{"type":"integer"}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, new(MemoryLog))
			ask(t, s, "POST /subjects/a/versions "+schemaBody(c.first, c.of))
			if _, got := ask(t, s, "POST /subjects/a?normalize=true "+schemaBody(c.turned, c.of)); !strings.HasPrefix(got, `{"subject":"a","version":1,`) {
				t.Errorf("looked up: %s", got)
			}
			if _, got := ask(t, s, "POST /subjects/a/versions?normalize=true "+schemaBody(c.turned, c.of)); got != `{"id":1}` {
				t.Errorf("normalized: %s", got)
			}
			if _, got := ask(t, s, "POST /subjects/a/versions "+schemaBody(c.turned, c.of)); got != `{"id":2}` {
				t.Errorf("as it is: %s", got)
			}
		})
	}
}

func TestReferencesOfTypes(t *testing.T) {
	for name, c := range map[string]struct{ of, name, inner, outer string }{
		"Protobuf": {ofProtobuf, "in/ner.proto", `syntax = "proto3"; package n; message Inner { int32 a = 1; }`,
			`syntax = "proto3"; import "in/ner.proto"; import "google/protobuf/timestamp.proto"; message Outer { n.Inner in = 1; google.protobuf.Timestamp t = 2; }`},
		"JSON Schema": {ofJSON, "inner.json", `{"type":"object"}`, `{"type":"object","properties":{"in":{"$ref":"inner.json"}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			log := new(MemoryLog)
			s := serve(t, log)
			ask(t, s, "POST /subjects/inner/versions "+schemaBody(c.inner, c.of))
			refs := `,"references":[{"name":"` + c.name + `","subject":"inner","version":1}]`
			if _, got := ask(t, s, "POST /subjects/outer/versions "+schemaBody(c.outer, c.of, refs)); got != `{"id":2}` {
				t.Fatal(got)
			}
			if status, got := ask(t, s, "POST /subjects/outer/versions "+schemaBody(c.outer, c.of)); status != 422 {
				t.Errorf("without its reference: %s", got)
			}
			s.Stop()
			if status, got := ask(t, serve(t, log), "GET /schemas/ids/2"); status != 200 || !strings.Contains(got, `"name":"`+c.name+`"`) {
				t.Errorf("after a restart: %s", got)
			}
		})
	}
}

// TestDescriptors takes descriptors from clients that have no .proto file, gives
// the text, and gives descriptors to those who ask.
func TestDescriptors(t *testing.T) {
	s := serve(t, new(MemoryLog))
	raw, err := proto.Marshal(&descriptorpb.FileDescriptorProto{Name: proto.String("p.proto"), Syntax: proto.String("proto3"), MessageType: []*descriptorpb.DescriptorProto{
		{Name: proto.String("P"), Field: []*descriptorpb.FieldDescriptorProto{{Name: proto.String("x"), Number: proto.Int32(1),
			Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(), Type: descriptorpb.FieldDescriptorProto_TYPE_INT32.Enum()}}}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, got := ask(t, s, "POST /subjects/a/versions "+schemaBody(base64.StdEncoding.EncodeToString(raw), ofProtobuf)); got != `{"id":1}` {
		t.Fatal(got)
	}
	if _, got := ask(t, s, "POST /subjects/a/versions "+schemaBody(protoPoint, ofProtobuf)); got != `{"id":1}` {
		t.Errorf("the same as text: %s", got)
	}
	text := func(path string) string {
		_, got := ask(t, s, "GET "+path)
		var answer struct{ Schema string }
		if err := json.Unmarshal([]byte(got), &answer); err != nil {
			t.Fatal(err)
		}
		return answer.Schema
	}
	if got := text("/schemas/ids/1"); !strings.Contains(got, "int32 x = 1;") {
		t.Errorf("as text: %s", got)
	}
	for _, path := range []string{"/schemas/ids/1?format=serialized", "/subjects/a/versions/1?format=serialized"} {
		file := new(descriptorpb.FileDescriptorProto)
		back, err := base64.StdEncoding.DecodeString(text(path))
		if err == nil {
			err = proto.Unmarshal(back, file)
		}
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff("P", file.GetMessageType()[0].GetName()); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}
