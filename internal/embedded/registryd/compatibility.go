package registryd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/avro"
)

// defaultCompatibility is what Confluent's registry starts with.
const defaultCompatibility = "BACKWARD"

var levels = []string{"NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"}

// level gives the compatibility that a subject has, its own or the registry's.
func (s *state) level(subject string) string {
	if l, ok := s.compatibility[subject]; ok {
		return l
	}
	if l, ok := s.compatibility[""]; ok {
		return l
	}
	return defaultCompatibility
}

// incompatibilities compares a new schema with the earlier ones of its subject,
// oldest first, and says in words what does not fit.
func incompatibilities(level string, schema *avro.Schema, earlier []version) []string {
	if level == "NONE" || len(earlier) == 0 {
		return nil
	}
	kind, transitive := strings.CutSuffix(level, "_TRANSITIVE")
	if !transitive {
		earlier = earlier[len(earlier)-1:]
	}
	var found []string
	check := func(writer, reader *avro.Schema, words string, v version) {
		if err := avro.CheckCompatibility(writer, reader); err != nil {
			found = append(found, fmt.Sprintf("%s version %d: %s", words, v.number, strings.TrimPrefix(err.Error(), "avro: ")))
		}
	}
	for _, v := range slices.Backward(earlier) {
		if kind == "BACKWARD" || kind == "FULL" {
			check(v.schema.parsed, schema, "the new schema cannot read data of", v)
		}
		if kind == "FORWARD" || kind == "FULL" {
			check(schema, v.schema.parsed, "data of the new schema cannot be read with", v)
		}
	}
	return found
}
