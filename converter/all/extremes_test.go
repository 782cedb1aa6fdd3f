package all_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	_ "github.com/axiom-data-science/hydraulics/converter/all"
	"github.com/axiom-data-science/hydraulics/internal/test/registrytest"
)

// nested is a struct in a struct, and so on.
func nested(depth int) (*connector.Schema, any) {
	schema := connector.StructOf("deep.Leaf", connector.F("n", connector.Int32Schema))
	value := connector.NewStruct(schema).Set("n", int32(7))
	for i := range depth - 1 {
		schema = connector.StructOf(fmt.Sprint("deep.Level", i), connector.F("inner", schema))
		value = connector.NewStruct(schema).Set("inner", value)
	}
	return schema, value
}

// wide is a struct of many fields.
func wide(fields int) (*connector.Schema, any) {
	list := make([]connector.Field, fields)
	for i := range list {
		list[i] = connector.F(fmt.Sprint("field_", i), connector.OptionalStringSchema)
	}
	schema := connector.StructOf("wide.Row", list...)
	value := connector.NewStruct(schema)
	for i := range fields {
		value.Set(fmt.Sprint("field_", i), strings.Repeat("x", i%50))
	}
	return schema, value
}

// cases is a struct whose fields differ in case alone.
func cases() (*connector.Schema, any) {
	schema := connector.StructOf("cased.Row", connector.F("name", connector.StringSchema), connector.F("Name", connector.StringSchema), connector.F("NAME", connector.StringSchema))
	return schema, connector.NewStruct(schema).Set("name", "a").Set("Name", "b").Set("NAME", "c")
}

func open(t *testing.T, name, url string) connector.Converter {
	t.Helper()
	p, err := connector.Plugins.New(connector.ConverterType, name)
	if err != nil {
		t.Fatal(err)
	}
	if name == "json" {
		url = ""
	}
	props := connector.Props{}
	if url == "" {
		props["converter.type"] = "value"
	}
	return registrytest.Configure(t, p.(connector.Converter), url, props)
}

// Schemas that are deep, wide, or have names that differ in case alone come back
// as they went in.
func TestSchemasOfExtremes(t *testing.T) {
	url := registrytest.URL(t)
	for name, make := range map[string]func() (*connector.Schema, any){
		"200 deep":    func() (*connector.Schema, any) { return nested(200) },
		"2000 fields": func() (*connector.Schema, any) { return wide(2000) },
		"cases":       cases,
	} {
		for _, class := range []string{"avro", "json", "json-schema", "protobuf"} {
			t.Run(name+" "+class, func(t *testing.T) {
				schema, value := make()
				topic := strings.ReplaceAll(name, " ", "-") + class
				data, err := open(t, class, url).FromConnect(t.Context(), topic, schema, value)
				if name == "200 deep" && class == "protobuf" {
					if err == nil || connector.KindOf(err) != connector.KindData || !strings.HasPrefix(err.Error(), "structs are nested more than 100 deep") {
						t.Errorf("%v", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				_, back, err := open(t, class, url).ToConnect(t.Context(), topic, data) // another one, which has seen nothing
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(registrytest.Plain(value), registrytest.Plain(back)); d != "" {
					t.Error(d[:min(len(d), 2000)])
				}
			})
		}
	}
}

// What a registry may answer in place of the schema: only what it says of the
// schema itself condemns a record, and every error names the registry or the
// schema.
func TestRegistryThatLies(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		kind   connector.Kind
		want   string
	}{
		"500":            {500, `{"error_code":50001,"message":"Error in the backend data store"}`, connector.KindRetriable, "schema 7: Error in the backend data store (error code 50001)"},
		"502 HTML":       {502, "<html>Bad Gateway</html>", connector.KindRetriable, "schema 7: 502 Bad Gateway"},
		"200 HTML":       {200, "<html>Welcome</html>", connector.KindFatal, "is this a schema registry?"},
		"404 HTML":       {404, "<html>Not Found</html>", connector.KindFatal, "is this a schema registry?"},
		"unknown id":     {404, `{"error_code":40403,"message":"Schema 7 not found"}`, connector.KindData, "schema 7: Schema 7 not found (error code 40403)"},
		"another type":   {200, `{"schema":"x","schemaType":"OTHER"}`, connector.KindData, "schema 7: its type is OTHER, expected "},
		"no schema":      {200, `{"schema":"{ this is none","schemaType":"TYPE"}`, connector.KindData, "schema 7: "},
		"another schema": {200, "", connector.KindData, ""},
	} {
		for class, typ := range map[string]string{"avro": "AVRO", "json-schema": "JSON", "protobuf": "PROTOBUF"} {
			t.Run(name+" "+class, func(t *testing.T) {
				another := map[string]string{"avro": `{"schema":"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":{\"type\":\"array\",\"items\":\"long\"}}]}"}`,
					"json-schema": `{"schemaType":"JSON","schema":"{\"type\":\"object\",\"required\":[\"b\"],\"properties\":{\"b\":{\"type\":\"integer\"}}}"}`,
					"protobuf":    `{"schemaType":"PROTOBUF","schema":"syntax = \"proto3\"; message R { message Inner { string s = 1; } Inner x = 1; }"}`}
				body := strings.ReplaceAll(c.body, "TYPE", typ)
				if body == "" {
					body = another[class]
				}
				s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.WriteHeader(c.status)
					_, _ = w.Write([]byte(body))
				}))
				t.Cleanup(s.Close)
				data := map[string][]byte{"avro": {0, 0, 0, 0, 7, 6, 2}, "json-schema": []byte("\x00\x00\x00\x00\x07[1]"), "protobuf": {0, 0, 0, 0, 7, 0, 10, 3, 10, 9, 1}}[class]
				_, v, err := open(t, class, s.URL).ToConnect(t.Context(), "topic", data)
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Fatalf("%v, %v, want %q", v, err, c.want)
				}
				if kind := connector.KindOf(err); kind != c.kind && !(c.kind == connector.KindData && kind == connector.KindUnmarked) {
					t.Errorf("%v is %v, want %v", err, kind, c.kind)
				}
			})
		}
	}
}
