package declared

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/internal/client"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// Worker is what is asked of a worker.
type Worker interface {
	Connectors(ctx context.Context) (map[string]client.Connector, error)
	Validate(ctx context.Context, config client.Config) ([]client.Check, error)
	Create(ctx context.Context, name string, config client.Config, target state.Target) error
	Put(ctx context.Context, name string, config client.Config) error
	Delete(ctx context.Context, name string) error
}

// Options say what of a worker's connectors the files speak for.
type Options struct {
	// Set is the name of the set. Without one nothing is deleted, and connectors of
	// sets are left alone.
	Set string
	// TakeOver has connectors of other sets become those of this one.
	TakeOver bool
}

// Action is what becomes of a connector.
type Action string

// The actions.
const (
	Created Action = "created"
	Changed Action = "changed"
	Deleted Action = "deleted"
	Same    Action = "unchanged"
)

// Change is what becomes of one connector. It holds no secrets that anybody may see.
type Change struct {
	Name   string      `json:"name"`
	Action Action      `json:"action"`
	Keys   []KeyChange `json:"keys,omitempty"`

	config client.Config
	target state.Target
}

// KeyChange is a key that differs, with its values as they may be shown; nil is
// none.
type KeyChange struct {
	Key string  `json:"key"`
	Old *string `json:"old"`
	New *string `json:"new"`
}

// Plan finds out what has to be done so that a worker's connectors are those that
// are declared, in the order in which it is done. Nothing is changed by it. The error
// names all that speaks against it: also what the worker finds wrong with
// configurations.
func Plan(ctx context.Context, w Worker, list []config.Connector, o Options) ([]Change, error) {
	all, err := w.Connectors(ctx)
	if err != nil {
		return nil, err
	}
	plan := []Change{}
	var errs []error
	wanted := map[string]bool{}
	for _, c := range list {
		wanted[c.Name] = true
		change, err := o.plan(ctx, w, c, all)
		if _, away := errors.AsType[*client.UnreachableError](err); away {
			return nil, err
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		plan = append(plan, change)
	}
	slices.SortFunc(plan, func(a, b Change) int { return strings.Compare(a.Name, b.Name) })
	for _, name := range slices.Sorted(maps.Keys(all)) {
		there := all[name]
		if wanted[name] || o.Set == "" || there.Info.Config.Text(config.SetKey) != o.Set {
			continue
		}
		if there.Info.File != "" {
			errs = append(errs, managed(name, there.Info.File))
		}
		plan = append(plan, Change{Name: name, Action: Deleted})
	}
	return plan, errors.Join(errs...)
}

// managed says that a connector is that of a worker's own file.
func managed(name, file string) error {
	return fmt.Errorf("connector %s: the worker's file %s manages it: change it there", name, file)
}

// plan finds out what becomes of one declared connector.
func (o Options) plan(ctx context.Context, w Worker, c config.Connector, all map[string]client.Connector) (Change, error) {
	wanted, err := o.configOf(c)
	if err != nil {
		return Change{}, err
	}
	change := Change{Name: c.Name, Action: Created, config: wanted, target: c.Initial}
	there, exists := all[c.Name]
	old := client.Config{}
	if exists {
		change.Action, old = Changed, there.Info.Config
		if owner := old.Text(config.SetKey); owner != "" && owner != o.Set && !o.TakeOver {
			return Change{}, fmt.Errorf("connector %s: it belongs to the set %s: apply it with --set %s, or with --set and --take-over", c.Name, owner, owner)
		}
		if maps.EqualFunc(old, wanted, equal) {
			change.Action = Same
			return change, nil
		}
		if there.Info.File != "" {
			return Change{}, managed(c.Name, there.Info.File)
		}
	}
	if wanted.Text("connector.class") == "" {
		return Change{}, config.Problem{File: c.File, Line: c.Line, Connector: c.Name, Key: "connector.class", Message: "is missing: it says what the connector is"}
	}
	secrets, err := check(ctx, w, c, wanted, old)
	if err != nil {
		return Change{}, err
	}
	change.Keys = difference(old, wanted, secrets)
	return change, nil
}

func equal(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }

// configOf gives the configuration that a connector is to have.
func (o Options) configOf(c config.Connector) (client.Config, error) {
	if e, given := c.Entries.Find(config.SetKey); given {
		return nil, config.Problem{File: e.File, Line: e.Line, Connector: c.Name, Key: e.Key, Message: "leave it out: --set says which set a connector belongs to"}
	}
	wanted := Config(c)
	if o.Set != "" {
		wanted[config.SetKey] = &o.Set
	}
	return wanted, nil
}

// Config gives the configuration that a file has for a connector.
func Config(c config.Connector) client.Config {
	wanted := client.Config{}
	for _, e := range c.Entries {
		wanted[e.Key] = &e.Text
		if e.Null {
			wanted[e.Key] = nil
		}
	}
	return wanted
}

// check has the worker say what it thinks of a configuration, and gives the keys that
// hold secrets.
func check(ctx context.Context, w Worker, c config.Connector, wanted, old client.Config) (config.Secrets, error) {
	checks, err := w.Validate(ctx, wanted)
	if err != nil {
		return nil, err
	}
	var errs []error
	defined := map[string]bool{}
	for _, x := range checks {
		defined[x.Value.Name] = true
		for _, text := range x.Value.Errors {
			p := config.Problem{File: c.File, Line: c.Line, Connector: c.Name, Key: x.Value.Name, Message: text}
			if e, ok := c.Entries.Find(x.Value.Name); ok {
				p.File, p.Line = e.File, e.Line
			}
			errs = append(errs, p)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	secrets := client.SecretsOf(checks)
	for key := range old {
		if _, kept := wanted[key]; !kept && !defined[key] { // a key of the plugin, or of a part, that it had before
			before, err := w.Validate(ctx, old)
			if _, refused := errors.AsType[*client.Error](err); err != nil && !refused {
				return nil, err
			}
			maps.Copy(secrets, client.SecretsOf(before))
			break
		}
	}
	return secrets, nil
}

// difference gives the keys that differ.
func difference(old, wanted client.Config, secrets config.Secrets) []KeyChange {
	keys := map[string]bool{}
	for k := range old {
		keys[k] = true
	}
	for k := range wanted {
		keys[k] = true
	}
	var list []KeyChange
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		before, had := old[k]
		after, has := wanted[k]
		if had == has && equal(before, after) {
			continue
		}
		list = append(list, KeyChange{Key: k, Old: shown(secrets, k, before, had), New: shown(secrets, k, after, has)})
	}
	return list
}

// shown gives a value as it may be seen, nil where there is none.
func shown(secrets config.Secrets, key string, v *string, there bool) *string {
	if !there {
		return nil
	}
	text := "null"
	if v != nil {
		text = secrets.Show(key, *v)
	}
	return &text
}

// Apply does what is planned, and calls done after each step. What fails keeps the
// rest from nothing but deletions.
func Apply(ctx context.Context, w Worker, plan []Change, done func(Change) error) error {
	var errs []error
	for _, c := range plan {
		var err error
		switch c.Action {
		case Created:
			err = w.Create(ctx, c.Name, c.config, c.target)
		case Changed:
			err = w.Put(ctx, c.Name, c.config)
		case Deleted:
			if len(errs) > 0 {
				errs = append(errs, fmt.Errorf("connector %s: it was not deleted, since not all of the above was done", c.Name))
				continue
			}
			err = w.Delete(ctx, c.Name)
		}
		if err == nil {
			err = done(c)
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
