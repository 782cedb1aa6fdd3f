package steer

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/internal/client"
	"github.com/axiom-data-science/hydraulics/runtime/internal/declared"
)

// MigrateCommand makes `migrate`, which prints the connectors of a worker as YAML, and
// says what of them this program has.
func MigrateCommand() *cobra.Command {
	w := new(worker)
	c := &cobra.Command{
		Use:   "migrate --from URL|FILE",
		Short: "Print the connectors of a Kafka Connect worker or cluster as YAML, and what of them is here",
		Long: `Prints the connectors of a running worker, Java's too, as the YAML of a file for
a worker of this program. With the FILE of a distributed worker it reads them from
the cluster's configuration topic (config.storage.topic), also when no worker
runs. Beside it (on standard error) it says which plugins are here, by which name,
and which are not; what is wrong with configurations, and which keys have no
effect. Secrets are not printed: ${env:NAME} stands for each. Nothing is changed.`,
		Example: "  hydraulics migrate --from http://connect:8083 > flow.yaml\n  hydraulics migrate --from connect-distributed.properties > flow.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			m := newMigration(cmd.ErrOrStderr())
			info, err := os.Stat(w.target.URL)
			switch {
			case err == nil && !info.IsDir():
				return m.fromFile(cmd.Context(), cmd.OutOrStdout(), w.target.URL)
			case !strings.Contains(w.target.URL, "://") && declared.IsFile(w.target.URL):
				return fmt.Errorf("--from: %w", err)
			}
			return w.asking(func(cmd *cobra.Command, c *client.Client, _ []string) error {
				return m.fromWorker(cmd.Context(), cmd.OutOrStdout(), c)
			})(cmd, args)
		},
	}
	w.addTo(c, "from", "REST API of a worker, or the file of a distributed one")
	return c
}

// fromWorker takes up what a running worker tells.
func (m *migration) fromWorker(ctx context.Context, out io.Writer, c *client.Client) error {
	all, err := c.Connectors(ctx)
	if err != nil {
		return err
	}
	version, err := c.Version(ctx)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		checks, err := c.Validate(ctx, all[name].Info.Config)
		if err != nil && ExitCode(err) == exitUnreachable {
			return err
		}
		m.add(all[name], client.SecretsOf(checks), err == nil)
	}
	return m.print(out, fmt.Sprintf("The connectors of %s, version %s.\nA worker's own keys, such as bootstrap.servers and its converters, are in its file:\nthe REST API does not tell them.", c.URL(), version))
}

// fromFile takes up what is in the configuration topic of a cluster, one of whose
// workers has this file.
func (m *migration) fromFile(ctx context.Context, out io.Writer, file string) error {
	topic, err := configTopicOf(file)
	if err != nil {
		return err
	}
	all, err := topic.connectors(ctx, m.report)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		m.add(all[name], config.Secrets{}, false)
	}
	return m.print(out, fmt.Sprintf("The connectors of the topic %s.\nThe worker's own keys are in %s.", topic.name, filepath.Base(file)))
}

// migration is connectors on their way here.
type migration struct {
	report     io.Writer
	plugins    *connector.Registry
	connectors yaml.Node
	count, fit int
	variables  map[string]bool // that stand for secrets
}

func newMigration(report io.Writer) *migration {
	return &migration{report: report, plugins: connector.Plugins, connectors: yaml.Node{Kind: yaml.MappingNode}, variables: map[string]bool{}}
}

// say reports something about a connector.
func (m *migration) say(name, format string, args ...any) {
	fmt.Fprintf(m.report, "%s: %s\n", name, fmt.Sprintf(format, args...))
}

// add takes up a connector, and reports what of it is here. told is that a worker said
// which of its keys are secret.
func (m *migration) add(c client.Connector, secrets config.Secrets, told bool) {
	name, props := c.Info.Name, connector.Props{}
	for k, v := range c.Info.Config {
		if k != config.SetKey && v != nil {
			props[k] = *v
		}
	}
	m.count++
	lacks := m.parts(name, props)
	if lacks > 0 && !told {
		m.say(name, "secrets: of plugins that are not here they are known by the names of keys alone: look through its configuration")
	}
	v := &config.Validator{Plugins: m.plugins, Worker: connector.Props{}}
	report, err := v.Validate(props, config.Origin{})
	secrets = maps.Clone(secrets)
	for _, check := range report.Checks {
		if check.Def.Type == connector.PasswordKey {
			secrets[check.Def.Name] = true
		}
	}
	if lacks == 0 && err == nil {
		problems := report.Problems()
		for _, p := range problems {
			m.say(name, "wrong: %s: %s", p.Key, secrets.Show(p.Key, p.Message))
		}
		if len(problems) == 0 {
			m.fit++
		}
	}
	for _, p := range v.Warnings(report, props) {
		m.say(name, "ignored: %s: %s", p.Key, p.Message)
	}
	if s := c.Status.Connector.State; s == "PAUSED" || s == "STOPPED" {
		m.say(name, "state: it is %s there, here it would run", s)
	}
	m.write(name, props, secrets)
}

