package loggers

import (
	_ "embed"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Root is the name of what all loggers are below.
const Root = "root"

const (
	module = "github.com/axiom-data-science/hydraulics"
	short  = "hydraulics"
)

//go:embed java.txt
var javaNames string

// Level is what a logger logs.
type Level struct {
	Name     string
	Modified time.Time // when it was set last; zero where it never was
}

// Registry has the levels of loggers. It is safe for use from several goroutines.
type Registry struct {
	mu       sync.Mutex
	settings []setting // the first one is root's; a later one goes before an earlier one
	// known are the loggers, each with the other names that it goes by: of a
	// package those of Java, of one of Java its package.
	known    map[string][]string
	modified map[string]time.Time

	view atomic.Pointer[view]
}

// setting is a level for all loggers of a namespace.
type setting struct {
	namespace string // empty is root
	level     string
}

// view is what records are judged by until the next setting.
type view struct {
	least    slog.Level // no logger's level is below it
	uniform  bool       // all have that level
	packages sync.Map   // slog.Level by package, of those that have logged
}

func newRegistry(level string) *Registry {
	r := &Registry{settings: []setting{{"", level}}, known: map[string][]string{}, modified: map[string]time.Time{}}
	for line := range strings.Lines(javaNames) {
		java, path, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || java == "#" {
			continue
		}
		own := nameOf(module + "/" + path)
		r.known[java] = append(r.known[java], own)
		r.known[own] = append(r.known[own], java)
	}
	r.look()
	return r
}

// nameOf gives the logger's name of a package.
func nameOf(path string) string {
	if rest, ok := strings.CutPrefix(path, module); ok {
		path = short + rest
	}
	return strings.ReplaceAll(path, "/", ".")
}

// canonical gives the namespace that a name stands for.
func canonical(name string) string {
	if strings.EqualFold(name, Root) {
		return ""
	}
	return name
}

// within tells whether a logger is in a namespace.
func within(name, namespace string) bool {
	rest, ok := strings.CutPrefix(name, namespace)
	return namespace == "" || ok && (rest == "" || rest[0] == '.')
}

// covers tells whether a setting is one of a logger, by any of its names.
func (r *Registry) covers(s setting, name string) bool {
	return within(name, s.namespace) || slices.ContainsFunc(r.known[name], func(n string) bool { return within(n, s.namespace) })
}

// level gives the level of a logger. The caller holds the lock.
func (r *Registry) level(name string) string {
	for i := len(r.settings) - 1; i > 0; i-- {
		if r.covers(r.settings[i], name) {
			return r.settings[i].level
		}
	}
	return r.settings[0].level
}

// look makes the view anew. The caller holds the lock.
func (r *Registry) look() {
	v := &view{least: levels[r.settings[0].level], uniform: true}
	for _, s := range r.settings[1:] {
		v.uniform = v.uniform && levels[s.level] == v.least
		v.least = min(v.least, levels[s.level])
	}
	r.view.Store(v)
}

// Get gives the level of a logger, false where none is known by that name.
func (r *Registry) Get(name string) (Level, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	name = canonical(name)
	if _, known := r.known[name]; !known && name != "" {
		return Level{}, false
	}
	return Level{r.level(name), r.modified[name]}, true
}

// All gives the levels of all loggers that are not off.
func (r *Registry) All() map[string]Level {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := map[string]Level{Root: {r.settings[0].level, r.modified[""]}}
	for name := range r.known {
		all[name] = Level{r.level(name), r.modified[name]}
	}
	maps.DeleteFunc(all, func(_ string, l Level) bool { return l.Name == "OFF" })
	return all
}

// Set gives all loggers of a namespace a level, which [ParseLevel] knows. It
// gives the names of those that had another one, sorted.
func (r *Registry) Set(name, level string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	namespace := canonical(name)
	before := map[string]string{}
	for known := range r.known {
		if within(known, namespace) {
			before[known] = r.level(known)
		}
	}
	if _, there := before[namespace]; namespace == "" {
		before[""] = r.settings[0].level
	} else if !there {
		before[namespace] = r.level(namespace)
		r.known[namespace] = nil
	}
	r.settings = slices.DeleteFunc(r.settings, func(s setting) bool { return within(s.namespace, namespace) })
	r.settings = append(r.settings, setting{namespace, level})
	changed, now := []string{}, time.Now()
	for known, old := range before {
		if r.level(known) == old {
			continue
		}
		r.modified[known] = now
		if known == "" {
			known = Root
		}
		changed = append(changed, known)
	}
	r.look()
	slices.Sort(changed)
	return changed
}

// logs tells whether a package logs at a level.
func (r *Registry) logs(path string, at slog.Level) bool {
	v := r.view.Load()
	if v.uniform {
		return at >= v.least
	}
	level, ok := v.packages.Load(path)
	if !ok {
		r.mu.Lock()
		name := nameOf(path)
		if _, known := r.known[name]; !known {
			r.known[name] = nil
		}
		level = levels[r.level(name)]
		r.mu.Unlock()
		v.packages.Store(path, level)
	}
	return at >= level.(slog.Level)
}
