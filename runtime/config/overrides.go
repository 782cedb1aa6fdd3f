package config

import (
	"errors"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// overridePrefixes are the families of keys for a connector's Kafka clients.
var overridePrefixes = []string{"producer.override.", "consumer.override.", "admin.override."}

// Override policies; the names are Kafka Connect's aliases.
const (
	policyAll       = "All"
	policyNone      = "None"
	policyPrincipal = "Principal"
	policyAllowlist = "Allowlist"
)

// policyClass is what Java calls the class of a policy, around its alias.
const (
	policyPackage = "org.apache.kafka.connect.connector.policy."
	policySuffix  = "ConnectorClientConfigOverridePolicy"
)

// policyNamed gives the policy that a text names, by its alias or by Java's
// class, with or without the package.
func policyNamed(text string) (policy string, ok bool) {
	text = strings.TrimSpace(text)
	policy = strings.TrimSuffix(strings.TrimPrefix(text, policyPackage), policySuffix)
	if text == policyPackage+policy {
		return "", false // an alias has no package
	}
	return policy, slices.Contains([]string{policyAll, policyNone, policyPrincipal, policyAllowlist}, policy)
}

// policyCheck is the check of the worker's key.
func policyCheck(_ string, v any) error {
	if text, _ := v.(string); text != "" {
		if _, ok := policyNamed(text); ok {
			return nil
		}
	}
	return errors.New("there are the policies All, None, Principal and Allowlist, by these names or by Java's classes of them")
}

// principalKeys are what the policy Principal allows.
var principalKeys = []string{"sasl.jaas.config", "sasl.mechanism", "security.protocol"}

// overrideAllowed says why a worker does not let a connector override a client
// property, "" where it does.
func overrideAllowed(worker connector.Props, property string) string {
	policy := policyAll
	if text, ok := worker.Text("connector.client.config.override.policy"); ok {
		policy, _ = policyNamed(text)
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
		_, property, ok := overridden(key)
		if !ok {
			continue
		}
		typ := connector.StringKey
		if SecretName(property) {
			typ = connector.PasswordKey
		}
		w.add([]connector.Key{{Name: key, Type: typ, DisplayName: property, Doc: "Property of the connector's Kafka client."}})
		if why := overrideAllowed(w.v.Worker, property); why != "" {
			w.fault(key, "%s", why)
		}
	}
}
