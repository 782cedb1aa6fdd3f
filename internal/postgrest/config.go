package postgrest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Config is a configuration file in PostgREST's format.
type Config struct {
	Options
	Host      string // to listen on; empty when the file does not say
	Port      int    // 0 when the file does not say
	AdminPort int    // of /live and /ready; 0 is none
	// AllowedHosts are names to be asked by on a loopback address, beside localhost.
	AllowedHosts []string
	// Remarks are on keys that have no effect here.
	Remarks []string
}

// ReadConfig reads a file of lines such as db-uri = "postgres://...". A
// variable of the environment such as PGRST_DB_URI counts more than the file;
// lookup is os.LookupEnv. Everything wrong is one error that names the lines.
func ReadConfig(file io.Reader, lookup func(string) (string, bool)) (Config, error) {
	c := Config{Options: Options{ExtraSearchPath: []string{"public"}}}
	var problems []error
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		key, value, err := parseLine(lines.Text())
		if err == nil && key != "" {
			err = c.set(key, value)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("line %d: %w", n, err))
		}
	}
	if err := lines.Err(); err != nil {
		problems = append(problems, err)
	}
	for key := range settable {
		name := "PGRST_" + strings.ToUpper(strings.ReplaceAll(key, "-", "_"))
		if value, ok := lookup(name); ok {
			if err := c.set(key, value); err != nil {
				problems = append(problems, fmt.Errorf("%s: %w", name, err))
			}
		}
	}
	return c, errors.Join(problems...)
}

// parseLine reads key = value; a value is in double quotes or a word. A comment
// begins with # or --. A line without a key gives none.
func parseLine(line string) (key, value string, err error) {
	line = strings.TrimSpace(line)
	if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "--") {
		return "", "", nil
	}
	key, text, ok := strings.Cut(line, "=")
	key, text = strings.TrimSpace(key), strings.TrimSpace(text)
	if !ok || key == "" {
		return "", "", errors.New("expected key = value")
	}
	if !strings.HasPrefix(text, `"`) {
		if i := strings.IndexByte(text, '#'); i >= 0 {
			text = strings.TrimSpace(text[:i])
		}
		return key, text, nil
	}
	quoted, err := strconv.QuotedPrefix(text)
	if err != nil {
		return "", "", fmt.Errorf("%s: a quote is not closed, or an escape in it is wrong", key)
	}
	if rest := strings.TrimSpace(text[len(quoted):]); rest != "" && rest[0] != '#' {
		return "", "", fmt.Errorf("%s: text after the closing quote", key)
	}
	value, err = strconv.Unquote(quoted)
	return key, value, err
}

// settable are the keys and what they set.
var settable = map[string]func(c *Config, value string) error{
	"db-uri": func(c *Config, v string) (err error) {
		c.URI, err = fromFile(v)
		return err
	},
	"db-schema":            func(c *Config, v string) error { c.Schemas = list(v); return nil },
	"db-schemas":           func(c *Config, v string) error { c.Schemas = list(v); return nil },
	"db-anon-role":         func(c *Config, v string) error { c.AnonRole = v; return nil },
	"db-extra-search-path": func(c *Config, v string) error { c.ExtraSearchPath = list(v); return nil },
	"db-channel":           func(c *Config, v string) error { c.Channel = v; return nil },
	"db-max-rows":          func(c *Config, v string) error { return number(v, func(n int64) { c.MaxRows = n }) },
	"max-rows":             func(c *Config, v string) error { return number(v, func(n int64) { c.MaxRows = n }) },
	"db-pool":              func(c *Config, v string) error { return number(v, func(n int64) { c.Pool = int32(min(n, 10_000)) }) },
	"db-pool-acquisition-timeout": func(c *Config, v string) error {
		return number(v, func(n int64) { c.PoolTimeout = time.Duration(min(n, 1<<30)) * time.Second })
	},
	"db-aggregates-enabled":       func(c *Config, v string) error { return flag(v, func(on bool) { c.Aggregates = on }) },
	"db-channel-enabled":          func(c *Config, v string) error { return flag(v, func(on bool) { c.Deaf = !on }) },
	"db-prepared-statements":      func(_ *Config, v string) error { return flag(v, func(bool) {}) }, // none outlives its transaction
	"server-host":                 func(c *Config, v string) error { c.Host = v; return nil },
	"server-allowed-hosts":        func(c *Config, v string) error { c.AllowedHosts = list(v); return nil },
	"server-port":                 func(c *Config, v string) error { return port(v, &c.Port) },
	"admin-server-port":           func(c *Config, v string) error { return port(v, &c.AdminPort) },
	"server-cors-allowed-origins": func(c *Config, v string) error { c.CORSOrigins = list(v); return nil },
	"openapi-mode":                func(c *Config, v string) error { c.OpenAPIMode = v; return nil },
	"openapi-server-proxy-uri":    func(c *Config, v string) error { c.PublicURL = v; return nil },
	"jwt-secret": func(_ *Config, v string) error {
		if v != "" {
			return errors.New("tokens are not offered: everyone is the anonymous role; take the key out")
		}
		return nil
	},
}

// Hosts are the names to be asked by on a loopback address: those allowed, that
// to listen on, and that of the address which the description gives.
func (c *Config) Hosts() []string {
	hosts := append(slices.Clone(c.AllowedHosts), c.Host)
	if u, err := url.Parse(c.PublicURL); err == nil && u.Host != "" {
		hosts = append(hosts, u.Host)
	}
	return hosts
}

func (c *Config) set(key, value string) error {
	set, ok := settable[key]
	if !ok {
		c.Remarks = append(c.Remarks, key+" has no effect")
		return nil
	}
	if err := set(c, value); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

// fromFile gives the contents of a file for @name.
func fromFile(value string) (string, error) {
	name, ok := strings.CutPrefix(value, "@")
	if !ok {
		return value, nil
	}
	text, err := os.ReadFile(name)
	return strings.TrimSpace(string(text)), err
}

func list(value string) []string {
	var items []string
	for item := range strings.SplitSeq(value, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

func number(value string, set func(int64)) error {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 {
		return fmt.Errorf("%q is not a number", value)
	}
	set(n)
	return nil
}

func flag(value string, set func(bool)) error {
	on, err := strconv.ParseBool(value)
	if err != nil {
		return fmt.Errorf("%q is neither true nor false", value)
	}
	set(on)
	return nil
}

func port(value string, to *int) error {
	n, err := strconv.ParseUint(value, 10, 16)
	if err != nil {
		return fmt.Errorf("%q is not a port", value)
	}
	*to = int(n)
	return nil
}

// Listen gives the host part to listen on for PostgREST's words: !4 and *4 are
// all addresses of IPv4, !6 and *6 those of IPv6, * is every address.
func Listen(host string) string {
	switch host {
	case "!4", "*4":
		return "0.0.0.0"
	case "!6", "*6":
		return "::"
	case "*":
		return ""
	}
	return host
}
