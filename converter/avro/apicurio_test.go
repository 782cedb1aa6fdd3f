package avro

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

// apicurioAt puts Confluent's API of a registry where Apicurio has it, and gives
// the URL of Apicurio's own.
func apicurioAt(t *testing.T, confluent string) string {
	t.Helper()
	to, err := url.Parse(confluent)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.StripPrefix(compatible, &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}))
	t.Cleanup(s.Close)
	return s.URL + "/apis/registry/"
}

func TestApicurio(t *testing.T) {
	confluent := registryURL(t)
	root := apicurioAt(t, confluent)
	schema := connector.StructOf("s.S", connector.F("a", connector.Int32Schema))
	value := connector.NewStruct(schema).Set("a", int32(5))
	for name, props := range map[string]connector.Props{
		"v3": {apicurioURL: root + "v3", apicurioRegister: "true"},
		"v2": {apicurioURL: root + "v2/", apicurioRegister: "true", apicurioConfluent: "true", apicurioID: contentID, apicurioHeaders: "false"},
	} {
		t.Run(name, func(t *testing.T) {
			plugin, err := connector.Plugins.New(connector.ConverterType, "io.apicurio.registry.utils.converter.AvroConverter")
			if err != nil {
				t.Fatal(err)
			}
			c := plugin.(*Apicurio)
			if err := c.Configure(connectortest.Context(t), connectortest.Configure(t, c, props), false); err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			data, err := c.FromConnect(t.Context(), "images", schema, value)
			if err != nil {
				t.Fatal(err)
			}
			// Confluent's converter reads it, and has the same subject.
			plain := configured(t, false, connector.Props{"schema.registry.url": confluent, "auto.register.schemas": "false"})
			if _, got, err := plain.ToConnect(t.Context(), "images", data); err != nil || !connector.ValuesEqual(got, value) {
				t.Errorf("%v, %v", got, err)
			}
			if again, err := plain.FromConnect(t.Context(), "images", schema, value); err != nil || !cmp.Equal(again, data) {
				t.Errorf("%v, %v, want %v", again, err, data)
			}
		})
	}
	c := new(Apicurio)
	if err := c.Configure(connectortest.Context(t), connectortest.Configure(t, c, connector.Props{apicurioURL: root + "v3"}), false); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.FromConnect(t.Context(), "new", schema, value); err == nil {
		t.Error("a schema is registered that was not to be")
	}
}

func TestApicurioValidate(t *testing.T) {
	const v2, v3 = "http://r:1/apis/registry/v2", "http://r:1/apis/registry/v3"
	tests := []struct {
		name  string
		props connector.Props
		want  string
	}{
		{"v3", connector.Props{apicurioURL: v3}, ""},
		{"v2 with Confluent's ids", connector.Props{apicurioURL: v2, apicurioConfluent: "true", apicurioID: contentID, apicurioHeaders: "false"}, ""},
		{"v2 with its own ids", connector.Props{apicurioURL: v2, apicurioHeaders: "false"}, "apicurio.registry.as-confluent=true, apicurio.registry.use-id=contentId and apicurio.registry.headers.enabled=false are needed with v2"},
		{"v2 with global ids", connector.Props{apicurioURL: v2, apicurioConfluent: "true", apicurioHeaders: "false"}, "are needed with v2"},
		{"v2 with ids in headers, as it is by default", connector.Props{apicurioURL: v2, apicurioConfluent: "true", apicurioID: contentID}, "are needed with v2"},
		{"global ids", connector.Props{apicurioURL: v3, apicurioID: "globalId"}, "configuration apicurio.registry.use-id: "},
		{"headers", connector.Props{apicurioURL: v3, apicurioHeaders: "true"}, "ids in headers are not understood"},
		{"another API", connector.Props{apicurioURL: "http://r:1"}, "want http://host:port/apis/registry/v2 or v3"},
		{"another protocol", connector.Props{apicurioURL: "ftp://r:1/apis/registry/v3"}, "must be http://host:port"},
		{"none", connector.Props{}, "apicurio.registry.url"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := connector.ParsePlugin(new(Apicurio), tt.props)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
	connectortest.Plugin(t, new(Apicurio))
}
