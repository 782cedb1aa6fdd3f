package client

import (
	"regexp"
	"strings"

	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// Hidden stands for a secret wherever a value is shown.
const Hidden = "[hidden]"

// reference is a value that only says where a secret is.
var reference = regexp.MustCompile(`^(\$\{[^}]*\})+$`)

// inURL are passwords within a value that is not a secret as a whole: of a user in
// a URL, or in its query.
var (
	inUser  = regexp.MustCompile(`(://[^/@\s:]*:)[^/\s]*@`)
	inQuery = regexp.MustCompile(`(?i)([?&;](?:[a-z.]*password|[a-z.]*secret|[a-z_]*token|api_?key)=)[^&;\s]+`)
)

// ShownURL gives the addresses of workers, separated by commas, without logins.
func ShownURL(text string) string {
	var shown []string
	for one := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(one) == "" {
			continue
		}
		u, err := parseURL(one)
		if err != nil {
			shown = append(shown, Hidden)
			continue
		}
		u.User = nil
		shown = append(shown, u.String())
	}
	return strings.Join(shown, ",")
}

// harmless are keys whose values are no secrets, whatever the plugin is.
var harmless = map[string]bool{"name": true, "connector.class": true, "tasks.max": true, "topics": true, "topics.regex": true, "topic": true,
	"key.converter": true, "value.converter": true, "header.converter": true, "transforms": true, "predicates": true, config.SetKey: true}

// Guess gives a configuration as it may be seen where nobody says which of its keys
// hold secrets.
func Guess(c Config) Config {
	return c.seen(func(key, value string) string {
		if unhidden(value) || harmless[key] || strings.HasPrefix(key, "errors.") || strings.HasSuffix(key, ".type") {
			return value
		}
		return Hidden
	})
}

// seen gives a configuration whose values are those that show gives.
func (c Config) seen(show func(key, value string) string) Config {
	shown := make(Config, len(c))
	for k, v := range c {
		if v != nil {
			text := show(k, *v)
			v = &text
		}
		shown[k] = v
	}
	return shown
}

// unhidden tells a value that gives nothing away, whatever its key is.
func unhidden(value string) bool { return value == "" || reference.MatchString(value) }

// Secrets are the keys of a configuration that hold secrets, by what the worker says
// of them. Keys with a name that secrets have are hidden beside them.
type Secrets map[string]bool

// SecretsOf gives the keys that definitions take for secrets.
func SecretsOf(checks []Check) Secrets {
	s := Secrets{}
	for _, c := range checks {
		if c.Definition != nil && strings.EqualFold(c.Definition.Type, "PASSWORD") {
			s[c.Definition.Name] = true
		}
	}
	return s
}

// Show gives a value as it may be seen.
func (s Secrets) Show(key, value string) string {
	if unhidden(value) {
		return value
	}
	if s[key] || config.SecretName(key) {
		return Hidden
	}
	return inQuery.ReplaceAllString(inUser.ReplaceAllString(value, "${1}"+Hidden+"@"), "${1}"+Hidden)
}

// Config gives a configuration as it may be seen.
func (s Secrets) Config(c Config) Config { return c.seen(s.Show) }