// parts reports which of the plugins that a connector names are here, and gives the
// number of those that are not.
func (m *migration) parts(name string, props connector.Props) (lacks int) {
	look := func(what, key string, types ...connector.PluginType) {
		class, given := props.Text(key)
		if class = strings.TrimSpace(class); !given || class == "" {
			return
		}
		if strings.EqualFold(class, config.StreamClass) && what == "connector" {
			m.say(name, "%s: %s is here", what, class)
			return
		}
		for _, t := range types {
			i, here := m.plugins.Lookup(t, class)
			switch {
			case here && (i.Class == class || i.Name == class):
				m.say(name, "%s: %s is here", what, class)
			case here:
				m.say(name, "%s: %s is here, it is %s", what, class, i.Name)
			default:
				continue
			}
			return
		}
		lacks++
		m.say(name, "%s: %s is not here", what, class)
	}
	look("connector", "connector.class", connector.SourceType, connector.SinkType)
	for _, chain := range []struct {
		one string
		of  connector.PluginType
	}{{"transform", connector.TransformType}, {"predicate", connector.PredicateType}} {
		list, _ := props.Text(chain.one + "s")
		for _, alias := range config.SplitList(list) {
			look(chain.one+" "+alias, chain.one+"s."+alias+".type", chain.of)
		}
	}
	for _, key := range []string{"key.converter", "value.converter"} {
		look(strings.Replace(key, ".", " ", 1), key, connector.ConverterType)
	}
	look("header converter", "header.converter", connector.HeaderConverterType)
	return lacks
}

// first are the keys that a reader looks for first.
var first = []string{"connector.class", "tasks.max", "topics", "topics.regex", "topic"}

// write adds a connector's YAML.
func (m *migration) write(name string, props connector.Props, secrets config.Secrets) {
	keys := slices.Sorted(maps.Keys(props))
	slices.SortStableFunc(keys, func(a, b string) int { return rank(a) - rank(b) })
	body := yaml.Node{Kind: yaml.MappingNode}
	for _, k := range keys {
		value, _ := props.Text(k)
		if k == "name" {
			continue
		}
		if secrets.Show(k, value) != value {
			variable := m.variable(name, k)
			m.say(name, "secret: %s: set the variable %s where the worker runs", k, variable)
			value = "${env:" + variable + "}"
		}
		body.Content = append(body.Content, text(k), text(value))
	}
	m.connectors.Content = append(m.connectors.Content, text(name), &body)
}

func rank(key string) int {
	if i := slices.Index(first, key); i >= 0 {
		return i
	}
	return len(first)
}

// text is a text in YAML, in quotes where it would be taken for something else.
func text(s string) *yaml.Node {
	n := new(yaml.Node)
	n.SetString(s)
	return n
}

var noLetters = regexp.MustCompile(`[^A-Z0-9]+`)

// variable gives the name of the variable that stands for a secret, one for each.
func (m *migration) variable(name, key string) string {
	base := strings.Trim(noLetters.ReplaceAllString(strings.ToUpper(name+"_"+key), "_"), "_")
	if base == "" || base[0] <= '9' {
		base = "_" + base
	}
	variable := base
	for n := 2; m.variables[variable]; n++ {
		variable = fmt.Sprintf("%s_%d", base, n)
	}
	m.variables[variable] = true
	return variable
}

// print writes the file, and ends the report.
func (m *migration) print(out io.Writer, comment string) error {
	head := text("connectors")
	head.HeadComment = comment
	enc := yaml.NewEncoder(out)
	enc.SetIndent(2)
	if err := enc.Encode(&yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{head, &m.connectors}}); err != nil {
		return err
	}
	if err := enc.Close(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(m.report, "%d of %d connectors can run here\n", m.fit, m.count)
	return err
}
