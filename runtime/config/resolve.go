package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/regex"
)

// variable is Kafka's pattern for ${provider:path:key} and ${provider:key}.
var variable = regexp.MustCompile(`\$\{([^}]*?):(?:([^}]*?):)?([^}]*?)\}`)

// provider gives the value of a key at a path. Its errors name both and never
// hold a value.
type provider func(path, key string) (string, error)

// Resolver puts the values of ${env:KEY}, ${file:PATH:KEY} and ${dir:PATH:KEY}
// in the place of these references. Values are looked up anew each time.
type Resolver struct {
	providers map[string]provider
	// named are the providers that the worker names in config.providers.
	named []string
	// Embedded holds what a relative path stands for that is not beside the
	// file that names it; nil for nothing.
	Embedded fs.FS
	// cacheDir is where embedded files are put for those who need them on disk.
	cacheDir string
}

// classes of config providers: Kafka's and our short names.
var providerKinds = map[string]string{
	"env": "env", "org.apache.kafka.common.config.provider.EnvVarConfigProvider": "env",
	"file": "file", "org.apache.kafka.common.config.provider.FileConfigProvider": "file",
	"dir": "dir", "directory": "dir", "org.apache.kafka.common.config.provider.DirectoryConfigProvider": "dir",
}

// NewResolver makes the resolver of a worker. The providers env, file and dir
// are there without being asked for; config.providers gives them further names
// and limits: param.allowed.paths of file and dir, param.allowlist.pattern of env.
func NewResolver(worker connector.Props) (*Resolver, error) {
	r := &Resolver{providers: map[string]provider{}}
	names, _ := worker.Text("config.providers")
	var errs []error
	for _, name := range SplitList(names) {
		class, ok := worker.Text("config.providers." + name + ".class")
		if !ok {
			class = name
		}
		kind, ok := providerKinds[strings.TrimSpace(class)]
		if !ok {
			errs = append(errs, fmt.Errorf("config.providers.%s.class: %s is not known, there are env, file and dir", name, class))
			continue
		}
		p, err := newProvider(kind, worker.WithPrefix("config.providers."+name+".param."))
		if err != nil {
			errs = append(errs, fmt.Errorf("config.providers.%s: %w", name, err))
			continue
		}
		r.providers[name] = p
		r.named = append(r.named, name)
	}
	for _, kind := range []string{"env", "file", "dir"} {
		if r.providers[kind] == nil {
			p, err := newProvider(kind, worker.WithPrefix("config.providers."+kind+".param."))
			if err != nil {
				errs = append(errs, fmt.Errorf("config.providers.%s: %w", kind, err))
				continue
			}
			r.providers[kind] = p
		}
	}
	return r, errors.Join(errs...)
}

func newProvider(kind string, params connector.Props) (provider, error) {
	if kind == "env" {
		pattern, given := params.Text("allowlist.pattern")
		if !given {
			return envProvider(nil), nil
		}
		re, err := regex.Compile(pattern)
		if err != nil {
			return nil, fmt.Errorf("param.allowlist.pattern: %w", err)
		}
		return envProvider(re), nil
	}
	var allowed []string
	if text, ok := params.Text("allowed.paths"); ok {
		for _, p := range SplitList(text) {
			if !filepath.IsAbs(p) {
				return nil, fmt.Errorf("param.allowed.paths: %s is not absolute", p)
			}
			allowed = append(allowed, p)
		}
	}
	if kind == "file" {
		return fileProvider(allowed), nil
	}
	return dirProvider(allowed), nil
}

// envProvider gives environment variables, those allowed or, with nil, all.
func envProvider(allowed *regex.Regexp) provider {
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

func fileProvider(allowed []string) provider {
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

func dirProvider(allowed []string) provider {
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

// Origin says where a configuration comes from.
type Origin struct {
	// Dir is the folder that relative paths start from, "" for the working one.
	Dir string
	// Remote tells that the configuration was sent by a client: it may only use
	// the providers that the worker names in config.providers, as in Kafka Connect.
	Remote bool
}

// Resolve gives a configuration with all references replaced. The error names
// every key whose reference has no value. References to providers that do not
// exist are left as they are, since ${topic} and the like have other uses.
func (r *Resolver) Resolve(props connector.Props, from Origin) (connector.Props, error) {
	out, _, p := r.resolve(props, from)
	return out, p.Err()
}

// resolve is Resolve that gives the problems one by one, and what each
// reference stands for.
func (r *Resolver) resolve(props connector.Props, from Origin) (out connector.Props, references map[string]string, p *connector.Problems) {
	out, references, p = props.Clone(), map[string]string{}, new(connector.Problems)
	for _, key := range sortedKeys(props) {
		text, ok := props[key].(string)
		if !ok || !strings.Contains(text, "${") {
			continue
		}
		value, err := r.text(text, from, references)
		if err != nil {
			p.Add(key, "%s: %v", key, err)
			continue
		}
		out[key] = value
	}
	return out, references, p
}

// text replaces the references of one value, and adds them to references. What
// they stand for is not looked at again.
func (r *Resolver) text(text string, from Origin, references map[string]string) (string, error) {
	var errs []error
	out := variable.ReplaceAllStringFunc(text, func(ref string) string {
		m := variable.FindStringSubmatch(ref)
		name, path, key := m[1], m[2], m[3]
		get := r.providers[name]
		if get == nil {
			return ref
		}
		if from.Remote && !slices.Contains(r.named, name) {
			errs = append(errs, fmt.Errorf("%s: a connector made over REST may only use what the worker names in config.providers", ref))
			return ref
		}
		if path != "" && !filepath.IsAbs(path) {
			path = filepath.Join(from.Dir, path)
		}
		v, err := get(path, key)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", ref, err))
			return ref
		}
		references[ref] = v
		return v
	})
	return out, errors.Join(errs...)
}

// unknownProviders gives references to providers that do not exist.
func (r *Resolver) unknownProviders(text string) []string {
	var names []string
	for _, m := range variable.FindAllStringSubmatch(text, -1) {
		if r.providers[m[1]] == nil && !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	return names
}
