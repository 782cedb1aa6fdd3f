package reference

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/configs"
	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// TestChecks has each connector that can look at its system do so with its example. That
// is given up at once, so that nobody is asked, and panics nowhere.
func TestChecks(t *testing.T) {
	exampleSecrets(t)
	files, err := filepath.Glob(examples + "/*.yaml")
	check(t, err)
	seen := map[string]bool{}
	for _, file := range files {
		setup, err := config.Read(examples+"/worker.yaml", file)
		check(t, err)
		for _, c := range setup.Connectors {
			props := c.Entries.Props()
			class, _ := props.Text("connector.class")
			checker, info := checkerOf(class)
			if checker == nil || seen[info.Name] {
				continue
			}
			seen[info.Name] = true
			t.Run(info.Name, func(t *testing.T) { checkExample(t, checker, setup, props, c.Origin()) })
		}
	}
	for _, kind := range []connector.PluginType{connector.SourceType, connector.SinkType} {
		for _, info := range connector.Plugins.List(kind) {
			if checker, _ := checkerOf(info.Name); checker != nil && !seen[info.Name] {
				t.Errorf("no example has %s", info.Name)
			}
		}
	}
}

// checkedPlugin is a plugin that can look at its system.
type checkedPlugin interface {
	connector.Plugin
	connector.Checker
}

// checkerOf gives the connector of a class, nil where it looks at nothing.
func checkerOf(class string) (checkedPlugin, connector.Info) {
	for _, kind := range []connector.PluginType{connector.SourceType, connector.SinkType} {
		if plugin, err := connector.Plugins.New(kind, class); err == nil {
			checker, _ := plugin.(checkedPlugin)
			return checker, plugin.Info()
		}
	}
	return nil, connector.Info{}
}

func checkExample(t *testing.T, checker checkedPlugin, setup *config.Setup, props connector.Props, from config.Origin) {
	resolver, err := config.NewResolver(setup.Worker.Props())
	check(t, err)
	resolver.Embedded = configs.FS
	validator := &config.Validator{Plugins: connector.Plugins, Worker: setup.Worker.Props(), Resolver: resolver}
	report, err := validator.Validate(props, from)
	check(t, err)
	resolved, err := validator.Resolve(report)
	check(t, err)
	conf, err := connector.ParsePlugin(checker, resolved)
	check(t, err)
	c := connectortest.Context(t)
	c.Log = slog.New(slog.DiscardHandler) // for what may end later than the test
	c.Preview = &connector.Preview{Would: func(connector.Effect) {}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, f := range runtime.Look(ctx, "example", time.Minute, func(ctx context.Context, found func(connector.Finding)) { checker.Check(ctx, c, conf, found) }) {
		if connector.CodeOf(f.Err) == "H4002" {
			t.Error(f.Err)
		}
	}
}
