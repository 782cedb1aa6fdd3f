package config

import "strings"

// codes are those of what is wrong with a configuration, by what messages have: ours,
// and Kafka's, which have no codes of their own. The first that is there counts.
var codes = []struct{ has, code string }{
	{"unknown key", "H1001"},
	{"unknown part of a configuration", "H1001"},
	{"Missing required configuration", "H1002"},
	{"has no default value", "H1002"},
	{"the connector has no name", "H1002"},
	{"Failed to find any class", "H1004"},
	{"has this name: ", "H1004"},
	{"is missing: it says", "H1002"},
	{"is no place: ", "H1003"},
	{"${", "H1005"},
	{"no such file", "H1006"},
	{"has no effect", "H1008"},
	{"there are no connectors", "H1010"},
	{"Invalid value", "H1003"},
}

// Coded gives problems the codes of documented failures, by which a user finds their
// causes and remedies.
func Coded(problems []Problem) []Problem {
	for i := range problems {
		p := &problems[i]
		if p.Code != "" {
			continue
		}
		p.Code = CodeOf(p.Message)
	}
	return problems
}

// CodeOf gives the code of what a message says is wrong with a configuration.
func CodeOf(message string) string {
	for _, c := range codes {
		if strings.Contains(message, c.has) {
			return c.code
		}
	}
	return "H1009"
}
