package connectortest

import (
	"maps"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Plugin checks what every plugin promises: it has a name, a version and a
// sentence of documentation, and so has each of its keys.
func Plugin(t testing.TB, p connector.Plugin) {
	t.Helper()
	info := p.Info()
	if info.Name == "" || info.Version == "" || info.Doc == "" {
		t.Errorf("the plugin's description is incomplete: %+v", info)
	}
	for _, k := range p.ConfigDef().Keys() {
		if k.Doc == "" {
			t.Errorf("key %s has no documentation", k.Name)
		}
		secret := strings.Contains(k.Name, "password") || strings.Contains(k.Name, "secret") || strings.HasSuffix(k.Name, "token")
		if secret && k.Type != connector.PasswordKey {
			t.Errorf("key %s may hold a secret and is not a PasswordKey", k.Name)
		}
	}
}

// Configure gives a plugin's configuration, parsed as the runtime does, which
// tells a converter what it is used for; here, where props do not say, for values.
func Configure(t testing.TB, p connector.Plugin, props connector.Props) connector.Config {
	t.Helper()
	if _, converts := p.(connector.Converter); converts {
		if _, told := props["converter.type"]; !told {
			all := connector.Props{"converter.type": "value"}
			maps.Copy(all, props)
			props = all
		}
	}
	conf, err := connector.ParsePlugin(p, props)
	if err != nil {
		t.Fatalf("configuration of %s: %v", p.Info().Name, err)
	}
	return conf
}

// configure is Configure for a task, whose configuration does not change.
func configure(t testing.TB, c *connector.Context, p connector.Plugin, props connector.Props) connector.Config {
	t.Helper()
	conf := Configure(t, p, props)
	c.Configs = func() (connector.Config, error) { return conf, nil }
	return conf
}
