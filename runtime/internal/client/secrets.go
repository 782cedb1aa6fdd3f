package client

import (
	"strings"

	"github.com/axiom-data-science/hydraulics/runtime/config"
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
			shown = append(shown, config.Hidden)
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
		if config.Unhidden(value) || harmless[key] || strings.HasPrefix(key, "errors.") || strings.HasSuffix(key, ".type") {
			return value
		}
		return config.Hidden
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

// SecretsOf gives the keys that definitions take for secrets.
func SecretsOf(checks []Check) config.Secrets {
	s := config.Secrets{}
	for _, c := range checks {
		if c.Definition != nil && strings.EqualFold(c.Definition.Type, "PASSWORD") {
			s[c.Definition.Name] = true
		}
	}
	return s
}

// Shown gives a configuration as it may be seen.
func (c Config) Shown(s config.Secrets) Config { return c.seen(s.Show) }
