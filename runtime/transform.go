package runtime

import (
	"context"
	"fmt"
	"slices"

	"github.com/axiom-data-science/hydraulics/connector"
)

// transform makes the stage of one transform of the chain, from the keys
// transforms.<alias>.type, .predicate, .negate and the transform's own.
func (b *builder) transform(alias string) error {
	const java = "TRANSFORMATION"
	word := "transform " + alias
	props := b.spec.Props.WithPrefix("transforms." + alias + ".")
	class, ok := props.Text("type")
	if !ok {
		return connector.Fatal(fmt.Errorf("%s: %s", word, connector.Invalid("transforms."+alias+".type", nil, "Not a Transformation")))
	}
	plugin, s, err := b.plugin(connector.TransformType, "transform", alias, java, class)
	if err != nil {
		return err
	}
	t, ok := plugin.(connector.Transform)
	if !ok {
		return connector.Fatal(fmt.Errorf("%s: %s is no transform", word, class))
	}
	applies, err := b.predicate(word, props)
	if err != nil {
		return err
	}
	if err := b.configure(s, plugin, props, func(conf connector.Config) error { return t.Configure(b.context, conf) }); err != nil {
		return err
	}
	switch t := t.(type) {
	case connector.StatefulTransform:
		if b.spec.Kind != KindStream {
			return connector.Coded("H1014", connector.Fatal(fmt.Errorf("%s: it keeps state, which only a stream connector can do", s.place)))
		}
		keep, err := b.stores(s.place, t.Store())
		if err != nil {
			return err
		}
		s.one = stateful(t, keep, applies)
	case connector.BatchTransform:
		s.many = batched(t, applies)
	default:
		s.one = plain(t, applies)
	}
	b.parts.transforms = append(b.parts.transforms, s)
	return nil
}

// test tells whether a transform applies to a record.
type test func(r connector.Record) (bool, error)

// predicate gives the test of a transform, nil for one that always applies.
func (b *builder) predicate(word string, props connector.Props) (test, error) {
	alias, ok := props.Text("predicate")
	if !ok {
		return nil, nil
	}
	negate := false
	if text, ok := props["negate"]; ok {
		v, err := connector.ParseType("negate", text, connector.BooleanKey)
		if err != nil {
			return nil, connector.Fatal(fmt.Errorf("%s: %w", word, err))
		}
		negate, _ = v.(bool)
	}
	word = "predicate " + alias
	if !slices.Contains(b.set.predicates, alias) {
		return nil, connector.Fatal(fmt.Errorf("%s: predicates does not name it: Unknown configuration 'predicates.%s.plugin.version'", word, alias))
	}
	own := b.spec.Props.WithPrefix("predicates." + alias + ".")
	class, ok := own.Text("type")
	if !ok {
		return nil, connector.Fatal(fmt.Errorf("%s: %s", word, connector.Invalid("predicates."+alias+".type", nil, "Not a Predicate")))
	}
	plugin, s, err := b.plugin(connector.PredicateType, "predicate", alias, "TRANSFORMATION", class)
	if err != nil {
		return nil, err
	}
	p, ok := plugin.(connector.Predicate)
	if !ok {
		return nil, connector.Fatal(fmt.Errorf("%s: %s is no predicate", word, class))
	}
	if err := b.configure(s, plugin, own, func(conf connector.Config) error { return p.Configure(b.context, conf) }); err != nil {
		return nil, err
	}
	return func(r connector.Record) (bool, error) {
		yes, err := p.Test(r)
		if err != nil {
			return false, fmt.Errorf("%s: %w", s.place, err)
		}
		return yes != negate, nil
	}, nil
}

// applied puts a transform's result into an item. The origin stays the
// runtime's: a sink's offsets are those of the record that was read.
func (it *item) applied(out connector.Record, keep bool) {
	if !keep {
		it.fate = dropped
		return
	}
	out.Origin = it.record.Origin
	it.record = out
}

func plain(t connector.Transform, applies test) func(context.Context, *item) error {
	return func(ctx context.Context, it *item) error {
		if applies != nil {
			if yes, err := applies(it.record); err != nil || !yes {
				return err
			}
		}
		out, keep, err := t.Apply(ctx, it.record)
		if err == nil {
			it.applied(out, keep)
		}
		return err
	}
}

func stateful(t connector.StatefulTransform, keep *stores, applies test) func(context.Context, *item) error {
	return func(ctx context.Context, it *item) error {
		if applies != nil {
			if yes, err := applies(it.record); err != nil || !yes {
				return err
			}
		}
		store, err := keep.open(it.read.Partition)
		if err != nil {
			return err
		}
		store.begin()
		out, kept, err := t.ApplyStateful(ctx, store, it.record)
		if err != nil {
			store.rollback()
			return err
		}
		for _, w := range store.end() {
			w.stores = keep
			it.writes = append(it.writes, w)
		}
		it.applied(out, kept)
		return nil
	}
}

func batched(t connector.BatchTransform, applies test) func(context.Context, []*item) []error {
	return func(ctx context.Context, items []*item) []error {
		errs := make([]error, len(items))
		records := make([]connector.Record, 0, len(items))
		index := make([]int, 0, len(items))
		for i, it := range items {
			if applies != nil {
				yes, err := applies(it.record)
				if err != nil || !yes {
					errs[i] = err
					continue
				}
			}
			records, index = append(records, it.record), append(index, i)
		}
		if len(records) == 0 {
			return errs
		}
		results := t.ApplyBatch(ctx, records)
		if len(results) != len(records) {
			err := connector.Fatal(fmt.Errorf("the plugin gave %d results for %d records", len(results), len(records)))
			for _, i := range index {
				errs[i] = err
			}
			return errs
		}
		for k, r := range results {
			if errs[index[k]] = r.Err; r.Err == nil {
				items[index[k]].applied(r.Record, r.Keep)
			}
		}
		return errs
	}
}

// stores makes the place for a transform's stores.
func (b *builder) stores(place string, spec connector.StoreSpec) (*stores, error) {
	if spec.Name == "" {
		return nil, connector.Fatal(fmt.Errorf("%s: its store has no name", place))
	}
	s := newStores(place, b.set.group(b.spec)+"-"+spec.Name+"-changelog", spec.Retention, b.set.changelogReplicas)
	for _, other := range b.parts.stores {
		if other.topic == s.topic {
			return nil, connector.Fatal(fmt.Errorf("%s: its store has the name of %s's, %s", place, other.place, spec.Name))
		}
	}
	b.parts.stores = append(b.parts.stores, s)
	return s, nil
}
