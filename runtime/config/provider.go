package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/regex"
)

// provider gives the values of references.
type provider struct {
	lookup lookup
	named  bool // in the worker's config.providers, as Kafka Connect wants it
	// limit is the parameter that says what the provider may read; limited tells
	// that it is set.
	limit   string
	limited bool
	ttl     time.Duration // how long a value is believed; 0 without end
}

// lookup gives the value of a key at a path. Its errors name both and never
// hold a value.
type lookup func(path, key string) (string, error)

// providerKinds are the classes of config providers: Kafka's and our short names.
var providerKinds = map[string]string{
	"env": "env", "org.apache.kafka.common.config.provider.EnvVarConfigProvider": "env",
	"file": "file", "org.apache.kafka.common.config.provider.FileConfigProvider": "file",
	"dir": "dir", "directory": "dir", "org.apache.kafka.common.config.provider.DirectoryConfigProvider": "dir",
}

// newProvider makes a provider by its parameters: Kafka's, and ttl.ms, which is ours.
func newProvider(kind string, params connector.Props) (provider, error) {
	p := provider{limit: "allowed.paths"}
	if text, ok := params.Text("ttl.ms"); ok {
		n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
		if err != nil || n < 1 {
			return p, fmt.Errorf("param.ttl.ms: %q is not a number of milliseconds from 1", text)
		}
		p.ttl = time.Duration(n) * time.Millisecond
	}
	if kind == "env" {
		p.limit = "allowlist.pattern"
		var allowed *regex.Regexp
		if pattern, given := params.Text(p.limit); given {
			var err error
			if allowed, err = regex.Compile(pattern); err != nil {
				return p, fmt.Errorf("param.allowlist.pattern: %w", err)
			}
		}
		p.limited, p.lookup = allowed != nil, envProvider(allowed)
		return p, nil
	}
	text, _ := params.Text(p.limit)
	allowed := SplitList(text)
	for _, place := range allowed {
		if !filepath.IsAbs(place) {
			return p, fmt.Errorf("param.allowed.paths: %s is not absolute", place)
		}
	}
	p.limited, p.lookup = len(allowed) > 0, dirProvider(allowed)
	if kind == "file" {
		p.lookup = fileProvider(allowed)
	}
	return p, nil
}

// envProvider gives environment variables, those allowed or, with nil, all.
func envProvider(allowed *regex.Regexp) lookup {
	return func(path, key string) (string, error) {
		if path != "" {
			return "", fmt.Errorf("Path is not supported for EnvVarConfigProvider, invalid value '%s'", path) //nolint:staticcheck // Kafka's words
		}
		if allowed != nil {
			if ok, err := allowed.MatchAll(key); err != nil || !ok {
				return "", fmt.Errorf("environment variable %s is not in the allowlist.pattern %s", key, allowed)
			}
		}
		v, ok := os.LookupEnv(key)
		if !ok {
			return "", fmt.Errorf("environment variable %s is not set", key)
		}
		return v, nil
	}
}

func fileProvider(allowed []string) lookup {
	return func(path, key string) (string, error) {
		if err := checkAllowed(path, allowed); err != nil {
			return "", err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		list, err := parseProperties(path, data)
		if err != nil {
			return "", err
		}
		e, ok := list.Find(key)
		if !ok {
			return "", fmt.Errorf("%s has no key %s", path, key)
		}
		return e.Text, nil
	}
}

func dirProvider(allowed []string) lookup {
	return func(path, key string) (string, error) {
		if key == "" || key != filepath.Base(key) || key == ".." || key == "." {
			return "", fmt.Errorf("%q is not the name of a file in %s", key, path)
		}
		file := filepath.Join(path, key)
		if err := checkAllowed(file, allowed); err != nil {
			return "", err
		}
		data, err := os.ReadFile(file)
		return string(data), err
	}
}

// checkAllowed tells whether a file is in one of the allowed places, links
// followed; without any place every file is.
func checkAllowed(path string, allowed []string) error {
	if len(allowed) == 0 {
		return nil
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	for _, place := range allowed {
		if p, err := filepath.EvalSymlinks(place); err == nil {
			place = p
		}
		rel, err := filepath.Rel(place, real)
		if err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			return nil
		}
	}
	return fmt.Errorf("%s is not in allowed.paths", path)
}
