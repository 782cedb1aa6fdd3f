package runtime

import (
	"context"
	"errors"
	"fmt"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// parts are the plugins of one task, as the stages they make.
type parts struct {
	chain
	stores  []*stores
	plugins []PluginInfo
	close   []func() error
	// checkers are those of the plugins that can look at their systems.
	checkers []checker
}

// checker is a plugin that can look at its systems, with where it is used.
type checker struct {
	place  string
	plugin connector.Checker
	conf   connector.Config
}

// builder makes the parts of a task.
type builder struct {
	registry *connector.Registry
	spec     TaskSpec
	set      *settings
	context  connector.Context
	guarded  func(what string, call func() error) error
	parts    *parts
}

// build makes the stages of a task's journey. After an error nothing is left open.
func build(t *Task, set *settings, c connector.Context) (*parts, error) {
	b := &builder{registry: t.options.Plugins, spec: t.spec, set: set, context: c, guarded: t.guarded, parts: &parts{}}
	if err := b.build(); err != nil {
		return nil, errors.Join(err, b.parts.Close())
	}
	t.plugins.Store(&b.parts.plugins)
	return b.parts, nil
}

func (b *builder) build() error {
	p := b.parts
	var err error
	add := func(to **stage, make func() (*stage, error)) {
		if err == nil {
			*to, err = make()
		}
	}
	prefix := ""
	if b.spec.Kind == KindStream {
		prefix = "input."
	}
	if b.spec.Kind != KindSource {
		add(&p.readKey, func() (*stage, error) { return b.reader(prefix, true) })
		add(&p.readValue, func() (*stage, error) { return b.reader(prefix, false) })
		add(&p.readHeaders, func() (*stage, error) { return b.headerReader(prefix) })
	}
	for _, alias := range b.set.transforms {
		if err != nil {
			return err
		}
		err = b.transform(alias)
	}
	if b.spec.Kind != KindSink {
		add(&p.writeHeaders, b.headerWriter)
		add(&p.writeKey, func() (*stage, error) { return b.writer(true) })
		add(&p.writeValue, func() (*stage, error) { return b.writer(false) })
	}
	return err
}

// Close closes all plugins that hold resources.
func (p *parts) Close() error {
	var errs []error
	for _, c := range p.close {
		errs = append(errs, guard(c))
	}
	p.close = nil
	return errors.Join(errs...)
}

// configure gives a plugin its configuration. From then on it is closed with
// the parts, also where it has refused.
func (b *builder) configure(s *stage, plugin connector.Plugin, props connector.Props, with func(connector.Config) error) error {
	conf, err := connector.ParsePlugin(plugin, props)
	if err != nil {
		return fmt.Errorf("%s: %w", s.place, err)
	}
	if c, ok := plugin.(connector.Closer); ok {
		b.parts.close = append(b.parts.close, c.Close)
	}
	if c, ok := plugin.(connector.Checker); ok {
		b.parts.checkers = append(b.parts.checkers, checker{s.place, c, conf})
	}
	if err := b.guarded("configuration of "+s.place, func() error { return with(conf) }); err != nil {
		return fmt.Errorf("%s: %w", s.place, err)
	}
	return nil
}

// choice gives the class and the configuration of a converter that is used for
// keys, values or headers: the connector's own, which replaces the worker's whole,
// or the worker's.
func (b *builder) choice(use string, keys ...string) (class string, props connector.Props) {
	for i, key := range keys {
		from := b.spec.Props
		if i == len(keys)-1 {
			from = b.set.converters
		}
		if class, ok := from.Text(key); ok {
			props := config.RegistryDefaults(from.WithPrefix(key+"."), b.spec.Worker, "")
			props["converter.type"] = use // as Kafka Connect fills it in
			return class, props
		}
	}
	return "", nil
}

func (b *builder) converter(key bool, names ...string) (connector.Converter, *stage, error) {
	word, java, use := "value converter", "VALUE_CONVERTER", "value"
	if key {
		word, java, use = "key converter", "KEY_CONVERTER", "key"
	}
	class, props := b.choice(use, names...)
	if class == "" {
		return nil, nil, connector.Coded("H1015", connector.Fatal(fmt.Errorf("%s: neither the connector nor its worker has %s", word, names[len(names)-1])))
	}
	plugin, s, err := b.plugin(connector.ConverterType, word, "", java, class)
	if err != nil {
		return nil, nil, err
	}
	c, ok := plugin.(connector.Converter)
	if !ok {
		return nil, nil, connector.Fatal(fmt.Errorf("%s: %s is no converter", word, class))
	}
	err = b.configure(s, plugin, props, func(conf connector.Config) error { return c.Configure(b.context, conf, key) })
	return c, s, err
}

// plugin makes a plugin and the frame of its stage, which role and alias name.
func (b *builder) plugin(t connector.PluginType, role, alias, java, class string) (connector.Plugin, *stage, error) {
	word := role
	if alias != "" {
		word += " " + alias
	}
	p, err := b.registry.New(t, class)
	if err != nil {
		return nil, nil, connector.Coded("H1004", connector.Fatal(fmt.Errorf("%s: %w", word, err)))
	}
	b.parts.note(role, alias, p.Info())
	return p, newStage(p, word, java, connector.KindData), nil
}

func newStage(p connector.Plugin, word, java string, unmarked connector.Kind) *stage {
	info := p.Info()
	return &stage{place: word + " (" + info.Name + ")", java: java, class: config.ClassName(info),
		rule: rule{unmarked: unmarked, tolerable: unmarked == connector.KindData}}
}

func (b *builder) reader(prefix string, key bool) (*stage, error) {
	name := "value.converter"
	if key {
		name = "key.converter"
	}
	c, s, err := b.converter(key, prefix+name, name)
	if err != nil {
		return nil, err
	}
	if key {
		s.one = func(ctx context.Context, it *item) (err error) {
			it.record.KeySchema, it.record.Key, err = c.ToConnect(ctx, it.read.Topic, it.read.Key)
			return err
		}
		return s, nil
	}
	s.one = func(ctx context.Context, it *item) (err error) {
		it.record.ValueSchema, it.record.Value, err = c.ToConnect(ctx, it.read.Topic, it.read.Value)
		return err
	}
	return s, nil
}

func (b *builder) writer(key bool) (*stage, error) {
	name := "value.converter"
	if key {
		name = "key.converter"
	}
	c, s, err := b.converter(key, name, name)
	if err != nil {
		return nil, err
	}
	if key {
		s.one = func(ctx context.Context, it *item) (err error) {
			r := &it.record
			it.out.Key, err = c.FromConnect(ctx, r.Topic, r.KeySchema, r.Key)
			return err
		}
		return s, nil
	}
	s.one = func(ctx context.Context, it *item) (err error) {
		r := &it.record
		it.out.Value, err = c.FromConnect(ctx, r.Topic, r.ValueSchema, r.Value)
		return err
	}
	return s, nil
}
