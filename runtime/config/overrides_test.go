package config

import (
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

// A policy is named by its alias or by Java's class, and each says what a
// connector may override.
func TestOverridePolicies(t *testing.T) {
	const pkg, suffix = "org.apache.kafka.connect.connector.policy.", "ConnectorClientConfigOverridePolicy"
	allowed := map[string][2]bool{"All": {true, true}, "None": {}, "Principal": {true, false}, "Allowlist": {false, true}}
	for policy, want := range allowed {
		for _, name := range []string{policy, " " + policy + " ", policy + suffix, pkg + policy + suffix} {
			t.Run(name, func(t *testing.T) {
				worker := connector.Props{"connector.client.config.override.policy": name, "connector.client.config.override.allowlist": "linger.ms, acks"}
				if _, err := WorkerDef().Parse(worker); err != nil {
					t.Fatal(err)
				}
				for i, property := range []string{"sasl.mechanism", "acks"} {
					why := overrideAllowed(worker, property)
					if says := "The '" + policy + "' policy does not allow '" + property + "' to be overridden in the connector configuration."; (why == "") != want[i] || why != "" && why != says {
						t.Errorf("%s: %q", property, why)
					}
				}
			})
		}
	}
	for _, name := range []string{"", "all", "Nothing", pkg + "All", "com.example." + "All" + suffix} {
		if _, err := WorkerDef().Parse(connector.Props{"connector.client.config.override.policy": name}); err == nil {
			t.Errorf("%q is taken", name)
		}
	}
}
