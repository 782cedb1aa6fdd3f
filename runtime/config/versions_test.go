package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
)

// A version that the one compiled in satisfies is taken, another one is refused at
// the keys of both class and version.
//
// Clauses: A21.
func TestPluginVersions(t *testing.T) {
	const remedy = ": plugins are compiled into the worker: leave it out"
	other := func(class, version, required string) string {
		return "Plugin " + class + " has version " + version + " which does not match the required version range " + required
	}
	const heart, hoist, text, tomb = "org.apache.kafka.connect.mirror.MirrorHeartbeatConnector", "org.apache.kafka.connect.transforms.HoistField$Value",
		"org.apache.kafka.connect.storage.StringConverter", "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone"
	for _, c := range []struct{ key, class, version, want string }{
		{"connector.plugin.version", "connector.class", "4.3.1", ""},
		{"connector.plugin.version", "connector.class", "[4.0,)", ""},
		{"connector.plugin.version", "connector.class", "latest", ""},
		{"connector.plugin.version", "connector.class", "4.3", other(heart, "4.3.1", "[4.3,4.3]")},
		{"connector.plugin.version", "connector.class", "(,4.3.1)", other(heart, "4.3.1", "(,4.3.1)")},
		{"key.converter.plugin.version", "key.converter", "[1.0.0]", ""},
		{"key.converter.plugin.version", "key.converter", "4.3.1", other(text, "1.0.0", "[4.3.1,4.3.1]")},
		{"transforms.t.plugin.version", "transforms.t.type", "(,2)", ""},
		{"transforms.t.plugin.version", "transforms.t.type", "[2,3),[4,)", other(hoist, "1.0.0", "[2,3),[4,)")},
		{"predicates.p.plugin.version", "predicates.p.type", "1.0.0-rc1", other(tomb, "1.0.0", "[1.0.0-rc1,1.0.0-rc1]")},
	} {
		t.Run(c.key+"="+c.version, func(t *testing.T) {
			props := connector.Props{"name": "c", "connector.class": "heartbeat", "key.converter": "string", "transforms": "t", "transforms.t.type": hoist,
				"transforms.t.field": "f", "predicates": "p", "predicates.p.type": tomb, c.key: c.version}
			got := problems(t, &Validator{Plugins: registryOf("source")}, props)
			want := map[string]string{}
			if c.want != "" {
				want = map[string]string{c.key: c.want + remedy, c.class: c.want + remedy[:len(remedy)-len("it out")] + c.key + " out"}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// problems gives what is wrong with a configuration, by key.
func problems(t *testing.T, v *Validator, props connector.Props) map[string]string {
	t.Helper()
	report, err := v.Validate(props, Origin{})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, p := range report.Problems() {
		found[p.Key] += p.Message
	}
	return found
}

// A converter of the worker is of the version that the worker's own key requires, for
// connectors that use it.
//
// Clauses: A21.
func TestPluginVersionsOfAWorker(t *testing.T) {
	v := &Validator{Plugins: registryOf("source"), Worker: connector.Props{"key.converter": "string", "key.converter.plugin.version": "[2,)", "value.converter.plugin.version": "1.0"}}
	props := connector.Props{"name": "c", "connector.class": "heartbeat"}
	want := map[string]string{"key.converter.plugin.version": "the worker's key.converter.plugin.version: Plugin org.apache.kafka.connect.storage.StringConverter has version 1.0.0 " +
		"which does not match the required version range [2,): plugins are compiled into the worker: leave it out"}
	if d := cmp.Diff(want, problems(t, v, props)); d != "" {
		t.Error(d)
	}
	props["key.converter"] = "json"
	if d := cmp.Diff(map[string]string{}, problems(t, v, props)); d != "" {
		t.Error(d)
	}
}
