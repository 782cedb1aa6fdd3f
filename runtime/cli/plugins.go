package cli

import (
	"fmt"
	"runtime/debug"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

var pluginTypes = []connector.PluginType{connector.SourceType, connector.SinkType, connector.TransformType,
	connector.PredicateType, connector.ConverterType, connector.HeaderConverterType}

func newPluginsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "plugins [NAME]",
		Short: "List the plugins of this worker, or the keys of one",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return printKeys(cmd, args[0])
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
			fmt.Fprintln(w, "TYPE\tNAME\tVERSION\tKNOWN AS\t")
			for _, t := range pluginTypes {
				for _, i := range connector.Plugins.List(t) {
					names := i.Aliases
					if i.Class != "" {
						names = append([]string{i.Class}, names...)
					}
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t\n", t, i.Name, i.Version, strings.Join(names, " "))
				}
			}
			fmt.Fprintf(w, "stream\t%s\t%s\t\t\n", config.StreamClass, config.Version)
			return w.Flush()
		},
	}
}

// printKeys prints what a plugin is for and its keys.
func printKeys(cmd *cobra.Command, name string) error {
	out, found := cmd.OutOrStdout(), false
	show := func(t, name, doc string, def *connector.ConfigDef) {
		if found {
			fmt.Fprintln(out)
		}
		found = true
		fmt.Fprintf(out, "%s %s: %s\n", t, name, doc)
		for _, k := range def.Keys() {
			note := "required"
			if !k.Required {
				note = "no default"
				if text, ok := connector.FormatValue(k.Default); ok {
					note = fmt.Sprintf("default %q", text)
				}
			}
			fmt.Fprintf(out, "  %s (%s, %s)\n      %s\n", k.Name, strings.ToLower(string(k.Type)), note, k.Doc)
		}
	}
	for _, t := range pluginTypes {
		if i, ok := connector.Plugins.Lookup(t, name); ok {
			p, err := connector.Plugins.New(t, name)
			if err != nil {
				return err
			}
			show(string(t), i.Name, i.Doc, p.ConfigDef())
		}
	}
	if name == config.StreamClass {
		show("connector", name, "Reads topics, transforms records and writes them to a topic.", config.StreamDef())
	}
	if !found {
		return fmt.Errorf("no plugin has the name %s; \"hydraulics plugins\" lists them", name)
	}
	return nil
}

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", cmd.Root().Name(), version())
			return err
		},
	}
}

// version gives the version and the commit, as --version prints them.
func version() string { return config.Version + " (commit " + commit() + ")" }

// commit gives the commit that the program was built from.
func commit() string {
	if Commit != "" {
		return Commit
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value[:min(len(s.Value), 16)]
			}
		}
	}
	return "unknown"
}
