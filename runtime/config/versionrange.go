package config

import (
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// versionRange checks the form of a version or a set of ranges as Maven, and so
// Kafka Connect, writes them: "1.0", "[1.0,2.0)", "(,1.0],[1.2,)". The plugins
// of a worker are compiled in: there is one version to choose from.
func versionRange(_ string, v any) error {
	text, _ := v.(string)
	rest := text
	for strings.HasPrefix(rest, "[") || strings.HasPrefix(rest, "(") {
		end := strings.IndexAny(rest, ")]")
		if end < 0 {
			return connector.Sentence("Unbounded range: " + text)
		}
		set := rest[1:end]
		low, high, isRange := strings.Cut(set, ",")
		switch {
		case !isRange && (rest[0] != '[' || rest[end] != ']'):
			return connector.Sentence("Single version must be surrounded by []: " + rest[:end+1])
		case isRange && strings.TrimSpace(low) == strings.TrimSpace(high):
			return connector.Sentence("Range cannot have identical boundaries: " + rest[:end+1])
		}
		rest = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(rest[end+1:]), ","))
	}
	if rest != "" && rest != text {
		return connector.Sentence("Only fully-qualified sets allowed in multiple set scenario: " + text)
	}
	return nil
}
