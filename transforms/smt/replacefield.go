package smt

import (
	"context"
	"fmt"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

var (
	_ connector.Transform = (*ReplaceField)(nil)
	_ connector.Validator = (*ReplaceField)(nil)
)

func init() {
	for _, p := range []part{onKey, onValue} {
		connector.RegisterTransform(func() connector.Transform { return &ReplaceField{part: p} })
	}
}

// ReplaceField leaves fields out and renames them.
type ReplaceField struct {
	part     part
	rewriter rewriter
}

const fieldReplacement = "field replacement"

// Info describes the plugin.
func (t *ReplaceField) Info() connector.Info {
	return t.part.info("ReplaceField", "replace-field", "Leaves out or renames fields.")
}

// ConfigDef gives Kafka's keys.
func (*ReplaceField) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "exclude", Type: connector.ListKey, Default: []string{}, Distinct: true, Check: connector.Distinct(true, false),
			Doc: "Fields to exclude. This takes precedence over the fields to include."},
		connector.Key{Name: "include", Type: connector.ListKey, Default: []string{}, Distinct: true, Check: connector.Distinct(true, false),
			Doc: "Fields to include. If specified, only these fields will be used."},
		connector.Key{Name: "renames", Type: connector.ListKey, Default: []string{}, Doc: "Field rename mappings.",
			Check: func(_ string, v any) error {
				_, err := parseRenames(v)
				return err
			}},
		replaceNullKey, ownSyntaxKey,
	)
}

// parseRenames reads old:new mappings. As in Java empty parts at the end count for nothing.
func parseRenames(v any) (map[string]string, error) {
	list, ok := v.([]string)
	if !ok {
		return nil, fmt.Errorf("value must be a list of old:new mappings, it is null")
	}
	m := map[string]string{}
	for _, mapping := range list {
		parts := strings.Split(mapping, ":")
		for len(parts) > 0 && parts[len(parts)-1] == "" {
			parts = parts[:len(parts)-1]
		}
		if len(parts) != 2 {
			return nil, fmt.Errorf("Invalid rename mapping: %s", mapping)
		}
		m[parts[0]] = parts[1]
	}
	return m, nil
}

// Validate reads the paths.
func (*ReplaceField) Validate(conf connector.Config, p *connector.Problems) {
	checkPaths(conf, p, "exclude", "include")
	if renames, err := parseRenames(conf.List("renames")); err == nil {
		for from := range renames {
			if _, err := parsePath(from, nested(conf)); err != nil {
				p.Add("renames", "%s", err)
			}
		}
	}
}

// Configure notes what becomes of each field that is named: what to include
// goes first, what to leave out last, since that wins.
func (t *ReplaceField) Configure(_ connector.Context, conf connector.Config) error {
	v2 := nested(conf)
	t.rewriter = rewriter{purpose: fieldReplacement, replaceNull: conf.Bool("replace.null.with.default")}
	root := &t.rewriter.root
	include, err := parsePaths(conf.List("include"), v2)
	if err != nil {
		return err
	}
	for _, p := range include {
		for i := range p {
			root.at(p[:i]).skipOthers = true
		}
	}
	for _, p := range include {
		root.at(p).skipOthers = false // all that is in it
	}
	renames, err := parseRenames(conf.List("renames"))
	if err != nil {
		return err
	}
	for from, to := range renames {
		p, err := parsePath(from, v2)
		if err != nil {
			return err
		}
		if root.keeps(p) {
			root.at(p).change.name = to
		}
	}
	exclude, err := parsePaths(conf.List("exclude"), v2)
	if err != nil {
		return err
	}
	for _, p := range exclude {
		if root.keeps(p) {
			root.at(p).change.drop = true
		}
	}
	return nil
}

// keeps tells whether the field of a path stays, so far.
func (n *node) keeps(p path) bool {
	for _, step := range p {
		child := n.children[step]
		if child == nil {
			return !n.skipOthers
		}
		n = child
	}
	return true
}

// Apply filters and renames one record's fields; a null key or value stays null.
func (t *ReplaceField) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	if _, value := t.part.get(r); value == nil {
		return r, true, nil
	}
	out, err := t.rewriter.rewrite(t.part, r)
	return out, err == nil, err
}
