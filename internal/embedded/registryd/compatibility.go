package registryd

import (
	"fmt"
	"slices"
	"strings"
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
func incompatibilities(level, kind string, schema parsed, earlier []version) []string {
	if level == "NONE" || len(earlier) == 0 {
		return nil
	}
	direction, transitive := strings.CutSuffix(level, "_TRANSITIVE")
	if !transitive {
		earlier = earlier[len(earlier)-1:]
	}
	var found []string
	check := func(writer, reader parsed, words string, v version) {
		for _, problem := range reader.cannotRead(writer) {
			found = append(found, fmt.Sprintf("%s version %d: %s", words, v.number, problem))
		}
	}
	for _, v := range slices.Backward(earlier) {
		if v.schema.kind != kind {
			found = append(found, fmt.Sprintf("the new schema is of type %s, version %d of type %s", kind, v.number, v.schema.kind))
			continue
		}
		if direction == "BACKWARD" || direction == "FULL" {
			check(v.schema.parsed, schema, "the new schema cannot read data of", v)
		}
		if direction == "FORWARD" || direction == "FULL" {
			check(schema, v.schema.parsed, "data of the new schema cannot be read with", v)
		}
	}
	return found
}

// trimAvro gives an error's text without the library's name.
func trimAvro(err error) string { return strings.TrimPrefix(err.Error(), "avro: ") }
