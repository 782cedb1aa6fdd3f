package rest

import (
	"net/http"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/version"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// pluginBody has Kafka Connect's fields and no other: clients that know these
// three refuse a list with more.
type pluginBody struct {
	Class   string `json:"class"`
	Type    string `json:"type"`
	Version string `json:"version,omitempty"`
}

// pluginTypes are the types in the order of the list, in the API's words.
var pluginTypes = []struct {
	of   connector.PluginType
	word string
}{
	{connector.SinkType, "sink"}, {connector.SourceType, "source"}, {connector.TransformType, "transformation"},
	{connector.PredicateType, "predicate"}, {connector.ConverterType, "converter"}, {connector.HeaderConverterType, "header_converter"},
}

func getPlugins(s *Server, r request) (answer, error) {
	only := strings.TrimSpace(r.URL.Query().Get("connectorsOnly"))
	all := only != "" && !strings.EqualFold(only, "true") // as in Java nothing is the default, which is true
	list := []pluginBody{{Class: config.StreamClass, Type: "sink", Version: config.Version}}
	for _, t := range pluginTypes {
		if !all && t.of != connector.SinkType && t.of != connector.SourceType {
			continue
		}
		var some []pluginBody
		for _, i := range s.o.Herder.Validator().Plugins.List(t.of) {
			if strings.HasPrefix(i.Class, "org.apache.kafka.connect.tools.") {
				continue // for tests of a worker: Kafka Connect does not list them either
			}
			some = append(some, pluginBody{Class: config.ClassName(i), Type: t.word, Version: i.Version})
		}
		slices.SortFunc(some, func(a, b pluginBody) int { return strings.Compare(a.Class, b.Class) })
		list = append(list, some...)
	}
	return answer{status: http.StatusOK, body: list}, nil
}

// definitionBody is one key of a definition.
type definitionBody struct {
	Name       string   `json:"name"`
	Type       string   `json:"type"`
	Required   bool     `json:"required"`
	Default    *string  `json:"default_value"`
	Importance string   `json:"importance"`
	Doc        string   `json:"documentation"`
	Group      *string  `json:"group"`
	Order      int      `json:"order_in_group"`
	Width      string   `json:"width"`
	Display    string   `json:"display_name"`
	Dependents []string `json:"dependents"`
}

func definition(k connector.Key) definitionBody {
	d := definitionBody{Name: k.Name, Type: string(k.Type), Required: k.Required, Importance: string(k.Importance),
		Doc: k.Doc, Order: k.Order, Width: k.Width, Display: k.DisplayName, Dependents: k.Dependents}
	if text, ok := connector.FormatValue(k.Default); ok && !k.Required {
		d.Default = &text
	}
	if k.Group != "" {
		d.Group = &k.Group
	}
	if d.Dependents == nil {
		d.Dependents = []string{}
	}
	return d
}

// configProviders are Kafka's classes that are plugins of another sort.
var configProviders = []string{"FileConfigProvider", "DirectoryConfigProvider", "EnvVarConfigProvider"}

// undefined are Java's converters that define no keys: asked for by their class
// the answer is theirs, by our names, such as avro, it is what there is.
var undefined = []string{"AvroConverter", "ProtobufConverter", "JsonSchemaConverter"}

func getPluginConfig(s *Server, r request) (answer, error) {
	name := r.args[0]
	required, err := requiredVersion(r)
	if err != nil {
		return answer{}, err
	}
	list := []definitionBody{}
	if strings.EqualFold(name, config.StreamClass) {
		if err := config.OtherVersion(connector.Info{Name: config.StreamClass, Version: config.Version}, required); err != nil {
			return answer{}, failed(http.StatusBadRequest, "%v", err)
		}
		for _, k := range config.StreamDef().Keys() {
			list = append(list, definition(k))
		}
		return answer{status: http.StatusOK, body: list}, nil
	}
	plugins := s.o.Herder.Validator().Plugins
	for _, t := range pluginTypes {
		i, ok := plugins.Lookup(t.of, name)
		if !ok {
			continue
		}
		if err := config.OtherVersion(i, required); err != nil {
			return answer{}, failed(http.StatusBadRequest, "%v", err)
		}
		p, err := plugins.New(t.of, name)
		if err != nil {
			return answer{}, err
		}
		if slices.Contains(undefined, name[strings.LastIndexByte(name, '.')+1:]) {
			return answer{status: http.StatusOK, body: list}, nil
		}
		for _, k := range p.ConfigDef().Keys() {
			if !k.Extension {
				list = append(list, definition(k))
			}
		}
		if t.of == connector.SinkType || t.of == connector.SourceType {
			list = append(list, frame(t.word, i, list)...)
		}
		return answer{status: http.StatusOK, body: list}, nil
	}
	if short := name[strings.LastIndexByte(name, '.')+1:]; slices.Contains(configProviders, short) {
		return answer{}, failed(http.StatusBadRequest, "Invalid plugin class %s. Valid types are sink, source, converter, header_converter, transformation, predicate.", name)
	}
	return answer{}, failed(http.StatusNotFound, "Unknown plugin %s.", name)
}

// requiredVersion gives what version of a plugin is asked for.
func requiredVersion(r request) (version.Range, error) {
	if !r.URL.Query().Has("version") {
		return version.Range{}, nil
	}
	text := r.URL.Query().Get("version")
	required, err := version.Requirement(text)
	if err != nil {
		err = failed(http.StatusBadRequest, "Invalid version specification: %s", text)
	}
	return required, err
}

// frame gives the framework's keys of a source or sink that the plugin does
// not define itself, as Kafka Connect knows them.
func frame(kind string, i connector.Info, own []definitionBody) []definitionBody {
	var list []definitionBody
	for _, k := range config.Def(kind).Keys() {
		if config.Ours(kind, k.Name) || slices.ContainsFunc(own, func(d definitionBody) bool { return d.Name == k.Name }) {
			continue
		}
		if k.Name == "connector.plugin.version" {
			k.Default = i.Version
		}
		list = append(list, definition(k))
	}
	return list
}

type valueBody struct {
	Name        string   `json:"name"`
	Value       *string  `json:"value"`
	Recommended []string `json:"recommended_values"`
	Errors      []string `json:"errors"`
	// Codes has one of each error for those who ask for them: clients in Java refuse
	// fields that they do not know.
	Codes   []string `json:"codes,omitempty"`
	Visible bool     `json:"visible"`
}

// code adds the codes of the errors.
func (b *valueBody) code() {
	for _, e := range b.Errors {
		b.Codes = append(b.Codes, config.CodeOf(e))
	}
}

type checkBody struct {
	Definition *definitionBody `json:"definition"`
	Value      valueBody       `json:"value"`
}

type reportBody struct {
	Name    string      `json:"name"`
	Errors  int         `json:"error_count"`
	Groups  []string    `json:"groups"`
	Configs []checkBody `json:"configs"`
}

func putValidate(s *Server, r request) (answer, error) {
	var in props
	if err := read(r, &in); err != nil {
		return answer{}, err
	}
	v := s.o.Herder.Validator()
	class, given := connector.Props(in).Text("connector.class")
	if given && !sameClass(v, class, r.args[0]) {
		return answer{}, failed(http.StatusBadRequest, "Included connector type %s does not match request type %s", class, r.args[0])
	}
	r.stage("validating a configuration of %s", class)
	report, err := v.Validate(connector.Props(in), config.OriginOf(r.Context()))
	if err != nil {
		// Kafka Connect's answer to this one call: clients know the text with the prefix.
		return answer{}, failed(http.StatusInternalServerError, "org.apache.kafka.connect.runtime.rest.errors.BadRequestException: %v", err)
	}
	b := reportBody{Name: class, Errors: report.Errors(), Groups: report.Groups, Configs: []checkBody{}}
	counted := 0
	for _, c := range report.Checks {
		counted += len(c.Value.Errors)
		if _, given := in[c.Def.Name]; c.Def.Extension && !given {
			continue
		}
		b.Configs = append(b.Configs, check(c))
	}
	for _, p := range report.Problems()[counted:] { // of keys that nobody defines
		b.Configs = append(b.Configs, checkBody{Value: valueBody{Name: p.Key, Recommended: []string{}, Errors: []string{p.Message}, Visible: true}})
	}
	if flag(r, "codes") {
		for i := range b.Configs {
			b.Configs[i].Value.code()
		}
	}
	return answer{status: http.StatusOK, body: b}, nil
}

// sameClass tells whether a configuration's class is the one of the path.
func sameClass(v *config.Validator, class, path string) bool {
	if strings.TrimSpace(class) == path {
		return true
	}
	kind, a, errA := v.Kind(class)
	other, b, errB := v.Kind(path)
	return errA == nil && errB == nil && kind == other && a.Name == b.Name
}

func check(c config.Check) checkBody {
	d := definition(c.Def)
	b := checkBody{Definition: &d, Value: valueBody{Name: c.Def.Name, Recommended: []string{}, Errors: []string{}, Visible: c.Value.Visible}}
	if text, ok := c.Text(); ok {
		b.Value.Value = &text
	}
	for _, x := range c.Value.Recommended {
		if text, ok := connector.FormatValue(x); ok {
			b.Value.Recommended = append(b.Value.Recommended, text)
		}
	}
	b.Value.Errors = append(b.Value.Errors, c.Value.Errors...)
	return b
}
