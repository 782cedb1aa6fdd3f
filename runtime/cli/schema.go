package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// schema is a part of a JSON Schema.
type schema = map[string]any

func newSchemaCommand(name string) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of a worker's YAML files, for editors",
		Long: `Prints a JSON Schema (2020-12) of YAML files with worker: and connectors:, from the
definitions of the worker's keys, of each connector, and of each transform. An editor
completes and explains keys with it; "lint" says more of what is wrong.`,
		Example: "  " + name + " schema > hydraulics.schema.json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := setupSchema()
			if err != nil {
				return err
			}
			return printJSON(cmd, s)
		},
	}
}

// setupSchema gives the schema of a whole configuration.
func setupSchema() (schema, error) {
	transforms, err := transformsSchema()
	if err != nil {
		return nil, err
	}
	c, err := connectorSchema()
	if err != nil {
		return nil, err
	}
	return schema{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"title":   "hydraulics",
		"type":    "object",
		"properties": schema{
			"worker":     schema{"type": []string{"object", "null"}, "description": "The worker's own keys, which may be nested.", "properties": properties(config.WorkerDef())},
			"connectors": schema{"type": []string{"object", "null"}, "description": "Connectors by their names.", "additionalProperties": schema{"$ref": "#/$defs/connector"}},
		},
		"$defs": schema{"connector": c, "transforms": transforms},
	}, nil
}

// connectorSchema gives the schema of a connector: its class says which keys it has.
func connectorSchema() (schema, error) {
	var classes []string
	var cases []schema
	add := func(names []string, defs ...*connector.ConfigDef) {
		keys, required := schema{}, []string{}
		for _, def := range defs {
			for name, s := range properties(def) {
				keys[name] = s
			}
			for _, k := range def.Keys() {
				// One with a dot may be nested, and the name is that of the map.
				if k.Required && k.Name != "name" && !strings.Contains(k.Name, ".") && !slices.Contains(required, k.Name) {
					required = append(required, k.Name)
				}
			}
		}
		delete(keys, "connector.class")
		keys["transforms"] = schema{"$ref": "#/$defs/transforms"}
		classes = append(classes, names...)
		cases = append(cases, schema{
			"if":   schema{"properties": schema{"connector.class": schema{"enum": names}}, "required": []string{"connector.class"}},
			"then": schema{"properties": keys, "required": required},
		})
	}
	for _, p := range listPlugins() {
		t := connector.PluginType(p.Type)
		switch {
		case p.Type == "stream":
			add([]string{p.Name}, config.StreamDef())
		case t == connector.SourceType || t == connector.SinkType:
			plugin, err := connector.Plugins.New(t, p.Name)
			if err != nil {
				return nil, err
			}
			add(append([]string{p.Name}, p.KnownAs...), config.Def(p.Type), plugin.ConfigDef())
		}
	}
	return schema{
		"type":       "object",
		"properties": schema{"connector.class": schema{"description": "Which connector it is.", "anyOf": []schema{{"enum": classes}, {"type": "string"}}}},
		"allOf":      cases,
	}, nil
}

// transformsSchema gives the schema of a list of transforms, each by its type.
func transformsSchema() (schema, error) {
	types := schema{}
	for _, p := range listPlugins() {
		if connector.PluginType(p.Type) != connector.TransformType {
			continue
		}
		plugin, err := connector.Plugins.New(connector.TransformType, p.Name)
		if err != nil {
			return nil, err
		}
		keys := properties(plugin.ConfigDef())
		keys["predicate"] = schema{"type": "string", "description": "The predicate that says to which records it applies."}
		keys["negate"] = schema{"type": []string{"boolean", "string"}, "description": "Apply it to the other records."}
		for _, name := range append([]string{p.Name}, p.KnownAs...) {
			types[name] = schema{"type": []string{"object", "null"}, "description": p.Description, "properties": keys}
		}
	}
	return schema{"description": "What is done to each record, in this order.", "anyOf": []schema{
		{"type": []string{"string", "null"}},
		{"type": "array", "items": schema{"anyOf": []schema{{"type": "string"}, {"type": "object", "properties": types}}}},
	}}, nil
}

// properties gives the schemas of keys.
func properties(def *connector.ConfigDef) schema {
	all := schema{}
	for _, k := range def.Keys() {
		s := schema{"description": k.Doc, "type": jsonTypes(k.Type)}
		if text, ok := connector.FormatValue(k.Default); ok && !k.Required {
			s["default"] = text
		}
		all[k.Name] = s
	}
	return all
}

// jsonTypes gives the types that a key may have in YAML: text in any case, which may
// refer to what is elsewhere, and a class with its keys in a map.
func jsonTypes(t connector.KeyType) []string {
	switch t {
	case connector.BooleanKey:
		return []string{"boolean", "string", "null"}
	case connector.IntKey, connector.ShortKey, connector.LongKey:
		return []string{"integer", "string", "null"}
	case connector.DoubleKey:
		return []string{"number", "string", "null"}
	case connector.ListKey:
		return []string{"array", "string", "number", "boolean", "null"}
	case connector.ClassKey:
		return []string{"string", "object", "null"}
	}
	return []string{"string", "number", "boolean", "object", "null"}
}
