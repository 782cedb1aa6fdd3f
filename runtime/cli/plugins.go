package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/internal/client"
	"github.com/axiom-data-science/hydraulics/runtime/internal/steer"
)

var pluginTypes = []connector.PluginType{connector.SourceType, connector.SinkType, connector.TransformType,
	connector.PredicateType, connector.ConverterType, connector.HeaderConverterType}

// workerKeys is the name by which "plugins" knows the worker itself.
const workerKeys = "worker"

// pluginInfo is a plugin, a stream, or the worker itself, as a user sees it.
type pluginInfo struct {
	Type        string     `json:"type"`
	Name        string     `json:"name"`
	Version     string     `json:"version"`
	Description string     `json:"description"`
	KnownAs     []string   `json:"known_as"`
	Keys        []keyGroup `json:"keys,omitempty"`
}

// keyGroup is keys with one reason to be there.
type keyGroup struct {
	Of   string    `json:"of"` // whose they are
	Keys []keyInfo `json:"keys"`
}

// keyInfo is a key, or a family of keys, whose name ends in a star.
type keyInfo struct {
	Name        string  `json:"name"`
	Type        string  `json:"type,omitempty"`
	Required    bool    `json:"required"`
	Default     *string `json:"default"`
	Importance  string  `json:"importance,omitempty"`
	Description string  `json:"description"`
}

func newPluginsCommand() *cobra.Command {
	var form form
	c := &cobra.Command{
		Use:   "plugins [NAME]",
		Short: "List the plugins of this worker, or the keys of one, or of the worker itself",
		Long: `Lists the sources, sinks, transforms, predicates and converters that are part of
this program. With a NAME it lists the keys of that plugin, and of connectors
those that the worker adds; "worker" lists the keys of the worker itself.`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completePlugins,
		RunE: func(cmd *cobra.Command, args []string) error {
			found := listPlugins()
			if len(args) == 1 {
				var err error
				if found, err = describe(cmd, args[0]); err != nil {
					return err
				}
			}
			switch {
			case form.json:
				return printJSON(cmd, found)
			case len(args) == 1:
				return printKeys(cmd.OutOrStdout(), found)
			}
			return printPlugins(cmd.OutOrStdout(), found)
		},
	}
	form.addTo(c)
	c.AddCommand(steer.PluginCommands(catalogue{c})...)
	return c
}

// catalogue is the program's own plugins as a worker tells of its.
type catalogue struct{ cmd *cobra.Command }

// Plugins gives the plugins.
func (catalogue) Plugins(context.Context) ([]client.Plugin, error) {
	list := []client.Plugin{}
	for _, p := range listPlugins() {
		class := p.Name
		if i, ok := connector.Plugins.Lookup(connector.PluginType(p.Type), p.Name); ok {
			class = config.ClassName(i)
		}
		list = append(list, client.Plugin{Type: p.Type, Class: class, Version: p.Version})
	}
	return list, nil
}

// Keys gives the keys of a plugin, and those that the worker adds.
func (c catalogue) Keys(_ context.Context, plugin string) ([]client.Key, error) {
	found, err := describe(c.cmd, plugin)
	if err != nil {
		return nil, err
	}
	list := []client.Key{}
	for _, p := range found {
		for _, g := range p.Keys {
			for _, k := range g.Keys {
				list = append(list, client.Key{Name: k.Name, Type: k.Type, Required: k.Required, Default: k.Default, Importance: k.Importance, Doc: k.Description})
			}
		}
	}
	return list, nil
}

// listPlugins gives all plugins by type, and the stream.
func listPlugins() []pluginInfo {
	var list []pluginInfo
	for _, t := range pluginTypes {
		for _, i := range connector.Plugins.List(t) {
			names := []string{}
			if i.Class != "" {
				names = append(names, i.Class)
			}
			list = append(list, pluginInfo{Type: string(t), Name: i.Name, Version: i.Version, Description: i.Doc, KnownAs: append(names, i.Aliases...)})
		}
	}
	return append(list, pluginInfo{Type: "stream", Name: config.StreamClass, Version: config.Version, KnownAs: []string{},
		Description: "Reads topics, transforms records and writes them to a topic."})
}

func printPlugins(out io.Writer, list []pluginInfo) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "TYPE\tNAME\tVERSION\tDESCRIPTION\tKNOWN AS")
	for _, p := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", p.Type, p.Name, p.Version, p.Description, strings.Join(p.KnownAs, " "))
	}
	return w.Flush()
}

