package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// variable is Kafka's pattern for ${provider:path:key} and ${provider:key}.
var variable = regexp.MustCompile(`\$\{([^}]*?):(?:([^}]*?):)?([^}]*?)\}`)

// Resolver puts the values of ${env:KEY}, ${file:PATH:KEY} and ${dir:PATH:KEY}
// in the place of these references. Values are looked up anew each time.
type Resolver struct {
	providers map[string]provider
	// Embedded holds what a relative path stands for that is not beside the
	// file that names it; nil for nothing.
	Embedded fs.FS
	// cacheDir is where embedded files are put for those who need them on disk.
	cacheDir string
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
		r.add(name, kind, true, worker, &errs)
	}
	for _, kind := range []string{"env", "file", "dir"} {
		if _, there := r.providers[kind]; !there {
			r.add(kind, kind, false, worker, &errs)
		}
	}
	return r, errors.Join(errs...)
}

// add makes a provider with the parameters that the worker gives it.
func (r *Resolver) add(name, kind string, named bool, worker connector.Props, errs *[]error) {
	p, err := newProvider(kind, worker.WithPrefix("config.providers."+name+".param."))
	if err != nil {
		*errs = append(*errs, fmt.Errorf("config.providers.%s: %w", name, err))
		return
	}
	p.named = named
	r.providers[name] = p
}

// Origin says where a configuration comes from.
type Origin struct {
	// Dir is the folder that relative paths start from, "" for the working one.
	Dir string
	// Remote tells that the configuration was sent by a client: it may only use
	// the providers that the worker names in config.providers, as in Kafka Connect,
	// and others that have an allow list.
	Remote bool
}

type originKey struct{}

// WithOrigin gives a context of a request that is about a configuration from somewhere.
func WithOrigin(ctx context.Context, from Origin) context.Context {
	return context.WithValue(ctx, originKey{}, from)
}

// OriginOf gives where the configuration of a request comes from: a client, unless
// somebody in this program says otherwise.
func OriginOf(ctx context.Context) Origin {
	if from, ok := ctx.Value(originKey{}).(Origin); ok {
		return from
	}
	return Origin{Remote: true}
}

// Resolve gives a configuration with all references replaced. The error names
// every key whose reference has no value. References to providers that do not
// exist are left as they are, since ${topic} and the like have other uses.
func (r *Resolver) Resolve(props connector.Props, from Origin) (connector.Props, error) {
	out, _, p := r.resolve(props, from)
	return out, p.Err()
}

// resolve is Resolve that gives the problems one by one, and what each
// reference stands for. One without a value is left as it is, which is all that
// Kafka Connect does of it.
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
		p, there := r.providers[name]
		if !there {
			return ref
		}
		if from.Remote && !p.named && !p.limited {
			errs = append(errs, fmt.Errorf("%s: a connector made over REST may only use what the worker names in config.providers, or what config.providers.%s.param.%s allows", ref, name, p.limit))
			return ref
		}
		if path != "" && !filepath.IsAbs(path) {
			path = filepath.Join(from.Dir, path)
		}
		v, err := p.lookup(path, key)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", ref, err))
			return ref
		}
		references[ref] = v
		return v
	})
	return out, errors.Join(errs...)
}

// unlimited gives the providers that the worker names and that have no allow list.
func (r *Resolver) unlimited() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(r.providers)) {
		if p := r.providers[name]; p.named && !p.limited {
			names = append(names, name)
		}
	}
	return names
}

// ttl gives the shortest time for which one of these references is believed, 0
// where all are without end.
func (r *Resolver) ttl(references map[string]string) time.Duration {
	shortest := time.Duration(0)
	for ref := range references {
		p := r.providers[variable.FindStringSubmatch(ref)[1]]
		if p.ttl > 0 && (shortest == 0 || p.ttl < shortest) {
			shortest = p.ttl
		}
	}
	return shortest
}

// unknownProviders gives references to providers that do not exist.
func (r *Resolver) unknownProviders(text string) []string {
	var names []string
	for _, m := range variable.FindAllStringSubmatch(text, -1) {
		if _, there := r.providers[m[1]]; !there && !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	return names
}
