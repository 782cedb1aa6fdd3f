package ssl

import (
	"crypto/tls"
	"slices"
	"strings"
)

// protocols sets the versions that a connection may have. TLSv1 and TLSv1.1 are
// understood and, as in Java, not used.
func (s Settings) protocols(conf *tls.Config) error {
	const protocol, enabled = "protocol", "enabled.protocols"
	switch s.word(protocol) {
	case "", "TLS", "TLSv1.3":
	case "TLSv1.2":
		conf.MaxVersion = tls.VersionTLS12
	default:
		return s.wrong(protocol, "%q is not TLS, TLSv1.2 or TLSv1.3", s.text(protocol))
	}
	if s.word(enabled) == "" {
		return nil
	}
	var two, three bool
	for _, name := range split(s.text(enabled)) {
		switch name {
		case "TLSv1", "TLSv1.1":
		case "TLSv1.2":
			two = true
		case "TLSv1.3":
			three = true
		default:
			return s.wrong(enabled, "%q is not TLSv1.2 or TLSv1.3", name)
		}
	}
	if !two {
		conf.MinVersion = tls.VersionTLS13
	}
	if !three {
		conf.MaxVersion = tls.VersionTLS12
	}
	if conf.MinVersion > conf.MaxVersion || !two && !three {
		return s.wrong(enabled, "%q leaves no version: name TLSv1.2 or TLSv1.3, and see %s", s.text(enabled), s.key(protocol))
	}
	return nil
}

// suites sets the cipher suites. Those of TLS 1.3 are chosen by Go's library: a
// list has all of them or none, which leaves that version out.
func (s Settings) suites(conf *tls.Config) error {
	const key = "cipher.suites"
	names := split(s.text(key))
	if len(names) == 0 {
		return nil
	}
	var newest []string
	for _, known := range tls.CipherSuites() {
		named := slices.Contains(names, known.Name)
		switch three := slices.Contains(known.SupportedVersions, tls.VersionTLS13); {
		case three:
			newest = append(newest, known.Name)
		case named:
			conf.CipherSuites = append(conf.CipherSuites, known.ID)
		}
	}
	count := 0
	for _, name := range names {
		switch known := func(c *tls.CipherSuite) bool { return c.Name == name }; {
		case slices.Contains(newest, name):
			count++
		case slices.ContainsFunc(tls.CipherSuites(), known):
		case slices.ContainsFunc(tls.InsecureCipherSuites(), known):
			return s.wrong(key, "%s is not secure: leave it out", name)
		default:
			return s.wrong(key, "%s is not known: %s are", name, strings.Join(suiteNames(), ", "))
		}
	}
	switch {
	case count == 0:
		conf.MaxVersion = min(conf.MaxVersion, tls.VersionTLS12)
	case count < len(newest):
		return s.wrong(key, "of TLS 1.3 name all suites, %s, or none: they cannot be chosen one by one", strings.Join(newest, ", "))
	}
	if len(conf.CipherSuites) == 0 {
		conf.MinVersion = tls.VersionTLS13
	}
	if conf.MinVersion > conf.MaxVersion {
		return s.wrong(key, "none of them is of a version that %s and %s allow", s.key("protocol"), s.key("enabled.protocols"))
	}
	return nil
}

func suiteNames() []string {
	var names []string
	for _, c := range tls.CipherSuites() {
		names = append(names, c.Name)
	}
	return names
}

// split takes a list apart.
func split(text string) []string {
	var list []string
	for _, item := range strings.Split(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}
