package avro

import (
	"fmt"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/registry"
)

var (
	_ connector.Converter = (*Apicurio)(nil)
	_ connector.Validator = (*Apicurio)(nil)
)

func init() { connector.RegisterConverter(func() connector.Converter { return new(Apicurio) }) }

// Apicurio is the converter with the keys of Apicurio Registry's own, so that
// its files run as they are. The registry is asked over Confluent's API, which
// gives the same schemas by their content ids.
type Apicurio struct{ Converter }

const (
	apicurioURL       = "apicurio.registry.url"
	apicurioRegister  = "apicurio.registry.auto-register"
	apicurioLatest    = "apicurio.registry.find-latest"
	apicurioConfluent = "apicurio.registry.as-confluent"
	apicurioID        = "apicurio.registry.use-id"
	apicurioHeaders   = "apicurio.registry.headers.enabled"
	contentID         = "contentId"
	compatible        = "/apis/ccompat/v7" // Confluent's API of an Apicurio Registry
)

var apicurioDef = connector.NewConfigDef(
	connector.Key{Name: apicurioURL, Type: connector.StringKey, Required: true, Importance: connector.High, Check: apicurioAPI,
		Doc: "Apicurio's own API: http://host:port/apis/registry/v2 or v3."},
	connector.Key{Name: apicurioRegister, Type: connector.BooleanKey, Default: false,
		Doc: "Register the schema that a record maps to where it is new."},
	connector.Key{Name: apicurioLatest, Type: connector.BooleanKey, Default: false,
		Doc: "Write records into the newest schema of their subject."},
	connector.Key{Name: apicurioConfluent, Type: connector.BooleanKey, Default: false,
		Doc: "Ids of four bytes before the values: must be true with v2, whose own are of eight; v3 has no others."},
	connector.Key{Name: apicurioID, Type: connector.StringKey, Check: connector.Optional(connector.OneOf(contentID)),
		Doc: "Which id that is: only contentId, which must be said with v2."},
	connector.Key{Name: apicurioHeaders, Type: connector.BooleanKey, Default: false,
		Doc: "Ids in headers: only false, which must be said with v2."},
)

func apicurioAPI(_ string, value any) error {
	url, _ := value.(string)
	if root, version := apicurioParts(url); root == "" || version != "v2" && version != "v3" {
		return fmt.Errorf("want http://host:port/apis/registry/v2 or v3")
	}
	return nil
}

// apicurioParts gives what is before and after /apis/registry/.
func apicurioParts(url string) (root, version string) {
	root, version, _ = strings.Cut(strings.TrimRight(strings.TrimSpace(url), "/"), "/apis/registry/")
	return root, version
}

// Info describes the plugin.
func (*Apicurio) Info() connector.Info {
	return connector.Info{Name: "avro-apicurio", Version: Version, Class: "io.apicurio.registry.utils.converter.AvroConverter",
		Doc: "Converts to and from Avro with the keys of Apicurio Registry's converter."}
}

// ConfigDef gives Apicurio's keys.
func (*Apicurio) ConfigDef() *connector.ConfigDef { return apicurioDef }

// Validate finds settings with which ids would be others, and what is wrong with
// the registry.
func (a *Apicurio) Validate(conf connector.Config, p *connector.Problems) {
	_, version := apicurioParts(conf.String(apicurioURL))
	if version == "v2" && (!conf.Bool(apicurioConfluent) || conf.String(apicurioID) != contentID || !conf.Given(apicurioHeaders)) {
		p.Add(apicurioConfluent, "%s=true, %s=%s and %s=false are needed with v2 of the registry's API: what is Apicurio's default there, ids in headers, global ones, of eight bytes, is not understood",
			apicurioConfluent, apicurioID, contentID, apicurioHeaders)
	}
	if conf.Bool(apicurioHeaders) {
		p.Add(apicurioHeaders, "%s", connector.Invalid(apicurioHeaders, true, "ids in headers are not understood"))
	}
	own, _ := a.Converter.ConfigDef().Check(apicurioProps(conf))
	found := new(connector.Problems)
	registry.Validate(own, found)
	for _, x := range found.List() {
		p.Add(apicurioURL, "%s", x.Message)
	}
}

// apicurioProps gives a configuration in the converter's own keys.
func apicurioProps(conf connector.Config) connector.Props {
	root, _ := apicurioParts(conf.String(apicurioURL))
	return connector.Props{
		registry.KeyURL:         root + compatible,
		"auto.register.schemas": fmt.Sprint(conf.Bool(apicurioRegister)),
		"use.latest.version":    fmt.Sprint(conf.Bool(apicurioLatest)),
	}
}

// Configure reads the configuration. It does not connect.
func (a *Apicurio) Configure(c connector.Context, conf connector.Config, key bool) error {
	own, err := connector.ParsePlugin(&a.Converter, apicurioProps(conf))
	if err != nil {
		return err
	}
	return a.Converter.Configure(c, own, key)
}
