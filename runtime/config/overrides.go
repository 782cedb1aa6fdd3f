package config

import (
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// overridePrefixes are the families of keys for a connector's Kafka clients.
var overridePrefixes = []string{"producer.override.", "consumer.override.", "admin.override."}

// Override policies; the names are Kafka Connect's.
const (
	policyAll       = "All"
	policyNone      = "None"
	policyPrincipal = "Principal"
	policyAllowlist = "Allowlist"
)

// principalKeys are what the policy Principal allows.
var principalKeys = []string{"sasl.jaas.config", "sasl.mechanism", "security.protocol"}

// overrideAllowed says why a worker does not let a connector override a client
// property, "" where it does.
func overrideAllowed(worker connector.Props, property string) string {
	policy := policyAll
	if text, ok := worker.Text("connector.client.config.override.policy"); ok {
		policy = strings.TrimSpace(text)
	}
	switch policy {
	case policyAll:
		return ""
	case policyPrincipal:
		if slices.Contains(principalKeys, property) {
			return ""
		}
	case policyAllowlist:
		if slices.Contains(listOf(worker, "connector.client.config.override.allowlist"), property) {
			return ""
		}
	}
	return "The '" + policy + "' policy does not allow '" + property + "' to be overridden in the connector configuration."
}

// overrides adds the client properties that the connector overrides, and what
// the worker's policy has against them.
func (w *work) overrides() {
	for _, key := range sortedKeys(w.props) {
		for _, prefix := range overridePrefixes {
			property, ok := strings.CutPrefix(key, prefix)
			if !ok || property == "" {
				continue
			}
			typ := connector.StringKey
			if secretName.MatchString(property) {
				typ = connector.PasswordKey
			}
			w.add([]connector.Key{{Name: key, Type: typ, DisplayName: property, Doc: "Property of the connector's Kafka client."}})
			if why := overrideAllowed(w.v.Worker, property); why != "" {
				w.fault(key, "%s", why)
			}
		}
	}
}
