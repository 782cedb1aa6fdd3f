package config

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Hidden stands for a secret wherever a value is shown.
const Hidden = "[hidden]"

// reference is a value that only says where a secret is.
var reference = regexp.MustCompile(`^(\$\{[^}]*\})+$`)

// inURL are passwords within a value that is not a secret as a whole: of a user in
// a URL, or in its query.
var (
	// inHeader are logins among the headers of requests.
	inHeader = regexp.MustCompile(`(?i)(authorization|cookie|api-?key|token|secret)[\w-]*\s*:`)

	inUser  = regexp.MustCompile(`(://[^/@\s:]*:)[^/\s]*@`)
	inQuery = regexp.MustCompile(`(?i)([?&;](?:[a-z.]*password|[a-z.]*secret|[a-z_]*token|api_?key)=)[^&;\s]+`)
)

// Unhidden tells a value that gives nothing away, whatever its key is.
func Unhidden(value string) bool { return value == "" || reference.MatchString(value) }

// Secrets are the keys of a configuration that hold secrets, by what their
// definitions say. Keys with a name that secrets have are hidden beside them.
type Secrets map[string]bool

// Secrets gives the keys of a connector's configuration that hold secrets.
func (v *Validator) Secrets(props connector.Props) Secrets {
	asWritten := Validator{Plugins: v.Plugins, Worker: v.Worker}
	r, _ := asWritten.Validate(props, Origin{}) // without its class the framework's keys are known all the same
	s := Secrets{}
	for _, c := range r.Checks {
		if c.Def.Type == connector.PasswordKey {
			s[c.Def.Name] = true
		}
	}
	return s
}

// Show gives a value as it may be seen.
func (s Secrets) Show(key, value string) string {
	if Unhidden(value) {
		return value
	}
	if s[key] || SecretName(key) || strings.Contains(key, "headers") && inHeader.MatchString(value) {
		return Hidden
	}
	return Mask(value)
}

// Mask hides the passwords of the URLs in a text, which may be any.
func Mask(text string) string {
	return inQuery.ReplaceAllString(inUser.ReplaceAllString(text, "${1}"+Hidden+"@"), "${1}"+Hidden)
}

// Props gives a configuration as it may be seen.
func (s Secrets) Props(props connector.Props) connector.Props {
	shown := maps.Clone(props)
	for k := range shown {
		if text, ok := props.Text(k); ok {
			shown[k] = s.Show(k, text)
		}
	}
	return shown
}

// SecretName tells whether a key has a name as those of secrets usually have.
func SecretName(key string) bool { return secretName.MatchString(key) && !notSecret.MatchString(key) }

// secretName is what keys of secrets are usually called, notSecret what choices are that have such words.
var (
	secretName = regexp.MustCompile(`(?i)passw(or)?d|passphrase|secret|token|credential|jaas|private|user\.info|authorization|(api|access)[._]?key|keystore\.key|keystore\.certificate`)
	notSecret  = regexp.MustCompile(`(?i)(credentials\.source|private\.addresses)$`)
)

// ShortestHidden is how long a value is that is hidden wherever it stands: a shorter one
// is part of many words.
const ShortestHidden = 4

// Masker gives what hides the secrets of a connector and of its worker in a text, also
// those that they refer to, as they are and as they are quoted. The error is of references
// that are not replaced: what they stand for is not hidden.
func (v *Validator) Masker(written connector.Props, from Origin) (*strings.Replacer, error) {
	resolved, failed := written, error(nil)
	if v.Resolver != nil {
		resolved, failed = v.Resolver.Resolve(written, from)
	}
	var values []string
	for _, of := range []struct{ written, resolved connector.Props }{{written, resolved}, {v.Written, v.Worker}} {
		secrets := v.Secrets(of.written)
		for _, props := range []connector.Props{of.written, of.resolved} {
			for key := range props {
				value, ok := props.Text(key)
				was, _ := of.written.Text(key)
				hidden := secrets.Show(key, value) == Hidden || was != value && variable.MatchString(was) // a reference may be to a secret
				if ok && hidden && len(value) >= ShortestHidden {
					quoted := strconv.Quote(value)
					values = append(values, value, quoted[1:len(quoted)-1])
				}
			}
		}
	}
	slices.SortFunc(values, func(a, b string) int { return cmp.Compare(len(b), len(a)) }) // none is hidden in part
	var pairs []string
	for _, value := range values {
		pairs = append(pairs, value, Hidden)
	}
	return strings.NewReplacer(pairs...), failed
}