// describe gives what has a name, with its keys.
func describe(cmd *cobra.Command, name string) ([]pluginInfo, error) {
	if strings.EqualFold(name, workerKeys) {
		return []pluginInfo{{Type: workerKeys, Name: cmd.Root().Name(), Version: config.Version, Description: "Runs connectors.", KnownAs: []string{},
			Keys: []keyGroup{{Of: "the worker", Keys: withFamilies(config.WorkerDef(), "worker")}}}}, nil
	}
	var found []pluginInfo
	for _, p := range listPlugins() {
		t := connector.PluginType(p.Type)
		if p.Type == "stream" {
			if strings.EqualFold(name, config.StreamClass) {
				p.Keys = []keyGroup{{Of: "every stream", Keys: withFamilies(config.StreamDef(), p.Type)}}
				found = append(found, p)
			}
			continue
		}
		if i, ok := connector.Plugins.Lookup(t, name); !ok || i.Name != p.Name {
			continue
		}
		plugin, err := connector.Plugins.New(t, name)
		if err != nil {
			return nil, err
		}
		p.Keys = []keyGroup{{Of: p.Name, Keys: keysOf(plugin.ConfigDef())}}
		if t == connector.SourceType || t == connector.SinkType {
			p.Keys = append(p.Keys, keyGroup{Of: "every " + p.Type, Keys: withFamilies(config.Def(p.Type), p.Type)})
		}
		found = append(found, p)
	}
	if len(found) == 0 {
		return nil, unknownPlugin(cmd, name)
	}
	return found, nil
}

// unknownPlugin is the error for a name that is none.
func unknownPlugin(cmd *cobra.Command, name string) error {
	infos := []connector.Info{{Name: workerKeys}, {Name: config.StreamClass}}
	for _, t := range pluginTypes {
		infos = append(infos, connector.Plugins.List(t)...)
	}
	if near := config.NearestPlugin(name, infos); near != "" {
		return fmt.Errorf("no plugin has the name %s, did you mean %s?", name, near)
	}
	return fmt.Errorf("no plugin has the name %s; \"%s\" lists them", name, cmd.CommandPath())
}

func keysOf(def *connector.ConfigDef) []keyInfo {
	list := []keyInfo{}
	for _, k := range def.Keys() {
		info := keyInfo{Name: k.Name, Type: strings.ToLower(string(k.Type)), Required: k.Required, Importance: strings.ToLower(string(k.Importance)), Description: k.Doc}
		if text, ok := connector.FormatValue(k.Default); ok && !k.Required {
			info.Default = &text
		}
		list = append(list, info)
	}
	return list
}

// withFamilies gives the keys of a definition and those that begin alike.
func withFamilies(def *connector.ConfigDef, kind string) []keyInfo {
	list := keysOf(def)
	for _, f := range config.Families(kind) {
		list = append(list, keyInfo{Name: f.Name, Description: f.Doc})
	}
	return list
}

// printKeys prints what plugins are for and their keys.
func printKeys(out io.Writer, list []pluginInfo) error {
	var b strings.Builder
	for i, p := range list {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s %s: %s\n", p.Type, p.Name, p.Description)
		for j, g := range p.Keys {
			if j > 0 {
				fmt.Fprintf(&b, "\nkeys of %s:\n", g.Of)
			}
			for _, k := range g.Keys {
				note := ""
				switch {
				case k.Type == "":
				case k.Required:
					note = " (" + k.Type + ", required)"
				case k.Default == nil:
					note = " (" + k.Type + ", no default)"
				default:
					note = fmt.Sprintf(" (%s, default %q)", k.Type, *k.Default)
				}
				fmt.Fprintf(&b, "  %s%s\n      %s\n", k.Name, note, k.Description)
			}
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// completePlugins gives a shell the names of plugins.
func completePlugins(_ *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var names []cobra.Completion
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	for _, p := range append(listPlugins(), pluginInfo{Name: workerKeys, Description: "The worker itself."}) {
		for _, name := range append([]string{p.Name}, p.KnownAs...) {
			completion := cobra.CompletionWithDesc(name, p.Description)
			if strings.HasPrefix(name, begun) && !slices.Contains(names, completion) {
				names = append(names, completion)
			}
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
